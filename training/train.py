"""train(): one run from top to bottom, as a generator of steps."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from core.errors import TrainingError
from core.model.pix2seq_d import Pix2SeqD
from training.batches import choose_views
from training.config import TrainConfig
from training.data import PanopticDataset
from training.memory import explain_lack
from training.prefetch import draw_batches
from training.processes import Processes
from training.start import load_start
from training.state import TrainState, load_state, save_state
from training.stepper import ALONE, Stepper, new_state, set_rates
from training.stopping import never

STATE_NAME: Final = "state.safetensors"
LOWERING: Final = 10  # of a rate at which the loss is no number
LEAST_SCALE: Final = 2.0**-10  # of float16 gradients; less says that they are never finite


class NotFinite(TrainingError):  # noqa: N818 - it says what the loss is
    """The loss or its gradient is no number.

    Attributes:
        step: at which; saved_step: of the last checkpoint, 0 if there is none.
        change: a setting with which it may come out otherwise.
    """

    def __init__(self, step: int, saved_step: int, rate: float, sentence: str) -> None:
        super().__init__(sentence)
        self.step, self.saved_step = step, saved_step
        self.change = {"learning_rate": f"{rate / LOWERING:g}"}


@dataclass(frozen=True, slots=True)
class TrainStep:
    """What one optimizer step did.

    Attributes:
        step: steps done so far, this one included.
        loss: of this step's batch; learning_rate and grad_norm (before clipping) with it.
        seconds: the step took without evaluating and saving; data_seconds of these went into
            waiting for the batch.
        images: in the batch, over all processes.
        is_saved: whether a checkpoint holds this step.
        skipped: what is wrong with pictures that are left out, one sentence each, once a run.
        notice: what the run could not do as it was asked, told with its first step.
    """

    step: int
    loss: float
    learning_rate: float
    grad_norm: float
    seconds: float
    data_seconds: float
    images: int
    is_saved: bool = False
    skipped: tuple[str, ...] = ()
    notice: str = ""

    @property
    def images_a_second(self) -> float:
        return self.images / max(self.seconds, 1e-9)


def train(
    config: TrainConfig,
    data: PanopticDataset,
    out: Path,
    processes: Processes = ALONE,
    *,
    may_differ: bool = False,
    after_step: Callable[[TrainState], None] | None = None,
    should_stop: Callable[[], bool] = never,
) -> Iterator[TrainStep]:
    """Train, or go on where the last checkpoint in `out` ends; yields after every step.

    Args:
        out: folder for `state.safetensors`, which is written beside and renamed; all processes
            must see it.
        may_differ: whether the checkpoint may be of a run with other settings.
        after_step: is called with the state after every step and before it is saved, as
            evaluation is; before the first one too, if that is to be evaluated.
        should_stop: is asked after every step; once any process says so, the step is saved and
            is the last in all of them.

    Raises:
        CheckpointError: the checkpoint in `out` is of another run, or cannot be written.
        NotFinite: the loss is no number; no weight has changed.
        TrainingError: `out` is no folder that can be written to, memory ran out, or too many
            pictures are bad.
        ValueError: the data is empty.
    """
    check_run(config, data, processes)
    make_folder(out)
    state = new_state(config, processes.device)
    path = out / STATE_NAME
    if path.exists():
        load_state(path, state, config, may_differ=may_differ)
    else:
        load_start(config, state.model)
        state.average.load_state_dict(state.model.state_dict())
        if after_step is not None and config.evaluation.is_at_start:
            after_step(state)
    stepper = Stepper(config, state, processes)
    saved_at, saved_step = time.monotonic(), state.step
    bad: dict[str, None] = {}  # each picture counts once, whatever the epochs
    batches = draw_batches(config, data, state.step, processes)
    while state.step < config.steps:
        began = time.monotonic()
        batch = next(batches)
        drawn = time.monotonic()
        skipped = note_bad(config, bad, (*data.bad, *batch.skipped), processes)
        n_samples = count_samples(config, state.step)
        rate = set_rates(config, state.optimizer, state.step)
        with explain_lack(config, processes.n_ranks):
            loss, norm = stepper.step(batch, n_samples)
        check_finite(config, state, loss, norm, saved_step)
        seconds = time.monotonic() - began
        if after_step is not None:
            after_step(state)
        is_stopped = processes.add([float(should_stop())]) != [0.0]
        is_last = is_stopped or state.step == config.steps
        is_due = is_last or time.monotonic() - saved_at > config.checkpoint_seconds
        if is_due and processes.is_first:
            save_state(path, state, config)
            saved_at, saved_step = time.monotonic(), state.step
        yield TrainStep(
            step=state.step,
            loss=loss,
            learning_rate=rate,
            grad_norm=norm,
            seconds=seconds,
            data_seconds=drawn - began,
            images=n_samples,
            is_saved=saved_step == state.step,
            skipped=skipped,
            notice=stepper.notice,
        )
        stepper.notice = ""
        if is_stopped:
            return


def make_folder(out: Path) -> None:
    """Make the folder of a run.

    Raises:
        TrainingError: it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f"{out} cannot be the folder of a run ({error.strerror}); choose another."
        ) from error


def count_samples(config: TrainConfig, step: int) -> int:
    """Size of a step's batch over all processes."""
    return choose_views(config, np.random.default_rng([config.seed, step]))[1]


def check_run(config: TrainConfig, data: PanopticDataset, processes: Processes) -> None:
    """Refuse a run that cannot begin.

    Raises:
        ValueError: the data is empty.
        TrainingError: the data has too few pictures or other categories, or a process would
            have no sample.
    """
    if len(data) == 0:
        raise ValueError("no pictures to train on; choose a folder that has some")
    n_codes = config.model.n_codes - 1
    if len(data.categories) != n_codes:
        raise TrainingError(
            f"The data has {len(data.categories)} categories, but the network codes for "
            f"{n_codes}; give --model.n-codes {len(data.categories) + 1}."
        )
    if config.order == "epochs" and max(config.batches) > len(data):
        raise TrainingError(
            f"A batch of {max(config.batches)} is larger than the data, which has {len(data)} "
            "pictures; lower --batch, or give --order draws."
        )
    if min(config.batches) < processes.n_ranks:
        raise TrainingError(
            f"A batch of {min(config.batches)} cannot be dealt out to {processes.n_ranks} "
            "processes; raise batch or start fewer."
        )


def note_bad(
    config: TrainConfig, known: dict[str, None], sentences: Iterable[str], processes: Processes
) -> tuple[str, ...]:
    """Add what any process found to what is known to be wrong; returns what is new.

    Raises:
        TrainingError: more pictures are bad than a run may have; names the last of them.
    """
    mine = dict.fromkeys(sentence for sentence in sentences if sentence not in known)
    new = tuple(dict.fromkeys(processes.collect(tuple(mine))))
    known |= dict.fromkeys(new)
    if len(known) > config.max_bad_samples:
        *_, last = known
        raise TrainingError(
            f"{len(known)} pictures cannot be used, the last because: {last} Repair the "
            f"data, or raise --max-bad-samples (now {config.max_bad_samples})."
        )
    return new


def check_finite(
    config: TrainConfig, state: TrainState, loss: float, norm: float, saved_step: int
) -> None:
    """Stop before a loss that is no number spoils the weights.

    Raises:
        NotFinite: says to which step the run goes back.
    """
    is_searching = state.scaler.is_enabled() and state.scaler.get_scale() >= LEAST_SCALE
    if math.isfinite(loss) and (math.isfinite(norm) or is_searching):
        return
    step = state.step + (not state.scaler.is_enabled())
    precision = "" if config.precision == "float32" else " or with --precision float32"
    raise NotFinite(
        step,
        saved_step,
        config.learning_rate,
        f"The loss of step {step} is {loss} and its gradient {norm}: the run goes back to step "
        f"{saved_step}. Give the same command with --allow-changes and a lower "
        f"--learning-rate than {config.learning_rate:g}{precision}.",
    )


def load_average(config: TrainConfig, path: Path) -> Pix2SeqD:
    """The averaged weights of a training state, for inference.

    Raises:
        CheckpointError: the state is damaged or of another run.
    """
    state = new_state(config)
    load_state(path, state, config)
    return state.average.eval()
