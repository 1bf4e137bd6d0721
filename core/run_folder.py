"""The folder of a training run, for whoever watches it: who runs there, what it says, wishes.

A run depends on nobody who started it, so all that goes to and fro is files:

    DIR/.run.lock   held while a process trains there; the system releases it, kill -9 included
    DIR/run.json    which process that is or was, and the command that goes on from there
    DIR/wish        what the run is asked for: to go on, pause, stop or finish
    DIR/log.jsonl   a line of JSON for each step ("step", "loss", ...) or event ("event", ...)
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from core.durable import replace_file
from core.errors import TrainingError
from core.file_lock import FileLock

LOG_NAME: Final = "log.jsonl"
LOCK_NAME: Final = ".run.lock"
PROCESS_NAME: Final = "run.json"
WISH_NAME: Final = "wish"
TRIES: Final = 10  # as somebody who only looks holds the lock for a moment
TRY_EVERY_S: Final = 0.05


class Wish(StrEnum):
    """What a run can be asked for.

    STOP ends it after the step in hand, and the same command goes on. FINISH ends it as if that
    step had been its last: the model is measured and written.
    """

    GO_ON = "go on"
    PAUSE = "pause"
    STOP = "stop"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class RunProcess:
    """The process that trains in a folder, or was the last to do so.

    Attributes:
        command: that starts it, and takes it up where it ended.
        folder: in which the command was given.
        started: in seconds since 1970.
    """

    pid: int
    command: tuple[str, ...]
    folder: str
    started: float


@contextmanager
def holding_run(out: Path, command: Sequence[str]) -> Iterator[None]:
    """Be the one process that trains in a folder, with nothing wished yet.

    Raises:
        TrainingError: another one is, or the folder cannot be written.
    """
    try:
        lock = _lock(out)
    except BlockingIOError as error:
        other = read_process(out)
        who = "another process" if other is None else f"process {other.pid}"
        raise TrainingError(
            f"In {out} {who} is training already; stop it, or choose another folder."
        ) from error
    except OSError as error:
        raise _cannot_write(out, error) from error
    try:
        folder = str(Path.cwd())
        process = RunProcess(os.getpid(), tuple(command), folder, time.time())
        ask_run(out, Wish.GO_ON)
        _write(out / PROCESS_NAME, json.dumps(asdict(process)))
        yield
    finally:
        lock.release()


def _lock(out: Path) -> FileLock:
    for _ in range(TRIES - 1):
        try:
            return FileLock(out / LOCK_NAME)
        except BlockingIOError:
            time.sleep(TRY_EVERY_S)
    return FileLock(out / LOCK_NAME)


def is_running(out: Path) -> bool:
    """Whether a process trains in a folder now."""
    try:
        FileLock(out / LOCK_NAME).release()
    except BlockingIOError:
        return True
    except OSError:  # nobody can write there
        return False
    return False


def read_process(out: Path) -> RunProcess | None:
    """The process that trains in a folder or did last, if there was any."""
    try:
        fields = json.loads((out / PROCESS_NAME).read_text(encoding="utf-8"))
        return RunProcess(**{**fields, "command": tuple(fields["command"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ask_run(out: Path, wish: Wish) -> None:
    """Tell a run what to do after the step in hand.

    Raises:
        TrainingError: its folder cannot be written.
    """
    _write(out / WISH_NAME, wish.value + "\n")


def read_wish(out: Path) -> Wish:
    """What a run was asked for; to go on, if nobody said anything that is understood."""
    try:
        return Wish((out / WISH_NAME).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return Wish.GO_ON


class LogReader:
    """Follows the log of a run.

    Attributes:
        is_anew: whether the last `read` began at the beginning, as it does when the run has
            gone back to its last checkpoint: what was read before counts no longer.
    """

    def __init__(self, out: Path) -> None:
        self._path = out / LOG_NAME
        self._file = 0  # which one, as a log that is cut back is replaced
        self._place = 0
        self.is_anew = True

    def read(self) -> list[dict[str, Any]]:
        """Whole lines that were written since the last time."""
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                self.is_anew = self._file != status.st_ino or status.st_size < self._place
                self._file = status.st_ino
                file.seek(0 if self.is_anew else self._place)
                data = file.read()
        except FileNotFoundError:
            self.is_anew = True
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._place = (0 if self.is_anew else self._place) + len(whole)
        return [json.loads(line) for line in whole.splitlines()]


def _write(path: Path, text: str) -> None:
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise _cannot_write(path.parent, error) from error


def _cannot_write(out: Path, error: OSError) -> TrainingError:
    return TrainingError(
        f"{out} cannot be the folder of a run ({error.strerror}); choose another."
    )
