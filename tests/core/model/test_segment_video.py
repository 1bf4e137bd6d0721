"""The loop over a clip: ids stay, what is known is held, and each frame has its own noise."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import CheckpointError, ImageError
from core.model.bits import labels_to_x0
from core.model.config import NUCLEI, PRESETS
from core.model.diffusion import DdimStep
from core.model.pix2seq_d import Pix2SeqD
from core.model.segment_video import VideoFrame, draw_noise, segment_video
from core.model_card import ModelCard
from core.panoptic import Category, PanopticMap, Segment
from core.propagation import FrameProposal, FrameStep, Start, VideoOptions
from core.proposals import Known

NUCLEUS = Category(1, "nucleus", True, (220, 20, 60))
BACKGROUND = Category(2, "background", False, (60, 60, 60))
CARD = ModelCard("test", "", (NUCLEUS, BACKGROUND))
PROJECT = (replace(BACKGROUND, id=30), replace(NUCLEUS, id=41, name="Nucleus"))
SMALL = {
    "decoder_width": 16,
    "transformer_layers": 1,
    "transformer_width": 64,
    "encoder_layers": 1,
}
TINY = replace(NUCLEI, past_frames=2, place_cell=0, **SMALL)
TINY_DAVIS = replace(
    PRESETS["davis"],
    image_size=(48, 64),
    mask_size=(24, 32),
    resnet_stem_width=8,
    resnet_widths=(8, 8, 8),
    resnet_blocks=(1, 1, 1),
    resnet_norm="group",
    encoder_width=64,
    encoder_heads=2,
    merge_width=16,
    transformer_head_width=32,
    **SMALL,
)
FAST = VideoOptions(first_steps=3, later_steps=2)


class Shifting(Pix2SeqD):
    """Says at every step that all has moved by a cell since the last map."""

    def sample(self, encoding, noise, steps, *, time_delta, past, known):
        self.past = past
        labels = past[:, -1].roll(1, -1)
        x0 = labels_to_x0(labels, self.config.groups, self.config.b)
        if known is not None:
            x0 = torch.where(known.where, known.x0, x0)
        for index in range(steps):
            yield DdimStep(index, 1 - index / steps, 0, x0, x0, x0)


def make_model(config, kind=Pix2SeqD):
    torch.manual_seed(3)
    model = kind(config).init_weights().eval()
    with torch.no_grad():
        model.decoder.conv_out.weight.mul_(1e5)
        model.decoder.conv_in.weight.add_(torch.randn_like(model.decoder.conv_in.weight))
    return model


@pytest.fixture(scope="module")
def model():
    return make_model(TINY)


@pytest.fixture(scope="module")
def shifting():
    return make_model(TINY, Shifting)


def make_frames(n, known=None, first=0):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (first + n, 48, 64, 3), np.uint8)[first:]
    known = known or {}
    return [VideoFrame(k, i, known.get(k)) for k, i in enumerate(images, first)]


def make_map(*boxes, n_locked=0):
    """A map on background 9 of things with these ids in columns of rows 10 to 30."""
    map = PanopticMap(np.full((48, 64), 9, np.uint16), {9: Segment(9, 30)})
    for number, (segment_id, left, right) in enumerate(boxes):
        map.segment_ids[10:30, left:right] = segment_id
        map.segments[segment_id] = Segment(segment_id, 41, is_locked=number < n_locked)
    map.next_id = max(map.segments) + 1
    return map


def run(model, frames, options=FAST, start=None, card=CARD):
    outcomes = list(segment_video(model, card, frames, options, start))
    return [outcome for outcome in outcomes if isinstance(outcome, FrameProposal)]


def columns(proposal, segment_id):
    found = np.flatnonzero((proposal.segment_ids == segment_id).any(0))
    return (int(found.min()), int(found.max()) + 1) if len(found) else None


def test_each_frame_gets_its_steps_and_one_map_of_its_size(model):
    outcomes = list(segment_video(model, CARD, make_frames(2), FAST, has_previews=True))
    assert [type(outcome) for outcome in outcomes] == [
        *[FrameStep] * 3, FrameProposal, *[FrameStep] * 2, FrameProposal,
    ]  # fmt: skip
    assert [outcome.number for outcome in outcomes] == [0] * 4 + [1] * 3
    assert outcomes[0].preview.segment_ids.shape == (24, 32)
    for proposal in (outcomes[3], outcomes[-1]):
        assert proposal.segment_ids.shape == (48, 64)
        assert set(np.unique(proposal.segment_ids)) - {0} == set(proposal.category_ids)
    assert [outcomes[3].steps, outcomes[-1].steps] == [3, 2]


def test_the_same_seed_gives_the_same_clip_and_another_seed_another(model):
    frames = make_frames(3)
    first, again = run(model, frames), run(model, frames)
    other = run(model, frames, replace(FAST, seed=1))
    pairs = list(zip(first, again, strict=True))
    assert all(np.array_equal(a.segment_ids, b.segment_ids) for a, b in pairs)
    assert not np.array_equal(first[0].segment_ids, other[0].segment_ids)


def test_noise_is_fresh_in_each_frame_and_follows_from_its_number_alone():
    shape = (1, 4, 8, 8)
    assert torch.equal(draw_noise(5, 17, shape), draw_noise(5, 17, shape))
    assert not torch.equal(draw_noise(5, 17, shape), draw_noise(5, 18, shape))
    assert not torch.equal(draw_noise(5, 17, shape), draw_noise(17, 5, shape))


def test_a_frame_depends_on_the_maps_before_it(model):
    start = Start((make_map((4, 10, 30)),), PROJECT, 50)
    alone, told = (run(model, make_frames(1), FAST, s) for s in (None, start))
    assert not np.array_equal(alone[0].segment_ids > 0, told[0].segment_ids == 9)
    assert told[0].steps == FAST.later_steps


def test_ids_and_categories_of_the_project_come_back(shifting):
    start = Start((make_map((70, 8, 20), (4, 30, 40)),), PROJECT, 90)
    proposals = run(shifting, make_frames(3), FAST, start)
    for k, proposal in enumerate(proposals, 1):
        assert proposal.category_ids == {9: 30, 70: 41, 4: 41}
        assert columns(proposal, 70) == pytest.approx((8 + 2 * k, 20 + 2 * k), abs=1)
        assert columns(proposal, 4) == pytest.approx((30 + 2 * k, 40 + 2 * k), abs=1)


def test_a_single_map_is_the_nearest_of_the_past_and_the_one_before_is_empty(shifting):
    run(shifting, make_frames(1), FAST, Start((make_map((4, 10, 30)),), PROJECT, 50))
    assert not shifting.past[:, 0].any()
    assert shifting.past[:, 1].any()


def test_later_frames_are_told_the_two_maps_before(shifting):
    run(shifting, make_frames(3), FAST, Start((make_map((4, 10, 30)),), PROJECT, 50))
    before, last = shifting.past[0]
    assert torch.equal(before[1, 5:15, :-1], last[1, 5:15, 1:])
    assert before[1].any()


def test_locked_segments_of_a_frame_are_held_and_followed_from_there(shifting):
    known = Known(make_map((77, 40, 50), n_locked=1), PROJECT)
    start = Start((make_map((4, 10, 20)),), PROJECT, 90)
    first, second, third = run(shifting, make_frames(3, {1: known}), FAST, start)
    assert 77 not in first.category_ids
    assert columns(second, 77) == pytest.approx((40, 50), abs=1)
    assert columns(third, 77) == pytest.approx((42, 52), abs=1)
    assert columns(third, 4) == pytest.approx((16, 26), abs=1)


def test_more_segments_than_ids_are_said_and_the_largest_are_followed(shifting):
    shifting.config = replace(TINY, n_ids=3)
    map = make_map((5, 2, 4), (6, 10, 20), (7, 30, 45))
    first, second = run(shifting, make_frames(2), FAST, Start((map,), PROJECT, 50))
    assert set(first.category_ids) == {9, 6, 7}
    assert first.notes == (
        "The model follows at most 2 segments at a time, so the smallest 1 are left out.",
    )
    assert second.notes == ()
    shifting.config = TINY


def test_segments_of_unknown_categories_are_said_and_left_out(shifting):
    map = make_map((5, 10, 20), (6, 30, 40))
    map.segments[6] = replace(map.segments[6], category_id=99)
    project = (*PROJECT, Category(99, "yeast", True, (1, 2, 3)))
    (proposal,) = run(shifting, make_frames(1), FAST, Start((map,), project, 50))
    assert set(proposal.category_ids) == {9, 5}
    assert "categories that the model 'test' does not know" in proposal.notes[0]


def test_a_settled_map_takes_no_more_steps(shifting):
    start = Start((make_map((4, 10, 30)),), PROJECT, 50)
    options = replace(FAST, later_steps=8)
    (all_steps,) = run(shifting, make_frames(1), options, start)
    (settled,) = run(shifting, make_frames(1), replace(options, settled_share=0.01), start)
    assert (all_steps.steps, settled.steps) == (8, 2)
    assert np.array_equal(all_steps.segment_ids, settled.segment_ids)


def test_a_map_in_motion_takes_all_steps(model):
    options = replace(FAST, later_steps=4, settled_share=1e-6)
    assert [proposal.steps for proposal in run(model, make_frames(2), options)] == [3, 4]


def test_a_run_can_be_left_after_any_step(model):
    outcomes = segment_video(model, CARD, make_frames(2), FAST)
    next(outcomes)
    outcomes.close()


def test_frames_are_read_one_by_one(shifting):
    n_read = []

    def frames():
        for frame in make_frames(5):
            n_read.append(frame.number)
            yield frame

    next(segment_video(shifting, CARD, frames(), FAST))
    assert n_read == [0]


def test_a_model_of_single_images_is_refused():
    model = make_model(replace(TINY, past_frames=0))
    with pytest.raises(CheckpointError, match="was made for single images"):
        run(model, make_frames(1))


def test_frames_of_another_size_are_refused(model):
    small = VideoFrame(1, np.zeros((96, 64, 3), np.uint8))
    with pytest.raises(ImageError, match="differ in size"):
        run(model, [*make_frames(1), small])
    start = Start((PanopticMap.empty(30, 30),), PROJECT, 1)
    with pytest.raises(ImageError, match="differ in size"):
        run(model, make_frames(1), FAST, start)


@pytest.mark.parametrize("is_smooth", [False, True])
def test_a_model_without_categories_follows_things_of_any(is_smooth):
    model = make_model(TINY_DAVIS, Shifting)
    start = Start((make_map((70, 8, 20), (4, 30, 40)),), PROJECT, 90)
    options = replace(FAST, is_smooth=is_smooth)
    card = ModelCard("davis", "", ())
    *_, proposal = run(model, make_frames(2), options, start, card)
    assert proposal.category_ids == {70: 41, 4: 41, 9: 30}
    assert columns(proposal, 70) == pytest.approx((12, 24), abs=1)


def test_what_a_model_without_categories_finds_is_of_the_first_category_of_things():
    model = make_model(TINY_DAVIS)
    start = Start((), PROJECT, 90)
    first, second = run(model, make_frames(2), FAST, start, ModelCard("davis", "", ()))
    assert set(first.category_ids.values()) == {41}
    assert min(first.category_ids) == 90
    assert len(first.category_ids) <= 15
    assert second.steps == FAST.later_steps


def test_stuff_keeps_its_segment_where_a_model_has_ids_for_things_alone():
    kitti = replace(TINY_DAVIS, n_codes=3, n_ids=256, has_stuff_ids=False)
    model = make_model(kitti, Shifting)
    start = Start((make_map((70, 8, 20)),), PROJECT, 90)
    *_, proposal = run(model, make_frames(2), FAST, start)
    assert proposal.category_ids == {9: 30, 70: 41}


def test_small_segments_are_void_but_followed(shifting):
    options = replace(FAST, min_area=150)
    start = Start((make_map((4, 10, 16), (5, 20, 40)),), PROJECT, 50)
    *_, last = run(shifting, make_frames(2), options, start)
    assert set(last.category_ids) == {9, 5}
    assert (shifting.past[0, 1, 1].unique() > 0).sum() == 2
