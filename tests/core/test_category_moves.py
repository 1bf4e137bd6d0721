"""A change of categories keeps every map valid, touches no other pixel, and can be undone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.category_moves import move_categories, move_segments
from core.panoptic import Category, PanopticMap, Segment, Source

CAR = Category(1, "car", is_thing=True, color=(1, 1, 1))
BUS = Category(2, "bus", is_thing=True, color=(2, 2, 2))
ROAD = Category(3, "road", is_thing=False, color=(3, 3, 3))
PATH = Category(4, "path", is_thing=False, color=(4, 4, 4))
CATEGORIES = (CAR, BUS, ROAD, PATH)


@pytest.fixture
def panoptic():
    """Void on top, then cars 1 and 2, bus 3, road 4 and path 5, a row each."""
    ids = np.repeat(np.arange(6, dtype=np.uint16), 4).reshape(6, 4)
    kinds = [CAR, CAR, BUS, ROAD, PATH]
    segments = {i: Segment(i, kind.id, Source.MODEL) for i, kind in enumerate(kinds, 1)}
    return PanopticMap(ids, segments, 6)


def moved(panoptic, moves):
    after = panoptic.copy()
    after.apply(move_categories(panoptic, moves, "merge categories"))
    return after


def test_things_that_become_things_stay_apart_and_move_no_pixel(panoptic):
    edit = move_categories(panoptic, {CAR.id: BUS}, "merge categories")
    assert edit.rect.is_empty
    panoptic.apply(edit)
    assert [s.category_id for s in panoptic.segments.values() if s.id < 4] == [BUS.id] * 3
    assert panoptic.segments[1].source is Source.MODEL


def test_things_that_become_stuff_join_its_segment(panoptic):
    after = moved(panoptic, {CAR.id: ROAD})
    assert after.segments.keys() == {3, 4, 5}
    assert after.segment_ids[:, 0].tolist() == [0, 4, 4, 3, 4, 5]


def test_things_that_become_new_stuff_become_the_first_of_them(panoptic):
    after = moved(panoptic, {CAR.id: replace(CAR, id=9, is_thing=False)})
    assert after.segment_ids[:, 0].tolist() == [0, 1, 1, 3, 4, 5]
    assert after.segments[1] == Segment(1, 9, Source.MODEL)


def test_several_sources_and_void_at_once(panoptic):
    after = moved(panoptic, {PATH.id: ROAD, BUS.id: ROAD, CAR.id: None})
    assert after.segment_ids[:, 0].tolist() == [0, 0, 0, 4, 4, 4]
    assert after.segments.keys() == {4}


def test_what_joins_a_locked_segment_or_a_persons_is_locked_and_a_persons(panoptic):
    panoptic.segments[2] = Segment(2, CAR.id, Source.HUMAN, is_locked=True)
    after = moved(panoptic, {CAR.id: ROAD})
    assert after.segments[4] == Segment(4, ROAD.id, Source.HUMAN, is_locked=True)


def test_a_crowd_stays_a_crowd_of_things_and_is_none_as_stuff(panoptic):
    panoptic.segments[2] = Segment(2, CAR.id, is_crowd=True)
    assert moved(panoptic, {CAR.id: BUS}).segments[2].is_crowd
    assert 2 not in moved(panoptic, {CAR.id: ROAD}).segments
    assert (
        not moved(panoptic, {CAR.id: replace(CAR, id=9, is_thing=False)}).segments[1].is_crowd
    )


segments = st.builds(
    Segment,
    st.just(0),
    st.sampled_from([c.id for c in CATEGORIES]),
    is_locked=st.booleans(),
    is_crowd=st.booleans(),
)


@given(
    st.lists(segments, max_size=8),
    st.dictionaries(st.sampled_from([1, 2, 4]), st.sampled_from([None, ROAD]), min_size=1),
    st.randoms(),
)
def test_any_moves_keep_the_rules_of_the_map(drawn, moves, dice):
    found = {i: replace(segment, id=i) for i, segment in enumerate(drawn, 1)}
    ids = np.array([dice.randint(0, len(found)) for _ in range(60)], np.uint16).reshape(6, 10)
    ids.ravel()[: len(found)] = list(found)
    panoptic = PanopticMap(ids, found, len(found) + 1)
    edit = move_categories(panoptic, moves, "merge categories")
    after = panoptic.copy()
    after.apply(edit)
    assert set(np.unique(after.segment_ids)) - {0} == after.segments.keys()
    assert all(s.category_id not in moves for s in after.segments.values())
    assert after.segments == move_segments(found, moves).segments
    kept = [i for i, segment in found.items() if segment.category_id not in moves]
    assert np.array_equal(after.segment_ids[np.isin(ids, kept)], ids[np.isin(ids, kept)])
    n_before, n_after = (
        sum(s.category_id == ROAD.id and not s.is_crowd for s in some.values())
        for some in (found, after.segments)
    )
    assert n_after <= max(n_before, 1)
    after.apply(edit.inverted())
    assert np.array_equal(after.segment_ids, ids) and after.segments == found
