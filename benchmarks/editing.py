"""What an annotator does again and again, done in the real window and timed until it is shown.

    python -m benchmarks.editing SCENE

does every task of `tasks` on the files in the folder SCENE and writes the times as JSON. Tables
are what `benchmarks.budgets` and `benchmarks.peers` make.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.toolbox import BRUSH, FILL
from app.window import MainWindow
from benchmarks.scenes import make_project
from benchmarks.tasks import (
    BRUSH_SIZE,
    CHANGE,
    CHANGES,
    FILL_ALL,
    FILL_AROUND,
    FILL_SEGMENT,
    FILLS,
    LARGE,
    MOVE,
    MOVE_SHOWN,
    PAINT,
    PRESS,
    REDO,
    REDO_IT,
    ROW_TO_FILL,
    STROKE_DONE,
    STROKES,
    UNDO,
    UNDO_IT,
    WINDOW,
    Place,
    SceneFiles,
    Stopwatch,
    stroke,
)

PAN, ZOOM = "pan", "zoom"
FRAMES = 40


class PaintCount(QObject):
    """Counts how often a widget is painted: a repaint that did not happen is quick."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.n_paints = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.n_paints += event.type() == QEvent.Type.Paint
        return False


class Stage:
    """A window at work: what is done in it is waited for until it is painted."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.canvas = window.canvas
        self._count = PaintCount(window.canvas)
        window.resize(*WINDOW)
        window.show()
        QApplication.processEvents()

    def show(self, act: Callable[[], object]) -> None:
        """Do something and return when the canvas has been painted after it."""
        n_paints = self._count.n_paints
        act()
        while self._count.n_paints == n_paints:
            QApplication.processEvents()
        QApplication.processEvents()

    def open(self, image_id: int) -> None:
        """Go to an image, and come back when it is painted."""
        self.window.open_image(image_id)
        self.wait_for_image()

    def wait_for_image(self) -> None:
        """Come back when the image asked for last is painted."""
        while self.window.document.reader.is_reading:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        QApplication.processEvents()
        if not self.window.document.has_image:
            raise RuntimeError("the image was not opened")

    def n_edits(self) -> int:
        """How many edits of the open image are in effect."""
        record = self.window.document.record
        return 0 if record is None else self.window.document.store.history(record.id)[1]

    def send(self, kind: QEvent.Type, place: Place, button: Qt.MouseButton) -> None:
        """Deliver a mouse event, as the window system would."""
        none = Qt.MouseButton.NoButton
        is_move, is_release = (
            kind == each for each in (QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease)
        )
        point = QPointF(*place)
        event = QMouseEvent(
            kind,
            point,
            QPointF(self.canvas.mapToGlobal(point)),
            none if is_move else button,
            none if is_release else button,
            Qt.KeyboardModifier.NoModifier,
        )
        QCoreApplication.sendEvent(self.canvas, event)

    def turn_wheel(self, notches: int) -> None:
        """Zoom at the middle of the canvas."""
        middle = QPointF(self.canvas.width() / 2, self.canvas.height() / 2)
        event = QWheelEvent(
            middle,
            QPointF(self.canvas.mapToGlobal(middle)),
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QCoreApplication.sendEvent(self.canvas, event)


def main() -> int:
    """Do all tasks, and write the times."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    watch = Stopwatch()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    with make_project(SceneFiles(Path(sys.argv[1]))) as store:
        stage = Stage(MainWindow(store))
        measure_all(stage, watch)
        stage.window.close()
    watch.write()
    app.quit()
    return 0


def measure_all(stage: Stage, watch: Stopwatch) -> None:
    """Every task, in a project of `make_project`."""
    records = stage.window.document.store.images()
    large, cells, empty, *medium = [record.id for record in records]
    measure_strokes(stage, large, watch)
    measure_fills(stage, (large, cells, empty), watch)
    for number in range(CHANGES):
        stage.open(medium[number % 2 - 1])
        with watch.timing(CHANGE):
            stage.open(medium[number % 2])


def measure_strokes(stage: Stage, image_id: int, watch: Stopwatch) -> None:
    """Each mouse movement of some strokes, the repaint after it, the release, undo and redo."""
    stage.open(image_id)
    stage.canvas.fit()
    stage.window.tools.take(BRUSH)
    stage.window.tools.set_size(BRUSH_SIZE)
    left = Qt.MouseButton.LeftButton
    for number in range(STROKES):
        stage.window.document.begin_segment()
        first, *others = stroke(stage.canvas.width(), stage.canvas.height(), number)
        with watch.timing(PRESS):
            stage.show(partial(stage.send, QEvent.Type.MouseButtonPress, first, left))
        for place in others:
            with watch.timing(MOVE):
                stage.send(QEvent.Type.MouseMove, place, left)
            with watch.timing(PAINT):
                stage.show(lambda: None)
        n_edits = stage.n_edits()
        with watch.timing(STROKE_DONE):
            stage.show(partial(stage.send, QEvent.Type.MouseButtonRelease, others[-1], left))
        if stage.n_edits() != n_edits + 1:
            raise RuntimeError("a stroke made no edit")
    watch.join(MOVE_SHOWN, MOVE, PAINT)
    measure_travels(stage, STROKES, (UNDO, REDO), watch)


def measure_travels(
    stage: Stage, n_edits: int, tasks: tuple[str, str], watch: Stopwatch
) -> None:
    """Undo and redo of the last edits, painting included."""
    document = stage.window.document
    for task, step in zip(tasks, (document.undo, document.redo), strict=True):
        for _ in range(n_edits):
            with watch.timing(task):
                stage.show(step)


def measure_fills(stage: Stage, image_ids: tuple[int, int, int], watch: Stopwatch) -> None:
    """A segment, all that is void between segments, and a whole map; each taken back."""
    for task, image_id in zip((FILL_SEGMENT, FILL_AROUND, FILL_ALL), image_ids, strict=True):
        stage.open(image_id)
        stage.window.tools.take(FILL)
        document = stage.window.document
        for number in range(FILLS):
            document.begin_segment()
            place = (LARGE * (number + 0.5) / FILLS, ROW_TO_FILL)
            n_edits = stage.n_edits()
            with watch.timing(task):
                stage.show(partial(fill, stage, *place))
            if stage.n_edits() != n_edits + 1:
                raise RuntimeError(f"'{task}' made no edit")
            tasks = (UNDO_IT.format(task), REDO_IT.format(task))
            measure_travels(stage, 1, tasks, watch)
            document.undo()


def fill(stage: Stage, x: float, y: float) -> None:
    """Click at a place of the image with the fill tool in hand."""
    view, left = stage.canvas.view, Qt.MouseButton.LeftButton
    place = (view.left + x * view.scale, view.top + y * view.scale)
    stage.send(QEvent.Type.MouseButtonPress, place, left)
    stage.send(QEvent.Type.MouseButtonRelease, place, left)


def measure_views(stage: Stage, watch: Stopwatch) -> None:
    """Frames of panning at some zooms, and of zooming from one end to the other and back."""
    canvas = stage.canvas
    middle = (canvas.width() / 2, canvas.height() / 2)
    button = Qt.MouseButton.MiddleButton
    canvas.fit()
    for _ in range(4):
        for _ in range(3):
            with watch.timing(ZOOM):
                stage.show(partial(stage.turn_wheel, 1))
        stage.send(QEvent.Type.MouseButtonPress, middle, button)
        for step in range(FRAMES // 4):
            place = (middle[0] + 9 * (step + 1), middle[1] + 5 * (step + 1))
            with watch.timing(PAN):
                stage.show(partial(stage.send, QEvent.Type.MouseMove, place, button))
        stage.send(QEvent.Type.MouseButtonRelease, middle, button)
    for _ in range(12):
        with watch.timing(ZOOM):
            stage.show(partial(stage.turn_wheel, -1))


if __name__ == "__main__":
    sys.exit(main())
