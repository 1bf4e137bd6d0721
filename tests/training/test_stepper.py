"""One step: parts, recomputed activations, precisions and workers do not change what it is."""

import copy
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import TrainingError
from tests.training.tiny_run import CONFIGS, PLAIN, Pictures
from training.augment import View
from training.batches import make_batch
from training.memory import explain_lack, recompute_activations
from training.stepper import (
    BatchLoss,
    Stepper,
    draw_noise,
    make_optimizer,
    new_state,
    set_rates,
    update_average,
)
from training.train import train


def losses_of(config, out, data=None):
    return [step.loss for step in train(config, data or Pictures(), out)]


def gradients(config, model):
    batch = make_batch(config, Pictures(), 0)
    noise = draw_noise(config, 0, torch.arange(4), 4, (16, 16))
    torch.manual_seed(3)
    loss = BatchLoss(config, model.train())(batch.images, batch.labels, None, *noise)
    loss.backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def test_a_batch_in_parts_teaches_what_the_whole_does(tmp_path):
    whole = losses_of(PLAIN, tmp_path / "whole")
    parts = losses_of(replace(PLAIN, accumulation=2), tmp_path / "parts")
    assert parts == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize("name", ["batch-norm", "dropout"])
def test_recomputed_activations_give_the_same_gradients_and_statistics(name):
    config = CONFIGS[name]
    kept = new_state(config).model
    again = copy.deepcopy(kept)
    recompute_activations(again)
    expected, found = gradients(config, kept), gradients(config, again)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    statistics = dict(again.named_buffers())
    assert all(torch.equal(b, statistics[name]) for name, b in kept.named_buffers())


def test_recomputed_activations_are_not_kept():
    def kept_bytes(is_checkpointed):
        config = replace(PLAIN, is_checkpointed=is_checkpointed)
        total = 0

        def note(tensor):
            nonlocal total
            total += tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            model = new_state(config).model
            if is_checkpointed:
                recompute_activations(model)
            batch = make_batch(config, Pictures(), 0)
            noise = draw_noise(config, 0, torch.arange(4), 4, (16, 16))
            BatchLoss(config, model.train())(batch.images, batch.labels, None, *noise)
        return total

    assert kept_bytes(is_checkpointed=True) < kept_bytes(is_checkpointed=False) / 2


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_learns_nearly_the_same(precision, tmp_path):
    config = replace(PLAIN, learning_rate=3e-3)
    full = losses_of(config, tmp_path / "full")
    half = losses_of(replace(config, precision=precision), tmp_path / precision)
    assert half == pytest.approx(full, rel=0.02) and half != full


def test_half_precision_resumes_with_its_scale(tmp_path):
    config = replace(PLAIN, precision="float16", steps=6)
    whole = losses_of(config, tmp_path / "whole")
    broken = train(config, Pictures(), tmp_path / "broken")
    first = [next(broken).loss for _ in range(3)]
    broken.close()
    assert first + losses_of(config, tmp_path / "broken") == whole


def test_dropout_resumes_bit_for_bit(tmp_path):
    config = CONFIGS["dropout"]
    whole = losses_of(config, tmp_path / "whole")
    broken = train(config, Pictures(), tmp_path / "broken")
    first = [next(broken).loss for _ in range(2)]
    broken.close()
    torch.manual_seed(1234)
    assert first + losses_of(config, tmp_path / "broken") == whole


def test_workers_read_the_same_batches(tmp_path):
    alone = losses_of(PLAIN, tmp_path / "alone")
    assert losses_of(replace(PLAIN, workers=2), tmp_path / "helped") == alone


class Killing(Pictures):
    """Pictures that kill the process that asks for them."""

    def view(self, index, config):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_a_sentence(tmp_path):
    with pytest.raises(TrainingError, match=r"was killed .* lower workers and give the same"):
        next(train(replace(PLAIN, workers=1), Killing(), tmp_path))


class Blinding(Pictures):
    """Pictures whose values are no numbers."""

    def view(self, index, config):
        view = super().view(index, config)
        return View(np.full(view.image.shape, np.nan, np.float32), view.labels)


def test_a_loss_that_is_no_number_changes_no_weight_and_is_a_sentence(tmp_path):
    steps = train(PLAIN, Pictures(), tmp_path)
    next(steps), next(steps)
    steps.close()
    before = (tmp_path / "state.safetensors").read_bytes()
    said = r"loss of step 3 is nan .* back to step 2\. .* lower --learning-rate than 0.0001"
    with pytest.raises(TrainingError, match=said):
        next(train(PLAIN, Blinding(), tmp_path))
    assert (tmp_path / "state.safetensors").read_bytes() == before


def test_a_gradient_that_is_no_number_changes_no_weight():
    state = new_state(PLAIN)
    stepper = Stepper(PLAIN, state)
    set_rates(PLAIN, state.optimizer, 0)
    state.model.decoder.conv_in.weight.register_hook(lambda gradient: gradient * float("nan"))
    before = copy.deepcopy(state.model.state_dict())
    loss, norm = stepper.step(make_batch(PLAIN, Pictures(), 0))
    assert loss == loss and norm != norm and state.step == 0  # noqa: PLR0124 - NaN is not itself
    assert all(torch.equal(before[k], v) for k, v in state.model.state_dict().items())


def test_too_little_memory_names_what_to_lower(tmp_path):
    config = replace(PLAIN, noise_draws=10**12)
    said = r"too little memory for a step of 4 views .* lower batch \(now 4\)"
    with pytest.raises(TrainingError, match=said):
        next(train(config, Pictures(), tmp_path))


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    with pytest.raises(RuntimeError, match="shapes differ"), explain_lack(PLAIN, 1):
        raise RuntimeError("shapes differ")


def trunk_after_a_step(config):
    """Weights and statistics of the trunk before and after, and whether it had gradients."""
    state = new_state(config)
    set_rates(config, state.optimizer, 1)
    before = copy.deepcopy(state.model.encoder.trunk.state_dict())
    rest = state.model.decoder.conv_in.weight.detach().clone()
    Stepper(config, state).step(make_batch(config, Pictures(), 0))
    assert not torch.equal(state.model.decoder.conv_in.weight, rest)
    has_gradients = any(p.grad is not None for p in state.model.encoder.trunk.parameters())
    return before, state.model.encoder.trunk.state_dict(), has_gradients


def test_a_trunk_without_a_rate_stays_as_it_is_statistics_included():
    config = replace(CONFIGS["batch-norm"], trunk_rate=0.0)
    before, after, has_gradients = trunk_after_a_step(config)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not has_gradients


def test_a_trunk_has_the_given_share_of_the_rate():
    config = replace(PLAIN, weight_decay=0.0)
    changes = []
    for rate in (1.0, 0.25):
        before, after, _ = trunk_after_a_step(replace(config, trunk_rate=rate))
        changes.append(after["stem_conv.weight"] - before["stem_conv.weight"])
    assert torch.allclose(changes[1], changes[0] / 4, rtol=1e-2, atol=1e-8)


@pytest.mark.parametrize("scope", ["kernels", "all"])
def test_weight_decay_is_for_kernels_alone_unless_it_is_for_all(scope):
    config = replace(PLAIN, decay_scope=scope, weight_decay=0.5)
    model = new_state(config).model
    with torch.no_grad():
        for p in model.parameters():
            p.add_(1.0)  # biases begin at zero, which decay leaves alone
    before = copy.deepcopy(model.state_dict())
    optimizer = make_optimizer(config, model)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    for name, p in model.named_parameters():
        factor = 1 - 0.5 * config.learning_rate if scope == "all" or p.ndim > 1 else 1.0
        assert torch.allclose(p, before[name] * factor, rtol=1e-6), name


@pytest.mark.parametrize("is_averaged", [True, False])
def test_norm_statistics_are_averaged_or_copied(is_averaged):
    state = new_state(CONFIGS["batch-norm"])
    name = next(k for k in state.model.state_dict() if k.endswith("running_mean"))
    state.model.state_dict()[name].fill_(1.0)
    update_average(state.average, state.model, 0.9, has_average_statistics=is_averaged)
    expected = 0.1 if is_averaged else 1.0
    assert state.average.state_dict()[name].tolist() == pytest.approx([expected] * 8)
