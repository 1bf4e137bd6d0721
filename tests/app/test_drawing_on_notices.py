"""A notice lies over the image, and is drawn through: with the mouse as the window gets it."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton

from app.notices import NoticeBar
from app.toolbox import BRUSH, POLYGON
from app.window import MainWindow
from core.edits import brush_stroke
from core.panoptic import Segment

CELL = 1  # category id of the project in conftest.py
LEFT = Qt.MouseButton.LeftButton
N_ZOOMS = 6  # until the image is below the notice


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    for _ in range(N_ZOOMS):
        window.canvas.zoom_in()
    window.tools.set_size(4)
    yield window
    window.canvas.cancel_gesture()
    window.close()


@pytest.fixture
def path(window):
    """A function that posts a notice; three places of the window from it to below it."""

    def path(post) -> list[QPoint]:
        post("Something is in the way.")
        bar = window.notice_stack.findChild(NoticeBar)
        start = bar.mapTo(window, QPoint(60, bar.height() // 2))
        assert window.childAt(start) is not window.canvas
        return [start, start + QPoint(120, 0), start + QPoint(150, 120)]

    return path


def in_image(window, place: QPoint) -> tuple[float, float]:
    """The image position that the canvas shows at a place of the window."""
    ratio = window.canvas.devicePixelRatioF()
    on_canvas = window.canvas.mapFrom(window, place)
    return window.canvas.view.to_image(on_canvas.x() * ratio, on_canvas.y() * ratio)


def drag(window, path: list[QPoint]) -> None:
    """Press, move and release through the window, which finds out whom it concerns."""
    handle = window.windowHandle()
    QTest.mousePress(handle, LEFT, pos=path[0])
    for place in path[1:]:
        QTest.mouseMove(handle, place)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QTest.mouseRelease(handle, LEFT, pos=path[-1])


@pytest.mark.parametrize("kind", ["tell", "warn", "fail"])
def test_a_stroke_begun_on_a_notice_paints_as_on_the_bare_image(window, path, kind):
    window.tools.take(BRUSH)
    places = path(getattr(window.notices, kind))
    expected = window.document.map.copy()
    points = np.array([in_image(window, place) for place in places], np.float32)
    expected.apply(brush_stroke(expected, points, window.tools.size / 2, Segment(1, CELL)))
    drag(window, places)
    assert expected.segment_ids.any()
    np.testing.assert_array_equal(window.document.map.segment_ids, expected.segment_ids)


def test_an_outline_has_its_corners_where_the_notice_was_clicked(window, path):
    window.tools.take(POLYGON)
    start, right, below = path(window.notices.fail)
    for place in (start, right, below):
        QTest.mouseClick(window.windowHandle(), LEFT, pos=place)
    assert window.canvas.finish_gesture()
    x, y = np.mean([in_image(window, place) for place in (start, right, below)], axis=0)
    assert window.document.map.segment_ids[int(y), int(x)]


def test_what_only_tells_goes_when_somebody_draws_and_the_rest_stays(window, path):
    places = path(window.notices.tell)
    window.notices.warn("This was not done.")
    window.notices.fail("This went wrong.")
    drag(window, places)
    shown = [notice.text for notice in window.notice_stack.shown]
    assert shown == ["This was not done.", "This went wrong."]
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert len(window.notice_stack.findChildren(NoticeBar)) == len(shown)


def test_the_canvas_follows_the_mouse_over_a_notice(window, path):
    seen = []
    window.canvas.hovered.connect(seen.append)
    _, place, _ = path(window.notices.fail)
    QTest.mouseMove(window.windowHandle(), place)
    QApplication.processEvents()
    assert seen[-1] == pytest.approx(in_image(window, place))


def test_the_button_of_a_notice_closes_it_and_paints_nothing(window, path):
    path(window.notices.fail)
    button = window.notice_stack.findChild(QToolButton)
    place = button.mapTo(window, button.rect().center())
    QTest.mouseClick(window.windowHandle(), LEFT, pos=place)
    assert window.notice_stack.shown == []
    assert not window.document.map.segments
