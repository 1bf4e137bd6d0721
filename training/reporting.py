"""Reporter: what a run does, kept in its folder and told to whoever started it."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import cv2
from rich.console import Console
from rich.markup import escape

from core.durable import replace_file
from core.errors import TrainingError
from training.progress import RunProgress
from training.run_log import RunLog
from training.train import TrainStep
from training.validation import Evaluated

PICTURE_NAME: Final = "hold-out-{}.png"  # an image and its map step by step


class Silent:
    """Processes other than the first leave talking to that one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing was opened."""

    def begin(self, title: str, n_steps: int) -> None:
        """Announce the steps."""

    def add(self, step: TrainStep, evaluated: Evaluated | None) -> None:
        """Tell of a step, and how the model was rated after it."""

    def note(self, event: str, *, is_told: bool = True, **fields: Any) -> None:
        """Keep what happens between steps, and tell of it unless others do."""

    def go_back(self) -> None:
        """The next step is one that was told of before."""


class Reporter(Silent):
    """Lines of JSON for a machine, a bar for a person; a log and pictures for both.

    Raises:
        TrainingError: from every method, if the folder cannot be written.
    """

    def __init__(self, out: Path, *, is_for_machines: bool) -> None:
        self._out, self._is_for_machines = out, is_for_machines
        self._opened = ExitStack()
        self._log = self._opened.enter_context(RunLog(out))
        self._console = Console()
        self._bar: RunProgress | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    def begin(self, title: str, n_steps: int) -> None:
        if not self._is_for_machines and self._bar is None:
            self._console.print(escape(title))
            self._bar = self._opened.enter_context(RunProgress(self._console, n_steps))

    def add(self, step: TrainStep, evaluated: Evaluated | None) -> None:
        line = self._log.add(step, evaluated)
        if evaluated is not None:
            self._show(evaluated)
        if self._bar is None:
            print_line(line)
        else:
            self._bar.add(step, evaluated)

    def note(self, event: str, *, is_told: bool = True, **fields: Any) -> None:
        line = self._log.note({"event": event, **fields})
        if is_told and self._is_for_machines:
            print_line(line)
        elif is_told and "sentence" in fields:
            self._console.print(escape(fields["sentence"]))

    def go_back(self) -> None:
        self._log.go_back()

    def _show(self, evaluated: Evaluated) -> None:
        for k, picture in enumerate(evaluated.pictures):
            _, png = cv2.imencode(".png", picture[..., ::-1])
            try:
                replace_file(self._out / PICTURE_NAME.format(k), png.tobytes())
            except OSError as error:
                raise TrainingError(
                    f"{self._out} cannot be written ({error.strerror}); free some space, and "
                    "give the same command again."
                ) from error


def print_line(line: str) -> None:
    """Say it, and nothing more once nobody listens: a run outlives who started it."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
