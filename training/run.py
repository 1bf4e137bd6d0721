"""run_recipe(): a whole run, from its data to its model file."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape

from core.model.checkpoint import save_checkpoint
from core.model_card import ModelCard
from training.config import TrainConfig
from training.data import PanopticDataset
from training.processes import Processes
from training.progress import RunProgress
from training.recipes import Recipe
from training.run_log import RunLog
from training.sources import fit_codes, open_data
from training.state import TrainState
from training.stopping import RunStopped, StopSignals
from training.train import STATE_NAME, TrainStep, load_average, train
from training.truth import open_truth
from training.validation import Evaluated, Validation

Report = Callable[[TrainStep, Evaluated | None], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What one run is asked for.

    Attributes:
        name: of the recipe, and of the model that comes out.
        config: the recipe's, with the changes that were asked for.
        data: to train on, as `open_data` takes it; truth: to evaluate on, as `open_truth`
            takes it, or None.
        out: folder for everything that is written.
        may_differ: whether a checkpoint there may be of a run with other settings.
        is_for_machines: whether steps are told in JSON or by a bar.
    """

    name: str
    recipe: Recipe
    config: TrainConfig
    data: Path
    out: Path
    truth: Path | None = None
    may_differ: bool = False
    is_for_machines: bool = True


def run_recipe(run: Run, processes: Processes) -> Path:
    """Train, report every step, and write the averaged weights; returns the model file.

    Raises:
        RunStopped: Ctrl-C or SIGTERM came; the last step is saved.
        AnnotateError: the data cannot be used, or the run cannot go on; says why.
    """
    data = open_data(run.data, run.config)
    config = fit_codes(run.config, data)
    run = replace(run, config=config)
    began = time.monotonic()
    signals = StopSignals(is_told=processes.is_first)
    validation = None
    if run.truth is not None:
        validation = Validation(
            config.evaluation,
            make_card(run, data, 0),
            open_truth(run.truth, config.project_images),
            run.out,
            processes,
            signals.has_come,
        )
    steps = train(
        config,
        data,
        run.out,
        processes,
        may_differ=run.may_differ,
        after_step=partial(_evaluate, validation, config.steps),
        should_stop=signals.has_come,
    )
    done = config.steps
    with ExitStack() as opened:
        report = _reporter(run, opened) if processes.is_first else _say_nothing
        opened.enter_context(signals)
        for step in steps:
            report(step, None if validation is None else validation.latest)
            done = step.step
    if done < config.steps:
        raise RunStopped(run.out, done, config.steps, signals.number)
    path = run.out / f"{run.name}.safetensors"
    if processes.is_first:
        model = load_average(config, run.out / STATE_NAME)
        save_checkpoint(path, model, make_card(run, data, time.monotonic() - began))
    return path


def _evaluate(validation: Validation | None, n_steps: int, state: TrainState) -> None:
    if validation is not None:
        validation.after_step(state, n_steps)


def _reporter(run: Run, opened: ExitStack) -> Report:
    """Log every step, and tell it to whoever started the run."""
    log = opened.enter_context(RunLog(run.out))
    if run.is_for_machines:
        return partial(_print_line, log)
    console = Console()
    what = f"Training {run.name} for {run.config.steps} steps into {run.out}"
    console.print(escape(what))
    bar = opened.enter_context(RunProgress(console, run.config.steps))
    return partial(_log_and_show, log, bar)


def _print_line(log: RunLog, step: TrainStep, evaluated: Evaluated | None) -> None:
    sys.stdout.write(log.add(step, evaluated) + "\n")
    sys.stdout.flush()


def _log_and_show(
    log: RunLog, bar: RunProgress, step: TrainStep, evaluated: Evaluated | None
) -> None:
    log.add(step, evaluated)
    bar.add(step, evaluated)


def _say_nothing(step: TrainStep, evaluated: Evaluated | None) -> None:
    """Processes other than the first leave talking to that one."""


def make_card(run: Run, data: PanopticDataset, seconds: float) -> ModelCard:
    """The card of a trained model: what it knows, and how to train it again."""
    record: dict[str, Any] = {
        "recipe": run.name,
        "command": f"bitbrush train {run.name} --data TRAIN.json --out DIR",
        "config": asdict(run.config),
        "data_sha256": data.content_hash(),
        "images": len(data),
        "seconds_of_last_start": round(seconds),
        "cpus": os.cpu_count(),
        "torch": torch.__version__,
    }
    return ModelCard(
        name=run.name,
        summary=run.recipe.summary,
        categories=data.categories,
        sampling=run.recipe.sampling,
        licence=run.recipe.licence,
        training=record,
    )
