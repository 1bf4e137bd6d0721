"""The map and its edits: exact, refused when they do not fit, and taken back exactly."""

import numpy as np
import pytest

from core import panoptic as module
from core.panoptic import Edit, PanopticMap, Rect, Segment, Source, find_changes


def ids(*rows):
    return np.array(rows, np.uint16)


@pytest.fixture
def edit():
    """Begins segment 1 in the lower left corner."""
    return Edit(1, 0, ids([0, 0]), ids([1, 1]), {}, {1: Segment(1, 7)}, "brush")


def test_an_empty_map_is_void_everywhere():
    panoptic = PanopticMap.empty(2, 3)
    assert (panoptic.height, panoptic.width) == (2, 3)
    assert panoptic.areas() == {} and panoptic.next_id == 1


def test_applying_an_edit_returns_its_rectangle(edit):
    panoptic = PanopticMap.empty(2, 3)
    assert panoptic.apply(edit) == Rect(1, 0, 2, 2)
    assert np.array_equal(panoptic.segment_ids, ids([0, 0, 0], [1, 1, 0]))
    assert panoptic.segments == {1: Segment(1, 7)}


def test_an_inverted_edit_restores_the_map_but_not_its_ids(edit):
    panoptic = PanopticMap.empty(2, 3)
    panoptic.apply(edit)
    panoptic.apply(edit.inverted())
    assert not panoptic.segment_ids.any() and panoptic.segments == {}
    assert panoptic.next_id == 2


def test_an_edit_for_another_state_is_refused_and_changes_nothing(edit):
    panoptic = PanopticMap.empty(2, 3)
    panoptic.apply(edit)
    with pytest.raises(ValueError, match="'brush' was made for another state"):
        panoptic.apply(edit)
    assert panoptic.areas() == {1: 2}


def test_an_edit_beyond_the_border_is_refused(edit):
    with pytest.raises(ValueError, match="another state"):
        PanopticMap.empty(1, 3).apply(edit)


def test_an_edit_for_other_segments_is_refused(edit):
    panoptic = PanopticMap.empty(2, 3)
    panoptic.apply(edit)
    nothing = np.zeros((0, 0), np.uint16)
    stale = Segment(1, 7, Source.MODEL)
    lock = Edit(0, 0, nothing, nothing, {1: stale}, {1: Segment(1, 7)}, "lock")
    with pytest.raises(ValueError, match="another state"):
        panoptic.apply(lock)


def test_areas_follow_small_and_large_edits(edit):
    panoptic = PanopticMap.empty(20, 20)
    panoptic.areas()
    panoptic.apply(edit)
    assert panoptic.areas() == {1: 2}
    before = panoptic.segment_ids.copy()
    everything = Edit(
        0, 0, before, np.full_like(before, 2), {1: Segment(1, 7)}, {2: Segment(2, 7)}, "fill"
    )
    panoptic.apply(everything)
    assert panoptic.areas() == {2: 400}
    panoptic.apply(everything.inverted())
    assert panoptic.areas() == {1: 2}


def test_a_copy_shares_nothing(edit):
    panoptic = PanopticMap.empty(20, 20)
    panoptic.areas()
    twin = panoptic.copy()
    panoptic.apply(edit)
    assert twin.areas() == {} and twin.segments == {} and not twin.segment_ids.any()


def test_an_edit_knows_whether_it_changes_anything(edit):
    assert not edit.is_empty
    same = Edit(0, 0, ids([0]), ids([0]), {}, {}, "brush")
    assert same.is_empty and same.rect == Rect(0, 0, 1, 1)


def test_find_stuff_passes_over_crowds():
    crowd, whole = Segment(1, 7, is_crowd=True), Segment(2, 7)
    panoptic = PanopticMap(ids([1, 2]), {1: crowd, 2: whole}, 3)
    assert panoptic.find_stuff(7) == whole and panoptic.find_stuff(8) is None


def test_a_rectangle_is_clipped_to_the_image():
    assert Rect(-2, 1, 9, 9).clipped(5, 6) == Rect(0, 1, 5, 6)
    assert Rect(7, 7, 9, 9).clipped(5, 6).is_empty


def test_united_rectangles_hold_both_and_nothing_empty():
    first, second, empty = Rect(1, 2, 3, 4), Rect(2, 0, 9, 3), Rect(0, 0, 0, 9)
    assert first.united(second) == Rect(1, 0, 9, 4)
    assert first.united(empty) == empty.united(first) == first


def test_an_edit_knows_the_runs_of_its_boxes_also_when_it_is_inverted() -> None:
    before = np.array([[1, 1, 2], [2, 2, 2]], np.uint16)
    after = np.array([[1, 3, 3], [3, 3, 2]], np.uint16)
    edit = Edit(0, 0, before, after, {}, {3: Segment(3, 1)}, "paint")
    for known in (edit, edit.inverted(), edit.inverted().inverted()):
        for (lengths, ids), box in zip(known.runs, (known.before, known.after), strict=True):
            np.testing.assert_array_equal(np.repeat(ids, lengths), box.ravel())
    assert [len(ids) for _, ids in edit.runs] == [2, 3]


def test_a_map_comes_back_to_its_state_by_undo_and_redo(edit):
    panoptic = PanopticMap.empty(2, 3)
    first = panoptic.state
    panoptic.apply(edit)
    second = panoptic.state
    assert second is not first
    panoptic.apply(edit.inverted())
    assert panoptic.state is first
    panoptic.apply(edit)
    assert panoptic.state is second


def test_a_copy_is_in_the_same_state_until_one_of_both_changes(edit):
    panoptic = PanopticMap.empty(2, 3)
    twin = panoptic.copy()
    assert twin.state is panoptic.state
    panoptic.apply(edit)
    assert twin.state is not panoptic.state


def test_an_edit_known_to_fit_one_state_is_compared_with_any_other(edit):
    panoptic = PanopticMap.empty(2, 3)
    edit.knowing(states=(panoptic.state, object()))
    elsewhere = Edit(1, 0, ids([0]), ids([2]), {}, {2: Segment(2, 7)}, "brush")
    panoptic.apply(elsewhere)
    with pytest.raises(ValueError, match="another state"):
        panoptic.apply(edit)
    panoptic.apply(elsewhere.inverted())
    panoptic.apply(edit)
    assert np.array_equal(panoptic.segment_ids, ids([0, 0, 0], [1, 1, 0]))


def test_an_edit_known_for_one_state_leads_from_another_to_a_state_of_its_own(edit):
    one, other = PanopticMap.empty(2, 3), PanopticMap.empty(9, 9)
    one.apply(edit)
    other.apply(edit)
    assert one.state is not other.state
    other.apply(edit.inverted())
    assert not other.segment_ids.any()


def test_a_map_knows_its_changes_after_edits_of_a_part_and_of_all(edit):
    panoptic = PanopticMap.empty(2, 3)
    everything = Edit(
        0, 0, ids([0, 0, 0], [1, 1, 0]), ids([2, 2, 0], [0, 5, 5]), {}, {}, "whatever"
    )
    for step in (edit, everything, everything.inverted(), edit.inverted(), edit):
        panoptic.find_changes()
        panoptic.apply(step)
        flat = panoptic.segment_ids.ravel()
        assert np.array_equal(panoptic.find_changes(), np.flatnonzero(np.diff(flat)) + 1)
        assert np.array_equal(panoptic.copy().find_changes(), panoptic.find_changes())


@pytest.mark.parametrize("strip", [8, 24, 1 << 21])
@pytest.mark.parametrize("size", [*range(20), 24, 25, 48, 49, 1000])
def test_changes_are_found_wherever_strips_meet(monkeypatch, strip, size):
    monkeypatch.setattr(module, "STRIP", strip)
    random = np.random.default_rng(size)
    for share in (0.0, 0.1, 1.0):
        values = np.cumsum(random.random(size) < share)
        for flat in (values.astype(np.uint16), values % 2 == 0):
            expected = [i for i in range(1, size) if flat[i] != flat[i - 1]]
            assert find_changes(flat).tolist() == expected
