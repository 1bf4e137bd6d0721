"""The window takes COCO maps in after saying what that does, and shows them at once."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QPlainTextEdit, QPushButton

from app.import_dialog import ImportDialog
from app.window import MainWindow
from core.coco import CocoItem, write_coco
from core.panoptic import Category, PanopticMap, Segment

CELL = 1  # category id of the project in conftest.py
SIZE = (48, 64)
PATIENT = {"timeout": 20_000}


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


@pytest.fixture
def coco(tmp_path):
    """Maps of the first two images and of one that the project lacks, and a new category."""
    ids = np.zeros(SIZE, np.uint16)
    ids[5:15, 5:15] = 3
    categories = [
        Category(4, "cell", is_thing=True, color=(9, 9, 9)),
        Category(5, "rust", is_thing=False, color=(8, 8, 8)),
    ]
    map = PanopticMap(ids, {3: Segment(3, 4)}, 4)
    names = ("picture0.png", "picture1.png", "other.png")
    items = [CocoItem(n, name, map) for n, name in enumerate(names, 1)]
    write_coco(tmp_path / "theirs.json", items, categories)
    return tmp_path / "theirs.json"


@pytest.fixture
def dialog(qtbot, window, coco) -> ImportDialog:
    """The dialog, with the file read."""
    window.commands["import"].trigger()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.read(coco)
    qtbot.waitUntil(lambda: says(dialog, "2 of 3 maps are of the project."), **PATIENT)
    return dialog


def says(dialog, text) -> bool:
    return any(text in label.text() for label in dialog.findChildren(QLabel))


def press(qtbot, dialog, text) -> None:
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_what_an_import_would_do_is_said_before(dialog, document):
    assert says(dialog, "Categories that are added: rust.")
    assert "other.png" in dialog.findChild(QPlainTextEdit).toPlainText()
    assert not document.map.segments
    assert len(document.categories) == 3


def test_imported_maps_are_seen_at_once_and_are_one_step(qtbot, dialog, window, document):
    with qtbot.waitSignal(dialog.imported, **PATIENT):
        press(qtbot, dialog, "Import")
    assert says(dialog, "2 images got a map.")
    assert document.map.segment_ids[10, 10] == 3
    assert [c.name for c in document.categories.values()][-1] == "rust"
    assert document.history() == (["import"], 1)
    press(qtbot, dialog, "Close")
    document.undo()
    assert not document.map.segments


def test_an_image_with_edits_is_left_alone_unless_ticked(qtbot, window, document, coco, put):
    put(Segment(1, CELL), slice(20, 40), slice(20, 40))
    window.commands["import"].trigger()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.read(coco)
    qtbot.waitUntil(lambda: says(dialog, "1 of these images have been worked on"), **PATIENT)
    with qtbot.waitSignal(dialog.imported, **PATIENT):
        press(qtbot, dialog, "Import")
    assert document.map.segments.keys() == {1}
    dialog.read(coco)
    qtbot.waitUntil(lambda: says(dialog, "2 of these images have been worked on"), **PATIENT)
    dialog.findChild(QCheckBox).click()
    with qtbot.waitSignal(dialog.imported, **PATIENT):
        press(qtbot, dialog, "Import")
    assert document.map.segment_ids[10, 10]
    assert document.map.segment_ids[30, 30] == 0
    document.undo()
    assert document.map.segment_ids[30, 30] == 1


def test_a_file_that_cannot_be_read_is_a_sentence(qtbot, window, tmp_path):
    (tmp_path / "no.json").write_text("{")
    window.commands["import"].trigger()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.read(tmp_path / "no.json")
    qtbot.waitUntil(lambda: says(dialog, "no.json"), **PATIENT)
    assert not next(
        b for b in dialog.findChildren(QPushButton) if b.text() == "Import"
    ).isEnabled()
