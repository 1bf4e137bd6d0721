"""The inference loop: previews, then a proposal; repeatable by seed, locked parts kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import CheckpointError
from core.model.config import NUCLEI
from core.model.pix2seq_d import Pix2SeqD
from core.model.segment import Guesses, choose_device, encode_image, segment_image
from core.model_card import ModelCard
from core.panoptic import Category, PanopticMap, Rect, Segment
from core.proposals import Known, Preview, Proposal, SamplingOptions

CATEGORIES = (
    Category(1, "nucleus", True, (220, 20, 60)),
    Category(2, "background", False, (60, 60, 60)),
)
CARD = ModelCard("test", "", CATEGORIES)
TINY = replace(
    NUCLEI, decoder_width=16, transformer_layers=1, transformer_width=64, encoder_layers=1
)


@pytest.fixture(scope="module")
def model() -> Pix2SeqD:
    torch.manual_seed(3)
    model = Pix2SeqD(TINY).init_weights().eval()
    with torch.no_grad():
        model.decoder.conv_out.weight.mul_(1e5)
    return model


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 255, (50, 70, 3), np.uint8)


def run(model, image, options, known=None):
    *previews, proposal = segment_image(model, CARD, image, options, known)
    return previews, proposal


def test_every_step_is_previewed_and_one_proposal_of_the_image_size_follows(model, image):
    previews, proposal = run(model, image, SamplingOptions(steps=4))
    assert all(isinstance(preview, Preview) for preview in previews)
    assert [preview.step for preview in previews] == [1, 2, 3, 4]
    assert [preview.t for preview in previews] == [1, 0.75, 0.5, 0.25]
    assert previews[0].segment_ids.shape == (25, 35)
    assert isinstance(proposal, Proposal) and proposal.segment_ids.shape == (50, 70)
    ids = set(np.unique(proposal.segment_ids)) - {0}
    assert ids == set(proposal.category_ids)


def test_the_same_seed_gives_the_same_map_bit_for_bit_and_another_seed_another(model, image):
    options = SamplingOptions(steps=3, min_area=0)
    (_, first), (_, again) = run(model, image, options), run(model, image, options)
    _, other = run(model, image, replace(options, seed=1))
    assert np.array_equal(first.segment_ids, again.segment_ids)
    assert not np.array_equal(first.segment_ids, other.segment_ids)


def test_a_kept_encoding_changes_nothing(model, image):
    options = SamplingOptions(steps=2)
    encoded = encode_image(model, image)
    *_, kept = segment_image(model, CARD, image, options, encoded=encoded)
    _, fresh = run(model, image, options)
    assert np.array_equal(kept.segment_ids, fresh.segment_ids)


def test_pixels_of_a_locked_segment_come_out_as_one_segment_of_its_category(model, image):
    panoptic_map = PanopticMap.empty(50, 70)
    panoptic_map.segment_ids[10:30, 20:50] = 1
    panoptic_map.segments[1] = Segment(1, 41, is_locked=True)
    panoptic_map = PanopticMap(panoptic_map.segment_ids, panoptic_map.segments, 2)
    project = [replace(CATEGORIES[0], id=41, name="Nucleus")]
    _, proposal = run(
        model, image, SamplingOptions(steps=2, min_area=0), Known(panoptic_map, project)
    )
    inside = proposal.segment_ids[12:28, 22:48]
    assert (inside == inside[0, 0]).all()
    assert proposal.category_ids[int(inside[0, 0])] == 1


def test_asked_for_a_region_the_model_is_told_all_segments_outside_of_it(model, image):
    ids = np.zeros((50, 70), np.uint16)
    ids[:, :40], ids[:, 40:] = 1, 2
    segments = {1: Segment(1, 1), 2: Segment(2, 2)}
    known = Known(PanopticMap(ids, segments, 3), CATEGORIES, Rect(20, 20, 40, 60))
    _, proposal = run(model, image, SamplingOptions(steps=2, min_area=0), known)
    outside = np.ones((50, 70), bool)
    outside[18:42, 18:62] = False
    outside[:, 38:42] = False  # borders are drawn on the model's grid
    for segment in segments.values():
        proposed = proposal.segment_ids[outside & (ids == segment.id)]
        assert (proposed == proposed[0]).all()
        assert proposal.category_ids[int(proposed[0])] == segment.category_id
    assert not np.array_equal(
        proposal.segment_ids == proposal.segment_ids[0, 0], ids == 1
    )  # inside, the model has its own opinion


def test_a_picture_beyond_the_limit_is_scaled_down_and_its_map_brought_up(model):
    model.config = replace(TINY, max_side=64)
    image = np.zeros((40, 300, 3), np.uint8)
    try:
        previews, proposal = run(model, image, SamplingOptions(steps=1))
    finally:
        model.config = TINY
    assert previews[0].segment_ids.shape == (5, 32) and proposal.segment_ids.shape == (40, 300)


def test_the_fit_path_pads_to_the_configured_size_and_cuts_the_padding_off(image):
    torch.manual_seed(0)
    config = replace(
        TINY, resize="fit", image_size=(64, 64), mask_size=(32, 32), map_decoding="authors"
    )
    previews, proposal = run(Pix2SeqD(config).init_weights().eval(), image, SamplingOptions(2))
    assert previews[0].segment_ids.shape == (23, 32) and proposal.segment_ids.shape == (50, 70)


def test_codes_taken_whole_leave_nothing_void_that_bits_cut_one_by_one_would(model, image):
    plain = replace(TINY, place_cell=0)
    torch.manual_seed(0)
    fine = Pix2SeqD(replace(plain, map_decoding="fine")).init_weights().eval()
    whole = Pix2SeqD(plain).eval()
    whole.load_state_dict(fine.state_dict())
    options = SamplingOptions(steps=2, min_area=0)
    (_, cut), (_, taken) = run(fine, image, options), run(whole, image, options)
    assert (cut.segment_ids == 0).mean() > 0.2
    assert (taken.segment_ids == 0).mean() < 0.02  # things that have drawn id 0


def test_a_device_that_is_not_there_is_a_sentence():
    with pytest.raises(CheckpointError, match="no device called 'abacus'"):
        choose_device("abacus")
    with pytest.raises(CheckpointError, match="'cuda:99' is not available"):
        choose_device("cuda:99")
    device, note = choose_device("cpu")
    assert device.type == "cpu" and "cpu" in note


def test_the_sampler_leaves_gradients_on_between_steps(model, image):
    steps = segment_image(model, CARD, image, SamplingOptions(steps=2))
    next(steps)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()


def test_categories_are_what_all_steps_say_and_ids_what_the_last_says():
    first, second = torch.rand(2, 1, NUCLEI.n_bits, 4, 4)
    guesses = Guesses(NUCLEI)
    assert torch.equal(guesses.join(first), first)
    joined = guesses.join(second)
    n = NUCLEI.semantic_bits
    torch.testing.assert_close(joined[:, :n], (first[:, :n] + second[:, :n]) / 2)
    assert torch.equal(joined[:, n:], second[:, n:])


def test_the_authors_decoding_takes_the_last_step_alone():
    first, second = torch.rand(2, 1, NUCLEI.n_bits, 4, 4)
    guesses = Guesses(replace(NUCLEI, map_decoding="authors"))
    guesses.join(first)
    assert torch.equal(guesses.join(second), second)
