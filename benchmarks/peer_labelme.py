"""What labelme has nearest to the tasks of `benchmarks.tasks`, by mouse events in its window.

    python -m benchmarks.peer_labelme SCENE     does them and writes the times as JSON
    python -m benchmarks.peer_labelme --start   says when the empty window is painted

labelme has polygons and neither brush nor fill. A stroke is the mouse drawing the border of a
new polygon; its end is the click that closes it, which saves the file as ours saves an edit.
Runs in labelme's own environment, which `make bench-peers` makes; imports nothing of ours but
the tasks.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from labelme.app import MainWindow
from PyQt5.QtCore import QCoreApplication, QEvent, QObject, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QApplication

from benchmarks.tasks import (
    CHANGE,
    CHANGES,
    FEW,
    MOVE,
    MOVE_SHOWN,
    PAINT,
    PRESS,
    STROKE_DONE,
    UNDO,
    WINDOW,
    Place,
    SceneFiles,
    Stopwatch,
    stroke,
)

PATIENCE_S = 60
MOVES_PER_CORNER = 4
LABEL = "cell"


class PaintCount(QObject):
    """Counts how often the canvas is painted."""

    n_paints = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.n_paints += event.type() == QEvent.Paint
        return False


class Stage:
    """labelme's window, as it comes but for the dialog that asks for a label."""

    def __init__(self, path: Path | None) -> None:
        self.window = MainWindow(
            config_overrides={"labels": [LABEL], "display_label_popup": False},
            file_or_dir=None if path is None else str(path),
        )
        self.canvas = self.window._canvas_widgets.canvas  # noqa: SLF001
        self._count = PaintCount()
        self.canvas.installEventFilter(self._count)
        self.window.resize(*WINDOW)
        self.window.show()
        QApplication.processEvents()
        self.window._docks.unique_label_list.setCurrentRow(0)  # noqa: SLF001

    def show(self, act: Callable[[], object]) -> None:
        """Do something and return when the canvas has been painted after it."""
        n_paints, began = self._count.n_paints, time.perf_counter()
        act()
        while self._count.n_paints == n_paints:
            QApplication.processEvents()
            if time.perf_counter() - began > PATIENCE_S:
                raise TimeoutError("labelme painted nothing")
        QApplication.processEvents()

    def open(self, path: Path) -> None:
        """Go to an image."""
        self.window._load_file(str(path))  # noqa: SLF001

    def send(self, kind: QEvent.Type, place: Place) -> None:
        """Deliver a mouse event, as the window system would; drawing holds no button."""
        is_move, is_release = kind == QEvent.MouseMove, kind == QEvent.MouseButtonRelease
        point = QPointF(*place)
        event = QMouseEvent(
            kind,
            point,
            QPointF(self.canvas.mapToGlobal(point.toPoint())),
            Qt.NoButton if is_move else Qt.LeftButton,
            Qt.NoButton if is_move or is_release else Qt.LeftButton,
            Qt.NoModifier,
        )
        QCoreApplication.sendEvent(self.canvas, event)

    def click(self, place: Place) -> None:
        self.send(QEvent.MouseMove, place)
        self.send(QEvent.MouseButtonPress, place)
        self.send(QEvent.MouseButtonRelease, place)


def main() -> int:
    """Do all tasks, or only start."""
    app = QApplication(sys.argv[:1])
    app.setStyle("Fusion")  # as labelme's own main does
    if sys.argv[1] == "--start":
        stage = Stage(None)
        print(time.monotonic_ns(), flush=True)  # noqa: T201 - for the process that started it
        return 0
    files, watch = SceneFiles(Path(sys.argv[1])), Stopwatch()
    stage = Stage(files.large)
    measure_polygons(stage, watch)
    for number in range(CHANGES):
        with watch.timing(CHANGE):
            stage.show(partial(stage.open, files.medium[number % 2]))
    watch.write()
    return 0


def measure_polygons(stage: Stage, watch: Stopwatch) -> None:
    """Draw polygons with the mouse, close each, and take them back."""
    stage.window._switch_canvas_mode(edit=False, create_mode="polygon")  # noqa: SLF001
    for number in range(FEW):
        first, *others = stroke(stage.canvas.width(), stage.canvas.height(), number)
        with watch.timing(PRESS):
            stage.show(partial(stage.click, first))
        for step, place in enumerate(others):
            with watch.timing(MOVE):
                stage.send(QEvent.MouseMove, place)
            with watch.timing(PAINT):
                stage.show(lambda: None)
            if step % MOVES_PER_CORNER == 0:
                stage.click(place)
        n_shapes = len(stage.canvas.shapes)
        with watch.timing(STROKE_DONE):
            stage.show(partial(stage.click, first))
        if len(stage.canvas.shapes) != n_shapes + 1:
            raise RuntimeError("no polygon was made")
    watch.join(MOVE_SHOWN, MOVE, PAINT)
    for _ in range(FEW):
        with watch.timing(UNDO):
            stage.show(stage.window.undo_shape_edit)


if __name__ == "__main__":
    sys.exit(main())
