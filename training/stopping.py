"""Ctrl-C and SIGTERM: a run ends after the step in hand, anything else at once."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
NAMES: Final = {
    signal.SIGINT: "Ctrl-C",
    signal.SIGTERM: "SIGTERM",
}
SHOW_CURSOR: Final = b"\x1b[?25h"  # which a bar hides, and cannot show if it is killed


class Terminated(KeyboardInterrupt):
    """SIGTERM came where no step is in hand."""


@contextmanager
def raising_terminated() -> Iterator[None]:
    """Let SIGTERM raise `Terminated` inside a block, as Ctrl-C raises KeyboardInterrupt."""
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


class StopSignals:
    """Notes Ctrl-C or SIGTERM inside a `with` block; a second Ctrl-C ends the process at once.

    Attributes:
        number: of the first signal that came; None for none.
    """

    def __init__(self, *, is_told: bool = True) -> None:
        """Args:
        is_told: whether to say that a signal was understood.
        """
        self._is_told = is_told
        self.number: signal.Signals | None = None

    def __enter__(self) -> Self:
        self._before = [signal.signal(number, self._note) for number in SIGNALS]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, before)

    def has_come(self) -> bool:
        """Whether the run shall end."""
        return self.number is not None

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.number is not None:
            return
        self.number = signal.Signals(number)
        # No Python code may be able to run for long, as in a step that waits for others.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if self._is_told:  # not by print, which this may have interrupted
            os.write(2, b"Stopping after this step; Ctrl-C again ends at once.\n")
            if sys.stdout.isatty():
                os.write(1, SHOW_CURSOR)


class RunStopped(KeyboardInterrupt):
    """A run has ended early, after a step that is saved; `str` says where and how it goes on.

    Attributes:
        number: of the signal that came to this process; None if none did.
        step: the last one.
    """

    def __init__(
        self, out: Path, step: int, n_steps: int, by: str, number: signal.Signals | None
    ) -> None:
        super().__init__(
            f"Stopped by {by} after step {step} of {n_steps}, which is saved in {out}; the "
            "same command goes on from there."
        )
        self.number, self.step = number, step


def never() -> bool:
    """Go on to the last step."""
    return False


def exit_code(stopped: KeyboardInterrupt) -> int:
    """What a shell expects of a process that a signal ended."""
    number = signal.SIGINT
    if isinstance(stopped, Terminated):
        number = signal.SIGTERM
    if isinstance(stopped, RunStopped):
        number = stopped.number or signal.SIGTERM
    return 128 + number
