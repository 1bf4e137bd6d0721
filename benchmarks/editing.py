"""Brush, undo and change of image in the real window, beside the budgets for them.

python -m benchmarks.editing
"""

import os
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from app.window import MainWindow
from benchmarks.report import print_conditions, print_report, quantiles, timing
from core.bundled import SAMPLES
from core.images import read_image
from core.panoptic import Category, Edit, Segment
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(229, 134, 6))
LARGE, MEDIUM = 4096, 2048
LARGE_SEGMENTS, MEDIUM_SEGMENTS = 500, 200
STROKES, MOVES = 8, 40
TRAVELS, CHANGES, COMMITS = 20, 12, 30
BRUSH_SIZE = 60


@dataclass(slots=True)
class Times:
    """What some events of one kind took, in milliseconds."""

    name: str
    budget: str = ""
    taken: list[float] = field(default_factory=list)

    def row(self) -> list[str]:
        return [self.name, *quantiles(self.taken, 0.5, 0.95, 1), self.budget]


class PaintCount(QObject):
    """Counts how often a widget is painted: a repaint that did not happen is quick."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.n_paints = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.n_paints += event.type() == QEvent.Type.Paint
        return False


def main() -> int:
    """Measure, and print the table."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    print_conditions()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder))
    columns = ["", "p50", "p95", "max", "budget p95"]
    print_report("Editing, milliseconds", columns, rows)
    app.quit()
    return 0


def measure(folder: Path) -> list[list[str]]:
    """The rows of the table."""
    with make_project(folder) as store:
        window = MainWindow(store)
        window.show()
        QApplication.processEvents()
        large, *medium = [record.id for record in store.images()]
        open_image(window, large)
        window.tools.set_size(BRUSH_SIZE)
        times: list[Times] = []
        for zoom, set_zoom in (
            ("fit", window.canvas.fit),
            ("100 %", window.canvas.zoom_to_actual),
        ):
            set_zoom()
            times += measure_strokes(window, zoom)
            times += measure_travels(window, zoom)
        times += measure_changes(window, medium)
        times += measure_limits(window, folder)
        window.close()
        return [each.row() for each in times]


def make_project(folder: Path) -> AnnotationStore:
    """A project of one large image and two smaller ones, full of segments."""
    store = AnnotationStore.create(folder / "benchmark.bitbrush", [CELL])
    tile = read_image(SAMPLES / "fluorescence_crowded.jpg")
    for name, side, n_segments in (
        ("large.jpg", LARGE, LARGE_SEGMENTS),
        ("medium.jpg", MEDIUM, MEDIUM_SEGMENTS),
        ("medium.png", MEDIUM, MEDIUM_SEGMENTS),
    ):
        repeats = -(-side // tile.shape[0])
        image = np.tile(tile, (repeats, repeats, 1))[:side, :side]
        cv2.imwrite(str(folder / name), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        (image_id,) = store.add_images([(folder / name, None, side, side)])
        store.append_edit(image_id, make_map(side, n_segments))
    return store


def make_map(side: int, n_segments: int) -> Edit:
    """An edit that fills an image with segments: each pixel joins the nearest of some seeds."""
    places = np.random.default_rng(0).integers(0, side, (n_segments, 2))
    is_far = np.ones((side, side), np.uint8)
    is_far[places[:, 0], places[:, 1]] = 0
    _, nearest = cv2.distanceTransformWithLabels(
        is_far, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    ids = nearest.astype(np.uint16)
    segments = {int(i): Segment(int(i), CELL.id) for i in np.unique(ids)}
    return Edit(0, 0, np.zeros_like(ids), ids, {}, segments, "fill")


def measure_strokes(window: MainWindow, zoom: str) -> list[Times]:
    """Each mouse movement of some strokes, the repaint after it, and the release."""
    move = Times(f"brush event, {LARGE} squared, {zoom}", "8")
    paint = Times(f"repaint after it, {zoom}", "16")
    save = Times(f"stroke saved and shown, {zoom}")
    count = PaintCount(window.canvas)
    canvas = window.canvas
    for number in range(STROKES):
        window.document.begin_segment()
        places = stroke(canvas, number)
        send(canvas, QEvent.Type.MouseButtonPress, places[0])
        QApplication.processEvents()
        for place in places[1:]:
            n_paints = count.n_paints
            with timing(move.taken):
                send(canvas, QEvent.Type.MouseMove, place)
            with timing(paint.taken):
                QApplication.processEvents()
            if count.n_paints == n_paints:
                raise RuntimeError("the canvas was not painted after a brush event")
        n_edits = count_edits(window)
        with timing(save.taken):
            send(canvas, QEvent.Type.MouseButtonRelease, places[-1])
            QApplication.processEvents()
        if count_edits(window) != n_edits + 1:
            raise RuntimeError("a stroke made no edit")
    canvas.removeEventFilter(count)
    return [move, paint, save]


def open_image(window: MainWindow, image_id: int) -> None:
    """Go to an image, and come back when it is painted."""
    window.open_image(image_id)
    while window.document.reader.is_reading:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    QApplication.processEvents()
    if not window.document.has_image:
        raise RuntimeError(f"image {image_id} was not opened")


def count_edits(window: MainWindow) -> int:
    """How many edits of the open image are in effect."""
    record = window.document.record
    return 0 if record is None else window.document.store.history(record.id)[1]


def stroke(canvas: QWidget, number: int) -> list[QPointF]:
    """Places of the mouse along a wave through the middle of the canvas."""
    x = np.linspace(0.2, 0.8, MOVES + 1) * canvas.width()
    y = canvas.height() * (0.2 + 0.6 * number / STROKES) + 20 * np.sin(x / 30)
    return [QPointF(float(a), float(b)) for a, b in zip(x, y, strict=True)]


def send(widget: QWidget, kind: QEvent.Type, place: QPointF) -> None:
    """Deliver a mouse event, as the window system would."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.MouseMove else left
    held = none if kind == QEvent.Type.MouseButtonRelease else left
    where = QPointF(widget.mapToGlobal(place))
    modifiers = Qt.KeyboardModifier.NoModifier
    QCoreApplication.sendEvent(widget, QMouseEvent(kind, place, where, button, held, modifiers))


def measure_travels(window: MainWindow, zoom: str) -> list[Times]:
    """Undo and redo of strokes, painting included."""
    undo, redo = Times(f"undo, {zoom}", "30"), Times(f"redo, {zoom}", "30")
    for _ in range(TRAVELS // STROKES + 1):
        for times, step in ((undo, window.document.undo), (redo, window.document.redo)):
            for _ in range(STROKES):
                with timing(times.taken):
                    step()
                    QApplication.processEvents()
    return [undo, redo]


def measure_changes(window: MainWindow, image_ids: Sequence[int]) -> list[Times]:
    """Going to another image, from reading its file to the painted window."""
    all_times = []
    for image_id, other_id, kind in (
        (image_ids[0], image_ids[1], "JPEG"),
        (image_ids[1], image_ids[0], "PNG"),
    ):
        times = Times(f"switch image, {MEDIUM} squared, {kind}", "150")
        for _ in range(CHANGES):
            open_image(window, other_id)
            with timing(times.taken):
                open_image(window, image_id)
        all_times.append(times)
    return all_times


def measure_limits(window: MainWindow, folder: Path) -> list[Times]:
    """What the same work costs at least on this machine, now."""
    blit = Times("limit: two blits of the canvas")
    pixmap = QPixmap(window.canvas.size())
    image = pixmap.toImage()
    for _ in range(COMMITS):
        with timing(blit.taken):
            painter = QPainter(pixmap)
            painter.drawImage(0, 0, image)
            painter.drawImage(0, 0, image)
            painter.end()
    commit = Times("limit: one synced SQLite commit")
    connection = sqlite3.connect(folder / "limit.db", isolation_level=None)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE a (b)")
    for number in range(COMMITS):
        with timing(commit.taken):
            connection.execute("INSERT INTO a VALUES (?)", (number,))
    connection.close()
    return [blit, commit, *measure_reading(folder)]


def measure_reading(folder: Path) -> list[Times]:
    """Decoding alone, of the files that `measure_changes` opens."""
    all_times = []
    for path, kind in ((folder / "medium.jpg", "JPEG"), (folder / "medium.png", "PNG")):
        times = Times(f"limit: decoding the {kind}")
        for _ in range(CHANGES):
            with timing(times.taken):
                cv2.imread(str(path))
        all_times.append(times)
    return all_times


if __name__ == "__main__":
    sys.exit(main())
