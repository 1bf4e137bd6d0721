"""run_recipe(): a whole run, from its data to its model file."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from core.errors import AnnotateError, TrainingError
from core.model.checkpoint import save_checkpoint
from core.model_card import ModelCard
from core.run_folder import holding_run
from training.config import TrainConfig
from training.data import PanopticDataset
from training.memory import LackOfMemory
from training.processes import Processes
from training.recipes import Recipe
from training.reporting import Reporter, Silent
from training.run_log import rating_to_plain
from training.sources import Order, fit_codes, open_data
from training.state import TrainState
from training.stopping import RunStopped, StopSignals
from training.train import STATE_NAME, NotFinite, load_average, make_folder, train
from training.truth import Truth, open_truth
from training.validation import BEST_NAME, Validation
from training.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Task:
    """What a run has before its first step; `truth` is None if nothing is rated."""

    data: PanopticDataset
    truth: Truth | None
    card: ModelCard
    processes: Processes
    report: Silent


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
        order: of the codes, as `open_data` takes it.
        prepare: fits the configuration to the task, before the first step.
        record: more for the model's card.
        max_retries: how often the run goes back by itself after a loss that is no number.
        command: that starts the run and takes it up again.
    """

    name: str
    recipe: Recipe
    config: TrainConfig
    data: Path
    out: Path
    truth: Path | None = None
    may_differ: bool = False
    is_for_machines: bool = True
    order: Order | None = None
    prepare: Callable[[TrainConfig, Task], TrainConfig] | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    max_retries: int = 0
    command: tuple[str, ...] = ()


def run_recipe(run: Run, processes: Processes) -> Path:
    """Train, report every step, and write the averaged weights; returns the model file.

    Raises:
        RunStopped: somebody asked for it; the last step is saved.
        AnnotateError: the data cannot be used, or the run cannot go on; says why.
    """
    make_folder(run.out)
    if not processes.is_first:
        return _run(run, processes, Silent())
    with (
        holding_run(run.out, run.command),
        Reporter(run.out, is_for_machines=run.is_for_machines) as report,
    ):
        try:
            return _run(run, processes, report)
        except RunStopped as stopped:
            report.note("stopped", is_told=False, step=stopped.step, sentence=str(stopped))
            raise
        except AnnotateError as error:
            more = {}
            if isinstance(error, LackOfMemory | NotFinite):
                more = {"change": dict(error.change)}
            with suppress(TrainingError):  # the disk may be what has failed
                report.note("failed", is_told=False, sentence=str(error), **more)
            raise


def _run(run: Run, processes: Processes, report: Silent) -> Path:
    data = open_data(run.data, run.config, run.order)
    run = replace(run, config=fit_codes(run.config, data))
    truth = None if run.truth is None else open_truth(run.truth, run.config.project_images)
    if run.prepare is not None:
        task = Task(data, truth, make_card(run, data, 0), processes, report)
        run = replace(run, config=run.prepare(run.config, task))
    began = time.monotonic()
    report.begin(
        f"Training {run.name} for {run.config.steps} steps into {run.out}", run.config.steps
    )
    with StopSignals(is_told=processes.is_first) as signals:
        wishes = Wishes(run.out, signals, processes)
        rating = None
        if truth is not None:
            rating = Validation(
                run.config.evaluation,
                make_card(run, data, 0),
                truth,
                run.out,
                processes,
                wishes.is_stopped,
            )
        run = train_on(run, data, rating, wishes, processes, report)
    path = run.out / f"{run.name}.safetensors"
    if processes.is_first:
        model = load_average(run.config, run.out / STATE_NAME)
        save_checkpoint(path, model, make_card(run, data, time.monotonic() - began))
        best = None if rating is None else str(run.out / BEST_NAME)
        report.note("finished", is_told=False, model=str(path), best=best)
    return path


def train_on(
    run: Run,
    data: PanopticDataset,
    rating: Validation | None,
    wishes: Wishes,
    processes: Processes,
    report: Silent,
) -> Run:
    """Train to the end, going back to the last checkpoint as often as the run may.

    Returns:
        The run with the rate that it ended with.
    """
    failed = (0, 0)  # the step, and the one to which the run went back
    for n_left in reversed(range(run.max_retries + 1)):
        try:
            _train_once(run, data, rating, wishes, processes, report)
        except NotFinite as error:
            if n_left == 0:
                raise
            rate = run.config.learning_rate / 2
            run = replace(run, config=replace(run.config, learning_rate=rate), may_differ=True)
            to_step = error.saved_step
            if (error.step, to_step) == failed:
                to_step = _drop_checkpoint(run.out, processes)
            failed = error.step, error.saved_step
            sentence = (
                f"The loss of step {error.step} was no number: the run went back to step "
                f"{to_step}, and goes on with half the learning rate, {rate:g}."
            )
            report.note(
                "went back",
                step=error.step,
                to_step=to_step,
                learning_rate=rate,
                sentence=sentence,
            )
            report.go_back()
        else:
            break
    return run


def _drop_checkpoint(out: Path, processes: Processes) -> int:
    """Let the run begin anew, as its checkpoint came to nothing twice; returns that step.

    Its weights may be what is spoilt: the step before the loss was no number made them.

    Raises:
        TrainingError: the folder cannot be written.
    """
    path = out / STATE_NAME
    if processes.is_first:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise TrainingError(
                f"{path} cannot be removed ({error.strerror}); see who may write there."
            ) from error
    processes.add([0.0])  # nobody looks for it before it is gone
    return 0


def _train_once(
    run: Run,
    data: PanopticDataset,
    rating: Validation | None,
    wishes: Wishes,
    processes: Processes,
    report: Silent,
) -> None:
    """Train from the last checkpoint on.

    Raises:
        RunStopped: before its last step.
        NotFinite: see `train`.
    """
    done = n_steps = run.config.steps
    steps = train(
        run.config,
        data,
        run.out,
        processes,
        may_differ=run.may_differ,
        after_step=partial(_rate, rating, n_steps, wishes, report),
        should_stop=wishes.is_over,
    )
    for step in steps:
        report.add(step, None if rating is None else rating.latest)
        done = step.step
        if wishes.is_paused() and done < n_steps:
            report.note("paused", step=done)
            wishes.wait()
            report.note("went on", step=done)
    if done < n_steps and not wishes.is_finishing:
        raise RunStopped(run.out, done, n_steps, wishes.by_whom(), wishes.signal)


def _rate(
    rating: Validation | None,
    n_steps: int,
    wishes: Wishes,
    report: Silent,
    state: TrainState,
) -> None:
    """Evaluate what is due, as it is where the run is to finish."""
    wishes.look()
    if rating is None:
        return
    rating.after_step(state, state.step if wishes.is_finishing else n_steps)
    if state.step == 0 and rating.latest is not None:
        report.note("started", evaluation=rating_to_plain(rating.latest))


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
        **run.record,
    }
    return ModelCard(
        name=run.name,
        summary=run.recipe.summary,
        categories=data.categories,
        sampling=run.recipe.sampling,
        licence=run.recipe.licence,
        training=record,
    )
