"""A proposal for a region changes nothing outside of it and goes on where the map does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.panoptic import PanopticMap, Rect, Segment, Source, count_pixels
from core.proposals import Proposal, SamplingOptions
from core.region import accept_in_region

CELL, DISH, DEBRIS = 5, 9, 12
STUFF = {DISH}
TO_PROJECT = {1: CELL, 2: DISH, 3: DEBRIS}


def proposal_of(ids, category_ids) -> Proposal:
    return Proposal(np.array(ids, np.uint16), category_ids, SamplingOptions(), "m", 0.0)


def map_of(ids, *segments: Segment) -> PanopticMap:
    array = np.array(ids, np.uint16)
    return PanopticMap(array, {s.id: s for s in segments}, int(array.max()) + 1)


def test_a_segment_that_goes_on_outside_keeps_its_id():
    panoptic = map_of([[1, 1, 0, 0, 0, 0]], Segment(1, CELL))
    proposal = proposal_of([[7, 7, 7, 7, 8, 8]], {7: 1, 8: 1})
    panoptic.apply(accept_in_region(panoptic, proposal, TO_PROJECT, STUFF, Rect(0, 2, 1, 6)))
    assert panoptic.segment_ids.tolist() == [[1, 1, 1, 1, 2, 2]]
    assert panoptic.segments == {1: Segment(1, CELL), 2: Segment(2, CELL, Source.MODEL)}


def test_a_segment_of_another_category_does_not_go_on():
    panoptic = map_of([[1, 1, 0, 0]], Segment(1, DEBRIS))
    proposal = proposal_of([[7, 7, 7, 7]], {7: 1})
    panoptic.apply(accept_in_region(panoptic, proposal, TO_PROJECT, STUFF, Rect(0, 2, 1, 4)))
    assert panoptic.segment_ids.tolist() == [[1, 1, 2, 2]]


def test_stuff_joins_the_segment_that_the_image_has():
    panoptic = map_of([[3, 0, 0, 0, 0]], Segment(3, DISH))
    proposal = proposal_of([[0, 0, 0, 4, 6]], {4: 2, 6: 2})
    panoptic.apply(accept_in_region(panoptic, proposal, TO_PROJECT, STUFF, Rect(0, 2, 1, 5)))
    assert panoptic.segment_ids.tolist() == [[3, 0, 0, 3, 3]]


def test_what_the_model_made_inside_gives_way_and_goes_when_nothing_is_left():
    panoptic = map_of([[1, 2, 2, 1]], Segment(1, CELL), Segment(2, CELL, Source.MODEL))
    proposal = proposal_of([[0, 5, 5, 0]], {5: 3})
    panoptic.apply(accept_in_region(panoptic, proposal, TO_PROJECT, STUFF, Rect(0, 1, 1, 3)))
    assert panoptic.segment_ids.tolist() == [[1, 3, 3, 1]]
    assert panoptic.segments.keys() == {1, 3}


def test_locked_segments_and_drawn_things_stay():
    panoptic = map_of(
        [[1, 2]], Segment(1, DEBRIS, Source.MODEL, is_locked=True), Segment(2, CELL)
    )
    proposal = proposal_of([[5, 5]], {5: 2})
    edit = accept_in_region(panoptic, proposal, TO_PROJECT, STUFF, Rect(0, 0, 1, 2))
    assert edit.is_empty


def test_another_size_is_refused():
    with pytest.raises(ValueError, match=r"\(1, 2\) for an image \(1, 1\)"):
        accept_in_region(
            map_of([[0]]), proposal_of([[1, 1]], {1: 1}), TO_PROJECT, STUFF, Rect(0, 0, 1, 1)
        )


grids = st.binary(min_size=48, max_size=48).map(
    lambda data: np.frombuffer(data, np.uint8).reshape(6, 8).astype(np.uint16) % 5
)


@given(grids, grids, st.sets(st.integers(1, 4)), st.integers(0, 5), st.integers(0, 7))
def test_the_rules_of_the_map_hold_and_nothing_outside_changes(ours, theirs, locked, top, left):
    kinds = {1: CELL, 2: DISH, 3: DEBRIS, 4: CELL}
    sources = {1: Source.MODEL, 2: Source.MODEL, 3: Source.HUMAN, 4: Source.MODEL}
    segments = [Segment(i, kinds[i], sources[i], i in locked) for i in count_pixels(ours)]
    panoptic = map_of(ours, *segments)
    before = panoptic.copy()
    proposal = proposal_of(theirs, {1: 1, 2: 2, 3: 3, 4: 1})
    region = Rect(top, left, 6, 8)
    edit = accept_in_region(panoptic, proposal, TO_PROJECT, STUFF, region)
    panoptic.apply(edit)
    assert panoptic.areas() == count_pixels(panoptic.segment_ids)
    assert panoptic.segments.keys() == panoptic.areas().keys()
    outside = np.ones((6, 8), bool)
    outside[region.slices] = False
    for keep in (outside, np.isin(before.segment_ids, list(locked))):
        assert np.array_equal(panoptic.segment_ids[keep], before.segment_ids[keep])
    of_stuff = [s for s in panoptic.segments.values() if s.category_id in STUFF]
    assert len(of_stuff) <= 1
    panoptic.apply(edit.inverted())
    assert np.array_equal(panoptic.segment_ids, before.segment_ids)
    assert panoptic.segments == before.segments
