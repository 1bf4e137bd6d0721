"""What is said about clips arrives as it was sent."""

from pathlib import Path

import numpy as np

from core.panoptic import PanopticMap, Segment
from core.propagation import (
    FrameProposal,
    FrameSource,
    FrameStep,
    PropagationJob,
    Start,
    VideoOptions,
)
from core.proposals import Known, Preview
from core.video_jobs import (
    frame_done_message,
    frame_stepped_message,
    propagate_message,
    read_frame_done,
    read_frame_stepped,
    read_propagate,
)
from tests.core.test_jobs import CATEGORIES, IDS, assert_same, through_pipe

OPTIONS = VideoOptions(31, 7, 0.5, 0.01, 9, 2**31, is_smooth=True)


def make_map(next_id=65_536):
    segments = {7: Segment(7, 3, is_locked=True), 1: Segment(1, 9), 65_535: Segment(65_535, 3)}
    return PanopticMap(IDS.copy(), segments, next_id)


def test_a_run_through_a_clip():
    frames = (FrameSource(3, Path("/a b/ü.mp4"), 3), FrameSource(2, Path("/c/2.png")))
    start = Start((make_map(), make_map()), CATEGORIES, 71)
    known = {2: Known(make_map(), CATEGORIES)}
    job = PropagationJob(frames, start, OPTIONS, known, has_previews=True)
    ticket, got = read_propagate(through_pipe(propagate_message(8, job)))
    assert ticket == 8
    assert (got.frames, got.options, got.has_previews) == (frames, OPTIONS, True)
    assert (got.start.categories, got.start.next_id) == (CATEGORIES, 71)
    pairs = [*zip(got.start.past, start.past, strict=True), (got.known[2].map, known[2].map)]
    for one, other in pairs:
        assert_same(one.segment_ids, other.segment_ids)
        assert one.segments == other.segments
    assert list(got.known) == [2]


def test_a_run_that_begins_with_nothing():
    job = PropagationJob((FrameSource(0, Path("/a"), 0),), Start((), ()), OPTIONS, {})
    _, got = read_propagate(through_pipe(propagate_message(8, job)))
    assert (got.frames, got.options, got.known) == (job.frames, OPTIONS, {})
    assert (got.start.past, got.start.categories, got.start.next_id) == ((), (), 1)


def test_a_step_with_its_map_and_one_without():
    for preview in (None, Preview(2, 8, 0.5, 1.25, IDS, {7: 3, 65_535: 3})):
        step = FrameStep(12, 2, 8, preview)
        assert_same(read_frame_stepped(through_pipe(frame_stepped_message(1, step))), step)


def test_a_frame_that_is_done():
    proposal = FrameProposal(12, IDS, {7: 3, 1: 9, 65_535: 3}, 5, 0.75, ("Left out: ö.",))
    message = through_pipe(frame_done_message(1, proposal))
    assert message.fields["ticket"] == 1
    assert_same(read_frame_done(message), proposal)
    assert np.array_equal(message.arrays["segment_ids"], IDS)
