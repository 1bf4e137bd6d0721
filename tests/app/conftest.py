"""A small project on the disk, with pictures whose every pixel is known."""

import gc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication

from app.document import Document
from app.window import MainWindow
from core.panoptic import Category, Edit, PanopticMap, Segment
from core.proposals import Proposal, SamplingOptions
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(80, 160, 220))
GROUND = Category(2, "ground", is_thing=False, color=(90, 90, 100))
DEBRIS = Category(3, "debris", is_thing=True, color=(230, 160, 0))
SIZE = (48, 64)  # height, width


@pytest.fixture(autouse=True)
def no_widgets_left():
    """What a test closed is gone before the next: Qt would delete it only in its event loop.

    Themes and fonts are set for every widget there is, so windows left behind add up.
    """
    yield
    if QApplication.instance() is not None:
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture(scope="module", autouse=True)
def no_cycles_left():
    """Windows that only refer to each other go while there is an application to go with."""
    yield
    gc.collect()


@pytest.fixture
def pictures(tmp_path) -> list[Path]:
    """Three images of the same size; each pixel's red and green are its column and row."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    paths = []
    for number in range(3):
        pixels = np.stack([columns, rows, np.full(SIZE, 40 * number)], axis=2)
        paths.append(tmp_path / f"picture{number}.png")
        Image.fromarray(pixels.astype(np.uint8)).save(paths[-1])
    return paths


@pytest.fixture
def store(tmp_path, pictures):
    """A project of three images, two thing categories and one stuff category, all void."""
    with AnnotationStore.create(tmp_path / "a.bitbrush", (CELL, GROUND, DEBRIS)) as store:
        store.add_images([(path, None, *SIZE) for path in pictures])
        yield store


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    """The project in a window that has the focus on its canvas."""
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.canvas.setFocus()
    return window


@pytest.fixture
def press(qtbot, window):
    """A function that presses a key where the focus is."""

    def press(key, modifier=Qt.KeyboardModifier.NoModifier):
        qtbot.keyClick(QApplication.focusWidget() or window, key, modifier)

    return press


@pytest.fixture
def document(store, qapp, request) -> Document:
    """The project's first image, open: in the test's window, if it has one."""
    if "window" in request.fixturenames:
        return request.getfixturevalue("window").document
    document = Document(store)
    document.open_image(store.images()[0])
    return document


@pytest.fixture
def complaints(document) -> list[str]:
    """Every sentence with which the document refused something or failed."""
    sentences: list[str] = []
    document.refused.connect(sentences.append)
    document.failed.connect(sentences.append)
    return sentences


@pytest.fixture
def proposal() -> Proposal:
    """A cell on the left half and ground on the right, in the model's category ids 7 and 8."""
    ids = np.full(SIZE, 2, np.uint16)
    ids[:, : SIZE[1] // 2] = 1
    return Proposal(ids, {1: 7, 2: 8}, SamplingOptions(), "tiny", elapsed_s=1.0)


@pytest.fixture
def put(document):
    """A function that gives a rectangle of void to a new segment, through the journal."""

    def put(segment: Segment, rows: slice, columns: slice) -> None:
        before = document.map.segment_ids[rows, columns].copy()
        after = np.full_like(before, segment.id)
        edit = Edit(rows.start, columns.start, before, after, {}, {segment.id: segment}, "put")
        assert document.push(edit)

    return put


@pytest.fixture
def assert_same():
    """A function that claims that two maps have equal pixels and equal segments."""

    def assert_same(first: PanopticMap, second: PanopticMap) -> None:
        np.testing.assert_array_equal(first.segment_ids, second.segment_ids)
        assert first.segments == second.segments

    return assert_same
