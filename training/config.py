"""TrainConfig and the recipes: everything that makes one training run differ from another."""

import json
from dataclasses import asdict, dataclass

from core.model.config import PRESETS, ModelConfig
from core.proposals import SamplingOptions
from training.augment import Augmentation


@dataclass(frozen=True, slots=True)
class Crops:
    """Square views of one size, `batch` at a time, drawn for a `share` of the steps."""

    size: int
    batch: int
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run.

    Attributes:
        model: the network, by value.
        steps: number of optimizer steps.
        learning_rate: peak; rises from 0 over `warmup_steps`, then falls linearly to
            `end_factor` of itself.
        weight_decay: of matrices and kernels; norms and biases are not decayed.
        clip_norm: bound on the gradient's norm over all weights.
        ema_decay: of the running average of weights and norm statistics.
        noise_draws: noisy maps a picture, for one pass of the encoder.
        seed: of weights, views, times and noise; step k draws the same in every run.
        checkpoint_seconds: at most this much work is lost to a kill.
    """

    model: ModelConfig
    augmentation: Augmentation = Augmentation()
    crops: tuple[Crops, ...] = (Crops(128, 4),)
    steps: int = 8_000
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    end_factor: float = 0.02
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    noise_draws: int = 1
    seed: int = 0
    checkpoint_seconds: float = 240.0

    def learning_rate_at(self, step: int) -> float:
        """The rate of step 0, 1, ...: linear warm-up from 0, then linear decay."""
        if step < self.warmup_steps:
            return self.learning_rate * step / self.warmup_steps
        share = (step - self.warmup_steps) / max(self.steps - self.warmup_steps, 1)
        return self.learning_rate * (1 - share * (1 - self.end_factor))

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training run with a name, and what its model's card says.

    Attributes:
        summary: one line on what the model knows.
        sampling: steps, td and filters that scored best on held-out pictures.
        licence: of the weights.
    """

    summary: str
    config: TrainConfig
    sampling: SamplingOptions
    licence: str


RECIPES: dict[str, Recipe] = {
    "nuclei": Recipe(
        summary="Cell nuclei in fluorescence pictures, and some stained tissue.",
        config=TrainConfig(
            model=PRESETS["nuclei"],
            crops=(Crops(128, 4, 0.8), Crops(256, 1, 0.2)),
            steps=6_000,
        ),
        sampling=SamplingOptions(steps=20, time_delta=12.0, min_area=24, split_parts=True),
        licence="CC0-1.0",
    ),
}
