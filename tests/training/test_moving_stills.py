"""A run that makes its clips of stills: ids agree through a clip, and the start is reused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.model.checkpoint import save_checkpoint
from core.model.config import NUCLEI, PRESETS
from core.model.pix2seq_d import Pix2SeqD
from core.model_card import ModelCard
from core.proposals import SamplingOptions
from training.batches import make_batch
from training.clip_generator import Motion
from training.config import Crops
from training.map_faults import Faults
from training.recipes import RECIPES
from training.sources import open_data
from training.start import load_start
from training.stepper import BatchLoss, new_state

SMALL = {
    "resnet_stem_width": 8,
    "resnet_widths": (4, 8, 8),
    "encoder_width": 16,
    "encoder_layers": 1,
    "encoder_heads": 2,
    "decoder_width": 16,
    "transformer_width": 32,
    "transformer_layers": 1,
    "transformer_head_width": 8,
}
CONFIG = replace(
    RECIPES["nuclei-video"].config,
    model=replace(PRESETS["nuclei-video"], **SMALL),
    crops=(Crops(64, 2),),
    past_dropout=0.0,
    faults=Faults(),
)


@pytest.fixture(scope="module")
def nuclei(shared_dir):
    return open_data(shared_dir / "data/nuclei/val/panoptic_val.json", CONFIG)


def test_ids_of_stills_in_motion_agree_through_the_clip(nuclei):
    batches = [make_batch(CONFIG, nuclei, step) for step in range(6)]
    assert batches[0].past.shape == (2, 2, 2, 32, 32)
    now = torch.cat([batch.labels[:, 1] for batch in batches])
    before = torch.cat([batch.past[:, -1, 1] for batch in batches])
    both = (now > 0) & (before > 0)
    assert both.any() and (now[both] == before[both]).float().mean() > 0.9
    assert (now != before).any()


def test_faults_are_of_the_past_alone(nuclei):
    right = [make_batch(CONFIG, nuclei, step) for step in range(4)]
    faulty = replace(CONFIG, faults=Faults(share=1.0))
    for step, batch in enumerate(right):
        other = make_batch(faulty, nuclei, step)
        assert torch.equal(batch.labels, other.labels)
        assert torch.equal(batch.images, other.images)
        assert batch.labels[:, 1].any() == 0 or not torch.equal(batch.past, other.past)


def test_stills_that_stand_still_have_a_past_like_themselves(nuclei):
    motion = Motion(True, drift=0, speed=0, turn=0, growth=0, change=0)
    batch = make_batch(replace(CONFIG, motion=motion), nuclei, 0)
    for past in batch.past.unbind(1):
        assert torch.equal(past, batch.labels)


def test_a_model_of_places_becomes_one_that_begins_without_ids(nuclei, tmp_path):
    """Its categories stay as they are; of ids it says nothing but what noise and past say."""
    torch.manual_seed(0)
    model = Pix2SeqD(replace(NUCLEI, **SMALL)).init_weights().eval()
    torch.nn.init.normal_(model.decoder.conv_out.weight, std=0.2)
    card = ModelCard("nuclei", "", nuclei.categories, SamplingOptions())
    save_checkpoint(tmp_path / "start.safetensors", model, card)
    config = replace(CONFIG, start_weights=str(tmp_path / "start.safetensors"))
    video = new_state(config).model.eval()
    load_start(config, video)
    image, noise = torch.rand(1, 3, 64, 64), torch.randn(1, 10, 32, 32)
    gamma = torch.tensor([0.3])
    with torch.no_grad():
        was = model.logits(noise, gamma, model.encode(image), model.encode(image).fmap)
        encoding = video.encode(image)
        outs = []
        for past in (None, torch.randint(1, 3, (1, 2, 2, 32, 32))):
            given = video.given(encoding, past)
            outs.append(video.logits(noise, gamma, encoding, given))
    assert torch.allclose(outs[0], outs[1], atol=1e-6)
    assert torch.allclose(was[:, :2], outs[0][:, :2], atol=1e-5)
    flipped = video.logits(-noise * 0, gamma, encoding, given)[:, 2:]
    assert flipped.abs().max() < 1e-5


def test_the_past_is_evidence_for_ids_and_not_for_categories():
    torch.manual_seed(0)
    model = Pix2SeqD(CONFIG.model).init_weights().eval()
    torch.nn.init.constant_(model.decoder.evidence.past.bias, 2.0)
    pool = model.decoder.evidence
    features = torch.zeros(1, 16, 8, 8)
    empty, gamma = torch.zeros(1, 10, 8, 8), torch.tensor([0.0])
    labels = torch.full((1, 2, 8, 8), 1)
    labels[:, 1] = 5
    past = torch.cat([model.past_bits(labels)] * 2, 1)
    with torch.no_grad():
        logits = pool(features, empty, empty, gamma, past)[0, :, 4, 4]
    assert not logits[:2].any()
    assert np.array_equal(logits[2:].numpy() > 0, [1, 0, 1, 0, 0, 0, 0, 0])


def test_the_past_teaches(nuclei):
    batch = make_batch(CONFIG, nuclei, 0)
    model = new_state(CONFIG).model.train()
    noise = torch.rand(2), torch.randn(2, 10, 32, 32)
    BatchLoss(CONFIG, model)(batch.images, batch.labels, batch.past, *noise).backward()
    assert model.decoder.evidence.past.weight.grad.abs().sum() > 0
    assert model.decoder.conv_in.weight.grad[:, -20:].abs().sum() > 0
