"""Self-conditioning: each step is given what the step before made of x0, or of the noise."""

from dataclasses import replace

import pytest
import torch

from core.model.config import NUCLEI
from core.model.pix2seq_d import Pix2SeqD


class Remembering(Pix2SeqD):
    """Keeps the estimates that its decoder is given."""

    def given(self, encoding, past=None, estimate=None):
        self.estimates = [*getattr(self, "estimates", []), estimate]
        return super().given(encoding, past, estimate)


@pytest.mark.parametrize("kind", ["x0", "eps"])
def test_each_step_is_given_the_estimate_of_the_step_before(kind):
    torch.manual_seed(0)
    config = replace(
        NUCLEI,
        decoder_width=16,
        transformer_layers=1,
        encoder_layers=1,
        self_condition=kind,
        prediction="x",
        evidence_dilations=(),
        place_cell=0,
    )
    model = Remembering(config).init_weights().eval()
    with torch.no_grad():
        model.decoder.conv_out.weight.mul_(1e6)  # predictions beyond the clip
    noise = torch.randn(1, config.n_bits, 16, 16)
    with torch.inference_mode():
        encoding = model.encode(torch.rand(1, 3, 32, 32))
        steps = list(model.sample(encoding, noise, 3, time_delta=1.0))
    first, *later = model.estimates[-3:]
    assert first is None
    for estimate, step in zip(later, steps, strict=False):
        assert torch.equal(estimate, step.x0 if kind == "x0" else step.eps)
    assert steps[0].x0.abs().max() == pytest.approx(config.b)
