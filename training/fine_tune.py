"""fine-tune: a model goes on with pictures of somebody's own, in minutes.

Everything starts as the base model's own training was, but for a lower rate and a short
schedule; `docs/training.md` says what the rate was chosen by.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open

from core.errors import TrainingError
from core.model.config import ModelConfig
from core.model_card import ModelCard, read_card, read_metadata
from training.augment import Augmentation
from training.budget import fit_steps, measure_speed, plan_run
from training.codes import assign_codes
from training.config import Evaluation, TrainConfig
from training.config_json import from_plain
from training.options import change, split_changes
from training.photo_views import PhotoAugmentation
from training.recipes import Recipe
from training.run import Run, Task
from training.train import STATE_NAME

NAME: Final = "fine-tune"
SUMMARY: Final = "train a model further on pictures of your own, for some minutes"
RATE_FACTOR: Final = 0.5  # of the rate that the model was trained at first
MAX_RETRIES: Final = 3  # with half the rate each, after a loss that is no number


def add_fine_tune(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `fine-tune` to its parser."""
    command.add_argument("model", type=Path, metavar="MODEL", help="file to begin with")
    command.add_argument(
        "--data", type=Path, required=True, help="project, COCO panoptic JSON or folder"
    )
    command.add_argument(
        "--val", type=Path, help="project or JSON of other images, to be rated on"
    )
    command.add_argument("--out", type=Path, required=True, help="folder of the run")
    command.add_argument("--minutes", type=float, default=10.0, help="the time it may take")
    command.add_argument("--name", help="of the new model; the base model's with -tuned")
    command.add_argument(
        "--renamed",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="the model's category OLD is NEW in the data; two of the same NEW are merged",
    )
    command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    command.add_argument("--threads", type=int, default=argparse.SUPPRESS, help="CPU threads")
    command.add_argument(
        "--nice", type=int, default=0, help="how far other programs come first, to 19"
    )
    command.add_argument("--json", action="store_true", help="JSON also on a terminal")


def prepare_run(arguments: argparse.Namespace, changes: Sequence[str]) -> Run:
    """The run that the command asks for, or the one that its folder has begun.

    Args:
        changes: settings, as `split_changes` takes them.

    Raises:
        AnnotateError: the model cannot be read, or what is asked for makes no sense.
    """
    if not 0 < arguments.minutes < 100_000:
        raise TrainingError(
            f"A run cannot take {arguments.minutes:g} minutes; give more than 0."
        )
    if arguments.val is not None and arguments.val.resolve() == arguments.data.resolve():
        raise TrainingError(
            f"{arguments.val} cannot be what the model is trained and rated on; give other "
            "images with --val, or none."
        )
    if hasattr(os, "nice"):
        os.nice(arguments.nice)
    card = read_card(arguments.model)
    begun = _read_begun(arguments.out, arguments.model)
    config = begun or start_config(arguments.model, card)
    asked = split_changes(config, changes)
    config = change(config, asked)
    if begun is None:
        config = change(fit_steps(config, config.steps), asked)
    is_planned = begun is not None or "steps" in asked
    return Run(
        arguments.name or f"{card.name}-tuned",
        Recipe(
            f"{card.summary.rstrip('.')}; trained further.", config, card.sampling, card.licence
        ),
        config,
        arguments.data,
        arguments.out,
        arguments.val,
        is_for_machines=arguments.json or not sys.stdout.isatty(),
        order=partial(
            assign_codes, card.categories, renamed=_read_renamed(card, arguments.renamed)
        ),
        prepare=None if is_planned else partial(fit_minutes, arguments.minutes, asked),
        record={"base": {"name": card.name, "sha256": _hash(arguments.model)}},
        max_retries=MAX_RETRIES,
    )


def start_config(model: Path, card: ModelCard) -> TrainConfig:
    """A short run that begins with a model and trains it as it was trained before."""
    network = ModelConfig.from_json(read_metadata(model)["config"])
    before = _read_training(card, network)
    return replace(
        before,
        model=network,
        order="draws",
        learning_rate=before.learning_rate * RATE_FACTOR,
        end_factor=0.05,
        start_weights=str(model.resolve()),
        start_encoder="",
        start_decoder="",
        precision="float32",
        accumulation=1,
        is_compiled=False,
        workers=0,
        evaluation=Evaluation(is_at_start=True),
        checkpoint_seconds=30.0,
        seed=0,
    )


def fit_minutes(
    minutes: float, asked: Mapping[str, str], config: TrainConfig, task: Task
) -> TrainConfig:
    """The same run in as many steps as fit into the time on this machine, which it says.

    Args:
        asked: settings that stay as they were asked for.
    """
    truth = task.truth
    speed = measure_speed(config, task.data, task.processes, truth, task.card)
    plan = plan_run(minutes, speed, 0 if truth is None else len(truth.images))
    task.report.note("measured", minutes=minutes, **asdict(speed), **asdict(plan))
    config = fit_steps(config, plan.steps)
    evaluation = replace(config.evaluation, every=plan.every, images=plan.images)
    return change(replace(config, evaluation=evaluation), asked)


def _read_training(card: ModelCard, network: ModelConfig) -> TrainConfig:
    """How a model was trained, as its card says, or as is right for most."""
    record: Any = card.training.get("config")
    try:
        return from_plain(TrainConfig, record)
    except (ValueError, AttributeError, TypeError):
        has_up = network.resize == "fit"
        augmentation = PhotoAugmentation((0.75, 1.5), colour=0.5) if has_up else Augmentation()
        return TrainConfig(network, augmentation, batch=4, learning_rate=1e-3, beta2=0.99)


def _read_begun(out: Path, model: Path) -> TrainConfig | None:
    """The settings of the run in a folder, rate and steps included; None if there is none.

    Raises:
        TrainingError: it began with another model.
    """
    path = out / STATE_NAME
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            config = TrainConfig.from_json(file.metadata()["config"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"The training state {path} cannot be read ({error}); move it away to begin anew."
        ) from error
    if config.start_weights != str(model.resolve()):
        raise TrainingError(
            f"The run in {out} began with {config.start_weights or 'no model'}; give that one, "
            "or another folder."
        )
    return config


def _read_renamed(card: ModelCard, texts: Sequence[str]) -> Mapping[str, str]:
    renamed = {}
    names = [category.name for category in card.categories]
    for text in texts:
        old, has_both, new = text.partition("=")
        if not has_both or old not in names:
            raise TrainingError(
                f"--renamed cannot be '{text}'; give OLD=NEW, where OLD is one of the model's "
                f"categories: {', '.join(names)}."
            )
        renamed[old] = new
    return renamed


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
