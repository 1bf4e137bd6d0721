"""Files that went or changed are said, maps are kept, and moved images are found again."""

import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QPushButton

from app.relink_dialog import RelinkDialog
from app.window import MainWindow
from core import edits
from core.panoptic import Segment
from core.store import SourceState

CELL = 1  # category id of the project in conftest.py
SIZE = (48, 64)


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


def texts(window) -> list[str]:
    return [notice.text for notice in window.notice_stack.shown]


def press(qtbot, widget, text: str) -> None:
    buttons = widget.findChildren(QPushButton)
    button = next(button for button in buttons if button.text() == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def draw_another(path) -> None:
    """Put another picture of the same size in a file's place."""
    Image.fromarray(np.full((*SIZE, 3), 99, np.uint8)).save(path)


def test_a_changed_file_with_a_map_is_said_until_somebody_decides(
    qtbot, window, document, store, pictures, put
):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    draw_another(pictures[0])
    window.open_image(2)
    window.open_image(1)
    assert "picture0.png is not the file that it was" in texts(window)[-1]
    assert document.map.segments.keys() == {1}
    press(qtbot, window, "Keep the map")
    assert store.check_source(1) is SourceState.UNCHANGED
    window.open_image(2)
    window.open_image(1)
    assert texts(window) == []


def test_a_changed_file_without_a_map_is_nobodys_business(window, store, pictures):
    draw_another(pictures[0])
    window.open_image(2)
    window.open_image(1)
    assert texts(window) == []
    assert store.check_source(1) is SourceState.UNCHANGED


def test_nothing_is_said_when_every_file_is_there(qtbot, window):
    with qtbot.waitSignal(window.source_watch.looked) as looked:
        window.source_watch.look_for_missing()
    assert looked.args == [0]
    assert texts(window) == []


def test_moved_images_are_found_again_with_their_maps(
    qtbot, window, document, store, pictures, tmp_path, put
):
    window.open_image(2)
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    window.open_image(1)
    moved = tmp_path / "elsewhere" / "deep"
    moved.mkdir(parents=True)
    for path in pictures[1:]:
        shutil.move(path, moved / path.name)
    window.source_watch.look_for_missing()
    qtbot.waitUntil(lambda: bool(texts(window)))
    assert texts(window)[0].startswith(
        "The files of 2 images are not where they were, picture1"
    )
    press(qtbot, window, "Find them…")
    (dialog,) = window.findChildren(RelinkDialog)
    dialog.search(tmp_path / "elsewhere")
    found = dialog.findChild(QPlainTextEdit)
    qtbot.waitUntil(lambda: "picture2.png" in found.toPlainText())
    assert [record.path for record in store.images()] == pictures
    press(qtbot, dialog, "Use these files")
    paths = [record.path for record in store.images()]
    assert paths == [pictures[0], moved / "picture1.png", moved / "picture2.png"]
    qtbot.waitUntil(lambda: texts(window) == [])
    window.open_image(2)
    assert document.map.segments.keys() == {1}


def test_why_an_image_is_not_shown_is_said_until_it_is_or_another_one_is(window, pictures):
    kept = pictures[1].rename(pictures[1].with_name("kept"))
    window.open_image(2)
    assert "does not exist" in texts(window)[0]
    window.open_image(1)
    assert texts(window) == []
    window.open_image(2)
    assert len(texts(window)) == 1
    kept.rename(pictures[1])
    window.open_image(2)
    assert texts(window) == []


def test_a_changed_file_is_not_said_over_another_image(window, pictures, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    draw_another(pictures[0])
    window.open_image(2)
    window.open_image(1)
    assert len(texts(window)) == 1
    window.open_image(2)
    assert texts(window) == []


def test_a_step_that_was_not_saved_is_said_until_one_is(window, document, store):
    cell = edits.new_segment(document.map, document.category)
    edit = edits.brush_stroke(document.map, [(9, 9)], 3, cell)
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not document.push(edit)
        assert "busy in another program" in texts(window)[0]
        other.execute("ROLLBACK")
    assert document.push(edit)
    assert texts(window) == []


def test_what_is_not_found_is_left_as_it_is(qtbot, store, pictures, tmp_path):
    pictures[1].unlink()
    dialog = RelinkDialog(store)
    qtbot.addWidget(dialog)
    dialog.search(tmp_path)
    found = dialog.findChild(QPlainTextEdit)
    qtbot.waitUntil(lambda: found.toPlainText() == "picture1.png: not found")
    buttons = dialog.findChildren(QPushButton)
    assert not next(b for b in buttons if b.text() == "Use these files").isEnabled()


def test_a_folder_that_is_not_there_is_a_sentence(qtbot, store, pictures, tmp_path):
    pictures[1].unlink()
    dialog = RelinkDialog(store)
    qtbot.addWidget(dialog)
    dialog.search(tmp_path / "none")
    qtbot.waitUntil(lambda: "cannot be read" in dialog._state.text())  # noqa: SLF001
