"""kill -9 of the window in the middle of a stroke costs that stroke at most.

Run as a program, this file is the victim: a window in which strokes are drawn by the mouse, one
after the other, each ended or not, until somebody kills it. It prints the map's fingerprint
whenever a stroke was saved.
"""

import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.document import Document
from app.window import MainWindow
from core.panoptic import Category, PanopticMap
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(80, 160, 220))
SIZE = (300, 400)
LEFT = Qt.MouseButton.LeftButton


def fingerprint(map: PanopticMap) -> str:
    segments = sorted(map.segments.values(), key=lambda segment: segment.id)
    return f"{zlib.crc32(map.segment_ids.tobytes()):08x} {zlib.crc32(repr(segments).encode())}"


def tell(document: Document) -> None:
    """Print how many edits are saved, and the map that they lead to."""
    _, position = document.history()
    sys.stdout.write(f"{position} {fingerprint(document.map)}\n")
    sys.stdout.flush()


def draw_until_killed(project: Path) -> None:
    """Draw strokes; every third one waits in the middle, with the button down."""
    application = QApplication([])
    window = MainWindow(AnnotationStore.open(project))
    window.show()
    QTest.qWaitForWindowExposed(window)
    canvas, document = window.canvas, window.document
    window.tools.set_size(30)
    dice = np.random.default_rng(zlib.crc32(project.name.encode()))
    tell(document)
    for number in range(10_000):
        document.begin_segment()
        width, height = canvas.width() - 40, canvas.height() - 40
        path = [
            QPoint(*map(int, dice.integers(20, (20 + width, 20 + height)))) for _ in range(4)
        ]
        QTest.mousePress(canvas, LEFT, pos=path[0])
        for point in path[1:]:
            QTest.mouseMove(canvas, point)
        if number % 3 == 2:
            application.processEvents()
            time.sleep(0.03)
        QTest.mouseRelease(canvas, LEFT, pos=path[-1])
        tell(document)


@pytest.mark.parametrize("seed", range(5))
def test_a_killed_window_loses_no_stroke_that_was_ended(tmp_path, seed) -> None:
    picture = tmp_path / "picture.png"
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(picture)
    project = tmp_path / f"kill {seed} \N{GREEK SMALL LETTER OMEGA}.bitbrush"
    with AnnotationStore.create(project, [CELL]) as store:
        store.add_images([(picture, None, *SIZE)])
    moment = 0.3 + np.random.default_rng(seed).random()
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, __file__, str(project)], stdout=subprocess.PIPE, text=True
    ) as victim:
        assert victim.stdout is not None
        lines = [victim.stdout.readline()]
        time.sleep(moment)
        victim.kill()
        lines += victim.stdout.read().splitlines()
    told = dict(line.strip().split(" ", 1) for line in lines)  # the last told of each place
    with AnnotationStore.open(project) as store:
        map = store.load_map(1)
        labels, position = store.history(1)
    last = max(int(place) for place in told)
    assert last > 3
    assert position == len(labels)
    assert position in {last, last + 1}  # saved, and perhaps not yet told of
    if position == last:
        assert fingerprint(map) == told[str(last)]


if __name__ == "__main__":
    draw_until_killed(Path(sys.argv[1]))
