"""Runs that train a project's model further: their folders and commands, and what was decided.

All are in a folder beside the project, one folder a run, so that they outlive the window:

    NAME-models/run-1/plan.json          what was asked for
    NAME-models/run-1/training.bitbrush  what it is trained on, hold-out.bitbrush what it is not
    NAME-models/run-1/...                what `core.run_folder` says of every run
    NAME-models/run-1/outcome            what the person decided; the run is open until then
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from core.bundled import find_model
from core.durable import replace_file
from core.errors import TrainingError
from core.training_snapshot import HOLD_OUT_NAME, TRAINING_NAME

LEAST_TRAINING: Final = 3  # images; fewer are learned by heart
USUAL_MINUTES: Final = 10
NICENESS: Final = 10  # so that painting comes first
PLAN_NAME, OUTCOME_NAME = "plan.json", "outcome"


class Outcome(StrEnum):
    """What was decided on the model that a run has made.

    KEPT: it is among the project's versions, and the old one stays in use.
    """

    USED = "used"
    KEPT = "kept"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class RetrainPlan:
    """What a run was asked for.

    Attributes:
        base: the model to go on from, as the project names it.
        name: of the model that comes out.
        threads: of the processor; 0 lets torch choose.
        device: auto, cpu, cuda or mps.
        n_training: images to train on; n_hold_out: to measure on.
        changes: other settings of the training, as on its command line.
        renamed: names of the base's categories -> the project's, where these differ.
    """

    base: str
    name: str
    minutes: float = USUAL_MINUTES
    threads: int = 1
    device: str = "auto"
    n_training: int = 0
    n_hold_out: int = 0
    changes: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def renaming(self) -> list[str]:
        """`renamed` as arguments of a command."""
        return [
            text for old, new in self.renamed.items() for text in ("--renamed", f"{old}={new}")
        ]

    def arguments(self, folder: Path) -> list[str]:
        """What follows `python -m training` for this run, also to take it up again."""
        changes = [
            text
            for name, value in self.changes.items()
            for text in (f"--{name.replace('_', '-')}", value)
        ]
        return [
            "fine-tune",
            str(find_model(self.base)),
            *("--data", str(folder / TRAINING_NAME)),
            *("--val", str(folder / HOLD_OUT_NAME)),
            *("--out", str(folder)),
            *("--minutes", f"{self.minutes:g}"),
            *("--name", self.name),
            *("--device", self.device),
            *("--threads", str(self.threads)),
            *("--nice", str(NICENESS)),
            *self.renaming,
            "--json",
            *changes,
        ]


def models_folder(project: Path) -> Path:
    """The folder of a project's runs and model versions; it may not be there yet."""
    return project.with_name(f"{project.stem}-models")


def say_obstacle(n_training: int, n_hold_out: int, share: int) -> str:
    """Why a project cannot be trained on yet, and what to do; empty if it can.

    Args:
        n_training: approved images that a training may see; n_hold_out: that it may not.
        share: of approved images that is held out, in per cent.
    """
    if n_training < LEAST_TRAINING:
        have = "1 image is" if n_training == 1 else f"{n_training or 'No'} images are"
        return (
            f"{have} approved to be trained on, and at least {LEAST_TRAINING} are needed: "
            f"approve {LEAST_TRAINING - n_training} more."
        )
    if n_hold_out:
        return ""
    why = "No approved image is held out, so nothing could tell whether the new model is better"
    if share == 0:
        return f"{why}: raise the share of the hold-out in the menu Image, then approve more."
    return f"{why}: approve more, about one in {round(100 / share)} will be held out."


def name_version(base: str, taken: Collection[str]) -> str:
    """A name for the next version of a model, fit for a file: `nuclei-v2` after `nuclei-v1`."""
    root = re.sub(r"[^\w.-]+", "-", re.sub(r"-v\d+$", "", base)).strip("-.") or "model"
    number = 1
    while f"{root}-v{number}" in taken:
        number += 1
    return f"{root}-v{number}"


def new_run(project: Path) -> Path:
    """A folder for the next run; it is not made."""
    return models_folder(project) / f"run-{max(_numbers(project), default=0) + 1}"


def find_open_run(project: Path) -> Path | None:
    """The last run, if nobody has decided what becomes of it."""
    number = max(_numbers(project), default=0)
    folder = models_folder(project) / f"run-{number}"
    is_open = (folder / PLAN_NAME).exists() and not (folder / OUTCOME_NAME).exists()
    return folder if is_open else None


def write_plan(folder: Path, plan: RetrainPlan) -> None:
    """Note what a run is asked for; it is open from now on.

    Raises:
        TrainingError: the folder cannot be written.
    """
    _write(folder / PLAN_NAME, json.dumps(asdict(plan)))


def read_plan(folder: Path) -> RetrainPlan:
    """What a run was asked for.

    Raises:
        TrainingError: that cannot be read.
    """
    path = folder / PLAN_NAME
    try:
        return RetrainPlan(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(
            f"The plan {path} of a training cannot be read ({error}); begin a new one."
        ) from error


def close_run(folder: Path, outcome: Outcome) -> None:
    """Note what was decided.

    Raises:
        TrainingError: the folder cannot be written.
    """
    _write(folder / OUTCOME_NAME, outcome.value + "\n")


def _numbers(project: Path) -> list[int]:
    found = (re.fullmatch(r"run-(\d+)", p.name) for p in models_folder(project).glob("run-*"))
    return [int(match[1]) for match in found if match]


def _write(path: Path, text: str) -> None:
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise TrainingError(
            f"{path} cannot be written ({error.strerror}); free some space, or see who may "
            "write there."
        ) from error
