"""A project of 100,000 images in the real window: opened, gone through and filtered.

    python -m benchmarks.large_project

Every image is a file of its own name; most share their pixels, as nobody has time to write
100,000 files.
"""

import os
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QTableView

from app.window import MainWindow
from benchmarks.editing import Stage
from benchmarks.memory import resident_mib
from benchmarks.report import print_conditions, print_report, quantiles
from benchmarks.tasks import Stopwatch
from core.panoptic import Category
from core.store import AnnotationStore

N_IMAGES = 100_000
# As if two models had proposed maps for all of them, and a half were in work.
FILLING = (
    "INSERT INTO content SELECT 1, id, id % 80 FROM image WHERE id % 80 > 0",
    "INSERT INTO content SELECT 2, id, 1 FROM image",
    """UPDATE image SET n_segments = id % 80 + 1, changed_at = 1700000000 + id,
    model = iif(id % 3, 'nuclei v2', 'nuclei v3'),
    review = iif(id % 2, 'proposed', 'in work')""",
)
N_PER_FOLDER = 1000
HEIGHT, WIDTH = 480, 640
NUCLEUS = Category(1, "nucleus", is_thing=True, color=(255, 0, 0))
GROUND = Category(2, "ground", is_thing=False, color=(0, 0, 255))
OPENINGS, STEPS, FILTERS = 5, 60, 10

OPEN = "open a project of 100,000 images"
NEXT = "next image in it"
BY_NAME = "filter it by name, after the last key"
BY_STATE = "filter it by state"
BY_QUERY = "filter it by '{}'"
SORTED = "sort it {}"
QUERIES = (
    "image_0999",
    "category:nucleus",
    "segments>50",
    "category:nucleus state:proposed segments>50",
    "-category:nucleus model:v3 age>7d image_0",
)


def main() -> int:
    """Measure, and print the tables."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    print_conditions()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        grown = measure(Path(folder), watch)
    rows = [
        [task, *quantiles(times, 0.5, 0.95, 1), "300"] for task, times in watch.taken.items()
    ]
    print_report("Milliseconds", ["", "p50", "p95", "max", "budget"], rows)
    print_report("MiB", ["", "more"], [[what, f"{mib:.0f}"] for what, mib in grown.items()])
    app.quit()
    return 0


def measure(folder: Path, watch: Stopwatch) -> dict[str, float]:
    """Fill the stopwatch; returns by how many MiB the process has grown at what."""
    path = make_project(folder)
    empty = resident_mib()
    for number in range(OPENINGS):
        with watch.timing(OPEN):
            store = AnnotationStore.open(path)
            stage = Stage(MainWindow(store))
        opened = resident_mib()
        if number == OPENINGS - 1:
            measure_steps(stage, watch)
            measure_filters(stage, watch)
        stage.window.close()
        stage.window.deleteLater()
        store.close()
    return {
        f"after {OPENINGS} openings": opened - empty,
        f"after {STEPS} images more": resident_mib() - opened,
    }


def measure_steps(stage: Stage, watch: Stopwatch) -> None:
    """Go from image to image, as the D key does."""
    window = stage.window
    for _ in range(STEPS):
        before = window.document.record
        with watch.timing(NEXT):
            window.image_list.step(1)
            stage.wait_for_image()
        if window.document.record == before:
            raise RuntimeError("the next image was not opened")


def measure_filters(stage: Stage, watch: Stopwatch) -> None:
    """Type parts of names, and choose states, each until the list is painted."""
    images = stage.window.image_list
    name, state = images.findChild(QLineEdit), images.findChild(QComboBox, "state")
    rows = images.findChild(QTableView).model()
    for number in range(FILTERS):
        name.setText(f"image_0{number}")
        with watch.timing(BY_NAME):
            QTest.keyClick(name, Qt.Key.Key_Return)
            QApplication.processEvents()
        if rows.rowCount() != N_IMAGES // 10:
            raise RuntimeError(f"the filter left {rows.rowCount()} images")
    name.clear()
    QTest.keyClick(name, Qt.Key.Key_Return)
    for number in range(FILTERS):
        with watch.timing(BY_STATE):
            state.setCurrentIndex((number + 1) % state.count())
            QApplication.processEvents()
    state.setCurrentIndex(0)
    order = images.findChild(QComboBox, "order")
    for number in range(1, order.count()):
        with watch.timing(SORTED.format(order.itemData(number))):
            order.setCurrentIndex(number)
            QApplication.processEvents()
    order.setCurrentIndex(0)
    measure_queries(stage, watch)


def measure_queries(stage: Stage, watch: Stopwatch) -> None:
    """Type what asks for more than a name, each until the list is painted."""
    images = stage.window.image_list
    field = images.findChild(QLineEdit)
    for text in QUERIES:
        for _ in range(FILTERS):
            field.clear()
            QTest.keyClick(field, Qt.Key.Key_Return)
            field.setText(text)
            with watch.timing(BY_QUERY.format(text)):
                QTest.keyClick(field, Qt.Key.Key_Return)
                QApplication.processEvents()


def make_project(folder: Path) -> Path:
    """A project file with 100,000 images beside it."""
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3))
    image = cv2.resize(pixels.astype(np.uint8), (WIDTH, HEIGHT))
    sources = []
    for start in range(0, N_IMAGES, N_PER_FOLDER):
        inside = folder / f"{start:06d}"
        inside.mkdir()
        first = inside / f"image_{start:06d}.jpg"
        cv2.imwrite(str(first), image)
        names = [inside / f"image_{start + n:06d}.jpg" for n in range(1, N_PER_FOLDER)]
        for name in names:
            name.hardlink_to(first)
        sources += [(name, None, HEIGHT, WIDTH) for name in (first, *names)]
    path = folder / "large.bitbrush"
    with AnnotationStore.create(path, [NUCLEUS, GROUND]) as store:
        store.add_images(sources)
        for statement in FILLING:
            store._execute(statement)  # noqa: SLF001 - at once
    return path


if __name__ == "__main__":
    sys.exit(main())
