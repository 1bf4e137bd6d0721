"""`bitbrush`: opens the window, or hands a subcommand on; the fault log and the last resort."""

import faulthandler
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Final

from app.child_process import child_environment, python_command
from app.folders import state_folder
from app.startup import find_obstacle
from core.errors import AnnotateError

HELP: Final = """\
usage: bitbrush [PATH]
       bitbrush COMMAND ...

Panoptic annotation of images and videos, pre-segmented by a diffusion model.
PATH is an image, a folder of images, a video or a project (.bitbrush); without
it, the sample project opens. A file called like a command is opened as ./NAME.

commands, each with --help of its own:
  segment         segment images with a model
  propagate       follow segments from a frame through its clip
  evaluate        measure panoptic quality
  export          write a project's maps: COCO panoptic and others
  import          take COCO panoptic maps into a project
  recover         save what a damaged project still holds
  corrections     list what it took to correct the model's proposals
  import-weights  make a model file of weights
  train           train a model
  doctor          print versions, device, display and missing libraries

options:
  -h, --help      print this
  --version       print the version
"""
CORE_COMMANDS: Final = frozenset(
    {
        "import",
        "segment",
        "propagate",
        "evaluate",
        "export",
        "recover",
        "corrections",
        "import-weights",
    }
)
FAILED: Final = 2
LOG_NAME: Final = "bitbrush.log"
FAULT_NAME: Final = "fault.log"
OLD_FAULT_NAME: Final = "fault-of-last-run.log"
MAX_LOG_BYTES: Final = 2_000_000
# For torch, here or in children: beside other programs, threads that spin while they wait make
# a model several times as slow.
PASSIVE: Final = ("OMP_WAIT_POLICY", "passive")
BLAS_THREADS: Final = "OPENBLAS_NUM_THREADS"

_log = logging.getLogger("bitbrush")


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments ask for; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    os.environ.setdefault(*PASSIVE)
    command = arguments[0] if arguments else ""
    if command in {"-h", "--help"}:
        sys.stdout.write(HELP)
        return 0
    if command == "--version":
        sys.stdout.write(f"bitbrush {metadata.version('bitbrush')}\n")
        return 0
    if command in CORE_COMMANDS:
        from core.__main__ import main as run_command  # noqa: PLC0415 - brings OpenCV and rich

        return run_command(arguments)
    if command == "train":
        return _run_training(arguments[1:])
    if command == "doctor":
        from app.doctor import print_report  # noqa: PLC0415 - only here

        return print_report()
    return _open_window(arguments)


def _run_training(arguments: Sequence[str]) -> int:
    """Train in a child process, which gets Ctrl+C itself, and SIGTERM from us."""
    child = subprocess.Popen(  # noqa: S603 - our own module
        python_command("training", *arguments), env=child_environment()
    )
    before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            continue  # training saves where it was, then ends
        signal.signal(signal.SIGTERM, before)
        return 128 - code if code < 0 else code  # as a shell says that a signal ended it


def _open_window(arguments: Sequence[str]) -> int:
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        return _complain(f"'{' '.join(arguments)}' is not understood; see 'bitbrush --help'.")
    path = Path(arguments[0]).absolute() if arguments else None
    if path is not None and not path.exists():
        return _complain(
            f"{arguments[0]} does not exist; give an image, folder, video or project."
        )
    if obstacle := find_obstacle(os.environ):
        return _complain(obstacle)
    last_fault = _begin_logs()
    with lean_imports():
        # Only now: Qt aborts the process where one of the things looked for above is missing.
        from app.program import Program  # noqa: PLC0415

    try:
        program = Program()
        _install_last_resort(program.report_fault)
        if last_fault:
            program.tell_later(last_fault)
        return program.run(path)
    except AnnotateError as error:
        return _complain(str(error))


@contextmanager
def lean_imports() -> Iterator[None]:
    """Have modules imported without what only costs time: a quarter of what the processor does.

    There is no garbage yet to be looked for, nor ever among modules. OpenBLAS would start a
    thread for each core, which spins when NumPy is imported and then waits for products of
    matrices that the window does not have. Its children may have some, and inherit nothing.
    """
    is_ours = BLAS_THREADS not in os.environ
    if is_ours:
        os.environ[BLAS_THREADS] = "1"
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if is_ours:
            del os.environ[BLAS_THREADS]


def _complain(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return FAILED


def _begin_logs() -> str:
    """Log to files from now on.

    Returns:
        A sentence about the fault that ended the last run; empty when none did.
    """
    try:
        folder = state_folder()
        log = folder / LOG_NAME
        if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
            log.replace(log.with_suffix(".old.log"))
        logging.basicConfig(
            filename=log, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
        )
        return _begin_fault_log(folder)
    except OSError as error:
        logging.basicConfig(level=logging.WARNING)
        _log.warning("there will be no log file: %s", error)
        return ""


def _begin_fault_log(folder: Path) -> str:
    """Have a crash inside a library write where it happened; say where the last one did."""
    fault, old = folder / FAULT_NAME, folder / OLD_FAULT_NAME
    sentence = ""
    if fault.exists() and fault.stat().st_size:
        fault.replace(old)
        sentence = (
            f"The last run ended in a crash; every edit was saved before. {old} says where, "
            "and belongs into a report."
        )
    faulthandler.enable(fault.open("a", encoding="utf-8"))  # stays open as long as we run
    return sentence


def _install_last_resort(report: Callable[[str], None]) -> None:
    """Turn what nobody caught into a notice: an error in a slot must not end the program."""

    def tell(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        _log.error("nobody caught this", exc_info=(kind, error, trace))
        report(
            f"Something went wrong inside the program ({kind.__name__}: {error}). Every edit "
            "is saved; the log has the details."
        )

    def tell_of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            tell(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = tell
    threading.excepthook = tell_of_thread
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl+C in the terminal ends the program


if __name__ == "__main__":
    sys.exit(main())
