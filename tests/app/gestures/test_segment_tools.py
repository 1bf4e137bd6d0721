"""Fill, merge and split with real mouse and key events; the map is exactly what core makes."""

import pytest
from PySide6.QtCore import Qt

from core.edits import erase_area, paint_area
from core.panoptic import MAX_SEGMENT_ID, Segment
from core.segment_edits import cut_segment, flood_area, merge_segments, split_by_line

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py
STUFF = [GROUND]
Key, Left = Qt.Key, Qt.MouseButton.LeftButton
Control, Shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEFT, MIDDLE, RIGHT = (10.5, 20.5), (30.5, 20.5), (55.5, 20.5)  # one in each third


@pytest.fixture
def thirds(put):
    """Cells 1 and 2 on the left and in the middle third, debris 3 on the right one."""
    put(Segment(1, CELL), slice(0, 48), slice(0, 21))
    put(Segment(2, CELL), slice(0, 48), slice(21, 42))
    put(Segment(3, DEBRIS), slice(0, 48), slice(42, 64))


def after(map, make_edit):
    """A map after an edit that is made for it."""
    expected = map.copy()
    expected.apply(make_edit(expected))
    return expected


def test_fill_takes_the_connected_part_under_the_mouse(
    document, press, click, put, assert_same
):
    put(Segment(1, CELL), slice(0, 48), slice(30, 34))
    document.begin_segment(DEBRIS)
    area = flood_area(document.map, 10, 20)
    expected = after(document.map, lambda m: paint_area(m, *area, Segment(2, DEBRIS), ""))
    press(Key.Key_G)
    click(LEFT)
    assert_same(document.map, expected)
    assert not document.map.segment_ids[:, 34:].any()
    assert document.selected_id == 2


def test_fill_takes_what_is_under_the_mouse_when_it_is_let_go(
    document, press, drag, thirds, assert_same
):
    document.select(1)
    area = flood_area(document.map, 55, 20)
    expected = after(document.map, lambda m: paint_area(m, *area, Segment(1, CELL), ""))
    press(Key.Key_G)
    drag([MIDDLE, RIGHT])
    assert_same(document.map, expected)
    assert list(document.map.segments) == [1, 2]


def test_fill_with_control_makes_void(document, press, click, thirds, assert_same):
    area = flood_area(document.map, 30, 20)
    expected = after(document.map, lambda m: erase_area(m, *area, None, ""))
    press(Key.Key_G)
    click(MIDDLE, modifier=Control)
    assert_same(document.map, expected)


def test_fill_leaves_locked_segments(document, press, click, thirds, complaint):
    document.toggle_lock(2)
    press(Key.Key_G)
    click(MIDDLE)
    assert set(document.map.segments) == {1, 2, 3}
    assert complaint().startswith("Nothing was painted")


def test_a_click_merges_a_segment_into_the_selected_one(
    document, press, click, thirds, assert_same
):
    document.select(1)
    expected = after(document.map, lambda m: merge_segments(m, [3], 1))
    press(Key.Key_J)
    click(RIGHT)
    assert_same(document.map, expected)
    assert document.selected_id == 1


def test_a_drag_merges_all_it_meets_into_the_first(document, press, drag, thirds, assert_same):
    expected = after(document.map, lambda m: merge_segments(m, [2, 1], 3))
    press(Key.Key_J)
    drag([RIGHT, LEFT])
    assert_same(document.map, expected)
    assert document.map.segments == {3: Segment(3, DEBRIS)}
    assert document.selected_id == 3


def test_what_will_be_merged_is_seen_before(qtbot, window, document, press, at, thirds):
    document.select(1)
    press(Key.Key_J)
    qtbot.mousePress(window.canvas, Left, pos=at(*RIGHT))
    qtbot.mouseMove(window.canvas, at(*RIGHT))
    draft = window.canvas.grab().toImage()
    press(Key.Key_Escape)
    assert window.canvas.grab().toImage() != draft
    qtbot.mouseRelease(window.canvas, Left, pos=at(*RIGHT))
    assert list(document.map.segments) == [1, 2, 3]


def test_merging_spares_locked_segments_with_a_word(document, press, drag, thirds, complaint):
    document.toggle_lock(2)
    press(Key.Key_J)
    drag([LEFT, RIGHT])
    assert list(document.map.segments) == [1, 2]
    assert "cell 2 is locked" in complaint()


def test_merging_into_void_is_refused(document, press, click, complaint):
    press(Key.Key_J)
    click(LEFT)
    assert complaint() == "Nothing was merged: begin on a segment, or select one."


@pytest.mark.parametrize("is_straight", [False, True])
def test_a_line_splits_the_selected_segment(
    qtbot, window, document, press, at, seen, thirds, assert_same, is_straight
):
    document.select(2)
    line = [(31.5, -3.0), (26.5, 24.5), (36.5, 52.0)]
    at_mouse = seen(line)
    if is_straight:
        expected = after(
            document.map, lambda m: cut_segment(m, 2, at_mouse[0], at_mouse[-1], STUFF)
        )
    else:
        expected = after(
            document.map, lambda m: split_by_line(m, 2, [*at_mouse, at_mouse[-1]], STUFF)
        )
    press(Key.Key_K)
    modifier = Shift if is_straight else Qt.KeyboardModifier.NoModifier
    qtbot.mousePress(window.canvas, Left, modifier, at(*line[0]))
    for point in line[1:]:
        qtbot.mouseMove(window.canvas, at(*point))
    qtbot.mouseRelease(window.canvas, Left, modifier, at(*line[-1]))
    assert_same(document.map, expected)
    assert list(document.map.segments) == [1, 2, 3, 4]
    assert document.selected_id == 2


def test_with_none_selected_the_segment_under_most_of_the_line_is_split(
    document, press, drag, thirds
):
    press(Key.Key_K)
    drag([(19.5, 24.5), (44.5, 24.5)])
    assert list(document.map.segments) == [1, 2, 3, 4]
    assert set(document.map.segment_ids[:, 21:42].ravel().tolist()) == {2, 4}


def test_a_line_that_ends_inside_splits_nothing_with_a_word(
    document, press, drag, thirds, complaint
):
    document.select(2)
    press(Key.Key_K)
    drag([(30.5, -3.0), (30.5, 24.5)])
    assert list(document.map.segments) == [1, 2, 3]
    assert complaint() == "Nothing was split: draw the line right across cell 2."


def test_locked_segments_and_stuff_stay_whole_with_a_word(
    document, press, drag, put, complaint
):
    put(Segment(1, GROUND), slice(0, 24), slice(0, 64))
    put(Segment(2, CELL, is_locked=True), slice(24, 48), slice(0, 64))
    press(Key.Key_K)
    drag([(30.5, -3.0), (30.5, 23.5)])
    assert "it cannot be split" in complaint()
    drag([(30.5, 25.5), (30.5, 60.5)])
    assert "cell 2 is locked" in complaint()
    assert list(document.map.segments) == [1, 2]


def test_a_click_with_split_is_nothing(window, document, press, click, thirds):
    press(Key.Key_K)
    click(LEFT)
    assert list(document.map.segments) == [1, 2, 3]
    assert not window.notice_stack.shown


def test_an_image_without_ids_left_says_so(document, press, drag, thirds, complaint):
    document.map.next_id = MAX_SEGMENT_ID + 1
    press(Key.Key_K)
    drag([(30.5, -3.0), (30.5, 60.0)])
    assert str(MAX_SEGMENT_ID) in complaint()
    assert list(document.map.segments) == [1, 2, 3]
