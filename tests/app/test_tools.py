"""Each gesture ends in exactly the edit that its draft promised, or in none."""

import numpy as np
import pytest

from app.gesture import Pointer
from app.hand import GONE, KEPT, Hand
from app.toolbox import BRUSH, ERASER, LASSO, MAX_SIZE, PICK, SUPERPIXEL, WAND, ToolBox
from core.edits import brush_stroke, erase_stroke
from core.panoptic import Segment
from core.proposals import Preview
from core.strokes import Tip

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py
PATH = [(10.5, 10.5), (30.2, 12.8), (22.0, 40.0)]


@pytest.fixture
def tools(qapp) -> ToolBox:
    return ToolBox()


@pytest.fixture
def hand(document, tools) -> Hand:
    return Hand(document, tools)


@pytest.fixture
def drafts(hand) -> list:
    """Copies of what was painted after each step of the gesture."""
    seen: list = []
    hand.draft_changed.connect(lambda draft: seen.append(draft and draft.where.copy()))
    return seen


def draw(hand, tool, points):
    hand.press(tool, Pointer(*points[0]))
    for point in points[1:]:
        hand.move(Pointer(*point))
    hand.release(Pointer(*points[-1]))


def test_a_stroke_makes_a_new_segment_and_selects_it(document, hand, assert_same):
    expected = document.map.copy()
    expected.apply(brush_stroke(expected, PATH, 10, Segment(1, CELL)))
    draw(hand, BRUSH, PATH)
    assert_same(document.map, expected)
    assert document.selected == Segment(1, CELL)
    assert document.store.history(document.record.id) == (["brush"], 1)


@pytest.mark.parametrize("tool", [BRUSH, ERASER])
def test_a_square_tip_paints_and_erases_squares(document, tools, hand, put, assert_same, tool):
    put(Segment(1, CELL), slice(0, 48), slice(0, 32))
    document.select(1)
    expected = document.map.copy()
    if tool == BRUSH:
        edit = brush_stroke(expected, PATH, 10, Segment(1, CELL), tip=Tip.SQUARE)
    else:
        edit = erase_stroke(expected, PATH, 10, 1, tip=Tip.SQUARE)
    expected.apply(edit)
    tools.set_tip(Tip.SQUARE)
    draw(hand, tool, PATH)
    assert_same(document.map, expected)


def test_the_brush_of_a_stroke_is_the_one_it_began_with(document, tools, hand, assert_same):
    expected = document.map.copy()
    expected.apply(brush_stroke(expected, PATH, 10, Segment(1, CELL)))
    hand.press(BRUSH, Pointer(*PATH[0]))
    tools.grow(5)
    tools.set_tip(Tip.SQUARE)
    for point in PATH[1:]:
        hand.move(Pointer(*point))
    hand.let_go()
    assert_same(document.map, expected)


def test_a_stroke_is_dropped_with_a_word_when_the_map_changes(document, hand, put, complaints):
    put(Segment(1, CELL), slice(0, 20), slice(0, 20))
    document.select(1)
    hand.press(BRUSH, Pointer(*PATH[0]))
    document.undo()
    hand.release(Pointer(*PATH[1]))
    assert not document.map.segments
    assert complaints == [GONE]


def test_a_stroke_on_a_hidden_segment_shows_it_and_goes_on(document, hand, put, complaints):
    put(Segment(1, CELL), slice(0, 20), slice(0, 20))
    document.select(1)
    document.toggle_hidden()
    draw(hand, BRUSH, [(50.0, 30.0)])
    assert document.map.segment_ids[30, 50] == 1
    assert not document.hidden
    assert not complaints


def test_the_next_stroke_extends_the_selected_segment(document, hand):
    draw(hand, BRUSH, PATH)
    draw(hand, BRUSH, [(50.0, 30.0)])
    assert list(document.map.segments) == [1]
    document.begin_segment()
    draw(hand, BRUSH, [(55.0, 10.0)])
    assert list(document.map.segments) == [1, 2]


def test_the_draft_is_what_the_edit_paints(document, hand, drafts, put):
    put(Segment(1, CELL), slice(0, 20), slice(0, 20))
    document.select(1)
    document.toggle_lock()
    document.begin_segment(DEBRIS)
    draw(hand, BRUSH, PATH)
    *_, last, end = drafts
    assert end is None
    np.testing.assert_array_equal(last, document.map.segment_ids == 2)


def test_the_map_is_untouched_until_the_button_is_let_go(document, hand):
    hand.press(BRUSH, Pointer(*PATH[0]))
    hand.move(Pointer(*PATH[1]))
    assert hand.is_busy
    assert not document.map.segment_ids.any()


def test_a_cancelled_stroke_changes_nothing(document, hand, drafts):
    hand.press(BRUSH, Pointer(*PATH[0]))
    hand.cancel()
    hand.release(Pointer(*PATH[1]))
    assert not hand.is_busy
    assert not document.map.segment_ids.any()
    assert not document.can_undo
    assert drafts[-1] is None


def test_a_stroke_that_cannot_be_saved_is_kept_until_it_can(
    document, hand, drafts, complaints, assert_same
):
    expected = document.map.copy()
    expected.apply(brush_stroke(expected, PATH, 10, Segment(1, CELL)))
    connection = document.store._connection  # noqa: SLF001 - a disk that takes nothing more
    connection.execute("PRAGMA query_only = 1")
    draw(hand, BRUSH, PATH)
    hand.press(BRUSH, Pointer(5.0, 5.0))
    hand.release(Pointer(5.0, 5.0))
    assert complaints[1::2] == [KEPT.format("Esc")] * 2
    assert not document.map.segment_ids.any()
    np.testing.assert_array_equal(drafts[-1], expected.segment_ids == 1)
    connection.execute("PRAGMA query_only = 0")
    hand.close(is_other=False)
    assert_same(document.map, expected)
    assert document.selected_id == 1
    assert not hand.is_busy
    assert drafts[-1] is None


def test_an_outline_that_could_not_be_saved_is_dropped_when_the_map_changes(
    document, hand, put, complaints
):
    connection = document.store._connection  # noqa: SLF001 - a disk that takes nothing more
    connection.execute("PRAGMA query_only = 1")
    draw(hand, LASSO, PATH)
    assert hand.is_waiting
    connection.execute("PRAGMA query_only = 0")
    put(Segment(1, DEBRIS), slice(0, 48), slice(0, 64))
    assert not hand.is_busy
    assert complaints[-1] == GONE
    assert document.map.segments == {1: Segment(1, DEBRIS)}


def test_escape_drops_what_could_not_be_saved(document, hand, drafts):
    connection = document.store._connection  # noqa: SLF001 - a disk that takes nothing more
    connection.execute("PRAGMA query_only = 1")
    draw(hand, BRUSH, PATH)
    hand.cancel()
    connection.execute("PRAGMA query_only = 0")
    hand.close(is_other=False)
    assert not document.can_undo
    assert drafts[-1] is None


def test_erasing_with_nothing_selected_takes_from_every_unlocked_segment(
    document, hand, put, assert_same
):
    put(Segment(1, CELL), slice(0, 48), slice(0, 20))
    put(Segment(2, CELL), slice(0, 48), slice(20, 40))
    put(Segment(3, CELL, is_locked=True), slice(0, 48), slice(40, 64))
    expected = document.map.copy()
    expected.apply(erase_stroke(expected, [(5.0, 20.0), (60.0, 20.0)], 10))
    draw(hand, ERASER, [(5.0, 20.0), (60.0, 20.0)])
    assert_same(document.map, expected)
    assert (document.map.segment_ids[:, 40:] == 3).all()


def test_erasing_with_a_segment_selected_spares_the_others(document, hand, put, complaints):
    put(Segment(1, CELL), slice(0, 48), slice(0, 20))
    put(Segment(2, CELL), slice(0, 48), slice(20, 40))
    document.select(1)
    draw(hand, ERASER, [(5.0, 20.0), (60.0, 20.0)])
    assert (document.map.segment_ids[:, 20:40] == 2).all()
    assert document.map.segment_ids[20, 10] == 0
    assert not complaints
    draw(hand, ERASER, [(30.0, 20.0)])
    assert complaints == [
        "Nothing was erased: while cell 1 is selected, only it is erased; M lets go of it."
    ]


@pytest.mark.parametrize("tool", [BRUSH, ERASER])
def test_a_locked_segment_is_left_alone_with_a_word(document, hand, put, complaints, tool):
    put(Segment(1, CELL, is_locked=True), slice(0, 48), slice(0, 64))
    document.select(1)
    draw(hand, tool, PATH)
    assert (document.map.segment_ids == 1).all()
    assert len(complaints) == 1
    assert "cell 1 is locked; unlock it with X" in complaints[0]


def test_a_stroke_over_locked_segments_alone_says_so(document, hand, put, complaints):
    put(Segment(1, CELL, is_locked=True), slice(0, 48), slice(0, 64))
    draw(hand, BRUSH, PATH)
    assert complaints == ["Nothing was painted: the stroke met only locked segments."]


def test_a_stroke_beside_the_image_is_no_edit(document, hand, complaints):
    draw(hand, BRUSH, [(-500.0, -500.0)])
    assert not document.can_undo
    assert not complaints


def test_picking_selects_what_is_under_the_pointer(document, hand, put):
    put(Segment(1, CELL), slice(0, 48), slice(0, 20))
    draw(hand, PICK, [(5.0, 5.0)])
    assert document.selected_id == 1
    draw(hand, PICK, [(50.0, 5.0)])
    assert document.selected_id == 0


def test_nothing_is_picked_from_a_preview_whose_ids_are_its_own(document, hand, put):
    put(Segment(1, CELL), slice(0, 48), slice(0, 20))
    ids = np.array([[5, 1]], np.uint16)
    document.show_preview(Preview(1, 2, 1.0, 0.1, ids, {1: 7, 5: 7}), {7: CELL})
    draw(hand, PICK, [(50.0, 5.0)])
    assert document.selected_id == 0


def test_the_brush_grows_and_shrinks_within_limits(tools):
    tools.set_size(1)
    tools.grow(1)
    assert tools.size == 2
    tools.grow(-5)
    assert tools.size == 1
    tools.grow(100)
    assert tools.size == MAX_SIZE


def test_wand_and_superpixels_grow_in_their_own_way(tools):
    before = tools.size, tools.tolerance, tools.superpixel_size
    tools.take(WAND)
    tools.grow(5)
    tools.take(SUPERPIXEL)
    tools.grow(-1)
    after = tools.size, tools.tolerance, tools.superpixel_size
    assert after == (before[0], before[1] + 5, before[2] - 1)


def test_a_held_tool_gives_way_to_the_one_before(tools, monkeypatch):
    monkeypatch.setattr("app.toolbox.HOLD_MS", 0)
    tools.take(ERASER)
    tools.hold(PICK)
    tools.let_go()
    assert tools.name == ERASER


def test_a_tapped_tool_stays_in_hand(tools):
    tools.hold(PICK)
    tools.let_go()
    assert tools.name == PICK
