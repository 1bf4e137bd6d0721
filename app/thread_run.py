"""Long work in a thread of its own: told how far it is, stopped between two of its steps."""

import logging
import time
from collections.abc import Callable, Generator
from threading import Event
from typing import Any, Final

from PySide6.QtCore import QObject, QThreadPool, Signal

from core.errors import AnnotateError

TELL_EVERY_S: Final = 0.05

_log = logging.getLogger(__name__)


class ThreadRun(QObject):
    """Goes through a generator in a thread; no store or file of another thread is used there.

    Signals:
        progressed(int): so many steps are done; not told for each.
        finished(object): all are; this is what the last step gave, None if there was none.
        cancelled(): it was stopped before the end.
        failed(str): a sentence on why it ended before the end.
    """

    progressed = Signal(int)
    finished = Signal(object)
    cancelled = Signal()
    failed = Signal(object)

    def __init__(
        self,
        steps: Callable[[], Generator[Any, None, None]],
        what: str,
        parent: QObject | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            steps: called in the thread.
            what: the work as a noun, for the sentence on a failure nobody foresaw.
            parent: that keeps it.
        """
        super().__init__(parent)
        self._steps = steps
        self._what = what
        self._is_cancelled = Event()
        self._pool = QThreadPool(self)

    def start(self) -> None:
        """Begin; one of `finished`, `cancelled` and `failed` follows."""
        self._pool.start(self._work)

    def cancel(self) -> None:
        """Stop after the step in hand."""
        self._is_cancelled.set()

    def _work(self) -> None:
        try:
            is_done, last = self._go_through()
        except AnnotateError as error:
            self.failed.emit(str(error))
        except Exception as error:  # noqa: BLE001 - the edge of the thread
            _log.error("%s failed", self._what, exc_info=error)
            self.failed.emit(f"{self._what} failed ({error}); the log has the details.")
        else:
            if is_done:
                self.finished.emit(last)
            else:
                self.cancelled.emit()

    def _go_through(self) -> tuple[bool, Any]:
        steps, last, told = self._steps(), None, 0.0
        for n_done, last in enumerate(steps, 1):
            if self._is_cancelled.is_set():
                steps.close()
                return False, last
            if time.monotonic() - told > TELL_EVERY_S:
                told = time.monotonic()
                self.progressed.emit(n_done)
        return True, last
