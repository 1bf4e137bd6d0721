"""RunLog: what a run reports, kept in its folder: lines of JSON, and files for TensorBoard."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from core.durable import replace_file
from core.errors import TrainingError
from core.run_folder import LOG_NAME
from training.event_file import EventFile
from training.train import TrainStep
from training.validation import Evaluated


class RunLog:
    """Writes `log.jsonl`, in which every step is once, and the events of TensorBoard.

    What happens between steps is a line with "event" in it.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._open, self._is_begun = out, ExitStack(), False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def add(self, step: TrainStep, evaluated: Evaluated | None) -> str:
        """Note a step, and how the model was rated after it; returns the line of JSON.

        Raises:
            TrainingError: it cannot be written.
        """
        line = json.dumps(to_plain(step, evaluated))
        with self._explaining(f"Step {step.step}"):
            if not self._is_begun:
                self._begin(step.step)
            self._lines.write(line + "\n")
            self._lines.flush()
            self._add_events(step, evaluated)
        return line

    def note(self, event: Mapping[str, Any]) -> str:
        """Note what happened between steps; returns the line of JSON.

        Raises:
            TrainingError: it cannot be written.
        """
        line = json.dumps(event)
        path = self._out / LOG_NAME
        with self._explaining(f"That it {event['event']}"), path.open("a") as file:
            file.write(line + "\n")
        return line

    def go_back(self) -> None:
        """Cut the log back to before the step that is noted next."""
        self._open.close()
        self._is_begun = False

    @contextmanager
    def _explaining(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TrainingError(
                f"{what} cannot be noted in {self._out / LOG_NAME} ({error}); free some space, "
                "or see who may write there, and give the same command again."
            ) from error

    def _add_events(self, step: TrainStep, evaluated: Evaluated | None) -> None:
        numbers = {
            "loss": step.loss,
            "learning rate": step.learning_rate,
            "gradient norm": step.grad_norm,
            "images a second": step.images_a_second,
        }
        if evaluated is not None:
            report = evaluated.report
            numbers |= {"PQ/all": report.all.pq, "PQ/things": report.things.pq}
            numbers |= {"PQ/stuff": report.stuff.pq}
            for k, picture in enumerate(evaluated.pictures):
                self._events.add_picture(step.step, f"refinement/{k}", picture)
        self._events.add_numbers(step.step, numbers)

    def _begin(self, first_step: int) -> None:
        """Open the files; steps that a killed run had done beyond its checkpoint go."""
        path = self._out / LOG_NAME
        kept = [
            line
            for line in _read_lines(self._out)
            if "event" in line or line["step"] < first_step
        ]
        replace_file(path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        self._lines = self._open.enter_context(path.open("a", encoding="utf-8"))
        self._events = self._open.enter_context(EventFile(self._out, first_step))
        self._is_begun = True


def to_plain(step: TrainStep, evaluated: Evaluated | None) -> dict[str, Any]:
    """A step as JSON can hold it, which knows no infinite norm."""
    plain = asdict(step)
    if not math.isfinite(step.grad_norm):
        plain["grad_norm"] = None
    if evaluated is not None:
        plain["evaluation"] = rating_to_plain(evaluated)
    return plain


def rating_to_plain(evaluated: Evaluated) -> dict[str, Any]:
    """How the model was rated, as JSON can hold it."""
    return {
        "images": evaluated.images,
        "seconds": round(evaluated.seconds, 3),
        "is_best": evaluated.is_best,
        "skipped": evaluated.bad,
        **evaluated.report.to_json(),
    }


def read_log(out: Path) -> list[dict[str, Any]]:
    """The steps in a run's log, without a last one that was cut short; [] if there is none."""
    return [line for line in _read_lines(out) if "event" not in line]


def read_events(out: Path) -> list[dict[str, Any]]:
    """What happened between the steps of a run, in order."""
    return [line for line in _read_lines(out) if "event" in line]


def _read_lines(out: Path) -> list[dict[str, Any]]:
    path = out / LOG_NAME
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]
