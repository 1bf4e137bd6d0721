"""TrainConfig: everything that makes one training run differ from another."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from core.model.config import ModelConfig, is_of
from training.augment import Augmentation
from training.clip_generator import Motion
from training.config_json import from_plain
from training.copy_paste import Pasting
from training.map_faults import Faults
from training.photo_views import PhotoAugmentation

AT_LEAST_ONE = ("batch", "steps", "noise_draws", "accumulation")
BELOW_ONE = ("ema_decay", "beta1", "beta2")


@dataclass(frozen=True, slots=True)
class Crops:
    """Square views of one size, `batch` at a time, drawn for a `share` of the steps."""

    size: int
    batch: int
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a run measures itself on held-out images.

    Attributes:
        every: optimizer steps from one evaluation to the next; the last step is always
            followed by one, and 0 asks for no other.
        steps, time_delta: of the sampler; None is as the recipe's model is used.
        images: at most so many, evenly spread over the data; 0 is all.
        is_at_start: whether what the run begins with is rated too, and may stay the best.
    """

    every: int = 0
    steps: int | None = None
    time_delta: float | None = None
    images: int = 0
    is_at_start: bool = False

    def __post_init__(self) -> None:
        for name, least in (("every", 0), ("steps", 1), ("time_delta", 0), ("images", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} cannot be {value}; give {least} or more")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run; defaults are the paper's, or what is recommended where it is silent.

    What is decided by the network too is a field of `model`: `time_scale`, `b`, the loss weight
    `loss_power` (the paper's p), `past_frames`, and whether stuff has ids.

    Attributes:
        model: the network, by value.
        augmentation: of photographs, as the authors do, or of pictures that have no up.
        pasting: of things of other photographs over each view.
        motion: of the things of stills, of which clips are made; faults: of past maps.
        crops: sizes of views other than the model's `image_size`, with batches of their own.
        batch: views a step, over all processes and accumulated parts.
        order: "epochs" takes every picture once before any comes again; "draws" draws each.
        ids: "random" draws distinct ids from all there are; "shuffle" permutes 1..k.
        crowds: whether a crowd is trained as void, or as a segment like any other.
        project_images: which images of a project are trained on, or evaluated on: those that a
            person has approved, all that have been edited, or all.
        past_dropout: how often a past frame of a clip is replaced by an empty map.
        steps: number of optimizer steps.
        learning_rate: peak; rises from 0 over `warmup_steps`, then falls along `schedule` to
            `end_factor` of itself.
        trunk_rate: factor on the learning rate of the encoder's trunk, which may come with
            weights from elsewhere; 0 leaves it as it is, and no gradients are made for it.
        eps_scope: Adam's eps joins the second moment "corrected" for its start, as PyTorch does
            it, or "uncorrected", as the authors' code does.
        decay_scope: whether weight decay is for "kernels" and matrices, or for "all" weights,
            norms and biases included.
        clip_norm: bound on the gradient's norm over all weights; 0 is none.
        ema_decay: of the running average of the weights.
        has_average_statistics: whether norm statistics are averaged likewise, or copied.
        times: "independent" draws each example's t alone, "stratified" one from each of B
            equal parts.
        noise_draws: noisy maps a picture, for one pass of the encoder.
        is_void_trained: whether void pixels are trained as code 0 and id 0.
        human_weight: how many times as much a pixel that a person made counts in the loss as
            another one of the same approved map; only projects know which these are.
        place_weight: of the loss that pulls votes for middles into the cells of ids by place.
        start_weights: a model file to begin with; `start_encoder` and `start_decoder` name
            files of which only that half is taken. Empty for fresh weights.
        precision: of the forward pass.
        is_norm_synchronized: whether batch norms share statistics over all processes.
        accumulation: parts of a batch that are computed one after another.
        is_checkpointed: whether activations are computed again instead of kept.
        workers: processes that read and augment; 0 does it in the training process.
        max_bad_samples: pictures that may be unusable before the run gives up.
        seed: of weights, views, times and noise; step k draws the same in every run.
        checkpoint_seconds: at most this much work is lost to a kill.
    """

    model: ModelConfig
    augmentation: Augmentation | PhotoAugmentation = PhotoAugmentation()
    pasting: Pasting = Pasting()
    motion: Motion = Motion()
    faults: Faults = Faults()
    crops: tuple[Crops, ...] = ()
    batch: int = 16
    order: Literal["epochs", "draws"] = "epochs"
    ids: Literal["random", "shuffle"] = "random"
    crowds: Literal["void", "segment"] = "void"
    project_images: Literal["approved", "edited", "all"] = "approved"
    past_dropout: float = 0.2

    steps: int = 10_000
    learning_rate: float = 1e-4
    schedule: Literal["linear", "cosine"] = "linear"
    warmup_steps: int = 0
    end_factor: float = 0.1
    trunk_rate: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    eps_scope: Literal["corrected", "uncorrected"] = "corrected"
    weight_decay: float = 0.05
    decay_scope: Literal["kernels", "all"] = "kernels"
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    has_average_statistics: bool = True

    times: Literal["independent", "stratified"] = "independent"
    noise_draws: int = 1
    is_void_trained: bool = True
    human_weight: float = 1.0
    place_weight: float = 0.0
    start_weights: str = ""
    start_encoder: str = ""
    start_decoder: str = ""

    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    is_norm_synchronized: bool = True
    accumulation: int = 1
    is_checkpointed: bool = False
    is_compiled: bool = False
    is_channels_last: bool = True
    workers: int = 0
    max_bad_samples: int = 100
    evaluation: Evaluation = Evaluation()
    seed: int = 0
    checkpoint_seconds: float = 240.0

    def __post_init__(self) -> None:
        """Refuse what no run can do.

        Raises:
            ValueError: names the field, its value and what it may be.
        """
        for name, kind in get_type_hints(TrainConfig).items():
            value = getattr(self, name)
            least = 1 if name in AT_LEAST_ONE else 0
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_of(value, kind) or (is_number and value < least):
                raise ValueError(f"{name} cannot be {value!r}; it is {_describe(kind, least)}")
        for name in BELOW_ONE:
            if getattr(self, name) >= 1:
                raise ValueError(f"{name} cannot be {getattr(self, name)}; give less than 1")
        if self.past_dropout > 1:
            raise ValueError(f"past_dropout cannot be {self.past_dropout}; give at most 1")
        if self.place_weight and not self.model.place_cell:
            raise ValueError(
                f"place_weight {self.place_weight} is for ids by place; set model.place_cell"
            )
        self._check_views()
        if self.start_weights and (self.start_encoder or self.start_decoder):
            raise ValueError("start_weights goes without start_encoder and start_decoder")

    def _check_views(self) -> None:
        stride = self.model.stride
        for crop in self.crops:
            if crop.batch < 1 or not 0 < crop.share < math.inf:
                raise ValueError(f"crops of batch {crop.batch} and share {crop.share}")
            self.model.check_sizes((crop.size, crop.size), (crop.size // stride,) * 2)
        if any(batch % self.accumulation for batch in self.batches):
            raise ValueError(
                f"accumulation {self.accumulation} does not divide batches of {self.batches}"
            )
        if self.order == "epochs" and len(set(self.batches)) > 1:
            raise ValueError(f"batches of {self.batches} make no epochs; use order draws")
        is_photo = isinstance(self.augmentation, PhotoAugmentation)
        if self.pasting.share and (self.model.past_frames or not is_photo):
            raise ValueError("pasting needs a PhotoAugmentation, and no past frames")
        if isinstance(self.augmentation, Augmentation):
            height, width = self.model.image_size
            if self.model.past_frames and not self.motion.is_on:
                raise ValueError("clips need a PhotoAugmentation, which all their frames share")
            if not self.crops and height != width:
                raise ValueError(f"views of {height} x {width} cannot be turned; give crops")

    @property
    def batches(self) -> tuple[int, ...]:
        """Views a step, for each size of view."""
        return tuple(crop.batch for crop in self.crops) or (self.batch,)

    def learning_rate_at(self, step: int) -> float:
        """The rate of step 0, 1, ...: linear warm-up from 0, then the schedule.

        Source: WarmUpAndDecay of the authors' code, schedules `linear` and `cosine`.
        """
        if step < self.warmup_steps:
            return self.learning_rate * step / self.warmup_steps
        share = min((step - self.warmup_steps) / max(self.steps - self.warmup_steps, 1), 1.0)
        if self.schedule == "cosine":
            share = (1 - math.cos(math.pi * share)) / 2
        return self.learning_rate * (1 - share * (1 - self.end_factor))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "TrainConfig":
        """The configuration that `to_json` wrote.

        Raises:
            ValueError: a field is unknown, or its value is impossible.
        """
        return from_plain(cls, json.loads(text))


def _describe(kind: Any, least: int) -> str:
    if kind in {int, float}:
        return f"{least} or more"
    choices = get_args(kind) if get_origin(kind) is Literal else (kind.__name__,)
    return " or ".join(map(str, choices))
