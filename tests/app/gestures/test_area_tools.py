"""Polygon and lasso, drawn with real clicks and keys; the map is exactly what was enclosed."""

import pytest
from PySide6.QtCore import QPoint, Qt

from app.area_tools import NO_REGION, TOO_FEW
from app.hand import GONE
from app.model_run import NO_MODEL
from app.toolbox import LASSO, POLYGON
from app.window import MainWindow
from core.edits import erase_area, paint_area
from core.panoptic import Rect, Segment
from core.shapes import cover_polygon

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py
CORNERS = [(10, 8), (50, 12), (30, 40), (12, 30)]
Key, Left = Qt.Key, Qt.MouseButton.LeftButton
Control, Plain = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


def painted(map, points, segment, label="polygon"):
    """The map after an outline was given to a segment."""
    expected = map.copy()
    area = cover_polygon(points, map.height, map.width)
    expected.apply(paint_area(expected, *area, segment, label))
    return expected


@pytest.mark.parametrize("how", ["enter", "double click", "first corner"])
def test_a_polygon_takes_exactly_what_it_encloses(
    qtbot, window, document, press, click, at, seen, assert_same, how
):
    expected = painted(document.map, seen(CORNERS), Segment(1, CELL))
    press(Key.Key_P)
    assert window.tools.name == POLYGON
    click(*CORNERS)
    assert not document.map.segments
    if how == "enter":
        press(Key.Key_Return)
    elif how == "double click":
        qtbot.mouseDClick(window.canvas, Left, pos=at(*CORNERS[-1]))
    else:
        click(CORNERS[0])
    assert_same(document.map, expected)
    assert document.selected_id == 1
    assert document.store.history(document.record.id) == (["polygon"], 1)
    assert not window.canvas.is_gesturing


def test_a_polygon_extends_the_selected_segment(document, press, click, put, seen, assert_same):
    put(Segment(1, CELL), slice(0, 20), slice(0, 20))
    put(Segment(2, DEBRIS), slice(20, 40), slice(20, 40))
    document.select(2)
    expected = painted(document.map, seen(CORNERS), Segment(2, DEBRIS))
    press(Key.Key_P)
    click(*CORNERS)
    press(Key.Key_Enter)
    assert_same(document.map, expected)


@pytest.mark.parametrize("tool", [POLYGON, LASSO])
def test_control_at_the_end_subtracts_from_the_selected_segment(
    qtbot, window, document, click, drag, put, seen, at, assert_same, tool
):
    put(Segment(1, CELL), slice(0, 30), slice(0, 64))
    put(Segment(2, CELL), slice(30, 48), slice(0, 64))
    document.select(1)
    expected = document.map.copy()
    area = cover_polygon(seen(CORNERS), 48, 64)
    expected.apply(erase_area(expected, *area, 1, tool))
    window.tools.take(tool)
    if tool == POLYGON:
        click(*CORNERS)
        left = Qt.MouseButton.LeftButton
        qtbot.mouseDClick(window.canvas, left, Control, pos=at(*CORNERS[-1]))
    else:
        drag(CORNERS, Control)
    assert_same(document.map, expected)


def test_subtracting_can_be_set_and_control_then_adds(
    window, document, drag, put, seen, assert_same
):
    put(Segment(1, CELL), slice(0, 20), slice(0, 64))
    document.select(1)
    window.tools.take(LASSO)
    window.tools.set_subtracting(True)
    expected = document.map.copy()
    area = cover_polygon(seen(CORNERS), 48, 64)
    expected.apply(erase_area(expected, *area, 1, "lasso"))
    drag(CORNERS)
    assert_same(document.map, expected)
    expected = painted(expected, seen(CORNERS), document.selected)
    drag(CORNERS, Control)
    assert_same(document.map, expected)


def test_backspace_and_undo_take_back_corners(document, press, click, put, seen, assert_same):
    put(Segment(1, DEBRIS), slice(0, 5), slice(0, 5))
    expected = painted(document.map, seen(CORNERS[:3]), Segment(2, CELL))
    press(Key.Key_P)
    click(*CORNERS, (60, 40))
    press(Key.Key_Backspace)
    press(Key.Key_Z, Control)
    press(Key.Key_Return)
    assert_same(document.map, expected)


def test_undo_takes_back_a_corner_where_there_is_no_edit_yet(
    document, press, click, seen, assert_same
):
    expected = painted(document.map, seen(CORNERS[:3]), Segment(1, CELL))
    press(Key.Key_P)
    click(*CORNERS)
    press(Key.Key_Z, Control)
    press(Key.Key_Return)
    assert_same(document.map, expected)


def test_taking_back_the_only_corner_ends_the_polygon(window, document, press, click):
    press(Key.Key_P)
    click(CORNERS[0])
    press(Key.Key_Backspace)
    assert not window.canvas.is_gesturing
    assert not document.can_undo


def test_escape_drops_a_polygon_and_nothing_is_seen_of_it(window, document, press, click):
    press(Key.Key_P)
    before = window.canvas.grab().toImage()
    click(*CORNERS)
    assert window.canvas.grab().toImage() != before
    press(Key.Key_Escape)
    assert window.canvas.grab().toImage() == before
    press(Key.Key_Return)
    assert not document.can_undo


def test_a_polygon_of_two_corners_goes_on_with_a_word(
    window, document, press, click, complaint
):
    press(Key.Key_P)
    click(*CORNERS[:2])
    press(Key.Key_Return)
    assert complaint() == TOO_FEW.format("Esc")
    click(CORNERS[2])
    press(Key.Key_Return)
    assert list(document.map.segments) == [1]


def test_the_right_button_leaves_a_polygon_alone(
    qtbot, window, document, press, click, at, seen, assert_same
):
    expected = painted(document.map, seen(CORNERS), Segment(1, CELL))
    press(Key.Key_P)
    click(*CORNERS)
    for point in ((5, 5), (5, 5)):
        qtbot.mouseClick(window.canvas, Qt.MouseButton.RightButton, pos=at(*point))
    qtbot.mouseDClick(window.canvas, Qt.MouseButton.RightButton, pos=at(5, 5))
    press(Key.Key_Return)
    assert_same(document.map, expected)


def test_a_polygon_outlives_panning_zooming_another_tool_and_another_window(
    qtbot, window, document, press, click, at, seen, assert_same
):
    corners = seen(CORNERS[:2])
    press(Key.Key_P)
    click(*CORNERS[:2])
    other = MainWindow(document.store)
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(other.isActiveWindow)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.canvas.setFocus()
    press(Key.Key_Plus, Control)
    qtbot.keyPress(window.canvas, Key.Key_Space)
    qtbot.mousePress(window.canvas, Left, pos=QPoint(300, 200))
    qtbot.mouseMove(window.canvas, QPoint(310, 190))
    qtbot.mouseRelease(window.canvas, Left, pos=QPoint(310, 190))
    qtbot.keyRelease(window.canvas, Key.Key_Space)
    press(Key.Key_B)
    corners += seen(CORNERS[2:])
    click(*CORNERS[2:])
    press(Key.Key_Return)
    assert_same(document.map, painted(document.map.empty(48, 64), corners, Segment(1, CELL)))


def test_a_polygon_is_of_the_category_that_is_current_when_it_is_closed(document, press, click):
    press(Key.Key_P)
    click(*CORNERS)
    press(Key.Key_3)
    press(Key.Key_Return)
    assert document.map.segments == {1: Segment(1, DEBRIS)}


def test_a_polygon_outlives_edits_and_goes_on_when_it_may_not_be_closed(
    document, press, click, put, seen, complaint, assert_same
):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    expected = painted(document.map, seen(CORNERS), Segment(1, CELL))
    press(Key.Key_P)
    click(*CORNERS)
    press(Key.Key_H)
    press(Key.Key_X)
    press(Key.Key_Return)
    assert "cell 1 is locked" in complaint()
    press(Key.Key_X)
    press(Key.Key_Return)
    assert_same(document.map, expected)
    assert not document.hidden


def test_a_proposal_drops_a_polygon_with_a_word(
    window, document, press, click, proposal, complaint
):
    press(Key.Key_P)
    click(*CORNERS)
    document.propose(proposal, {7: CELL, 8: GROUND})
    assert not window.canvas.is_gesturing
    assert complaint() == GONE
    assert not document.map.segments


def test_a_lasso_takes_exactly_what_it_encloses(
    window, document, press, drag, seen, assert_same
):
    expected = painted(document.map, seen(CORNERS), Segment(1, CELL), "lasso")
    press(Key.Key_L)
    drag(CORNERS)
    assert_same(document.map, expected)


def test_a_lasso_goes_on_outside_the_window(qtbot, window, document, press, at):
    press(Key.Key_L)
    qtbot.mousePress(window.canvas, Left, pos=at(32, 4))
    for place in (at(32, 44), QPoint(-400, 900), QPoint(-400, -50)):
        qtbot.mouseMove(window.canvas, place)
    qtbot.mouseRelease(window.canvas, Left, pos=QPoint(-400, -50))
    assert (document.map.segment_ids[10:40, :20] == 1).all()
    assert not document.map.segment_ids[:, 33:].any()


def test_a_click_with_the_lasso_is_nothing(window, document, press, click):
    press(Key.Key_L)
    click(CORNERS[0])
    assert not document.can_undo
    assert not window.notice_stack.shown


def test_areas_spare_locked_segments_and_say_so(window, document, press, drag, put, complaint):
    put(Segment(1, CELL, is_locked=True), slice(0, 48), slice(0, 64))
    press(Key.Key_L)
    drag(CORNERS)
    assert (document.map.segment_ids == 1).all()
    assert complaint().startswith("Nothing was painted")


@pytest.mark.parametrize("points", [[(10.5, 8.5), (50.5, 40.5)], [(50.5, 8.5), (10.5, 40.5)]])
def test_a_region_is_what_a_rectangle_touches(window, document, press, drag, points):
    regions = []
    window.canvas.region_chosen.connect(regions.append)
    press(Key.Key_R)
    drag(points)
    assert regions == [Rect(8, 10, 41, 51)]
    assert not document.can_undo


def test_a_region_ends_at_the_border_of_the_image(qtbot, window, press, at):
    regions = []
    window.canvas.region_chosen.connect(regions.append)
    press(Key.Key_R)
    qtbot.mousePress(window.canvas, Left, pos=at(10.5, 8.5))
    qtbot.mouseMove(window.canvas, QPoint(2000, 2000))
    qtbot.mouseRelease(window.canvas, Left, pos=QPoint(2000, 2000))
    assert regions == [Rect(8, 10, 48, 64)]


def test_a_region_is_dropped_by_escape_and_a_click_is_none(
    qtbot, window, press, click, at, complaint
):
    regions = []
    window.canvas.region_chosen.connect(regions.append)
    press(Key.Key_R)
    qtbot.mousePress(window.canvas, Left, pos=at(10.5, 8.5))
    qtbot.mouseMove(window.canvas, at(30.5, 30.5))
    press(Key.Key_Escape)
    qtbot.mouseRelease(window.canvas, Left, pos=at(30.5, 30.5))
    click((20.5, 20.5))
    assert regions == []
    assert complaint() == NO_REGION


def test_a_region_asks_the_model(window, press, drag, complaint):
    press(Key.Key_R)
    drag(CORNERS[:2])
    assert complaint() == NO_MODEL
