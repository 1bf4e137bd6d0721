"""train(): one recipe from top to bottom, as a generator of steps."""

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from core.model.bits import labels_to_x0
from core.model.diffusion import add_noise
from core.model.pix2seq_d import Pix2SeqD
from training.batches import make_batch
from training.config import TrainConfig
from training.data import Batch, PanopticDataset
from training.loss import diffusion_loss, group_weights, stratified_times, without_void
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
    """AdamW that decays matrices and kernels only, or all weights."""
    weights = [p for p in model.parameters() if p.requires_grad]
    small_decay = config.weight_decay if config.decay_scope == "all" else 0.0
    groups = [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": small_decay},
    ]
    return torch.optim.AdamW(
        groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), eps=config.eps
    )


def set_rates(config: TrainConfig, optimizer: torch.optim.Optimizer, step: int) -> float:
    """Set learning rate and eps for the update that follows `step` others; returns the rate."""
    rate, eps = config.learning_rate_at(step), config.eps
    if config.eps_scope == "uncorrected":
        # TensorFlow adds eps to sqrt(v), PyTorch to sqrt(v) / sqrt(1 - beta2^t).
        eps /= (1 - config.beta2 ** (step + 1)) ** 0.5
    for group in optimizer.param_groups:
        group["lr"], group["eps"] = rate, eps
    return rate


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
        batch = make_batch(config, data, state.step)
        drawn = time.monotonic()
        rate = set_rates(config, state.optimizer, state.step)
        loss, norm = optimize(config, state, batch)
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


def optimize(config: TrainConfig, state: TrainState, batch: Batch) -> tuple[float, float]:
    """One optimizer step and one step of the average; returns loss and gradient norm."""
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + state.step)
    state.model.train()
    loss = batch_loss(config, state.model, batch, generator)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), config.clip_norm or float("inf"))
    state.optimizer.step()
    update_average(
        state.average,
        state.model,
        config.ema_decay,
        has_average_statistics=config.has_average_statistics,
    )
    return float(loss.detach()), float(norm)


def batch_loss(
    config: TrainConfig, model: Pix2SeqD, batch: Batch, generator: torch.Generator
) -> Tensor:
    """Noise the maps at random times and compare what the network makes of them.

    Source: arXiv:2210.06366, Algorithm 1; each example has its own t.
    """
    draws, device = config.noise_draws, model.device
    images = batch.images.to(device, memory_format=torch.channels_last)
    encoding = model.encode(images)
    encoding = type(encoding)(
        *(part.repeat(draws, *[1] * (part.ndim - 1)) for part in encoding)
    )
    labels = batch.labels.to(device).repeat(draws, 1, 1, 1)
    x0 = labels_to_x0(labels, config.model.groups, config.model.b)
    t = draw_times(config, len(x0), generator).to(device)
    eps = torch.randn(x0.shape, generator=generator).to(device)
    schedule = config.model.train_schedule
    x_t = add_noise(x0, eps, t, schedule)
    past = None
    if batch.past is not None:
        past = batch.past.to(device).repeat(draws, 1, 1, 1, 1)
    out = model.logits(x_t, schedule.gamma(t), encoding, model.given(encoding, past))
    weights = group_weights(config.model, labels[:, 1])
    if not config.is_void_trained:
        weights = without_void(weights, labels[:, 0])
    return diffusion_loss(config.model, out, x0, eps, t, weights)


def draw_times(config: TrainConfig, n: int, generator: torch.Generator) -> Tensor:
    """Times [n] in [0, 1), one an example."""
    if config.times == "stratified":
        return stratified_times(n, generator)
    return torch.rand(n, generator=generator)


@torch.no_grad()
def update_average(
    average: nn.Module, model: nn.Module, decay: float, *, has_average_statistics: bool = True
) -> None:
    """ema = d ema + (1 - d) w, for weights and, if wanted, norm statistics alike."""
    live, buffers = model.state_dict(), dict(average.named_buffers())
    for name, value in average.state_dict().items():
        is_averaged = name not in buffers or has_average_statistics
        if value.is_floating_point() and is_averaged:
            value.lerp_(live[name], 1 - decay)
        else:
            value.copy_(live[name])
