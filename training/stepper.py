"""One optimizer step: noise, loss, gradients over parts and processes, weights, their average.

What is random in a step comes from the seed, the step and the number of the sample, so the
same step is computed however many processes and parts a batch is dealt out to.
"""

import copy
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core.model.bits import labels_to_x0
from core.model.diffusion import add_noise, to_x0_and_eps
from core.model.encoder import Encoding
from core.model.pix2seq_d import KIND, Pix2SeqD
from training.compiling import compile_network
from training.config import TrainConfig
from training.data import Batch
from training.loss import (
    diffusion_loss,
    favour_human,
    group_weights,
    place_loss,
    stratified_times,
    without_void,
)
from training.memory import recompute_activations
from training.processes import Processes
from training.shared_norm import share_norms
from training.state import TrainState

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
ALONE = Processes()


class BatchLoss(nn.Module):
    """The loss of a batch, or of a part of one, as the forward pass of one module."""

    def __init__(self, config: TrainConfig, model: Pix2SeqD) -> None:
        super().__init__()
        self.config, self.model = config, model

    def forward(
        self,
        images: Tensor,
        labels: Tensor,
        past: Tensor | None,
        t: Tensor,
        eps: Tensor,
        has_estimate: Tensor | None = None,
    ) -> Tensor:
        """Noise the maps and compare what the network makes of them.

        Args:
            images: [B, 3, H, W]; past: [B, P, 2, h, w] or None.
            labels: [B, 2, h, w], or [B, 3, h, w] with where a person made the pixels.
            t: [D * B] times, for D noisy maps of each image, B by B.
            eps: [D * B, n, h, w] noise from N(0, 1).
            has_estimate: [D * B] bool, which examples a self-conditioned network is given its
                own estimate for; None is none, and a network that is not ignores it.

        Source: arXiv:2210.06366, Algorithm 1; each example has its own t.
        """
        config, model = self.config.model, self.model
        draws = len(t) // len(images)
        schedule, dtype = config.train_schedule, DTYPES[self.config.precision]
        labels = _repeat(labels, draws)
        labels, is_human = labels[:, :2], labels[:, 2:]
        x0 = labels_to_x0(labels, config.groups, config.b)
        x_t = add_noise(x0, eps, t, schedule)
        with torch.autocast(images.device.type, dtype, enabled=dtype != torch.float32):
            encoding = model.encode(images)
            encoding = Encoding(*(_repeat(part, draws) for part in encoding))
            past = None if past is None else _repeat(past, draws)
            given = model.given(encoding, past)
            if has_estimate is not None and config.self_condition != "none":
                estimate = estimate_noiseless(model, x_t, t, encoding, given, has_estimate)
                given = model.given(encoding, past, estimate)
            votes = Votes() if self.config.place_weight else None
            out = model.logits(x_t, schedule.gamma(t), encoding, given, votes)
        weights = group_weights(config, labels[:, 1])
        if not self.config.is_void_trained:
            weights = without_void(weights, labels[:, 0])
        if is_human.shape[1]:
            weights = favour_human(weights, is_human[:, 0], self.config.human_weight)
        loss = diffusion_loss(config, out, x0, eps, t, weights)
        if votes is not None:
            away = place_loss(config, votes.places, labels[:, 1], weights[1])
            loss = loss + self.config.place_weight * away
        return loss


class Votes:
    """Keeps where the pixels of a batch say that their segments have their middles."""

    places: Tensor

    def __call__(self, places: Tensor, sharp: Tensor) -> tuple[Tensor, Tensor]:
        self.places = places
        return places, sharp


@torch.no_grad()
def estimate_noiseless(
    model: Pix2SeqD, x_t: Tensor, t: Tensor, encoding: Encoding, given: Tensor, wanted: Tensor
) -> Tensor:
    """What the network makes of x0, or of the noise, without an estimate; 0 where not wanted.

    Args:
        wanted: [B] bool.

    Source: Chen et al. 2022, arXiv:2208.04202, section 3.2, "self-conditioning".
    """
    config, rows, estimate = model.config, wanted.nonzero()[:, 0], torch.zeros_like(x_t)
    if len(rows) == 0:
        return estimate
    schedule, times = config.train_schedule, t[rows]
    predicted = model.predict(
        x_t[rows], schedule.gamma(times), Encoding(*(p[rows] for p in encoding)), given[rows]
    )
    alpha, sigma = (part.view(-1, 1, 1, 1) for part in schedule.alpha_sigma(times))
    kind = KIND.get(config.prediction, "x0")
    x0, eps = to_x0_and_eps(predicted.float(), x_t[rows], alpha, sigma, config.clip, kind)
    estimate[rows] = eps if config.self_condition == "eps" else x0
    # Older versions of torch hand casts made here, without gradients, to the pass that follows.
    torch.clear_autocast_cache()
    return estimate


def _repeat(part: Tensor, times: int) -> Tensor:
    return part.repeat(times, *[1] * (part.ndim - 1))


class Stepper:
    """Makes steps of a run: holds the loss as it is spread over processes and compiled.

    Attributes:
        notice: what could not be done as asked, or nothing.
    """

    def __init__(
        self, config: TrainConfig, state: TrainState, processes: Processes = ALONE
    ) -> None:
        self._config, self._state, self._processes = config, state, processes
        if config.is_channels_last:
            state.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.is_checkpointed:
            recompute_activations(state.model)
        is_shared = processes.n_ranks > 1
        self.notice = compile_network(state.model) if config.is_compiled else ""
        if is_shared and config.is_norm_synchronized:
            share_norms(state.model, processes.device)
        self._loss: nn.Module = BatchLoss(config, state.model)
        if is_shared:
            self._loss = DistributedDataParallel(
                self._loss,
                gradient_as_bucket_view=True,
                find_unused_parameters=config.model.conditioning == "none",
            )

    def step(self, batch: Batch, n_samples: int | None = None) -> tuple[float, float]:
        """Optimize the weights by one batch, and take them into their average.

        Args:
            batch: the samples of this process.
            n_samples: of the batch over all processes, if there are others.

        Returns:
            The loss of the whole batch, and its gradient's norm before clipping. Where either
            is not finite, no weight has changed, unless a scaler is looking for its scale.
        """
        config, state = self._config, self._state
        state.model.train()
        if config.trunk_rate == 0:
            state.model.encoder.trunk.eval()
        seed_dropout(config.seed, state.step, self._processes.rank)
        state.optimizer.zero_grad(set_to_none=True)
        n_samples = n_samples or len(batch.images)
        (loss,) = self._processes.add([self._backward(batch, n_samples)])
        state.scaler.unscale_(state.optimizer)
        bound = config.clip_norm or float("inf")
        norm = float(nn.utils.clip_grad_norm_(state.model.parameters(), bound))
        if state.scaler.is_enabled() or np.isfinite([loss, norm]).all():
            state.scaler.step(state.optimizer)
            state.scaler.update()
            update_average(
                state.average,
                state.model,
                config.ema_decay,
                has_average_statistics=config.has_average_statistics,
            )
            state.step += 1
        return loss, norm

    def _backward(self, batch: Batch, n_samples: int) -> float:
        """Add up the gradients of all parts; returns this process's share of the loss."""
        config, ranks = self._config, self._processes
        device = ranks.device
        numbers = torch.arange(ranks.rank, n_samples, ranks.n_ranks)
        parts = list(numbers.split(-(-len(numbers) // config.accumulation)))
        total, taken = 0.0, 0
        for part in parts:
            rows = slice(taken, taken + len(part))
            taken += len(part)
            t, eps = draw_noise(config, self._state.step, part, n_samples, _grid(batch))
            past = None if batch.past is None else _send(batch.past[rows], device)
            with self._without_sync(is_last=part is parts[-1]):
                loss = self._loss(
                    _to_images(config, batch.images[rows], device),
                    _send(batch.labels[rows], device),
                    past,
                    _send(t, device),
                    _send(eps, device),
                    _send(self._choose_estimated(part), device),
                )
                share = len(part) / n_samples
                # DDP takes the mean over processes, and the loss is the mean over samples.
                self._state.scaler.scale(loss * share * ranks.n_ranks).backward()
            total = total + loss.detach() * share
        return float(total)

    def _choose_estimated(self, numbers: Tensor) -> Tensor:
        """Every second example, the others in the next step; [D * B] bool as `draw_noise`."""
        draws = torch.arange(self._config.noise_draws).unsqueeze(1)
        return ((numbers + draws + self._state.step) % 2 == 0).flatten()

    def _without_sync(self, *, is_last: bool) -> AbstractContextManager[None]:
        if isinstance(self._loss, DistributedDataParallel) and not is_last:
            return cast(AbstractContextManager[None], self._loss.no_sync())
        return nullcontext()


def _send(part: Tensor, device: torch.device) -> Tensor:
    """Copy to a GPU while the processor goes on, which needs pinned memory."""
    if device.type == "cuda" and not part.is_pinned():
        part = part.pin_memory()
    return part.to(device, non_blocking=True)


def _to_images(config: TrainConfig, images: Tensor, device: torch.device) -> Tensor:
    kind = torch.channels_last if config.is_channels_last else torch.contiguous_format
    return _send(images, device).to(memory_format=kind)


def _grid(batch: Batch) -> tuple[int, int]:
    height, width = batch.labels.shape[-2:]
    return height, width


def seed_dropout(seed: int, step: int, rank: int) -> None:
    """Seed what draws from torch's own generators, which are dropout and dropped paths."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, rank, 2]).generate_state(1)[0]))


def draw_noise(
    config: TrainConfig, step: int, numbers: Tensor, n_samples: int, grid: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Times and noise of some samples of a step.

    Args:
        numbers: [B] which samples, of the n_samples of the step.
        grid: height and width of the maps.

    Returns:
        t [D * B] and eps [D * B, n, *grid], for the D noise draws of each sample, B by B.
    """
    draws = config.noise_draws
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    t = draw_times(config, draws * n_samples, generator).view(draws, n_samples)
    shape = (draws, config.model.n_bits, *grid)
    eps = [torch.randn(shape, generator=_noise_of(config.seed, step, int(k))) for k in numbers]
    return t[:, numbers].flatten(), torch.stack(eps, 1).flatten(0, 1)


def _noise_of(seed: int, step: int, number: int) -> torch.Generator:
    words = np.random.SeedSequence([seed, step, number, 3]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(words[0]))


def draw_times(config: TrainConfig, n: int, generator: torch.Generator) -> Tensor:
    """Times [n] in [0, 1), one an example."""
    if config.times == "stratified":
        return stratified_times(n, generator)
    return torch.rand(n, generator=generator)


def new_state(config: TrainConfig, device: torch.device = ALONE.device) -> TrainState:
    """Fresh weights from the seed, their average, and an optimizer that knows neither yet."""
    torch.manual_seed(config.seed)
    model = Pix2SeqD(config.model).init_weights().to(device)
    model.encoder.trunk.requires_grad_(config.trunk_rate > 0)
    scaler = torch.amp.GradScaler(device.type, enabled=config.precision == "float16")
    return TrainState(model, copy.deepcopy(model), make_optimizer(config, model), scaler)


def make_optimizer(config: TrainConfig, model: Pix2SeqD) -> torch.optim.AdamW:
    """AdamW that decays matrices and kernels only, or all weights.

    Where the trunk has a rate of its own, so have its groups, as their `factor`.
    """
    trunk, rest = list(model.encoder.trunk.parameters()), list(model.parameters())
    groups = []
    if config.trunk_rate != 1:
        inside = {id(p) for p in trunk}
        rest = [p for p in rest if id(p) not in inside]
        groups = _by_decay(config, trunk, config.trunk_rate)
    return torch.optim.AdamW(
        [*_by_decay(config, rest, 1.0), *groups],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=config.eps,
    )


def _by_decay(
    config: TrainConfig, weights: list[nn.Parameter], factor: float
) -> list[dict[str, Any]]:
    """Kernels and matrices, then norms and biases."""
    trained = [p for p in weights if p.requires_grad]
    small_decay = config.weight_decay if config.decay_scope == "all" else 0.0
    parts = [
        ([p for p in trained if p.ndim > 1], config.weight_decay),
        ([p for p in trained if p.ndim <= 1], small_decay),
    ]
    return [{"params": ps, "weight_decay": decay, "factor": factor} for ps, decay in parts]


def set_rates(config: TrainConfig, optimizer: torch.optim.Optimizer, step: int) -> float:
    """Set learning rate and eps for the update that follows `step` others; returns the rate."""
    rate, eps = config.learning_rate_at(step), config.eps
    if config.eps_scope == "uncorrected":
        # TensorFlow adds eps to sqrt(v), PyTorch to sqrt(v) / sqrt(1 - beta2^t).
        eps /= (1 - config.beta2 ** (step + 1)) ** 0.5
    for group in optimizer.param_groups:
        group["lr"], group["eps"] = rate * group["factor"], eps
    return rate


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
