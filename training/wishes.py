"""Wishes: what signals, and files in its folder, ask of a run; the same in all processes."""

import signal
import time
from pathlib import Path
from typing import Final

from core.run_folder import Wish, read_wish
from training.processes import Processes
from training.stopping import NAMES, StopSignals

LOOK_EVERY_S: Final = 0.2  # while a run is paused


class Wishes:
    """Asked between steps; the first process reads what is wished.

    Attributes:
        is_finishing: whether the run ends after this step as if it had been its last.
    """

    def __init__(self, out: Path, signals: StopSignals, processes: Processes) -> None:
        self._out, self._signals, self._processes = out, signals, processes
        self.is_finishing = False

    def look(self) -> None:
        """See whether the run shall finish; all processes take part."""
        is_wished = self._processes.is_first and read_wish(self._out) is Wish.FINISH
        self.is_finishing |= self._processes.add([float(is_wished)]) != [0.0]

    def is_stopped(self) -> bool:
        """Whether this process was told to stop, to go on another time."""
        is_wished = self._processes.is_first and read_wish(self._out) is Wish.STOP
        return is_wished or self._signals.has_come()

    def is_over(self) -> bool:
        """Whether this step is the last, for one reason or another."""
        return self.is_finishing or self.is_stopped()

    def is_paused(self) -> bool:
        """Whether the first process waits."""
        is_wished = self._processes.is_first and read_wish(self._out) is Wish.PAUSE
        return is_wished and not self._signals.has_come()

    def wait(self) -> None:
        """Return when the run shall go on, or end."""
        while self.is_paused():
            time.sleep(LOOK_EVERY_S)

    @property
    def signal(self) -> signal.Signals | None:
        """That came to this process."""
        return self._signals.number

    def by_whom(self) -> str:
        """Who stopped the run, as the end of a sentence's beginning."""
        if self._signals.number is not None:
            return NAMES[self._signals.number]
        is_wished = self._processes.is_first and read_wish(self._out) is Wish.STOP
        return "request" if is_wished else "a signal to another process"
