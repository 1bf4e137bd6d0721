"""Edits: each does what it says, and any sequence of them keeps the rules of the map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edits import (
    brush_stroke,
    clear,
    delete_segment,
    erase_stroke,
    new_segment,
    set_segment,
)
from core.errors import ProjectError
from core.panoptic import MAX_SEGMENT_ID, Category, PanopticMap, Rect, Segment, Source
from core.proposals import Proposal, SamplingOptions
from core.strokes import Tip
from core.whole_maps import accept_proposal, import_map

CELL = Category(5, "cell", is_thing=True, color=(255, 0, 0))
DISH = Category(9, "dish", is_thing=False, color=(0, 0, 255))
GLASS = Category(11, "glass", is_thing=False, color=(0, 255, 0))
CATEGORIES = (CELL, DISH, GLASS)
STUFF = {DISH.id, GLASS.id}
DOT = 0.5  # radius of a brush that paints one pixel


def ids(*rows):
    return np.array(rows, np.uint16)


def cells(*rows, but=None):
    """A map of cells that the model drew, but for one segment given whole."""
    array = ids(*rows)
    segments = {int(i): Segment(int(i), CELL.id, Source.MODEL) for i in np.unique(array) if i}
    segments |= {but.id: but} if but else {}
    return PanopticMap(array, segments, int(array.max()) + 1)


def proposal_of(array, categories):
    return Proposal(array, categories, SamplingOptions(), "tiny", 0.1)


def row(n, y=0):
    """A stroke along the first n pixels of a row."""
    return [(0.5, y + 0.5), (n - 0.5, y + 0.5)]


def assert_is_partition(panoptic):
    counted = PanopticMap(panoptic.segment_ids).areas()
    assert panoptic.areas() == counted
    assert panoptic.segments.keys() == counted.keys()
    assert all(i == segment.id for i, segment in panoptic.segments.items())
    assert max(counted, default=0) < panoptic.next_id
    stuff = [
        s.category_id
        for s in panoptic.segments.values()
        if s.category_id in STUFF and not s.is_crowd
    ]
    assert len(stuff) == len(set(stuff))


def same_map(one, other):
    return np.array_equal(one.segment_ids, other.segment_ids) and one.segments == other.segments


class TestBrush:
    def test_begins_a_new_segment(self):
        panoptic = PanopticMap.empty(3, 4)
        edit = brush_stroke(panoptic, row(2, y=1), DOT, new_segment(panoptic, CELL))
        panoptic.apply(edit)
        assert np.array_equal(panoptic.segment_ids, ids([0] * 4, [1, 1, 0, 0], [0] * 4))
        assert panoptic.segments == {1: Segment(1, CELL.id, Source.HUMAN)}

    def test_changes_no_map(self):
        panoptic = PanopticMap.empty(3, 4)
        brush_stroke(panoptic, row(2), DOT, Segment(1, CELL.id))
        assert not panoptic.segment_ids.any() and panoptic.segments == {}

    def test_stores_only_the_rectangle_that_changes(self):
        panoptic = cells([1, 1, 0, 0, 2])
        edit = brush_stroke(panoptic, row(4), DOT, panoptic.segments[1])
        assert edit.rect == Rect(0, 2, 1, 4)

    def test_over_its_own_pixels_is_empty(self):
        panoptic = cells([1, 1, 0])
        assert brush_stroke(panoptic, row(2), DOT, panoptic.segments[1]).is_empty

    def test_outside_the_image_begins_no_segment(self):
        panoptic = PanopticMap.empty(3, 4)
        edit = brush_stroke(panoptic, [(-9.0, 1.0)], 2, new_segment(panoptic, CELL))
        assert edit.is_empty and edit.segments_after == {}

    def test_leaves_locked_segments_alone(self):
        locked = Segment(2, CELL.id, is_locked=True)
        panoptic = cells([1, 2, 0], but=locked)
        panoptic.apply(brush_stroke(panoptic, row(3), DOT, panoptic.segments[1]))
        assert np.array_equal(panoptic.segment_ids, ids([1, 2, 1]))

    def test_may_extend_a_locked_segment(self):
        panoptic = cells([1, 0], but=Segment(1, CELL.id, is_locked=True))
        panoptic.apply(brush_stroke(panoptic, row(2), DOT, panoptic.segments[1]))
        assert panoptic.areas() == {1: 2} and panoptic.segments[1].is_locked

    def test_over_the_last_pixel_removes_the_segment_in_the_same_edit(self):
        panoptic = cells([1, 2, 3])
        edit = brush_stroke(panoptic, [(1.5, 0.5)], DOT, panoptic.segments[1])
        assert edit.segments_before.keys() == {1, 2} and edit.segments_after.keys() == {1}
        panoptic.apply(edit)
        assert panoptic.segments.keys() == {1, 3}

    def test_makes_every_segment_that_it_reshapes_a_persons_work(self):
        panoptic = cells([1, 2, 2], [3, 3, 3])
        panoptic.apply(brush_stroke(panoptic, row(2), DOT, panoptic.segments[1]))
        sources = {i: segment.source for i, segment in panoptic.segments.items()}
        assert sources == {1: Source.HUMAN, 2: Source.HUMAN, 3: Source.MODEL}

    def test_paints_with_the_segment_as_the_map_knows_it(self):
        panoptic = cells([1, 0], but=Segment(1, CELL.id, is_locked=True, is_crowd=True))
        panoptic.apply(brush_stroke(panoptic, row(2), DOT, Segment(1, DISH.id)))
        assert panoptic.segments == {1: Segment(1, CELL.id, is_locked=True, is_crowd=True)}

    def test_of_stuff_extends_the_one_segment_that_there_is(self):
        panoptic = cells([1, 0], but=Segment(1, DISH.id))
        assert new_segment(panoptic, DISH) == panoptic.segments[1]
        assert new_segment(panoptic, GLASS) == Segment(2, GLASS.id)


class TestEraser:
    def test_gives_pixels_to_void(self):
        panoptic = cells([1, 1, 2, 0])
        panoptic.apply(erase_stroke(panoptic, row(3), DOT))
        assert not panoptic.segment_ids.any() and panoptic.segments == {}

    def test_keeps_to_one_segment_when_told(self):
        panoptic = cells([1, 2, 1])
        panoptic.apply(erase_stroke(panoptic, row(3), DOT, only=1))
        assert np.array_equal(panoptic.segment_ids, ids([0, 2, 0]))

    def test_leaves_locked_segments_alone(self):
        panoptic = cells([1, 2], but=Segment(1, CELL.id, is_locked=True))
        assert erase_stroke(panoptic, row(2), DOT, only=1).is_empty
        panoptic.apply(erase_stroke(panoptic, row(2), DOT))
        assert panoptic.areas() == {1: 1}

    def test_over_void_is_empty(self):
        assert erase_stroke(PanopticMap.empty(3, 3), [(1, 1)], 5).is_empty


class TestSegments:
    def test_delete_takes_the_rectangle_of_the_segment(self):
        panoptic = cells([0, 0, 0], [0, 2, 2], [1, 0, 2])
        edit = delete_segment(panoptic, 2)
        assert edit.rect == Rect(1, 1, 3, 3)
        panoptic.apply(edit)
        assert panoptic.segments.keys() == {1}

    def test_a_locked_segment_is_neither_deleted_nor_cleared(self):
        panoptic = cells([1, 2, 3], but=Segment(2, CELL.id, is_locked=True))
        assert delete_segment(panoptic, 2).is_empty
        panoptic.apply(clear(panoptic))
        assert np.array_equal(panoptic.segment_ids, ids([0, 2, 0]))

    @pytest.mark.parametrize("make", [delete_segment, set_segment])
    def test_a_segment_that_is_not_there_is_a_mistake(self, make):
        with pytest.raises(ValueError, match="no segment 4"):
            make(cells([1]), 4)

    def test_locking_moves_no_pixel_and_can_be_undone(self):
        panoptic = cells([1])
        edit = set_segment(panoptic, 1, is_locked=True)
        panoptic.apply(edit)
        assert edit.rect.is_empty and edit.label == "lock"
        assert panoptic.segments[1] == Segment(1, CELL.id, Source.MODEL, is_locked=True)
        panoptic.apply(edit.inverted())
        assert not panoptic.segments[1].is_locked

    def test_setting_what_is_already_so_is_empty(self):
        assert set_segment(cells([1]), 1, is_locked=False, category=CELL).is_empty

    def test_a_changed_category_keeps_the_crowd_flag(self):
        panoptic = cells([1], but=Segment(1, CELL.id, is_crowd=True))
        panoptic.apply(set_segment(panoptic, 1, category=DISH))
        assert panoptic.segments == {1: Segment(1, DISH.id, is_crowd=True)}

    def test_a_category_changed_to_stuff_that_exists_joins_it(self):
        panoptic = cells([1, 2, 2, 0], but=Segment(1, DISH.id))
        edit = set_segment(panoptic, 2, category=DISH)
        panoptic.apply(edit)
        assert np.array_equal(panoptic.segment_ids, ids([1, 1, 1, 0]))
        assert panoptic.segments.keys() == {1} and edit.rect == Rect(0, 1, 1, 3)

    def test_the_category_of_a_locked_segment_stays_unless_it_is_unlocked_too(self):
        panoptic = cells([1], but=Segment(1, CELL.id, is_locked=True))
        assert set_segment(panoptic, 1, category=DISH).is_empty
        panoptic.apply(set_segment(panoptic, 1, is_locked=False, category=DISH))
        assert panoptic.segments == {1: Segment(1, DISH.id)}

    def test_when_all_ids_are_used_the_user_reads_what_to_do(self):
        full = PanopticMap(ids([0]), {}, MAX_SEGMENT_ID + 1)
        with pytest.raises(ProjectError, match=r"used all 65535 segment ids.*new project"):
            new_segment(full, CELL)


class TestProposal:
    def test_becomes_one_edit_with_new_ids(self):
        panoptic = PanopticMap(ids([0, 0, 0]), {}, next_id=40)
        proposal = proposal_of(ids([7, 3, 0]), {7: 1, 3: 1})
        edit = accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF)
        panoptic.apply(edit)
        assert np.array_equal(panoptic.segment_ids, ids([41, 40, 0]))
        assert panoptic.segments[40] == Segment(40, CELL.id, Source.MODEL)
        assert edit.label == "accept proposal"

    def test_segments_of_categories_that_the_project_lacks_become_void(self):
        panoptic = cells([1, 1, 1])
        proposal = proposal_of(ids([1, 2, 3]), {1: 1, 2: 99})
        panoptic.apply(accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([2, 0, 0]))

    def test_locked_segments_keep_their_pixels(self):
        locked = Segment(1, CELL.id, Source.MODEL, is_locked=True)
        panoptic = cells([1, 2, 2, 2], but=locked)
        proposal = proposal_of(ids([5, 5, 5, 5]), {5: 1})
        panoptic.apply(accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([1, 3, 3, 3]))
        assert panoptic.segments[1] == locked

    def test_things_that_a_person_drew_are_kept(self):
        panoptic = cells([1, 1, 0, 0], but=Segment(1, CELL.id, Source.HUMAN))
        proposal = proposal_of(ids([5, 0, 0, 6]), {5: 1, 6: 1})
        panoptic.apply(accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([1, 1, 0, 2]))

    def test_the_rim_of_a_kept_segment_does_not_become_a_second_one(self):
        panoptic = cells([0, 1, 1, 1, 0], but=Segment(1, CELL.id, is_locked=True))
        proposal = proposal_of(ids([5, 5, 5, 5, 5]), {5: 1})
        assert accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF).is_empty

    def test_stuff_of_one_category_becomes_one_segment(self):
        panoptic = PanopticMap.empty(1, 4)
        proposal = proposal_of(ids([1, 2, 3, 4]), {1: 1, 2: 2, 3: 1, 4: 3})
        to_project = {1: DISH.id, 2: CELL.id, 3: DISH.id}
        panoptic.apply(accept_proposal(panoptic, proposal, to_project, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([1, 2, 1, 1]))

    def test_stuff_joins_the_locked_segment_of_its_category(self):
        locked = Segment(1, DISH.id, is_locked=True)
        panoptic = cells([1, 0, 0], but=locked)
        proposal = proposal_of(ids([0, 4, 4]), {4: 1})
        panoptic.apply(accept_proposal(panoptic, proposal, {1: DISH.id}, STUFF))
        assert panoptic.areas() == {1: 3} and panoptic.segments == {1: locked}

    def test_unlocked_stuff_is_replaced_under_its_old_id(self):
        panoptic = cells([1, 1, 0], but=Segment(1, DISH.id))
        proposal = proposal_of(ids([0, 4, 4]), {4: 1})
        panoptic.apply(accept_proposal(panoptic, proposal, {1: DISH.id}, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([0, 1, 1]))
        assert panoptic.segments == {1: Segment(1, DISH.id, Source.MODEL)}

    def test_of_another_size_is_refused(self):
        proposal = proposal_of(ids([1, 1]), {1: 1})
        with pytest.raises(ValueError, match=r"\(1, 2\) for an image \(1, 3\)"):
            accept_proposal(PanopticMap.empty(1, 3), proposal, {1: CELL.id}, STUFF)

    def test_with_more_segments_than_ids_is_refused(self):
        panoptic = PanopticMap(ids([0, 0]), {}, next_id=MAX_SEGMENT_ID)
        proposal = proposal_of(ids([1, 2]), {1: 1, 2: 1})
        with pytest.raises(ProjectError, match="used all"):
            accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF)


class TestImport:
    def test_into_an_untouched_image_keeps_everything_as_it_is(self):
        imported = cells([7, 7, 300], but=Segment(7, CELL.id, Source.IMPORT, is_crowd=True))
        panoptic = PanopticMap.empty(1, 3)
        panoptic.apply(import_map(panoptic, imported, STUFF))
        assert same_map(panoptic, imported) and panoptic.next_id == 301

    def test_over_used_ids_is_renumbered(self):
        panoptic = cells([1, 2])
        panoptic.apply(import_map(panoptic, cells([2, 1]), STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([4, 3]))

    def test_leaves_locked_segments_alone(self):
        panoptic = cells([1, 0, 0], but=Segment(1, DISH.id, is_locked=True))
        imported = cells([2, 3, 3], but=Segment(3, DISH.id))
        panoptic.apply(import_map(panoptic, imported, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([1, 1, 1]))

    def test_of_an_empty_map_clears_the_image(self):
        panoptic = cells([1, 2])
        panoptic.apply(import_map(panoptic, PanopticMap.empty(1, 2), STUFF))
        assert panoptic.areas() == {} and panoptic.segments == {}


HEIGHT, WIDTH = 9, 11
points = st.lists(
    st.tuples(st.floats(-3, WIDTH + 3, width=32), st.floats(-3, HEIGHT + 3, width=32)),
    min_size=1,
    max_size=3,
)
radii = st.sampled_from([0.5, 1.0, 2.2, 6.0])
tips = st.sampled_from(Tip)
whole_maps = st.binary(min_size=HEIGHT * WIDTH, max_size=HEIGHT * WIDTH).map(
    lambda data: np.frombuffer(data, np.uint8).reshape(HEIGHT, WIDTH).astype(np.uint16) % 7
)


@st.composite
def edits_of(draw, panoptic):
    """Any edit of a map."""
    segment_id = draw(st.sampled_from([0, *sorted(panoptic.segments)]))
    if draw(st.booleans()):
        return draw(strokes_on(panoptic, segment_id))
    if draw(st.booleans()):
        return draw(takeovers_of(panoptic))
    if not segment_id:
        return clear(panoptic)
    if draw(st.booleans()):
        return delete_segment(panoptic, segment_id)
    is_locked = draw(st.sampled_from([None, True, False]))
    category = draw(st.sampled_from([None, *CATEGORIES]))
    return set_segment(panoptic, segment_id, is_locked=is_locked, category=category)


@st.composite
def strokes_on(draw, panoptic, segment_id):
    if draw(st.booleans()):
        return erase_stroke(panoptic, draw(points), draw(radii), segment_id or None)
    category = draw(st.sampled_from(CATEGORIES))
    segment = panoptic.segments.get(segment_id) or new_segment(panoptic, category)
    return brush_stroke(panoptic, draw(points), draw(radii), segment, tip=draw(tips))


@st.composite
def takeovers_of(draw, panoptic):
    array = draw(whole_maps)
    if draw(st.booleans()):
        to_project = {1: CELL.id, 2: DISH.id, 3: GLASS.id}
        proposal = proposal_of(array, {1: 1, 2: 1, 3: 2, 4: 2, 5: 3})
        return accept_proposal(panoptic, proposal, to_project, STUFF)
    known = {i: Segment(i, CATEGORIES[i % 3].id, is_crowd=i == 4) for i in range(1, 7)}
    present = {int(i): known[int(i)] for i in np.unique(array) if i}
    return import_map(panoptic, PanopticMap(array, present), STUFF)


@given(st.data())
@settings(max_examples=150)
def test_any_edits_keep_the_rules_of_the_map_and_can_be_taken_back(data):
    panoptic = PanopticMap.empty(HEIGHT, WIDTH)
    states, made, used = [panoptic.copy()], [], set()
    for _ in range(data.draw(st.integers(1, 12))):
        before = panoptic.copy()
        edit = data.draw(edits_of(panoptic))
        assert same_map(panoptic, before)
        panoptic.apply(edit)
        assert_is_partition(panoptic)
        assert_locked_pixels_stay(before, panoptic)
        created = edit.segments_after.keys() - edit.segments_before.keys()
        assert not created & used
        used |= created
        undone = panoptic.copy()
        undone.apply(edit.inverted())
        assert same_map(undone, before)
        states.append(panoptic.copy())
        made.append(edit)
    for edit, state in zip(reversed(made), reversed(states[:-1]), strict=True):
        panoptic.apply(edit.inverted())
        assert same_map(panoptic, state)
        assert_is_partition(panoptic)


def assert_locked_pixels_stay(before, after):
    for segment in before.segments.values():
        if segment.is_locked:
            owned = before.segment_ids == segment.id
            assert (after.segment_ids[owned] == segment.id).all()
            assert segment.id in after.segments


@given(st.data())
def test_an_edit_names_only_what_differs(data):
    panoptic = PanopticMap.empty(HEIGHT, WIDTH)
    for _ in range(4):
        edit = data.draw(edits_of(panoptic))
        for segment_id in edit.segments_before.keys() & edit.segments_after.keys():
            assert edit.segments_before[segment_id] != edit.segments_after[segment_id]
        changed = edit.before != edit.after
        for edge in (changed[:1], changed[-1:], changed[:, :1], changed[:, -1:]):
            assert changed.size == 0 or edge.any()
        panoptic.apply(edit)
