"""Schedules, noise and samplers agree with the paper's algorithms and the authors' code."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.model.diffusion import (
    Known,
    Schedule,
    add_noise,
    ddim_steps,
    ddpm_transition,
    sampling_times,
    to_x0_and_eps,
)
from core.model.foreign_config import parse_schedule

F64 = torch.float64
SCHEDULES = ["cosine", "cosine@0.2,1,1", "sigmoid@-3,3,0.9", "simple_linear", "log@1,100,f"]


def f64(values) -> torch.Tensor:
    return torch.tensor(values, dtype=F64)


def alphas_sigmas(*times: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """sqrt(gamma) and sqrt(1 - gamma) of the default schedule at some times."""
    alpha, sigma = Schedule().alpha_sigma(f64(times))
    return tuple(alpha.tolist()), tuple(sigma.tolist())


def test_gamma_of_the_default_schedule(near) -> None:
    times = [0, 0.05, 0.1, 0.25, 0.5, 0.7, 0.75, 0.9, 0.95, 1]
    gamma = [0.9999999, 0.993798, 0.975443, 0.853401, 0.499882, 0.206076, 0.146433, 0.024484]
    near(Schedule().gamma(f64(times)), [*gamma, 0.006165, 6.165420e-09], 2e-6)


def test_powers_of_the_cosine_are_defined_at_its_end() -> None:
    gamma = parse_schedule("cosine@0,1,0.7").gamma(torch.tensor([0.0, 0.5, 1.0]))
    assert gamma.isfinite().all()


def test_the_ends_of_the_default_schedule_keep_their_digits() -> None:
    alpha, sigma = Schedule().alpha_sigma(torch.tensor([0.0, 1.0]))
    assert sigma[0].item() ** 2 == pytest.approx(9.8647e-8, rel=1e-4)
    assert alpha[1].item() ** 2 == pytest.approx(6.165420e-9, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "gamma"),
    [
        ("cosine@0,0.5,1", [1, 0.923880, 0.707107, 0.382683, 0]),
        ("cosine@0.2,1,1", [1, 0.723607, 0.381966, 0.105573, 0]),
        ("cosine@0,1,2", [1, 0.728553, 0.25, 0.021447, 0]),
        ("sigmoid@-3,3,1", [1, 0.850854, 0.5, 0.149146, 0]),
        ("sigmoid@0,3,0.7", [1, 0.496594, 0.187951, 0.051508, 0]),
        ("log@1,100,f", [1, 0.294611, 0.148354, 0.061747, 0]),
        ("log@1,100,t", [1, 0.938253, 0.851646, 0.705389, 0]),
    ],
)
def test_gamma_of_other_schedules(name, gamma, near) -> None:
    near(parse_schedule(name).gamma(f64([0, 0.25, 0.5, 0.75, 1])), gamma, 2e-6)


def test_recorded_schedules(golden, near) -> None:
    recorded = golden("schedules")
    names = [name for name in recorded.files if name.startswith("gamma/")]
    assert len(names) == 11
    for name in names:
        schedule = parse_schedule(name.removeprefix("gamma/"))
        near(schedule.gamma(torch.from_numpy(recorded["t"])), recorded[name], 1e-6)


@given(st.sampled_from(SCHEDULES), st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_gamma_falls_from_one_to_zero(name, times) -> None:
    gamma = parse_schedule(name).gamma(f64(sorted(times))).tolist()
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(gamma))
    assert all(0 <= value <= 1 for value in gamma)


def test_noising(near) -> None:
    x0, eps = f64([0.1, -0.1, 0.1]).view(1, 3, 1, 1), f64([0.5, -1, 2]).view(1, 3, 1, 1)
    x_t = add_noise(x0, eps, f64([0.7]), Schedule())
    near(x_t.flatten(), [0.490908, -0.936420, 1.827444], 2e-6)


def test_each_example_is_noised_to_its_own_time() -> None:
    x0, eps = torch.randn(2, 2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    both = add_noise(x0, eps, torch.tensor([0.2, 0.9]), Schedule())
    alone = add_noise(x0[1:], eps[1:], torch.tensor([0.9]), Schedule())
    assert torch.equal(both[1:], alone)


@pytest.mark.parametrize(
    ("steps", "time_delta", "now", "towards"),
    [
        (
            10,
            1,
            [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1],
            [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0, 0],
        ),
        (5, 2, [1, 0.8, 0.6, 0.4, 0.2], [0.4, 0.2, 0, 0, 0]),
        (4, 0, [1, 0.75, 0.5, 0.25], [0.75, 0.5, 0.25, 0]),
    ],
)
def test_times_of_the_asymmetric_intervals(steps, time_delta, now, towards) -> None:
    times = sampling_times(steps, time_delta)
    assert [t for t, _ in times] == pytest.approx(now)
    assert [t for _, t in times] == pytest.approx(towards)


@pytest.mark.parametrize("name", ["n5_td0", "n5_td1", "n5_td2", "n20_td1", "n10_td2"])
def test_recorded_times(golden, near, name) -> None:
    steps, time_delta = (int(part.strip("ntd")) for part in name.split("_"))
    near(f64(sampling_times(steps, time_delta)), golden("schedules")[f"steps/{name}"], 2e-7)


X_T, X0 = f64([0.3, -1.2, 0.05]), f64([0.1, -0.04, -0.1])


@pytest.mark.parametrize(
    ("times", "eps", "x_next"),
    [
        ((0.5, 0.35), [0.324238, -1.656866, 0.170679], [0.254717, -0.900062, 0.003950]),
        ((0.1, 0.0), [1.284160, -7.405555, 0.949323], [0.100403, -0.042326, -0.099702]),
    ],
)
def test_a_ddim_step(times, eps, x_next, near) -> None:
    (alpha, alpha_next), (sigma, sigma_next) = alphas_sigmas(*times)
    x0, found = to_x0_and_eps(X0, X_T, alpha, sigma, 0.1)
    near(found, eps, 2e-6)
    near(alpha_next * x0 + sigma_next * found, x_next, 2e-6)


@pytest.mark.parametrize(
    ("sampler", "x_next"),
    [
        ("ddpm", [0.468515, -0.704547, 0.528213]),
        ("ddpm-small", [0.395607, -0.668092, 0.382396]),
    ],
)
def test_a_ddpm_step(sampler, x_next, near) -> None:
    alphas, sigmas = alphas_sigmas(0.5, 0.35)
    _, eps = to_x0_and_eps(X0, X_T, alphas[0], sigmas[0], 0.1)
    z = f64([0.5, -0.25, 1])
    near(ddpm_transition(X_T, eps, z, alphas, sigmas, sampler), x_next, 2e-6)


@pytest.mark.parametrize(
    ("prediction", "bound", "x0", "eps"),
    [
        ("eps", 9, [0.224267, -0.797044, -0.029305], [0.2, -0.9, 0.1]),
        ("eps", 0.1, [0.1, -0.1, -0.029305], [0.324238, -1.596880, 0.1]),
        ("v", 9, [0.070669, -0.211957, -0.035368], [0.353562, -1.484949, 0.106062]),
    ],
)
def test_what_the_network_may_predict(prediction, bound, x0, eps, near) -> None:
    (alpha,), (sigma,) = alphas_sigmas(0.5)
    out = f64([0.2, -0.9, 0.1])
    found = to_x0_and_eps(out, X_T, alpha, sigma, bound, prediction)
    near(found[0], x0, 2e-6)
    near(found[1], eps, 2e-6)


@pytest.mark.parametrize(
    ("steps", "time_delta", "x0"),
    [
        (4, 0, [0.100000, -0.033435, 0.051041, -0.078965]),
        (4, 1, [0.057514, 0.015077, 0.036248, -0.008364]),
        (5, 2, [0.039296, 0.028588, 0.033389, 0.020691]),
    ],
)
def test_the_whole_loop_with_a_stand_in_for_the_network(steps, time_delta, x0, near) -> None:
    def denoise(x_t: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        return 0.1 * torch.tanh(3 * x_t * (0.5 + gamma.view(-1, 1, 1, 1))) + 0.02

    noise = f64([0.8, -0.3, 0.1, -1.5]).view(1, 4, 1, 1)
    *_, last = ddim_steps(denoise, noise, steps, scale=0.1, time_delta=time_delta)
    near(last.x0.flatten(), x0, 2e-5)


@pytest.mark.parametrize(
    ("sampler", "name"), [("ddim", "ddim"), ("ddpm", "ddpm"), ("ddpm-small", "ddpm@small")]
)
def test_recorded_transitions(golden, near, sampler, name) -> None:
    recorded = {key: golden("sampling")[f"transition/{key}"] for key in _TRANSITION}
    for example in range(2):
        gamma = [float(recorded[f"gamma_{when}"][example, 0]) for when in ("now", "prev")]
        alphas = math.sqrt(gamma[0]), math.sqrt(gamma[1])
        sigmas = math.sqrt(1 - gamma[0]), math.sqrt(1 - gamma[1])
        x_t, x0, eps, z = (torch.from_numpy(recorded[k][example]) for k in _TRANSITION[:4])
        if sampler == "ddim":
            x_next = alphas[1] * x0 + sigmas[1] * eps
        else:
            x_next = ddpm_transition(x_t, eps, z, alphas, sigmas, sampler)
        near(x_next, golden("sampling")[f"transition/out_{name}"][example], 2e-5)


_TRANSITION = ["samples", "data_pred", "noise_pred", "eps", "gamma_now", "gamma_prev"]


def test_a_perfect_denoiser_is_followed_from_any_noise() -> None:
    generator = torch.Generator().manual_seed(0)
    truth = torch.randint(0, 2, (2, 6, 3, 4), generator=generator) * 0.2 - 0.1
    noise = torch.randn(truth.shape, generator=generator)
    for sampler in ("ddim", "ddpm", "ddpm-small"):
        steps = list(ddim_steps(lambda *_: truth, noise, 7, scale=0.1, sampler=sampler))
        assert [step.index for step in steps] == list(range(7))
        assert torch.equal(steps[-1].x0, truth)


def test_at_time_zero_a_sample_is_its_x0() -> None:
    truth = torch.full((1, 2, 3, 3), 0.1)
    *_, last = ddim_steps(lambda *_: truth, torch.randn(truth.shape), 4, scale=0.1)
    torch.testing.assert_close(last.x_next, truth, atol=5e-3, rtol=0)


def test_known_pixels_stay_and_pull_the_noise_along() -> None:
    truth = torch.full((1, 2, 4, 4), 0.1)
    where = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    where[..., :2] = True
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    steps = ddim_steps(
        lambda *_: -truth, noise, 5, scale=0.1, known=Known(truth, where), time_delta=0
    )
    for step in steps:
        assert torch.equal(step.x0[..., :2], truth[..., :2])
        assert torch.equal(step.x0[..., 2:], -truth[..., 2:])


def test_the_seed_alone_decides_a_ddpm_sample() -> None:
    noise = torch.zeros(1, 2, 3, 3)

    def sample(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        steps = ddim_steps(
            lambda x_t, _: x_t / 3, noise, 5, scale=1, sampler="ddpm", generator=generator
        )
        return list(steps)[-1].x_next

    assert torch.equal(sample(1), sample(1))
    assert not torch.equal(sample(1), sample(2))


def test_sampling_leaves_gradients_on_between_steps() -> None:
    steps = ddim_steps(lambda x_t, _: x_t, torch.zeros(1, 1, 1, 1), 3, scale=1)
    next(steps)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_no_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot sample in 0 steps; use 1 or more"):
        next(ddim_steps(lambda x, _: x, torch.zeros(1, 1, 1, 1), 0, scale=1))


def test_the_network_is_told_gamma_and_not_t() -> None:
    told = []

    def denoise(x_t: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        told.append(gamma.clone())
        return x_t

    list(ddim_steps(denoise, torch.zeros(3, 1, 1, 1), 4, scale=1, time_delta=2))
    gamma = Schedule().gamma(torch.tensor([1, 0.75, 0.5, 0.25]))
    assert np.allclose(torch.stack(told).numpy(), gamma.view(4, 1).expand(4, 3).numpy())
