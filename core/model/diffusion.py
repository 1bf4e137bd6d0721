"""The diffusion itself: gamma(t), adding noise, and the samplers as generators of steps.

Nothing here knows the network: a sampler takes any function from x_t and gamma to a prediction.

Source: Chen et al. 2022, arXiv:2210.06366, Algorithms 1-2; DDIM: Song et al. 2020,
arXiv:2010.02502, eq. 12; DDPM: Ho et al. 2020, arXiv:2006.11239, eq. 6-7.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, Tensor], Tensor]  # x_t [B, n, h, w], gamma [B] -> prediction
Prediction = Literal["x0", "eps", "v"]  # what the denoiser returns
Sampler = Literal["ddim", "ddpm", "ddpm-small"]
ScheduleName = Literal["cosine", "cosine-range", "sigmoid", "linear", "log"]
GAMMA_MIN = 1e-9


@dataclass(frozen=True, slots=True)
class Schedule:
    """gamma(t), the share of signal at time t, falling from 1 at t = 0 to 0 at t = 1.

    Attributes:
        name: `cosine` has no parameters; `cosine-range` and `sigmoid` use start, end and tau;
            `log` uses start, end and is_reversed; `linear` is 1 - t.
    """

    name: ScheduleName = "cosine"
    start: float = 0.0
    end: float = 1.0
    tau: float = 1.0
    is_reversed: bool = False

    def gamma(self, t: Tensor) -> Tensor:
        """gamma(t), computed in the dtype of t.

        The authors' networks are told gamma as float32 arithmetic gives it; where `time_scale`
        is large, its last digit shows.
        """
        return self._gamma(t)

    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """sqrt(gamma(t)) and sqrt(1 - gamma(t)); exact near t = 0, where 1 - gamma cancels."""
        t64 = t.cpu().double()  # some devices have no float64, and these are few numbers
        if self.name == "cosine":
            angle = _cosine_angle(t64)
            return angle.cos().to(t), angle.sin().to(t)
        gamma = self._gamma(t64)
        return gamma.sqrt().to(t), (1 - gamma).sqrt().to(t)

    def _gamma(self, t: Tensor) -> Tensor:
        if self.name == "cosine":
            return _cosine_angle(t).cos() ** 2
        if self.name == "linear":
            return (1 - t).clamp(GAMMA_MIN, 1)
        if self.name == "log":
            start, end = (self.end, self.start) if self.is_reversed else (self.start, self.end)
            top = math.log(end) - (t * (end - start) + start).log()
            return (top / (math.log(end) - math.log(start))).clamp(0, 1)
        curve = self._cosine_power if self.name == "cosine-range" else self._logistic
        ends = torch.tensor([self.start, self.end], dtype=t.dtype, device=t.device)
        value_start, value_end = curve(ends)
        value = curve(t * (self.end - self.start) + self.start)
        return ((value - value_end) / (value_start - value_end)).clamp(GAMMA_MIN, 1)

    def _cosine_power(self, u: Tensor) -> Tensor:
        # In float32 the cosine of pi / 2 is below zero, where powers are not defined.
        return (u * math.pi / 2).cos().clamp(min=0) ** (2 * self.tau)

    def _logistic(self, u: Tensor) -> Tensor:
        return (u / self.tau).sigmoid()


def _cosine_angle(t: Tensor) -> Tensor:
    return (t + 0.0002) / 1.00025 * (math.pi / 2)


def add_noise(x0: Tensor, eps: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """x_t = sqrt(gamma) x0 + sqrt(1 - gamma) eps.

    Args:
        x0: [B, n, h, w] analog bits.
        eps: the same shape, drawn from N(0, 1).
        t: [B] times in [0, 1].
    """
    alpha, sigma = schedule.alpha_sigma(t)
    return alpha.view(-1, 1, 1, 1) * x0 + sigma.view(-1, 1, 1, 1) * eps


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Pixels whose x0 is given, not predicted.

    Attributes:
        x0: [B, n, h, w] analog bits.
        where: [B, 1, h, w] bool, the pixels at which `x0` holds.
    """

    x0: Tensor
    where: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class DdimStep:
    """One denoising step.

    Attributes:
        index: 0 for the first step.
        t: the time that the network was told; t_next: where the step went.
        x0: [B, n, h, w] the clipped prediction; the last step's is the sample.
        eps: [B, n, h, w] the noise that x0 leaves in the noisy bits.
        x_next: [B, n, h, w] the noisy bits at t_next.
    """

    index: int
    t: float
    t_next: float
    x0: Tensor
    eps: Tensor
    x_next: Tensor


def sampling_times(steps: int, time_delta: float) -> list[tuple[float, float]]:
    """Pairs (t, t') of the asymmetric time intervals: each step goes td further than it says.

    Source: arXiv:2210.06366, Algorithm 2 (t' is not fed to the next step; t is).
    """
    return [(1 - k / steps, max(1 - (k + 1 + time_delta) / steps, 0.0)) for k in range(steps)]


@torch.inference_mode()
def ddim_steps(
    denoise: Denoiser,
    noise: Tensor,
    steps: int,
    *,
    scale: float,
    schedule: Schedule = Schedule(),
    time_delta: float = 1.0,
    prediction: Prediction = "x0",
    known: Known | None = None,
    sampler: Sampler = "ddim",
    generator: torch.Generator | None = None,
) -> Iterator[DdimStep]:
    """Draw a sample from noise, one yield a step.

    Args:
        denoise: from x_t and gamma(t), in float32, to a prediction of the kind named.
        noise: [B, n, h, w] from N(0, 1), x at t = 1.
        scale: b, to which predictions of x0 are clipped.
        known: pixels to hold fixed.
        sampler: `ddpm` and `ddpm-small` add noise of variance 1 - a, or its posterior variance.
        generator: of the noise that the DDPM samplers add; seed it for a repeatable sample.

    Raises:
        ValueError: no steps.
    """
    if steps < 1:
        raise ValueError(f"cannot sample in {steps} steps; use 1 or more")
    x_t = noise
    for index, (t, t_next) in enumerate(sampling_times(steps, time_delta)):
        times = torch.tensor([t, t_next], dtype=torch.float64)
        (alpha, alpha_next), (sigma, sigma_next) = (
            pair.tolist() for pair in schedule.alpha_sigma(times)
        )
        gamma = schedule.gamma(times[0].float()).to(noise)
        predicted = denoise(x_t, gamma.expand(len(x_t)))
        x0, eps = to_x0_and_eps(predicted, x_t, alpha, sigma, scale, prediction)
        if known is not None:
            x0 = torch.where(known.where, known.x0, x0)
            eps = (x_t - alpha * x0) / sigma
        if sampler == "ddim":
            x_t = alpha_next * x0 + sigma_next * eps
        else:
            z = torch.randn(x_t.shape, generator=generator, device="cpu").to(x_t)
            x_t = ddpm_transition(
                x_t, eps, z, (alpha, alpha_next), (sigma, sigma_next), sampler
            )
        yield DdimStep(index, t, t_next, x0, eps, x_t)


def to_x0_and_eps(
    predicted: Tensor,
    x_t: Tensor,
    alpha: float | Tensor,
    sigma: float | Tensor,
    scale: float,
    prediction: Prediction = "x0",
) -> tuple[Tensor, Tensor]:
    """The clipped x0 that a prediction means, and the noise that it leaves in x_t.

    Args:
        alpha: sqrt(gamma); sigma: sqrt(1 - gamma); numbers, or [B, 1, 1, 1] of them.
        scale: b; x0 is clipped to [-b, b] before eps is derived from it.
    """
    if prediction == "eps":
        x0 = (x_t - sigma * predicted) / alpha
    elif prediction == "v":
        x0 = alpha * x_t - sigma * predicted
    else:
        x0 = predicted
    x0 = x0.clamp(-scale, scale)
    return x0, (x_t - alpha * x0) / sigma


def ddpm_transition(
    x_t: Tensor,
    eps: Tensor,
    z: Tensor,
    alphas: tuple[float, float],
    sigmas: tuple[float, float],
    sampler: Sampler = "ddpm",
) -> Tensor:
    """One ancestral step from t to t', with the larger or the posterior variance.

    Args:
        alphas: sqrt(gamma) at t and t'; sigmas: sqrt(1 - gamma) at t and t'.
    """
    (alpha, alpha_next), (sigma, sigma_next) = alphas, sigmas
    a = min((alpha / alpha_next) ** 2, 1.0)
    mean = (x_t - (1 - a) / sigma * eps) / math.sqrt(a)
    variance = 1 - a
    if sampler == "ddpm-small":
        variance *= (sigma_next / sigma) ** 2
    return mean + math.sqrt(variance) * z
