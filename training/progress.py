"""What a person sees of a run: a bar with loss, rate, speed, PQ and the time left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from core.quality_table import tabulate
from training.train import TrainStep
from training.validation import Evaluated

SMOOTH = 0.95  # of the loss that is shown


class RunProgress:
    """A bar that follows the steps; tables of PQ and what is wrong with pictures stay above."""

    def __init__(self, console: Console, n_steps: int) -> None:
        self._loss: float | None = None
        self._pq = "-"
        self._bar = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn(
                "loss {task.fields[loss]} lr {task.fields[rate]} "
                "{task.fields[speed]} images/s PQ {task.fields[pq]}",
                table_column=Column(no_wrap=True),
            ),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            expand=True,
        )
        self._task = self._bar.add_task(
            "", total=n_steps, start=False, loss="-", rate="-", speed="-", pq="-"
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def add(self, step: TrainStep, evaluated: Evaluated | None) -> None:
        """Show one more step."""
        if self._loss is None:
            self._loss = step.loss
            self._bar.update(self._task, completed=step.step - 1)
            self._bar.start_task(self._task)
        self._loss = SMOOTH * self._loss + (1 - SMOOTH) * step.loss
        if evaluated is not None:
            self._pq = f"{100 * evaluated.report.all.pq:.1f}"
            title = _title(step.step, evaluated)
            self._bar.console.print(tabulate(evaluated.report, title))
        bad = () if evaluated is None else evaluated.bad
        for sentence in filter(None, (step.notice, *step.skipped, *bad)):
            self._bar.console.print(escape(sentence))
        self._bar.update(
            self._task,
            completed=step.step,
            loss=f"{self._loss:.4f}",
            rate=f"{step.learning_rate:.2e}",
            speed=f"{step.images_a_second:.1f}",
            pq=self._pq,
        )


def _title(step: int, evaluated: Evaluated) -> str:
    best = ", the best so far" if evaluated.is_best else ""
    return f"Step {step}: {evaluated.images} images in {evaluated.seconds:.1f} s{best}"
