"""Magic wand and superpixels on pictures whose colour changes by one level a pixel."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from app.hand import Hand
from app.image_tools import WAND_PX
from core.edits import erase_area, paint_area
from core.panoptic import Segment
from core.superpixels import Superpixels
from core.wand import wand_area

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py
PATH = [(20.5, 20.5), (40.5, 22.5), (41.5, 40.5)]
Key, Left = Qt.Key, Qt.MouseButton.LeftButton
Control = Qt.KeyboardModifier.ControlModifier


def with_area(map, area, segment, label):
    """The map after an area was given to a segment."""
    expected = map.copy()
    expected.apply(paint_area(expected, *area, segment, label))
    return expected


def test_the_wand_takes_pixels_of_like_color(window, document, press, click, assert_same):
    area = wand_area(document.image, 20, 20, 10)
    assert area[0].right - area[0].left == 21
    press(Key.Key_W)
    window.tools.set_tolerance(10)
    click((20.5, 20.5))
    assert_same(document.map, with_area(document.map.empty(48, 64), area, Segment(1, CELL), ""))
    assert document.store.history(document.record.id) == (["wand"], 1)


@pytest.mark.parametrize("is_contiguous", [True, False])
def test_the_wand_takes_what_is_connected_or_everything(
    window, document, press, click, assert_same, is_contiguous
):
    document.image[:, 30] = 255  # a wall
    area = wand_area(document.image, 20, 20, 15, is_contiguous=is_contiguous)
    assert (area[0].right > 30) is not is_contiguous
    press(Key.Key_W)
    window.tools.set_tolerance(15)
    window.tools.set_contiguous(is_contiguous)
    click((20.5, 20.5))
    assert_same(document.map, with_area(document.map.empty(48, 64), area, Segment(1, CELL), ""))


def test_dragging_the_wand_right_takes_more_and_left_less(
    qtbot, window, document, press, at, assert_same
):
    press(Key.Key_W)
    window.tools.set_tolerance(5)
    start = at(20.5, 20.5)
    qtbot.mousePress(window.canvas, Left, pos=start)
    few = window.canvas.grab().toImage()
    qtbot.mouseMove(window.canvas, start + QPoint(8 * WAND_PX + 1, 0))
    assert window.tools.tolerance == 13
    assert window.canvas.grab().toImage() != few
    qtbot.mouseMove(window.canvas, start - QPoint(2 * WAND_PX + 1, 0))
    qtbot.mouseRelease(window.canvas, Left, pos=start - QPoint(2 * WAND_PX + 1, 0))
    assert window.tools.tolerance == 3
    area = wand_area(document.image, 20, 20, 3)
    assert_same(document.map, with_area(document.map.empty(48, 64), area, Segment(1, CELL), ""))


def test_a_cancelled_wand_leaves_map_and_tolerance(qtbot, window, document, press, at):
    press(Key.Key_W)
    window.tools.set_tolerance(5)
    qtbot.mousePress(window.canvas, Left, pos=at(20.5, 20.5))
    qtbot.mouseMove(window.canvas, at(30.5, 20.5))
    press(Key.Key_Escape)
    assert window.tools.tolerance == 5
    qtbot.mouseRelease(window.canvas, Left, pos=at(30.5, 20.5))
    assert not document.can_undo


def test_the_wand_beside_the_image_is_nothing(qtbot, window, document, press):
    press(Key.Key_W)
    qtbot.mouseClick(window.canvas, Left, pos=QPoint(1, 1))
    assert not document.can_undo


@pytest.mark.parametrize("key", [Key.Key_W, Key.Key_S])
def test_control_subtracts_from_the_selected_segment_and_spares_others(
    window, document, press, click, put, assert_same, key
):
    put(Segment(1, CELL), slice(0, 48), slice(0, 24))
    put(Segment(2, CELL), slice(0, 48), slice(24, 64))
    document.select(1)
    expected = document.map.copy()
    if key == Key.Key_W:
        area = wand_area(document.image, 20, 20, window.tools.tolerance)
    else:
        area = Superpixels(document.image, window.tools.superpixel_size).area_under([PATH[0]])
    expected.apply(erase_area(expected, *area, 1, ""))
    press(key)
    click(PATH[0], modifier=Control)
    assert_same(document.map, expected)
    assert document.can_undo


def test_superpixels_are_taken_whole_along_the_drag(
    window, document, press, drag, seen, put, assert_same
):
    put(Segment(1, CELL, is_locked=True), slice(0, 24), slice(0, 64))
    superpixels = Superpixels(document.image, 12)
    area = superpixels.area_under(seen(PATH))
    expected = with_area(document.map, area, Segment(2, CELL), "")
    press(Key.Key_S)
    window.tools.set_superpixel_size(12)
    drag(PATH)
    assert_same(document.map, expected)
    assert document.store.history(document.record.id)[0][-1] == "superpixels"


def test_the_draft_of_superpixels_is_what_the_edit_takes(
    qtbot, window, document, press, at, put
):
    put(Segment(1, CELL, is_locked=True), slice(0, 24), slice(0, 64))
    press(Key.Key_S)
    drafts = []
    window.findChild(Hand).draft_changed.connect(lambda d: d and drafts.append(d.where.copy()))
    qtbot.mousePress(window.canvas, Left, pos=at(*PATH[0]))
    for point in PATH[1:]:
        qtbot.mouseMove(window.canvas, at(*point))
    qtbot.mouseRelease(window.canvas, Left, pos=at(*PATH[-1]))
    np.testing.assert_array_equal(drafts[-1], document.map.segment_ids == 2)


def test_the_superpixel_under_the_mouse_is_outlined_until_it_leaves(qtbot, window, press, at):
    press(Key.Key_S)
    qtbot.mouseMove(window.canvas, QPoint(2, 2))  # beside the image
    plain = window.canvas.grab().toImage()
    qtbot.mouseMove(window.canvas, at(*PATH[0]))
    first = window.canvas.grab().toImage()
    qtbot.mouseMove(window.canvas, at(60.5, 44.5))
    second = window.canvas.grab().toImage()
    assert plain != first != second != plain
    press(Key.Key_P)
    assert window.canvas.grab().toImage() == plain


def test_the_outline_follows_the_size_and_goes_with_the_image(qtbot, window, press, at):
    hand = window.findChild(Hand)
    press(Key.Key_S)
    qtbot.mouseMove(window.canvas, at(*PATH[0]))
    large = hand.hint
    for _ in range(10):
        press(Key.Key_BracketLeft)
    assert [] != hand.hint != large
    press(Key.Key_D)
    assert hand.hint == []
