"""Every message between window and inference process arrives as it was sent."""

from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest

from core.jobs import (
    Device,
    SegmentJob,
    finished_message,
    loaded_message,
    read_finished,
    read_loaded,
    read_segment,
    read_stepped,
    segment_message,
    stepped_message,
)
from core.messages import Message, MessageReader, encode_message
from core.model_card import ModelCard
from core.panoptic import Category, PanopticMap, Rect, Segment, Source
from core.proposals import Known, Preview, Proposal, SamplingOptions

CATEGORIES = (
    Category(3, "zoë", is_thing=True, color=(1, 2, 3), supercategory="animal"),
    Category(9, "sky", is_thing=False, color=(0, 0, 255)),
)
OPTIONS = SamplingOptions(steps=7, time_delta=3.5, seed=2**31, min_area=5, split_parts=True)
IDS = np.array([[0, 1, 65_535], [7, 7, 0]], np.uint16)


def through_pipe(message: Message) -> Message:
    (received,) = MessageReader().feed(encode_message(message))
    return received


def assert_same(left, right) -> None:
    """Equality that looks into arrays."""
    assert type(left) is type(right)
    if isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        assert np.array_equal(left, right)
    elif is_dataclass(left):
        for field in fields(left):
            assert_same(getattr(left, field.name), getattr(right, field.name))
    else:
        assert left == right


@pytest.mark.parametrize("frame", [None, 0, 12])
def test_a_job_arrives_whole(frame) -> None:
    job = SegmentJob(Path("/pictures/ä b.png"), OPTIONS, frame)
    assert read_segment(through_pipe(segment_message(4, job))) == (4, job)


def test_known_segments_arrive_with_their_locks_and_categories() -> None:
    segments = {
        1: Segment(1, 3, Source.MODEL, is_locked=True),
        7: Segment(7, 9, Source.HUMAN),
        65_535: Segment(65_535, 3, Source.IMPORT, is_crowd=True),
    }
    known = Known(PanopticMap(IDS.copy(), segments), CATEGORIES, Rect(0, 1, 2, 3))
    job = SegmentJob(Path("a.png"), OPTIONS, known=known)
    _, received = read_segment(through_pipe(segment_message(1, job)))
    assert received.known is not None
    assert_same(received.known.map.segment_ids, known.map.segment_ids)
    assert received.known.map.segments == segments
    assert tuple(received.known.categories) == CATEGORIES
    assert received.known.region == Rect(0, 1, 2, 3)


def test_a_preview_arrives_with_whole_numbers_as_keys() -> None:
    preview = Preview(2, 20, 0.95, 1.25, IDS, {1: 3, 7: 9, 65_535: 3})
    assert_same(read_stepped(through_pipe(stepped_message(1, preview))), preview)


def test_a_proposal_arrives_with_what_it_was_drawn_with() -> None:
    proposal = Proposal(IDS, {1: 3, 7: 9, 65_535: 3}, OPTIONS, "nuclei", 4.5)
    assert_same(read_finished(through_pipe(finished_message(1, proposal))), proposal)


def test_a_model_card_and_its_device_arrive() -> None:
    card = ModelCard("tiny", "Knows nothing.", CATEGORIES, OPTIONS)
    device = Device("cpu", "No GPU was found.")
    assert read_loaded(through_pipe(loaded_message(card, device))) == (card, device)
