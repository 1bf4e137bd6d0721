"""Follows a training run through its folder, whoever started it."""

import subprocess
import time
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.child_process import child_environment, python_command
from core.errors import TrainingError
from core.run_folder import LogReader, Wish, ask_run, is_running, read_wish
from core.training_progress import Phase, TrainingProgress

EVERY_MS: Final = 400
BEGINS_WITHIN_S: Final = 120.0  # torch is slow to load on a busy machine
WORDS_NAME: Final = "words.txt"  # what the process said beside its log
# Kept, as they are to outlive whoever started them: Python warns of one that is let go of.
_STARTED: Final[list[subprocess.Popen[bytes]]] = []
ENDED: Final = frozenset({Phase.STOPPED, Phase.FAILED, Phase.FINISHED})


class RetrainWatch(QObject):
    """Starts a run as a process of its own, and reads its log.

    Attributes:
        folder: of the run.
        progress: what its log says so far.
        is_alive: whether a process trains there, or is about to.

    Signals:
        changed(): progress, or whether a process is there.
    """

    changed = Signal()

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self.progress = TrainingProgress()
        self.is_alive = False
        self._reader = LogReader(folder)
        self._process: subprocess.Popen[bytes] | None = None  # that has not taken the folder
        self._started = 0.0
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.look)

    @property
    def phase(self) -> Phase:
        """What the log says; of a process that is only beginning it says nothing yet."""
        is_said = self._process is None and self.progress.phase not in ENDED
        is_new = self.is_alive and not is_said
        if self._is_stopped_early:
            return Phase.STOPPED
        return Phase.BEGINNING if is_new else self.progress.phase

    @property
    def is_lost(self) -> bool:
        """Whether the process is gone without having said that it ends."""
        is_told = self.progress.phase in ENDED or self._is_stopped_early
        return not self.is_alive and not is_told

    @property
    def _is_stopped_early(self) -> bool:
        """Whether the process was asked to stop, and is gone without a word on it.

        So it is where it had not come to its first step yet.
        """
        is_told = self.is_alive or self.progress.phase in ENDED
        return not is_told and read_wish(self.folder) is Wish.STOP

    @property
    def last_words(self) -> str:
        """The last line that a process has said beside its log, which may be why it ended."""
        try:
            text = (self.folder / WORDS_NAME).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return (text.strip().splitlines() or [""])[-1]

    def start(self, arguments: list[str]) -> None:
        """Start or take up the run; the process goes on when the window is closed.

        Raises:
            TrainingError: it cannot be started.
        """
        try:
            with (self.folder / WORDS_NAME).open("wb") as words:
                process = subprocess.Popen(  # noqa: S603 - our own module
                    python_command("training", *arguments),
                    cwd=self.folder,
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=words,
                    start_new_session=True,  # what ends the window's session leaves it alone
                )
        except OSError as error:
            raise TrainingError(
                f"The training cannot be started in {self.folder} ({error.strerror}); free "
                "some memory or space, and try again."
            ) from error
        self._process = process
        _STARTED.append(process)
        self._started = time.monotonic()
        self.watch()

    def ask(self, wish: Wish) -> None:
        """Ask the run for something; a process that only begins can do no more than stop.

        Raises:
            TrainingError: its folder cannot be written.
        """
        if self._process is not None and wish is Wish.STOP:
            self._process.terminate()
        ask_run(self.folder, wish)

    def watch(self) -> None:
        """Begin to follow the run."""
        self._timer.start()
        self.look()

    def stop(self) -> None:
        """Follow it no more; it goes on."""
        self._timer.stop()

    @Slot()
    def look(self) -> None:
        """Read what is new."""
        before = self.is_alive
        holds = is_running(self.folder)
        if holds:
            self._process = None
        self.is_alive = holds or self._is_beginning()
        lines = self._reader.read()  # after the lock: the last lines come before it is gone
        if self._reader.is_anew and lines:
            self.progress = TrainingProgress()
        self.progress.add(lines)
        if not self.is_alive and self.progress.phase is Phase.FINISHED:
            self._timer.stop()
        if lines or before != self.is_alive:
            self.changed.emit()

    def _is_beginning(self) -> bool:
        is_late = time.monotonic() - self._started > BEGINS_WITHIN_S
        return self._process is not None and self._process.poll() is None and not is_late


def _environment() -> dict[str, str]:
    return {**child_environment(), "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
