"""The loss of a batch: noise draws, void, self-conditioning, and maps without images."""

from dataclasses import replace

import pytest
import torch

from core.model.diffusion import add_noise
from core.model.pix2seq_d import Pix2SeqD
from tests.training.tiny_run import MODEL, PLAIN, Pictures
from training.batches import make_batch
from training.stepper import BatchLoss, draw_noise, new_state
from training.train import train

GRID = (16, 16)


class Counting(Pix2SeqD):
    """Keeps what it was asked."""

    def encode(self, image):
        self.encoded = [*getattr(self, "encoded", []), len(image)]
        return super().encode(image)

    def given(self, encoding, past=None, estimate=None):
        self.estimate = estimate
        return super().given(encoding, past, estimate)


def fresh(config):
    torch.manual_seed(1)
    model = Counting(config).init_weights().train()
    with torch.no_grad():
        for parameter in model.parameters():  # the head begins at zero, and hides what it sees
            parameter.add_(torch.randn(parameter.shape) * 0.05)
    return model


@pytest.fixture(scope="module")
def batch():
    return make_batch(PLAIN, Pictures(), 0)


def test_many_noisy_maps_of_an_image_cost_one_pass_of_the_encoder(batch):
    config = replace(PLAIN, noise_draws=3)
    model = fresh(MODEL)
    t, eps = draw_noise(config, 0, torch.arange(4), 4, GRID)
    assert len(t) == len(eps) == 12 and len(set(t.tolist())) == 12
    loss = BatchLoss(config, model)(batch.images, batch.labels, None, t, eps)
    assert model.encoded == [4]
    apart = [
        BatchLoss(config, model)(batch.images, batch.labels, None, t[k : k + 4], eps[k : k + 4])
        for k in (0, 4, 8)
    ]
    assert loss.item() == pytest.approx(sum(apart).item() / 3, rel=1e-5)


def test_void_teaches_nothing_where_it_is_not_trained(batch):
    """Cross entropy pulls a code up where it is the truth, and code 0 is on void alone."""
    t, eps = draw_noise(PLAIN, 0, torch.arange(4), 4, GRID)
    labels = batch.labels.clone()
    assert (labels[:, 0] == 0).any() and (labels[:, 0] != 0).any()
    for is_trained in (True, False):
        model = fresh(replace(MODEL, conditioning="none"))
        bias = model.decoder.conv_out.bias
        config = replace(PLAIN, model=model.config, is_void_trained=is_trained)
        BatchLoss(config, model)(batch.images, labels, None, t, eps).backward()
        assert (bias.grad[0] < 0) == is_trained


def test_a_decoder_of_maps_alone_looks_at_no_image(batch):
    model = fresh(replace(MODEL, conditioning="none"))
    config = replace(PLAIN, model=model.config)
    noise = draw_noise(config, 0, torch.arange(4), 4, GRID)
    losses = []
    for images in (batch.images, torch.rand_like(batch.images)):
        loss = BatchLoss(config, model)(images, batch.labels, None, *noise)
        losses.append(loss.item())
    loss.backward()
    assert losses[0] == losses[1]
    assert all(p.grad is None for p in model.encoder.parameters())
    assert not any("cross" in name for name, _ in model.named_parameters())


@pytest.mark.parametrize("kind", ["x0", "eps"])
@pytest.mark.parametrize("prediction", ["x_softmax_xent", "eps"])
def test_half_of_the_examples_are_given_their_own_estimate(kind, prediction, batch):
    model = fresh(replace(MODEL, self_condition=kind, prediction=prediction))
    config = replace(PLAIN, model=model.config)
    t, eps = draw_noise(config, 0, torch.arange(4), 4, GRID)
    wanted = torch.tensor([True, False, False, True])
    loss = BatchLoss(config, model)(batch.images, batch.labels, None, t, eps, wanted)
    estimate = model.estimate
    assert not estimate.requires_grad and not estimate[~wanted].any()
    schedule = model.config.train_schedule
    x_t = noisy(model, batch, t, eps)
    with torch.no_grad():
        encoding = model.encode(batch.images)
        predicted = model.predict(x_t, schedule.gamma(t), encoding, model.given(encoding))
    alpha, sigma = (part.view(-1, 1, 1, 1) for part in schedule.alpha_sigma(t))
    x0 = predicted if prediction != "eps" else (x_t - sigma * predicted) / alpha
    x0 = x0.clamp(-MODEL.b, MODEL.b)
    expected = x0 if kind == "x0" else (x_t - alpha * x0) / sigma
    assert torch.allclose(estimate[wanted], expected[wanted], atol=1e-5)
    loss.backward()
    weights = model.decoder.conv_in.weight.grad[:, MODEL.n_bits : 2 * MODEL.n_bits]
    assert weights.abs().sum() > 0


def noisy(model, batch, t, eps):
    bits = model.past_bits(batch.labels)
    return add_noise(bits, eps, t, model.config.train_schedule)


def test_self_conditioning_is_the_same_in_parts(tmp_path):
    config = replace(PLAIN, model=replace(MODEL, self_condition="x0"), learning_rate=1e-2)
    losses = [
        [step.loss for step in train(c, Pictures(), tmp_path / str(k))]
        for k, c in enumerate((config, replace(config, accumulation=2)))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    plain = replace(config, model=MODEL)
    assert (
        new_state(config).model.config.noisy_width > new_state(plain).model.config.noisy_width
    )
