"""The export dialog writes what it says, can be stopped, and says how it went."""

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QPushButton, QWidget

from app.export import ExportDialog
from core.coco import read_coco
from core.panoptic import Category, Edit, Segment
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(200, 30, 30))


def paint(side: int) -> Edit:
    after = np.full((side, side), 1, np.uint16)
    return Edit(0, 0, np.zeros_like(after), after, {}, {1: Segment(1, 1)}, "brush")


@pytest.fixture
def store(tmp_path) -> AnnotationStore:
    """Three images, of which two have a segment."""
    with AnnotationStore.create(tmp_path / "cells.bitbrush", [CELL]) as store:
        rows = [(tmp_path / f"{name}.png", None, 8, 8) for name in "abc"]
        for image_id in store.add_images(rows)[:2]:
            store.append_edit(image_id, paint(4))
        yield store


@pytest.fixture
def dialog(qtbot, store) -> ExportDialog:
    window = QWidget()
    qtbot.addWidget(window)
    dialog = ExportDialog(store, window)
    dialog.show()
    yield dialog
    window.close()


def button(dialog: ExportDialog, text: str) -> QPushButton:
    return next(b for b in dialog.findChildren(QPushButton) if b.text() == text)


def seen(dialog: ExportDialog) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def wait_for(qtbot, dialog: ExportDialog, words: str) -> None:
    qtbot.waitUntil(lambda: words in seen(dialog), timeout=20_000)


def test_it_says_what_will_be_written_and_what_is_left_out(dialog) -> None:
    assert "2 images as PNG" in seen(dialog)
    assert "1 image without any edit" in seen(dialog)


def test_files_are_written_and_read_back(qtbot, dialog, tmp_path) -> None:
    button(dialog, "Export").click()
    wait_for(qtbot, dialog, "2 images written to")
    dataset = read_coco(tmp_path / "export" / "panoptic.json")
    assert dataset.categories == (CELL,)
    assert [image.file_name for image in dataset.images] == ["a.png", "b.png"]
    assert (dataset.load_map(0).segment_ids == 1).sum() == 16
    assert button(dialog, "Open folder").isVisible()


def test_a_second_export_says_that_it_replaces_the_first(qtbot, dialog) -> None:
    button(dialog, "Export").click()
    wait_for(qtbot, dialog, "2 images written to")
    dialog._check()  # noqa: SLF001
    assert "will be replaced" in seen(dialog)


def test_the_window_may_write_while_files_are_written(qtbot, dialog, store) -> None:
    button(dialog, "Export").click()
    for _ in range(20):
        store.undo(1)
        store.redo(1)
    wait_for(qtbot, dialog, "2 images written to")


def test_a_cancel_leaves_an_earlier_export_as_it_was(qtbot, dialog, store, tmp_path) -> None:
    button(dialog, "Export").click()
    wait_for(qtbot, dialog, "2 images written to")
    before = sorted((p, p.read_bytes()) for p in files_below(tmp_path / "export"))
    store.undo(1)
    button(dialog, "Export").click()
    button(dialog, "Cancel").click()
    wait_for(qtbot, dialog, "Cancelled")
    assert sorted((p, p.read_bytes()) for p in files_below(tmp_path / "export")) == before
    with qtbot.waitSignal(dialog.rejected):
        button(dialog, "Close").click()


def test_a_folder_that_cannot_be_written_is_a_sentence(qtbot, dialog, tmp_path) -> None:
    (tmp_path / "taken").write_text("a file")
    dialog._folder.setText(str(tmp_path / "taken"))  # noqa: SLF001
    button(dialog, "Export").click()
    wait_for(qtbot, dialog, "taken")
    assert button(dialog, "Export").isEnabled()


def test_a_project_without_segments_has_nothing_to_export(qtbot, tmp_path) -> None:
    with AnnotationStore.create(tmp_path / "empty.bitbrush", [CELL]) as store:
        dialog = ExportDialog(store)
        qtbot.addWidget(dialog)
        dialog.show()
        assert not button(dialog, "Export").isEnabled()
        assert "No image of this project has a segment yet." in seen(dialog)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_who_made_the_segments_can_be_asked_for(qtbot, dialog, tmp_path) -> None:
    box = dialog.findChild(QCheckBox)
    qtbot.keyClick(box, Qt.Key.Key_Space)
    button(dialog, "Export").click()
    wait_for(qtbot, dialog, "2 images written to")
    content = json.loads(dialog.json_path.read_text())
    infos = [info for a in content["annotations"] for info in a["segments_info"]]
    assert infos and all(info["bitbrush_provenance"] == {"human": 1.0} for info in infos)


def test_frames_of_a_video_go_out_as_davis_pngs(qtbot, tmp_path) -> None:
    with AnnotationStore.create(tmp_path / "v.bitbrush", [CELL]) as store:
        for image_id in store.add_images([(tmp_path / "v.mp4", k, 8, 8) for k in range(3)])[:2]:
            store.append_edit(image_id, paint(4))
        window = QWidget()
        qtbot.addWidget(window)
        dialog = ExportDialog(store, window)
        dialog.show()
        choice = dialog.findChild(QComboBox)
        choice.setFocus()
        for _ in range(3):
            qtbot.keyClick(choice, Qt.Key.Key_Down)
        assert choice.currentText() == "DAVIS PNGs of videos"
        assert "Annotations/" in seen(dialog)
        assert not dialog.findChild(QCheckBox).isVisible()
        button(dialog, "Export").click()
        wait_for(qtbot, dialog, "2 images written to")
        window.close()
    pngs = sorted((tmp_path / "export" / "Annotations" / "v").iterdir())
    assert [path.name for path in pngs] == ["00000.png", "00001.png"]


def test_images_that_are_no_clip_cannot_go_out_as_one(qtbot, tmp_path) -> None:
    with AnnotationStore.create(tmp_path / "a.bitbrush", [CELL]) as store:
        (image_id,) = store.add_images([(tmp_path / "a.png", None, 8, 8)])
        store.append_edit(image_id, paint(4))
        window = QWidget()
        qtbot.addWidget(window)
        dialog = ExportDialog(store, window)
        dialog.show()
        dialog.findChild(QComboBox).setCurrentText("MP4 videos to show")
        assert "No frame of a video and no numbered image has a segment yet." in seen(dialog)
        assert not button(dialog, "Export").isEnabled()
        window.close()
