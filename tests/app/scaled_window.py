"""A window on a scaled display, in a process of its own: prints as JSON what is seen and hit.

Each pixel of the image has its column and its row as red and green, so that a colour on the
display says which image pixel is shown there.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolBar, QWidget

from app.image_model import ImageModel
from app.theme import swatch
from app.window import MainWindow
from core.panoptic import Category
from core.store import AnnotationStore

HEIGHT, WIDTH = 120, 160
BLUE = 7
CLICKED = ((0, 0), (WIDTH - 1, HEIGHT - 1), (31, 17), (80, 61), (129, 97))


def wait_for(is_there: Callable[[], bool]) -> None:
    """Let Qt work until something is there; whoever started this process has a limit."""
    while not is_there():
        QTest.qWait(20)


def open_window(folder: Path) -> MainWindow:
    """A window with the image of known pixels, read and on the display."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    pixels = np.stack([columns, rows, np.full_like(rows, BLUE)], axis=2).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "known.png")
    cell = Category(1, "cell", is_thing=True, color=(80, 160, 220))
    store = AnnotationStore.create(folder / "a.bitbrush", (cell,))
    store.add_images([(folder / "known.png", None, HEIGHT, WIDTH)])
    window = MainWindow(store)
    window.show()
    QTest.qWaitForWindowExposed(window)
    wait_for(lambda: window.document.image is not None)
    return window


def count_wrong(window: MainWindow, seen: QWidget) -> int:
    """Image pixels that are not where they should be in a picture of a widget, at 100 %."""
    canvas = window.canvas
    image: QImage = seen.grab().toImage()
    ratio = canvas.devicePixelRatioF()
    corner = QPointF(canvas.mapTo(seen, QPoint()) if seen is not canvas else QPoint()) * ratio
    wrong = 0
    for row in range(HEIGHT):
        for column in range(WIDTH):
            x, y = canvas.view.to_device(column + 0.5, row + 0.5)
            color = image.pixelColor(int(corner.x() + x), int(corner.y() + y))
            wrong += (color.red(), color.green(), color.blue()) != (column, row, BLUE)
    return wrong


def click(window: MainWindow, column: int, row: int) -> list[tuple[int, int]]:
    """Paint with a brush of one pixel by a click on a pixel; which pixels that took."""
    canvas, document = window.canvas, window.document
    x, y = canvas.view.to_device(column + 0.5, row + 0.5)
    place = QPointF(x, y) / canvas.devicePixelRatioF()
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
        event = QMouseEvent(
            kind,
            place,
            canvas.mapToGlobal(place),
            Qt.MouseButton.LeftButton,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(canvas, event)
    taken = np.argwhere(document.map.segment_ids)
    document.undo()
    return [(int(column), int(row)) for row, column in taken]


def show_thumbnail(window: MainWindow) -> tuple[float, float, float]:
    """Device pixels and Qt's, each as a height, and their ratio, of the first thumbnail."""
    model = window.image_list.findChild(ImageModel)
    index = model.index(0, 0)
    find = lambda: index.data(Qt.ItemDataRole.DecorationRole)  # noqa: E731 - short
    wait_for(lambda: find() is not None)
    thumbnail = find()
    size = thumbnail.deviceIndependentSize()
    return thumbnail.height(), size.height(), thumbnail.devicePixelRatio()


def icon_sides(window: MainWindow) -> dict[str, int]:
    """Device pixels along a tool's icon and along a swatch of 16."""
    icon, size = window.commands["brush"].icon(), window.findChild(QToolBar).iconSize()
    ratio = window.devicePixelRatioF()
    return {
        "tool": icon.pixmap(size, ratio).width(),
        "swatch": swatch((9, 9, 9), is_round=True).pixmap(QSize(16, 16), ratio).width(),
    }


def main(folder: Path) -> None:
    """Print what a test asks about."""
    application = QApplication([])
    window = open_window(folder)
    window.canvas.zoom_to_actual()
    window.tools.set_size(1)
    application.processEvents()
    ratio = window.canvas.devicePixelRatioF()
    report = {
        "ratio": ratio,
        "canvas": [window.canvas.width(), window.canvas.height()],
        "canvas_pixels": [window.canvas.grab().width(), window.canvas.grab().height()],
        "wrong_on_canvas": count_wrong(window, window.canvas),
        "wrong_in_window": count_wrong(window, window),
        "taken": [click(window, *pixel) for pixel in CLICKED],
        "thumbnail": show_thumbnail(window),
        "icons": icon_sides(window),
        "icon": window.findChild(QToolBar).iconSize().width(),
    }
    window.close()
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
