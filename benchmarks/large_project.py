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
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QTableView

from app.window import MainWindow
from benchmarks.editing import Stage
from benchmarks.memory import resident_mib
from benchmarks.report import print_conditions, print_report, quantiles
from benchmarks.scenes import CELL
from benchmarks.tasks import Stopwatch
from core.store import AnnotationStore

N_IMAGES = 100_000
N_PER_FOLDER = 1000
HEIGHT, WIDTH = 480, 640
OPENINGS, STEPS, FILTERS = 5, 60, 10

OPEN = "open a project of 100,000 images"
NEXT = "next image in it"
BY_NAME = "filter it by name, after the last key"
BY_STATE = "filter it by state"


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
            images.reload()
            QApplication.processEvents()
        if rows.rowCount() != N_IMAGES // 10:
            raise RuntimeError(f"the filter left {rows.rowCount()} images")
    name.clear()
    images.reload()
    for number in range(FILTERS):
        with watch.timing(BY_STATE):
            state.setCurrentIndex((number + 1) % state.count())
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
    with AnnotationStore.create(path, [CELL]) as store:
        store.add_images(sources)
    return path


if __name__ == "__main__":
    sys.exit(main())
