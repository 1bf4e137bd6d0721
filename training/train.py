"""train(): one recipe from top to bottom, as a generator of steps."""

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core.model.bits import labels_to_x0
from core.model.diffusion import add_noise
from core.model.pix2seq_d import Pix2SeqD
from training.config import Crops, TrainConfig
from training.data import Batch, PanopticDataset
from training.loss import diffusion_loss, group_weights, stratified_times
from training.state import TrainState, load_state, save_state


@dataclass(frozen=True, slots=True)
class TrainStep:
    """What one optimizer step did.

    Attributes:
        step: steps done so far, this one included.
        loss: of this step's batch; learning_rate and grad_norm (before clipping) with it.
        seconds: the step took; data_seconds of these went into drawing the batch.
        images: in the batch.
    """

    step: int
    loss: float
    learning_rate: float
    grad_norm: float
    seconds: float
    data_seconds: float
    images: int


def new_state(config: TrainConfig) -> TrainState:
    """Fresh weights from the seed, their average, and an optimizer that knows neither yet."""
    torch.manual_seed(config.seed)
    model = Pix2SeqD(config.model).init_weights()
    return TrainState(model, copy.deepcopy(model), make_optimizer(config, model), 0)


def make_optimizer(config: TrainConfig, model: nn.Module) -> torch.optim.AdamW:
    """AdamW that decays matrices and kernels only."""
    weights = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), eps=1e-8
    )


def train(config: TrainConfig, data: PanopticDataset, out: Path) -> Iterator[TrainStep]:
    """Train, or go on where the last checkpoint in `out` ends; yields after every step.

    Args:
        out: folder for `state.safetensors`, which is written beside and renamed.

    Raises:
        CheckpointError: the checkpoint in `out` is of another run.
        ValueError: the data is empty.
    """
    if len(data) == 0:
        raise ValueError("no pictures to train on; choose a folder that has some")
    out.mkdir(parents=True, exist_ok=True)
    state = new_state(config)
    path = out / "state.safetensors"
    if path.exists():
        load_state(path, state, config)
    state.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    saved_at = time.monotonic()
    while state.step < config.steps:
        began = time.monotonic()
        rng = np.random.default_rng([config.seed, state.step])
        crops = choose_crops(config.crops, rng)
        batch = data.draw_batch(config.model, config.augmentation, crops.size, crops.batch, rng)
        drawn = time.monotonic()
        rate = config.learning_rate_at(state.step)
        loss, norm = optimize(config, state, batch, rate)
        state.step += 1
        if (
            time.monotonic() - saved_at > config.checkpoint_seconds
            or state.step == config.steps
        ):
            save_state(path, state, config)
            saved_at = time.monotonic()
        seconds = time.monotonic() - began
        yield TrainStep(state.step, loss, rate, norm, seconds, drawn - began, len(batch.images))


def load_average(config: TrainConfig, path: Path) -> Pix2SeqD:
    """The averaged weights of a training state, for inference.

    Raises:
        CheckpointError: the state is damaged or of another run.
    """
    state = new_state(config)
    load_state(path, state, config)
    return state.average.eval()


def choose_crops(crops: tuple[Crops, ...], rng: np.random.Generator) -> Crops:
    """One kind of view, by its share."""
    shares = np.array([crop.share for crop in crops])
    return crops[int(rng.choice(len(crops), p=shares / shares.sum()))]


def optimize(
    config: TrainConfig, state: TrainState, batch: Batch, learning_rate: float
) -> tuple[float, float]:
    """One optimizer step and one step of the average; returns loss and gradient norm."""
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + state.step)
    state.model.train()
    loss = batch_loss(config, state.model, batch, generator)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), config.clip_norm)
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate
    state.optimizer.step()
    update_average(state.average, state.model, config.ema_decay)
    return float(loss.detach()), float(norm)


def batch_loss(
    config: TrainConfig, model: Pix2SeqD, batch: Batch, generator: torch.Generator
) -> Tensor:
    """Noise the maps at random times and compare what the network makes of them.

    Source: arXiv:2210.06366, Algorithm 1; t is drawn for each example, in strata.
    """
    draws, device = config.noise_draws, model.device
    images = batch.images.to(device, memory_format=torch.channels_last)
    encoding = model.encode(images)
    encoding = type(encoding)(
        *(part.repeat(draws, *[1] * (part.ndim - 1)) for part in encoding)
    )
    labels = batch.labels.to(device).repeat(draws, 1, 1, 1)
    x0 = labels_to_x0(labels, config.model.groups, config.model.b)
    t = stratified_times(len(x0), generator).to(device)
    eps = torch.randn(x0.shape, generator=generator).to(device)
    schedule = config.model.train_schedule
    x_t = add_noise(x0, eps, t, schedule)
    out = model.logits(x_t, schedule.gamma(t), encoding, model.given(encoding))
    weights = group_weights(config.model, labels[:, 1])
    return diffusion_loss(config.model, out, x0, eps, t, weights)


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """ema = d ema + (1 - d) w, for weights and norm statistics alike."""
    live = model.state_dict()
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            value.lerp_(live[name], 1 - decay)
        else:
            value.copy_(live[name])
