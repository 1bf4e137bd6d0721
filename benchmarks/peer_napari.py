"""The tasks of `benchmarks.tasks` in napari's Labels layer, by mouse events in its window.

    python -m benchmarks.peer_napari SCENE     does them and writes the times as JSON
    python -m benchmarks.peer_napari --start   says when the empty window is painted

Runs in napari's own environment, which `make bench-peers` makes; imports nothing of ours but
the tasks.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import napari
import numpy as np
from OpenGL.GL import glFinish
from qtpy.QtCore import QCoreApplication, QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from benchmarks.tasks import (
    BRUSH_SIZE,
    CHANGE,
    CHANGES,
    FEW,
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

PATIENCE_S = 60
NEW_LABEL = 1000


class Stage:
    """napari's window with an image and its labels."""

    def __init__(self) -> None:
        self.viewer = napari.Viewer(show=False)
        self.viewer.window.resize(*WINDOW)
        self.viewer.show()
        self._canvas = self.viewer.window._qt_viewer.canvas._scene_canvas  # noqa: SLF001
        self.widget = self._canvas.native
        self.n_draws = 0
        self._canvas.events.draw.connect(self._count)
        QApplication.processEvents()

    def _count(self, _event: object) -> None:
        self.n_draws += 1

    def show(self, act: Callable[[], object]) -> None:
        """Do something and return when the canvas has been drawn after it."""
        n_draws, began = self.n_draws, time.perf_counter()
        act()
        while self.n_draws == n_draws:
            QApplication.processEvents()
            if time.perf_counter() - began > PATIENCE_S:
                raise TimeoutError("napari drew nothing")
        QApplication.processEvents()
        self.widget.makeCurrent()
        glFinish()

    def open(self, image: Any, labels: Any) -> Any:
        """Show an image and a map in place of the last ones; returns the Labels layer."""
        self.viewer.layers.clear()
        self.viewer.add_image(image)
        layer = self.viewer.add_labels(labels)
        layer.brush_size = BRUSH_SIZE
        return layer

    def send(self, kind: QEvent.Type, place: Place) -> None:
        """Deliver a mouse event, as the window system would."""
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        point = QPointF(*place)
        event = QMouseEvent(
            kind,
            point,
            QPointF(self.widget.mapToGlobal(point.toPoint())),
            none if kind == QEvent.Type.MouseMove else left,
            none if kind == QEvent.Type.MouseButtonRelease else left,
            Qt.KeyboardModifier.NoModifier,
        )
        QCoreApplication.sendEvent(self.widget, event)


def main() -> int:
    """Do all tasks, or only start."""
    if sys.argv[1] == "--start":
        Stage()
        print(time.monotonic_ns())  # noqa: T201 - for the process that started this one
        return 0
    files, watch = SceneFiles(Path(sys.argv[1])), Stopwatch()
    stage = Stage()
    image = imageio.imread(files.large)
    segments, cells = np.load(files.segments), np.load(files.cells)
    measure_strokes(stage, image, segments, watch)
    for task, labels in (
        (FILL_SEGMENT, segments),
        (FILL_AROUND, cells),
        (FILL_ALL, np.zeros_like(cells)),
    ):
        measure_fills(stage, image, labels, task, watch)
    for number in range(CHANGES):
        with watch.timing(CHANGE):
            stage.show(partial(open_files, stage, files, number % 2))
    watch.write()
    stage.viewer.close()
    return 0


def open_files(stage: Stage, files: SceneFiles, number: int) -> None:
    """Read one of the smaller images with its map, and show it."""
    stage.open(imageio.imread(files.medium[number]), imageio.imread(files.medium_maps[number]))


def measure_strokes(stage: Stage, image: Any, labels: Any, watch: Stopwatch) -> None:
    """As in Bitbrush; a label that nothing has yet is painted."""
    layer: Any = None

    def begin() -> None:
        nonlocal layer
        layer = stage.open(image, labels.copy())
        layer.mode = "paint"

    stage.show(begin)
    for number in range(STROKES):
        layer.selected_label = NEW_LABEL + number
        first, *others = stroke(stage.widget.width(), stage.widget.height(), number)
        with watch.timing(PRESS):
            stage.show(partial(stage.send, QEvent.Type.MouseButtonPress, first))
        for place in others:
            with watch.timing(MOVE):
                stage.send(QEvent.Type.MouseMove, place)
            with watch.timing(PAINT):
                stage.show(lambda: None)
        with watch.timing(STROKE_DONE):  # nothing is saved, and nothing new to be seen
            stage.send(QEvent.Type.MouseButtonRelease, others[-1])
        if not (layer.data == NEW_LABEL + number).any():
            raise RuntimeError("a stroke painted nothing")
    watch.join(MOVE_SHOWN, MOVE, PAINT)
    for task, step in ((UNDO, layer.undo), (REDO, layer.redo)):
        for _ in range(STROKES):
            with watch.timing(task):
                stage.show(step)


def measure_fills(stage: Stage, image: Any, labels: Any, task: str, watch: Stopwatch) -> None:
    """As in Bitbrush, by the layer's own method: a click calls nothing else."""
    layer: Any = None

    def begin() -> None:
        nonlocal layer
        layer = stage.open(image, labels.copy())

    stage.show(begin)
    for number in range(FILLS if task == FILL_SEGMENT else FEW):
        place = (ROW_TO_FILL, int(LARGE * (number + 0.5) / FILLS))
        before = layer.data[place]
        for name, step in (
            (task, partial(layer.fill, place, NEW_LABEL)),
            (UNDO_IT.format(task), layer.undo),
            (REDO_IT.format(task), layer.redo),
        ):
            with watch.timing(name):
                stage.show(step)
        if layer.data[place] != NEW_LABEL or before == NEW_LABEL:
            raise RuntimeError(f"'{task}' changed nothing")
        stage.show(layer.undo)


if __name__ == "__main__":
    sys.exit(main())
