"""A window, and functions that work in it with real mouse and key events."""

import pytest
from PySide6.QtCore import QPoint, Qt

Left, Plain = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def at(window):
    """A function from an image position to the canvas's pixel that shows it."""

    def at(x, y) -> QPoint:
        ratio = window.canvas.devicePixelRatioF()
        return QPoint(*(round(place / ratio) for place in window.canvas.view.to_device(x, y)))

    return at


@pytest.fixture
def seen(window, at):
    """A function from image positions to those that the mouse can really be at."""

    def seen(points):
        ratio = window.canvas.devicePixelRatioF()
        places = [at(*point) for point in points]
        return [window.canvas.view.to_image(p.x() * ratio, p.y() * ratio) for p in places]

    return seen


@pytest.fixture
def click(qtbot, window, at):
    """A function that clicks on image positions, one after the other."""

    def click(*points, modifier=Plain):
        for point in points:
            qtbot.mouseMove(window.canvas, at(*point))
            qtbot.mouseClick(window.canvas, Left, modifier, at(*point))

    return click


@pytest.fixture
def drag(qtbot, window, at):
    """A function that drags over image positions."""

    def drag(points, modifier=Plain):
        qtbot.mousePress(window.canvas, Left, modifier, at(*points[0]))
        for point in points[1:]:
            qtbot.mouseMove(window.canvas, at(*point))
        qtbot.mouseRelease(window.canvas, Left, modifier, at(*points[-1]))

    return drag


@pytest.fixture
def complaint(window):
    """A function that reads the notice that was shown last."""
    return lambda: window.notice_stack.shown[-1].text
