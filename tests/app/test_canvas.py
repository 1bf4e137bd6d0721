"""Mouse, wheel and keys on the canvas, with what they do to the map and to the view."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from app.canvas import CanvasView
from app.name_tag import NameTag
from app.toolbox import ERASER, PAN, PICK, ToolBox
from core.edits import brush_stroke
from core.palette import segment_color
from core.panoptic import Segment
from core.proposals import Preview
from core.strokes import Tip

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py


@pytest.fixture
def tools(qapp) -> ToolBox:
    return ToolBox()


@pytest.fixture
def canvas(document, tools, qtbot) -> CanvasView:
    canvas = CanvasView(document, tools)
    canvas.resize(640, 480)
    qtbot.addWidget(canvas)
    canvas.show()
    qtbot.waitExposed(canvas)
    return canvas


@pytest.fixture
def at(canvas):
    """A function from an image position to the widget's pixel that shows it."""

    def at(x: float, y: float) -> QPoint:
        device = canvas.view.to_device(x, y)
        ratio = canvas.devicePixelRatioF()
        return QPoint(round(device[0] / ratio), round(device[1] / ratio))

    return at


def drag(qtbot, canvas, points, button=Qt.MouseButton.LeftButton, modifier=None):
    modifier = modifier or Qt.KeyboardModifier.NoModifier
    qtbot.mousePress(canvas, button, modifier, points[0])
    for point in points[1:]:
        qtbot.mouseMove(canvas, point)
    qtbot.mouseRelease(canvas, button, modifier, points[-1])


def turn_wheel(
    canvas, point, notches, modifiers=Qt.KeyboardModifier.NoModifier, sideways=False
):
    angle = QPoint(120 * notches, 0) if sideways else QPoint(0, 120 * notches)
    position = QPointF(point)
    event = QWheelEvent(
        position,
        canvas.mapToGlobal(position),
        QPoint(),
        angle,
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def to_image(canvas, point: QPoint) -> tuple[float, float]:
    """The image position that a pixel of the widget shows; displays may be scaled."""
    ratio = canvas.devicePixelRatioF()
    return canvas.view.to_image(point.x() * ratio, point.y() * ratio)


def pixel(canvas, x: int, y: int) -> tuple[int, int, int]:
    """The colour on the display in the middle of an image pixel."""
    left, top = canvas.view.to_device(x + 0.5, y + 0.5)
    color = canvas.grab().toImage().pixelColor(int(left), int(top))
    return color.red(), color.green(), color.blue()


def test_a_dragged_brush_paints_exactly_the_stroke(qtbot, canvas, document, at, assert_same):
    points = [at(10, 10), at(30, 12), at(22, 40)]
    seen = [to_image(canvas, point) for point in points]
    expected = document.map.copy()
    expected.apply(brush_stroke(expected, seen, 10, Segment(1, CELL)))
    drag(qtbot, canvas, points)
    assert_same(document.map, expected)


def test_a_stroke_goes_on_outside_the_canvas(qtbot, canvas, document, at):
    drag(qtbot, canvas, [at(32, 24), QPoint(-200, 240)])
    assert (document.map.segment_ids[24, :32] == 1).all()


def test_control_turns_the_brush_into_the_eraser(qtbot, canvas, document, at, put):
    put(Segment(1, CELL), slice(0, 48), slice(0, 64))
    drag(qtbot, canvas, [at(32, 24)], modifier=Qt.KeyboardModifier.ControlModifier)
    assert document.map.segment_ids[24, 32] == 0


def test_control_turns_the_eraser_into_the_brush(qtbot, canvas, document, tools, at):
    tools.take(ERASER)
    drag(qtbot, canvas, [at(32, 24)], modifier=Qt.KeyboardModifier.ControlModifier)
    assert document.map.segment_ids[24, 32] == 1


def test_a_stroke_ends_where_it_was_seen_last_when_its_release_is_missed(
    qtbot, canvas, document, at, assert_same
):
    points = [at(10, 10), at(30, 12)]
    expected = document.map.copy()
    seen = [to_image(canvas, point) for point in points]
    expected.apply(brush_stroke(expected, seen, 10, Segment(1, CELL)))
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=points[0])
    qtbot.mouseMove(canvas, points[1])
    move = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(300, 300),
        canvas.mapToGlobal(QPointF(300, 300)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(canvas, move)
    assert not canvas.is_gesturing
    assert_same(document.map, expected)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=points[0])


def test_the_ring_of_a_square_tip_has_corners(qtbot, canvas, tools):
    tools.set_size(20)
    qtbot.mouseMove(canvas, QPoint(300, 200))
    corner = QPoint(300 - reach(canvas, tools), 200 - reach(canvas, tools))
    ratio = canvas.devicePixelRatioF()
    plain = canvas.grab().toImage().pixelColor(QPointF(corner).toPoint() * ratio)
    tools.set_tip(Tip.SQUARE)
    assert canvas.grab().toImage().pixelColor(corner * ratio) != plain


def reach(canvas, tools) -> int:
    """How far the tip reaches from its middle, in the widget's pixels."""
    return round(tools.size / 2 * canvas.scale / canvas.devicePixelRatioF())


def test_the_right_button_changes_nothing(qtbot, canvas, document, at):
    drag(qtbot, canvas, [at(32, 24), at(40, 24)], Qt.MouseButton.RightButton)
    assert not document.can_undo


def test_a_click_with_the_pick_tool_selects(qtbot, canvas, document, tools, at, put):
    put(Segment(1, CELL), slice(0, 48), slice(0, 20))
    tools.take(PICK)
    drag(qtbot, canvas, [at(5, 5)])
    assert document.selected_id == 1


def test_a_cancelled_stroke_leaves_the_canvas_as_it_was(qtbot, canvas, document, at):
    before = canvas.grab().toImage()
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at(20, 20))
    assert canvas.is_gesturing
    assert canvas.grab().toImage() != before
    canvas.cancel_gesture()
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at(20, 20))
    assert canvas.grab().toImage() == before
    assert not document.can_undo


def test_a_stroke_is_seen_while_it_is_drawn_in_the_color_it_will_have(
    qtbot, canvas, document, at
):
    canvas.look.set_opacity(1.0)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at(20, 20))
    expected = segment_color(document.categories[CELL], 1)
    assert pixel(canvas, 20, 20) == expected
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at(20, 20))
    assert pixel(canvas, 20, 20) == expected


def test_an_edit_repaints_all_that_it_changed(qtbot, canvas, document, tools, put):
    canvas.grab()
    put(Segment(1, CELL), slice(5, 20), slice(5, 20))
    put(Segment(2, DEBRIS), slice(20, 30), slice(5, 40))
    document.undo()
    fresh = CanvasView(document, tools)
    qtbot.addWidget(fresh)
    fresh.resize(canvas.size())
    assert canvas.grab().toImage() == fresh.grab().toImage()


def test_the_image_is_shown_pixel_for_pixel_at_full_size(canvas, document, at):
    canvas.zoom_to_actual()
    assert canvas.scale == 1
    for x, y in ((0, 0), (40, 7), (63, 47)):
        assert pixel(canvas, x, y) == tuple(document.image[y, x])


def test_image_only_hides_the_map(canvas, document, at, put):
    put(Segment(1, CELL), slice(0, 48), slice(0, 64))
    canvas.zoom_to_actual()
    assert pixel(canvas, 40, 7) != tuple(document.image[7, 40])
    canvas.look.set_image_only(True)
    assert pixel(canvas, 40, 7) == tuple(document.image[7, 40])


def test_outlines_leave_the_inside_of_a_segment_clear(canvas, document, at, put):
    put(Segment(1, CELL), slice(0, 48), slice(0, 64))
    canvas.zoom_to_actual()
    canvas.look.toggle_outlines()
    assert pixel(canvas, 40, 7) == tuple(document.image[7, 40])
    assert pixel(canvas, 0, 7) != tuple(document.image[7, 0])


def test_segments_of_one_category_have_its_color_if_that_is_wanted(canvas, document, put):
    put(Segment(1, CELL), slice(0, 48), slice(0, 20))
    put(Segment(2, CELL), slice(0, 48), slice(20, 64))
    canvas.look.set_opacity(1.0)
    canvas.look.toggle_by_category()
    color = document.categories[CELL].color
    assert pixel(canvas, 10, 20) == pixel(canvas, 40, 20) == color
    canvas.look.toggle_by_category()
    assert pixel(canvas, 40, 20) == segment_color(document.categories[CELL], 2) != color


def test_a_hidden_segment_is_not_drawn(canvas, document, at, put):
    put(Segment(1, CELL), slice(0, 48), slice(0, 64))
    canvas.zoom_to_actual()
    document.toggle_hidden(1)
    assert pixel(canvas, 40, 7) == tuple(document.image[7, 40])


def test_a_preview_is_stretched_over_the_image(canvas, document, at):
    canvas.look.set_opacity(1.0)
    ids = np.array([[1, 2]], np.uint16)
    document.show_preview(Preview(1, 2, 1.0, 0.1, ids, {1: 7, 2: 8}), {7: CELL, 8: GROUND})
    assert pixel(canvas, 60, 24) == document.categories[GROUND].color
    assert pixel(canvas, 5, 24) == segment_color(document.categories[CELL], 1)
    document.reject()
    assert pixel(canvas, 60, 24) != document.categories[GROUND].color


def test_selected_and_hidden_segments_do_not_mark_a_preview(canvas, document, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    document.toggle_hidden(1)
    canvas.look.set_opacity(1.0)
    preview = Preview(1, 2, 1.0, 0.1, np.array([[1]], np.uint16), {1: 7})
    document.show_preview(preview, {7: CELL})
    assert pixel(canvas, 30, 20) == segment_color(document.categories[CELL], 1)
    assert pixel(canvas, 0, 20) != (255, 255, 255)


def test_the_wheel_zooms_at_the_cursor(canvas):
    point = QPoint(200, 150)
    before, scale = to_image(canvas, point), canvas.scale
    turn_wheel(canvas, point, 4)
    assert canvas.scale == pytest.approx(2 * scale)
    after = to_image(canvas, point)
    assert np.abs(np.subtract(after, before)).max() * canvas.scale <= 1
    turn_wheel(canvas, point, -4, Qt.KeyboardModifier.ControlModifier)
    assert canvas.scale == pytest.approx(scale)


def test_alt_and_the_wheel_change_the_brush(canvas, tools):
    scale, size = canvas.scale, tools.size
    turn_wheel(canvas, QPoint(9, 9), 1, Qt.KeyboardModifier.AltModifier, sideways=True)
    assert tools.size > size
    assert canvas.scale == scale


def test_a_new_image_is_fitted_and_stays_so_when_the_window_grows(qtbot, canvas, document):
    scale = canvas.scale
    canvas.resize(1280, 960)
    assert canvas.scale == pytest.approx(2 * scale)
    canvas.zoom_in()
    document.open_image(document.store.images()[1])
    assert canvas.scale == pytest.approx(2 * scale)


@pytest.mark.parametrize("how", ["middle", "space", "tool"])
def test_dragging_pans(qtbot, canvas, document, tools, how):
    if how == "tool":
        tools.take(PAN)
    if how == "space":
        qtbot.keyPress(canvas, Qt.Key.Key_Space)
    button = Qt.MouseButton.MiddleButton if how == "middle" else Qt.MouseButton.LeftButton
    left, top = canvas.view.left, canvas.view.top
    drag(qtbot, canvas, [QPoint(300, 200), QPoint(310, 230)], button)
    ratio = canvas.devicePixelRatioF()
    assert (canvas.view.left - left, canvas.view.top - top) == (10 * ratio, 30 * ratio)
    assert not document.can_undo
    if how == "space":
        qtbot.keyRelease(canvas, Qt.Key.Key_Space)
        drag(qtbot, canvas, [QPoint(300, 200)])
        assert document.can_undo


def test_hovering_tells_the_image_position(qtbot, canvas, at):
    told = []
    canvas.hovered.connect(told.append)
    qtbot.mouseMove(canvas, at(30, 30))  # from wherever the last test left the mouse
    qtbot.mouseMove(canvas, at(10, 20))
    assert told[-1] == pytest.approx((10, 20), abs=0.2)


def test_a_canvas_without_an_image_takes_every_event(qtbot, canvas, document, pictures, at):
    pictures[1].unlink()
    document.open_image(document.store.images()[1])
    drag(qtbot, canvas, [QPoint(50, 50), QPoint(90, 90)])
    turn_wheel(canvas, QPoint(50, 50), 1)
    canvas.fit()
    canvas.zoom_to_actual()
    assert not canvas.grab().isNull()


def test_the_name_of_what_the_mouse_is_over_goes_with_it(qtbot, canvas, document, put, at):
    put(Segment(1, CELL), slice(0, 20), slice(0, 20))
    document.select(1)
    tag = canvas.findChild(NameTag)
    qtbot.mouseMove(canvas, at(40, 40))
    assert not tag.isVisible()
    qtbot.mouseMove(canvas, at(10, 10))
    assert (tag.isVisible(), tag.text()) == (True, "cell 1")
    before = tag.pos()
    qtbot.mouseMove(canvas, at(12, 10))
    assert tag.x() > before.x()
    assert canvas.rect().contains(tag.geometry())
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at(12, 10))
    assert not tag.isVisible()
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at(12, 10))
    document.toggle_hidden(1)
    qtbot.mouseMove(canvas, at(10, 10))
    assert not tag.isVisible()
