"""Brush events and repaints while a model is trained beside the window, and while none is.

    python -m benchmarks.painting_while_training [--threads N] [--rounds N]

The training is the process that the window starts: niced, with so many threads. Between rounds
it is halted and let go on, so both are measured on the same machine within the same minutes.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.child_process import child_environment, python_command
from app.window import MainWindow
from benchmarks.budgets import STROKE_MS, Budgets
from benchmarks.editing import Stage, measure_strokes
from benchmarks.report import print_conditions
from benchmarks.scenes import (
    CELL,
    add_image,
    make_image,
    make_project,
    make_segments,
    write_files,
    write_image,
)
from benchmarks.tasks import MOVE, PAINT, PRESS, STROKE_DONE, Stopwatch
from core.bundled import DEFAULT_MODEL
from core.retraining import RetrainPlan
from core.review import Review
from core.run_folder import LogReader
from core.store import AnnotationStore
from core.training_progress import TrainingProgress
from core.training_snapshot import snapshot_project

N_IMAGES = 6  # to train on; half as many to measure on
SIDE = 256
N_SEGMENTS = 40
PATIENCE_S = 300.0
TASKS = (PRESS, MOVE, PAINT, STROKE_DONE)


def main() -> int:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="of the training (default: 1)")
    parser.add_argument("--rounds", type=int, default=3, help="of either kind (default: 3)")
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    print_conditions()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    alone, beside = Stopwatch(), Stopwatch()
    with (
        tempfile.TemporaryDirectory() as folder,
        make_project(write_files(Path(folder))) as store,
    ):
        stage = Stage(MainWindow(store))
        large = store.images()[0].id
        with training(Path(folder), arguments.threads) as process:
            for _ in range(arguments.rounds):
                process.send_signal(signal.SIGSTOP)
                measure_strokes(stage, large, alone)
                process.send_signal(signal.SIGCONT)
                measure_strokes(stage, large, beside)
                if process.poll() is not None:
                    raise RuntimeError("the training ended before the measurement")
        stage.window.close()
    report(alone, "Nothing is trained")
    threads = "1 thread" if arguments.threads == 1 else f"{arguments.threads} threads"
    report(beside, f"A model is trained with {threads}")
    app.quit()
    return 0


def report(watch: Stopwatch, what: str) -> None:
    """Print a table of strokes on 4096 x 4096 pixels."""
    budgets = Budgets()
    budgets.add_all(watch, {task: STROKE_MS[task] for task in TASKS})
    budgets.show(f"{what}: 4096 x 4096 pixels, 500 segments; milliseconds")


@contextmanager
def training(folder: Path, threads: int) -> Iterator[subprocess.Popen[bytes]]:
    """A training under way, as the window starts it.

    Raises:
        RuntimeError: it makes no step.
    """
    run = make_run(folder / "approved")
    plan = RetrainPlan(DEFAULT_MODEL, "trained", 60, threads, "cpu")
    with (run / "words.txt").open("wb") as words:
        process = subprocess.Popen(  # noqa: S603 - our own module
            python_command("training", *plan.arguments(run)),
            env=child_environment(),
            stdout=subprocess.DEVNULL,
            stderr=words,
        )
    try:
        wait_for_steps(run, process)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def make_run(folder: Path) -> Path:
    """The folder of a run on a few drawn images."""
    folder.mkdir()
    with AnnotationStore.create(folder / "approved.bitbrush", [CELL]) as store:
        ids = []
        for number in range(N_IMAGES + N_IMAGES // 2):
            path = folder / f"{number}.jpg"
            write_image(path, make_image(SIDE))
            ids.append(add_image(store, path, SIDE, make_segments(SIDE, N_SEGMENTS)))
            store.set_review(ids[-1], Review.APPROVED)
        run = folder / "run-1"
        snapshot_project(store.path, run, ids[:N_IMAGES], ids[N_IMAGES:])
    return run


def wait_for_steps(run: Path, process: subprocess.Popen[bytes]) -> None:
    """Come back when some steps are made."""
    reader, progress, end = LogReader(run), TrainingProgress(), time.monotonic() + PATIENCE_S
    while progress.step < 2:
        progress.add(reader.read())
        if process.poll() is not None or time.monotonic() > end:
            words = (run / "words.txt").read_text(errors="replace").strip().splitlines()
            raise RuntimeError(f"the training makes no step: {words[-1:]}")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
