"""Make the pictures of README and user guide: the window, and each tool in use on a sample.

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_screenshots.py [NAME ...]

Pictures go to docs/images/, as palette PNGs of at most a few dozen kilobytes.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPixmap, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QWidget

sys.path.insert(0, str(Path(__file__).parents[1]))

from sample_clip import make_clip

from app.canvas import WHEEL_PER_DOUBLING
from app.category_editor import CategoryEditor
from app.category_impact import CategoryImpact
from app.category_table import COUNT, KIND, CategoryTable
from app.correction_dashboard import CorrectionDashboard
from app.sample_project import make_sample_folder
from app.style_sheet import LIGHT
from app.theme import dress
from app.toolbox import ERASER, FILL, LASSO, MERGE, POLYGON, REGION, SPLIT, SUPERPIXEL, WAND
from app.window import MainWindow
from core.bundled import SAMPLES
from core.category_files import category_templates, read_categories
from core.corrections import Correction
from core.images import list_images, read_size
from core.panoptic import Category
from core.store import PROJECT_NAME, AnnotationStore
from core.strokes import Tip

IMAGES: Final = Path(__file__).parent / "images"
SAMPLE: Final = SAMPLES / "fluorescence_bright.jpg"
NUCLEUS: Final = Category(1, "nucleus", is_thing=True, color=(80, 160, 220))
BACKGROUND: Final = Category(2, "background", is_thing=False, color=(110, 110, 120))
SIZE: Final = (1200, 660)
LARGE: Final = (1440, 900)
N_STEPS: Final = 8
N_COLORS: Final = 128
METHOD: Final = Image.Quantize.MAXCOVERAGE  # which keeps the colours of small things
TOUCHING: Final = ((475, 92), (462, 138), (470, 168), (498, 150), (508, 100), (492, 92))
UPPER: Final = ((468, 110), (478, 97), (500, 94), (508, 110), (506, 130), (464, 130))
LOWER: Final = ((464, 130), (506, 130), (500, 150), (486, 167), (470, 168), (462, 150))
Left: Final = Qt.MouseButton.LeftButton
Point = tuple[float, float]


class Stage:
    """A window on a sample, and a mouse that works in image pixels."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.canvas = window.canvas
        self.tools = window.tools

    def at(self, point: Point) -> QPoint:
        ratio = self.canvas.devicePixelRatioF()
        x, y = self.canvas.view.to_device(*point)
        return QPoint(round(x / ratio), round(y / ratio))

    def move(self, *points: Point) -> None:
        for point in points:
            QTest.mouseMove(self.canvas, self.at(point))

    def drag(self, *points: Point) -> None:
        """Press on the first point and move to the others; the button stays held."""
        self.move(points[0])
        QTest.mousePress(self.canvas, Left, pos=self.at(points[0]))
        self.move(*points[1:])

    def let_go(self, point: Point) -> None:
        QTest.mouseRelease(self.canvas, Left, pos=self.at(point))

    def click(self, *points: Point) -> None:
        for point in points:
            self.drag(point)
            self.let_go(point)

    def look_at(self, point: Point, zoom: float) -> None:
        """Magnify around a point."""
        place = QPointF(self.at(point))
        turn = QPoint(0, round(np.log2(zoom) * WHEEL_PER_DOUBLING))
        kind, keys = Qt.ScrollPhase.NoScrollPhase, Qt.KeyboardModifier.NoModifier
        where = self.canvas.mapToGlobal(place)
        buttons = Qt.MouseButton.NoButton
        event = QWheelEvent(place, where, QPoint(), turn, buttons, keys, kind, False)
        QApplication.sendEvent(self.canvas, event)


def brush(stage: Stage) -> None:
    """A stroke with the round tip, half way."""
    stage.look_at((407, 190), 3)
    stage.tools.set_size(30)
    stage.drag((400, 172), (403, 185), (408, 200))


def eraser(stage: Stage) -> None:
    """The square tip, on a segment that is too large."""
    stage.look_at((407, 190), 3)
    stage.tools.set_size(78)
    stage.click((407, 190))
    stage.tools.take(ERASER)
    stage.tools.set_tip(Tip.SQUARE)
    stage.tools.set_size(24)
    stage.drag((376, 155), (374, 180), (376, 200))


def polygon(stage: Stage) -> None:
    """Corners around one of four nuclei that touch."""
    stage.look_at((490, 130), 3)
    stage.tools.take(POLYGON)
    stage.click(*TOUCHING[:-1])
    stage.move((500, 95))


def lasso(stage: Stage) -> None:
    """Half way around a nucleus."""
    stage.look_at((353, 217), 3)
    stage.tools.take(LASSO)
    turns = np.linspace(-1, 3.9, 40)
    stage.drag(*[(353 + 28 * np.cos(t), 217 + 38 * np.sin(t)) for t in turns])


def fill(stage: Stage) -> None:
    """Background, in the void around two segments."""
    draw_halves(stage)
    stage.window.document.begin_segment(BACKGROUND.id)
    stage.tools.take(FILL)
    stage.drag((430, 80))


def wand(stage: Stage) -> None:
    """Dragged to the right until the tolerance takes a whole nucleus."""
    stage.look_at((407, 190), 3)
    stage.tools.take(WAND)
    stage.tools.set_tolerance(24)
    stage.drag((410, 190), (430, 190))


def superpixel(stage: Stage) -> None:
    """Some taken, and the next one outlined."""
    stage.look_at((370, 205), 3)
    stage.tools.take(SUPERPIXEL)
    stage.tools.set_superpixel_size(16)
    stage.drag((345, 200), (352, 215), (350, 235))
    stage.let_go((350, 235))
    stage.move((363, 200))


def merge(stage: Stage) -> None:
    """Two halves of a nucleus, dragged together."""
    draw_halves(stage)
    stage.tools.take(MERGE)
    stage.window.document.select(1)
    stage.drag((485, 105), (488, 125), (484, 155))


def split(stage: Stage) -> None:
    """A line between two nuclei that touch."""
    stage.look_at((605, 160), 3)
    stage.tools.take(WAND)
    stage.tools.set_tolerance(35)
    stage.click((575, 150))
    stage.tools.take(SPLIT)
    stage.drag((615, 120), (603, 150), (590, 200))


def region(stage: Stage) -> None:
    """A rectangle around nuclei that touch."""
    draw_halves(stage)
    stage.tools.take(REGION)
    stage.drag((455, 80), (560, 182))


def draw_halves(stage: Stage) -> None:
    """Draw the upper and the lower half of a nucleus as two segments."""
    stage.look_at((490, 130), 3)
    stage.tools.take(POLYGON)
    for corners in (UPPER, LOWER):
        stage.window.document.begin_segment()
        stage.click(*corners, corners[0])


def categories(stage: Stage) -> QPixmap:
    """The editor with COCO's categories, and beside it what saving would do to the map."""
    window = stage.window
    listed = read_categories(category_templates()["COCO panoptic: 80 things and 53 stuff"])
    window.category_commands.set_categories(listed)
    window.tools.set_size(40)
    for place, point in ((2, (60, 60)), (2, (200, 60)), (5, (350, 80)), (7, (200, 250))):
        window.document.begin_segment(listed[place].id)
        stage.click(point)
    window.edit_categories()
    editor = window.findChild(CategoryEditor)
    table = editor.findChild(CategoryTable)
    while table.isColumnHidden(COUNT):
        QTest.qWait(20)
    table.cellWidget(2, KIND).setCurrentText("stuff")
    table.selectRow(7)
    target = next(box for box in editor.findChildren(QComboBox) if box.count() > 2)
    target.setCurrentText("bus")
    press(editor, "Merge selected into")
    editor.resize(editor.width(), 480)
    QTest.qWait(200)
    left = editor.grab()
    press(editor, "Save")
    impact = editor.findChild(CategoryImpact)
    while not impact.is_counted:
        QTest.qWait(20)
    return beside(left, impact.grab())


def press(dialog: QWidget, text: str) -> None:
    """Click the button that says so."""
    next(b for b in dialog.findChildren(QPushButton) if b.text() == text).click()


def beside(left: QPixmap, right: QPixmap) -> QPixmap:
    """Two dialogs in one picture."""
    gap = 16
    size = QSize(left.width() + gap + right.width(), max(left.height(), right.height()))
    both = QPixmap(size)
    both.fill(Qt.GlobalColor.white)
    painter = QPainter(both)
    painter.drawPixmap(0, 0, left)
    painter.drawPixmap(left.width() + gap, 0, right)
    painter.end()
    return both


def corrections(_folder: Path) -> QPixmap:
    """The dashboard over made-up corrections, each model leaving less to do than the last."""
    random = np.random.default_rng(3)
    made = []
    for number, model in enumerate(("nuclei", "nuclei-v1", "nuclei-v2")):
        for k, share in enumerate(random.lognormal(-0.5 * number, 0.5, 24)):
            counts = (int(5200 * share), int(17 * share), int(22 * share), 85 * share)
            when = 1_790_000_000 + number * 260_000 + k * 300
            made.append(Correction(f"{k}.png", None, model, 0, 8, *counts, when))
    dialog = CorrectionDashboard(made, Path("cells.bitbrush"))
    dialog.show()
    QTest.qWait(200)
    return dialog.grab()


SCENES: Final[tuple[Callable[[Stage], None], ...]] = (
    brush,
    eraser,
    polygon,
    lasso,
    fill,
    wand,
    superpixel,
    merge,
    split,
    region,
)


def played(act: Callable[[Stage], QPixmap | None]) -> Callable[[Path], QPixmap]:
    """A scene in a window of its own, on a copy of a sample without a model."""

    def play(folder: Path) -> QPixmap:
        image = Path(shutil.copy(SAMPLE, folder))
        categories = (NUCLEUS, BACKGROUND)
        with AnnotationStore.create(folder / "cells.bitbrush", categories) as store:
            store.add_images([(image, None, *read_size(image))])
            with opened(store, SIZE) as window:
                shown = act(Stage(window))
                QTest.qWait(100)
                picture = shown or window.grab()
                window.canvas.cancel_gesture()
                return picture

    return play


def proposal(folder: Path) -> QPixmap:
    """The sample project after Segment image, with more steps than the model needs."""
    os.environ["XDG_DATA_HOME"] = str(folder)
    samples = make_sample_folder()
    with AnnotationStore.open(samples / PROJECT_NAME) as store:
        store.add_images([(path, None, *read_size(path)) for path in list_images(samples)])
        with opened(store, LARGE) as window:
            return segmented(window)


def timeline(folder: Path) -> QPixmap:
    """A clip of a sample, with a range, a selected segment and the outlines before it."""
    with AnnotationStore.create(folder / "clip.bitbrush", (NUCLEUS,)) as store:
        make_clip(store, SAMPLE, NUCLEUS)
        with opened(store, LARGE) as window:
            window.timeline.player.begin_range(24)
            window.timeline.player.end_range(40)
            window.commands["onion_previous"].trigger()
            window.timeline.step(31)
            wait_until(lambda: window.timeline.index.is_complete)
            window.document.select(14)
            QTest.qWait(8000)  # thumbnails
            return window.grab()


def segmented(window: MainWindow) -> QPixmap:
    """A window with the model's proposal for its image."""
    window.model_run.load_model()
    wait_until(lambda: window.model_run.can_begin)
    window.step_panel.set_options(replace(window.step_panel.options(), steps=N_STEPS))
    window.commands["segment_image"].trigger()
    wait_until(lambda: window.document.has_proposal)
    window.notice_stack.close_all()
    QTest.qWait(300)
    return window.grab()


@contextmanager
def opened(store: AnnotationStore, size: tuple[int, int]) -> Iterator[MainWindow]:
    """A window of that size that shows the first image."""
    window = MainWindow(store)
    window.resize(*size)
    window.show()
    QTest.qWaitForWindowExposed(window)
    wait_until(lambda: not window.document.reader.is_reading)
    QTest.qWait(300)
    yield window
    window.document.reject()
    window.close()
    window.deleteLater()


def wait_until(is_done: Callable[[], bool]) -> None:
    """Let the window work until then."""
    while not is_done():
        QTest.qWait(20)


PICTURES: Final[dict[str, Callable[[Path], QPixmap]]] = {
    "window": proposal,
    "timeline": timeline,
    **{f"tool-{scene.__name__}": played(scene) for scene in SCENES},
    "categories": played(categories),
    "corrections": corrections,
}


def main() -> None:
    """Make the pictures that are asked for, by default all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    parser.add_argument("--out", type=Path, default=IMAGES, help="default: docs/images")
    arguments = parser.parse_args()
    app = QApplication(sys.argv[:1])
    dress(app, LIGHT)
    for name in arguments.names or PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_CONFIG_HOME"] = folder  # settings of a first start, kept nowhere
            path = arguments.out / f"{name}.png"
            keep(PICTURES[name](Path(folder)), path)
            print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def keep(shown: QPixmap, path: Path) -> None:
    """Write a small PNG with few colours."""
    part = path.with_suffix(".part.png")
    shown.save(str(part))
    with Image.open(part) as picture:
        picture.convert("RGB").quantize(N_COLORS, METHOD, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
    part.unlink()


if __name__ == "__main__":
    main()
