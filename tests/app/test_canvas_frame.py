"""What helps to find one's way: rulers, navigator and the marked segment, by mouse and keys."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.canvas import CanvasView
from app.canvas_frame import CanvasFrame
from app.rulers import find_minor, find_step
from app.toolbox import PICK, ToolBox
from core.panoptic import Segment

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py


@pytest.fixture
def tools(qapp) -> ToolBox:
    tools = ToolBox()
    tools.take(PICK)  # no ring around the mouse
    return tools


@pytest.fixture
def frame(document, tools, qtbot) -> CanvasFrame:
    canvas = CanvasView(document, tools)
    frame = CanvasFrame(document, canvas)
    frame.canvas = canvas
    frame.resize(660, 500)
    qtbot.addWidget(frame)
    frame.show()
    frame.activateWindow()
    qtbot.waitUntil(frame.isActiveWindow)
    return frame


@pytest.fixture
def canvas(frame) -> CanvasView:
    return frame.canvas


def place_of(canvas, x: float, y: float) -> QPoint:
    """The widget's pixel that shows an image position."""
    ratio = canvas.devicePixelRatioF()
    left, top = canvas.view.to_device(x, y)
    return QPoint(int(left / ratio), int(top / ratio))


def shown(widget) -> np.ndarray:
    """What a widget shows: u8 [m, n, 3]."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


# Rulers


@pytest.mark.parametrize(
    ("scale", "step"),
    [(64, 1), (63.9, 2), (32, 2), (31, 5), (10, 10), (1, 100), (0.5, 200), (1 / 64, 5000)],
)
def test_steps_are_1_2_and_5_times_powers_of_ten_and_never_too_close(scale, step):
    assert find_step(scale, 64) == step


@pytest.mark.parametrize(
    ("step", "scale", "minor"),
    [(1, 64, 1), (2, 32, 1), (5, 13, 1), (100, 1, 10), (200, 0.4, 20), (500, 0.13, 50)],
)
def test_small_steps_divide_the_large_ones_into_whole_parts(step, scale, minor):
    assert find_minor(step, scale) == minor


def test_a_ruler_has_a_line_where_its_number_is_in_the_image(frame, canvas):
    canvas.zoom(16 / canvas.scale)
    for ruler, is_across in zip(frame.rulers, (True, False), strict=True):
        seen = shown(ruler)
        edge = seen[-1] if is_across else seen[:, -1]
        far = seen[1] if is_across else seen[:, 1]
        offset = canvas.view.left if is_across else canvas.view.top
        for position in (20, 25):
            line = offset + 16 * position
            assert (edge[line] != edge[line + 8]).any()
            assert ((far[line] != far[line + 8]).any()) == (position % 5 == 0)


def test_rulers_are_as_thick_as_their_text_wants(frame, qtbot):
    before = frame.rulers[0].height()
    font = frame.font()
    font.setPointSizeF(2 * font.pointSizeF())
    frame.setFont(font)
    qtbot.waitUntil(lambda: frame.rulers[0].height() > 1.5 * before)
    assert frame.rulers[1].width() == frame.rulers[0].height()


def test_rulers_can_be_hidden(frame, canvas):
    width = canvas.width()
    canvas.look.toggle_rulers()
    QApplication.processEvents()
    assert not any(ruler.isVisible() for ruler in frame.rulers)
    assert canvas.width() > width


def test_a_mark_on_the_rulers_follows_the_mouse(qtbot, frame, canvas):
    qtbot.mouseMove(canvas, place_of(canvas, 30, 20))
    before = shown(frame.rulers[0])
    qtbot.mouseMove(canvas, place_of(canvas, 50, 20))
    assert (shown(frame.rulers[0]) != before).any()


# Navigator


def test_the_navigator_is_there_only_while_a_part_of_the_image_is_seen(frame, canvas):
    assert not frame.navigator.isVisible()
    canvas.zoom(4)
    assert frame.navigator.isVisible()
    canvas.look.toggle_navigator()
    assert not frame.navigator.isVisible()
    canvas.look.toggle_navigator()
    canvas.fit()
    assert not frame.navigator.isVisible()


def test_a_press_on_the_navigator_brings_that_place_to_the_middle(qtbot, frame, canvas):
    canvas.zoom(4)
    navigator = frame.navigator
    for x, y in ((32, 24), (20, 30), (44, 18)):
        scale = navigator.width() / 64
        place = QPoint(round(x * scale), round(y * scale))
        qtbot.mouseClick(navigator, Qt.MouseButton.LeftButton, pos=place)
        middle = canvas.seen_rect().center()
        assert middle.x() == pytest.approx(x, abs=0.5)
        assert middle.y() == pytest.approx(y, abs=0.5)


def test_dragging_on_the_navigator_moves_the_view(qtbot, frame, canvas):
    canvas.zoom(4)
    navigator = frame.navigator
    qtbot.mousePress(navigator, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    left = canvas.seen_rect().left()
    qtbot.mouseMove(navigator, QPoint(120, 60))
    assert canvas.seen_rect().left() - left == pytest.approx(60 * 64 / 180, abs=0.5)


def test_the_keyboard_reaches_the_navigator_and_moves_the_view(qtbot, frame, canvas):
    canvas.zoom(4)
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is frame.navigator
    before = canvas.seen_rect()
    qtbot.keyClick(frame.navigator, Qt.Key.Key_Right)
    qtbot.keyClick(frame.navigator, Qt.Key.Key_Up)
    moved = canvas.seen_rect().topLeft() - before.topLeft()
    assert moved.x() == pytest.approx(before.width() / 4, abs=0.5)
    assert moved.y() == pytest.approx(-before.height() / 4, abs=0.5)


def test_the_navigator_shows_an_edit_soon(qtbot, frame, canvas, put):
    canvas.zoom(4)
    before = shown(frame.navigator)
    put(Segment(1, CELL), slice(0, 10), slice(0, 20))
    canvas.grab()  # makes the colours

    def is_shown() -> bool:
        return bool((shown(frame.navigator) != before).any())

    qtbot.waitUntil(is_shown)


# The segment under the mouse


def test_the_segment_under_the_mouse_is_marked_and_nothing_else(qtbot, canvas, put):
    put(Segment(1, CELL), slice(5, 20), slice(5, 20))
    put(Segment(2, CELL), slice(5, 20), slice(20, 40))
    before = shown(canvas)
    qtbot.mouseMove(canvas, place_of(canvas, 10, 10))
    is_other = (shown(canvas) != before).any(axis=2)
    rows, columns = np.nonzero(is_other)
    first, last = canvas.view.to_device(5, 5), canvas.view.to_device(20, 20)
    assert columns.min() == pytest.approx(first[0], abs=1)
    assert columns.max() + 1 == pytest.approx(last[0], abs=1)
    assert rows.min() == pytest.approx(first[1], abs=1)
    assert rows.max() + 1 == pytest.approx(last[1], abs=1)
    qtbot.mouseMove(canvas, place_of(canvas, 30, 10))
    qtbot.mouseMove(canvas, place_of(canvas, 50, 40))  # void
    np.testing.assert_array_equal(shown(canvas), before)


def test_a_mark_moves_with_the_view_and_changes_with_the_map(qtbot, canvas, put):
    canvas.look.toggle_navigator()
    put(Segment(1, CELL), slice(5, 30), slice(5, 30))
    qtbot.mouseMove(canvas, place_of(canvas, 20, 20))
    canvas.zoom(2.0)
    put(Segment(2, CELL), slice(30, 40), slice(5, 30))
    seen = shown(canvas)
    canvas.highlight(0)
    assert (shown(canvas) != seen).any()
    canvas.highlight(1)
    np.testing.assert_array_equal(shown(canvas), seen)


def test_no_mark_is_made_while_something_is_drawn_or_if_it_is_not_wanted(qtbot, canvas, put):
    put(Segment(1, CELL), slice(5, 30), slice(5, 30))
    before = shown(canvas)
    qtbot.mousePress(canvas, Qt.MouseButton.MiddleButton, pos=place_of(canvas, 10, 10))
    qtbot.mouseMove(canvas, place_of(canvas, 10, 10))
    np.testing.assert_array_equal(shown(canvas), before)
    qtbot.mouseRelease(canvas, Qt.MouseButton.MiddleButton, pos=place_of(canvas, 10, 10))
    canvas.look.toggle_highlight()
    qtbot.mouseMove(canvas, place_of(canvas, 12, 10))
    np.testing.assert_array_equal(shown(canvas), before)


def test_a_hidden_segment_is_not_marked(qtbot, canvas, document, put):
    put(Segment(1, CELL), slice(5, 30), slice(5, 30))
    document.toggle_hidden(1)
    before = shown(canvas)
    qtbot.mouseMove(canvas, place_of(canvas, 10, 10))
    np.testing.assert_array_equal(shown(canvas), before)
