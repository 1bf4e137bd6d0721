"""How far a training run is, from the lines of its log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from statistics import fmean
from typing import Any, Final

RECENT: Final = 20  # steps whose time says how long the next will take


class Phase(StrEnum):
    """What the log says last; a process that was killed has not said that it ended."""

    BEGINNING = "beginning"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPED = "stopped"
    FAILED = "failed"
    FINISHED = "finished"


_PHASES: Final = {
    "measured": Phase.TRAINING,
    "started": Phase.TRAINING,
    "paused": Phase.PAUSED,
    "went on": Phase.TRAINING,
    "went back": Phase.TRAINING,
    "stopped": Phase.STOPPED,
    "failed": Phase.FAILED,
    "finished": Phase.FINISHED,
}


@dataclass(frozen=True, slots=True)
class Score:
    """What the model scored on the hold-out after a step, each in [0, 1]."""

    step: int
    pq: float
    sq: float
    rq: float


@dataclass(slots=True)
class TrainingProgress:
    """What can be shown of a run.

    Attributes:
        n_steps: planned; 0 until that was measured.
        losses, rates: (step, value) of each step.
        scores: on the hold-out; the first is that of the model that the run began with.
        sentences: what went wrong or otherwise than planned, in order.
        change: settings with which a run that failed would need less memory.
        model: the file that came out best; None until the run is finished.
    """

    n_steps: int = 0
    phase: Phase = Phase.BEGINNING
    losses: list[tuple[float, float]] = field(default_factory=list)
    rates: list[tuple[float, float]] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    change: Mapping[str, str] = field(default_factory=dict)
    model: Path | None = None
    _seconds: list[float] = field(default_factory=list)  # of the last steps
    _rating_s: float = 0.0
    _every: int = 0

    @property
    def step(self) -> int:
        """Steps that are done."""
        return int(self.losses[-1][0]) if self.losses else 0

    @property
    def best_pq(self) -> float | None:
        """The highest PQ so far; None if nothing was measured."""
        return max((score.pq for score in self.scores), default=None)

    @property
    def seconds_left(self) -> float | None:
        """As the last steps took; None if not known."""
        if not self.n_steps or not self._seconds:
            return None
        n_left = max(self.n_steps - self.step, 0)
        n_ratings = -(-n_left // self._every) if self._every else 0
        return n_left * fmean(self._seconds) + n_ratings * self._rating_s

    def add(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Take in more lines of the log, in order."""
        for line in lines:
            if "event" in line:
                self._add_event(line)
            else:
                self._add_step(line)

    def _add_step(self, line: Mapping[str, Any]) -> None:
        step = line["step"]
        if self.phase is Phase.FAILED:
            self.sentences.pop()  # the run has been taken up again since
        self.phase = Phase.TRAINING
        for points in (self.losses, self.rates):
            while points and points[-1][0] >= step:  # the run has gone back
                points.pop()
        while self.scores and self.scores[-1].step >= step:
            self.scores.pop()
        self.losses.append((step, line["loss"]))
        self.rates.append((step, line["learning_rate"]))
        self._seconds = [*self._seconds[-RECENT:], line["seconds"]]
        self._add_score(step, line.get("evaluation"))
        self.sentences += [*line.get("skipped", ()), *filter(None, [line.get("notice")])]

    def _add_event(self, line: Mapping[str, Any]) -> None:
        event = line["event"]
        self.phase = _PHASES.get(event, self.phase)
        if event == "measured":
            self.n_steps, self._every = line["steps"], line["every"]
        if event == "started":
            self._add_score(0, line["evaluation"])
        if event == "finished":
            self.model = Path(line["best"] or line["model"])
        if event in {"went back", "failed"}:
            self.sentences.append(line["sentence"])
        self.change = line.get("change", {})

    def _add_score(self, step: int, evaluation: Mapping[str, Any] | None) -> None:
        if evaluation is None:
            return
        whole = evaluation["all"]
        self.scores.append(Score(step, whole["pq"], whole["sq"], whole["rq"]))
        self._rating_s = evaluation["seconds"]


def say_time(seconds: float) -> str:
    """A time that is about right: `20 s`, `4 min`, `1 h 5 min`."""
    if seconds < 60:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
