"""What fits into some minutes: steps and evaluations, planned after a short measurement."""

import time
from dataclasses import dataclass, replace
from typing import Final

from core.model_card import ModelCard
from training.config import TrainConfig
from training.data import PanopticDataset
from training.evaluate import tally_images
from training.memory import explain_lack
from training.prefetch import draw_batches
from training.processes import Processes
from training.start import load_start
from training.stepper import Stepper, new_state
from training.train import count_samples
from training.truth import Truth
from training.validation import sampling_of

MEASURED_S: Final = 5.0
RATED_SHARE: Final = 0.25  # of the time, for evaluations
MOST_RATED: Final = 6  # evaluations, the one at the start included
SHOWN: Final = 2  # pictures that an evaluation segments once more, to be seen


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured on this machine, as busy as it is.

    Attributes:
        step_s: seconds for a step, data included.
        image_s: seconds to segment an image, shared out to all processes; 0 if none is rated.
    """

    step_s: float
    image_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does with its time.

    Attributes:
        every: steps from one evaluation to the next.
        images: rated by each; 0 if there are none.
    """

    steps: int
    every: int
    images: int


def measure_speed(
    config: TrainConfig,
    data: PanopticDataset,
    processes: Processes,
    truth: Truth | None,
    card: ModelCard,
) -> Speed:
    """Take some steps with weights that are thrown away, and segment an image.

    Args:
        card: of the model, for how it segments.

    Raises:
        AnnotateError: a picture cannot be read, or memory runs out.
    """
    state = new_state(config, processes.device)
    load_start(config, state.model)
    stepper = Stepper(config, state, processes)
    batches = draw_batches(config, data, 0, processes)
    taken, began = 0, time.monotonic()
    # All processes take as many steps, as they wait for each other.
    while taken < 2 or processes.add([time.monotonic() - began])[0] < MEASURED_S:
        batch = next(batches)
        with explain_lack(config, processes.n_ranks):
            stepper.step(batch, count_samples(config, state.step))
        if taken == 0:
            began = time.monotonic()  # the first step makes what the others find
        taken += 1
    (spent,) = processes.add([time.monotonic() - began])
    step_s = spent / processes.n_ranks / (taken - 1)
    if truth is None:
        return Speed(step_s, 0.0)
    ways = [sampling_of(config.evaluation, card.sampling)]
    middle = len(truth.images) // 2
    _, (image_s,) = tally_images(state.model.eval(), card, truth, [middle], ways)
    return Speed(step_s, image_s / processes.n_ranks)


def plan_run(minutes: float, speed: Speed, n_images: int) -> Plan:
    """Share the time out: a quarter at most for evaluations, of which there are two at least.

    Args:
        n_images: that could be rated; fewer are where time is short.
    """
    seconds = 60 * minutes
    if n_images == 0 or speed.image_s == 0:
        steps = max(int(seconds / speed.step_s), 1)
        return Plan(steps, steps, 0)
    affordable = int(RATED_SHARE * seconds / 2 / speed.image_s) - SHOWN
    images = min(n_images, max(affordable, 1))
    cost = (images + min(SHOWN, images)) * speed.image_s
    n_rated = min(max(int(RATED_SHARE * seconds / cost), 2), MOST_RATED)
    steps = max(int((seconds - n_rated * cost) / speed.step_s), 1)
    return Plan(steps, -(-steps // (n_rated - 1)), images)


def fit_steps(config: TrainConfig, steps: int) -> TrainConfig:
    """The same run in so many steps: its warm-up a twentieth, its average over the last tenth.

    The average may reach over 1,000 steps at most, and less than ten make no average.
    """
    return replace(
        config,
        steps=steps,
        warmup_steps=min(max(steps // 20, 1), 100),
        ema_decay=round(min(max(1 - 10 / steps, 0.0), 0.999), 4),
    )
