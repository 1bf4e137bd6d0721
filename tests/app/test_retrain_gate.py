"""The gate: both models in a table, and a version that is used, kept, left again or dropped."""

import shutil
from dataclasses import replace

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTableWidget, QToolButton

from app.batch_dialog import BatchDialog
from app.retrain_gallery import Gallery
from app.versions_dialog import VersionsDialog
from app.window import MainWindow
from core.correction_cost import CorrectionCost
from core.gate_report import REPORT_NAME, GateReport, read_report
from core.model_comparison import ImageScore
from core.quality import Tally
from core.retraining import find_open_run, models_folder
from core.run_files import say_size
from core.training_snapshot import snapshot_project
from tests.app.retrain_parts import (
    NUCLEUS,
    PATIENT,
    approve_all,
    begin_run,
    click,
    find,
    log,
    make_project,
    open_sheet,
    says,
)


@pytest.fixture
def store(tmp_path, tiny_model):
    """A project of the tiny model with seven approved images, and a run that is done."""
    with make_project(tmp_path, tiny_model, 7) as store:
        approve_all(store)
        folder = begin_run(store)
        best = folder / "best.safetensors"
        shutil.copy(tiny_model, best)
        log(folder, {"event": "finished", "model": str(best), "best": str(best)})
        yield store


@pytest.fixture
def folder(store):
    return find_open_run(store.path)


@pytest.fixture
def measured(folder):
    """The models have been measured: the new one is better on each of eight images."""
    names = [f"/far/{n}.png" for n in range(8)]
    old = [ImageScore(n, {1: Tally(2.0, 3, 4, 4)}, CorrectionCost(add=4)) for n in names]
    new = [ImageScore(n, {1: Tally(6.0, 7, 0, 0)}, CorrectionCost(add=1)) for n in names]
    report = GateReport((NUCLEUS,), old, new)
    (folder / REPORT_NAME).write_text(report.to_json())


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    yield window
    window.training.stop()
    window.last_word.give_up()
    window.close()


def cells(widget) -> list[list[str]]:
    table = widget.findChild(QTableWidget)
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def test_the_table_says_what_a_person_would_have_left_to_do(measured, window):
    sheet = open_sheet(window)
    assert says(sheet, "With 8 images the new model is better: the new one leaves 45 s less")
    rows = {row[0]: row[1:] for row in cells(sheet)}
    assert rows["PQ"] == ["28.6", "85.7", "+57.1 (+57.1 to +57.1)"]
    assert rows["seconds to correct an image"][:2] == ["60.0", "15.0"]
    assert rows["segments to add"] == ["32", "8", "-24"]
    assert says(sheet, "Most is won on 0.png (-45 s)")


def test_the_old_model_is_proposed_where_the_new_one_is_worse(measured, folder, window):
    report = read_report(folder / REPORT_NAME)
    worse = replace(report, current=report.candidate, candidate=report.current)
    (folder / REPORT_NAME).write_text(worse.to_json())
    sheet = open_sheet(window)
    assert find(sheet, "Keep the old").isDefault()
    assert find(sheet, "Keep the old").property("primary")
    assert not find(sheet, "Use the new model").property("primary")


def test_a_picture_of_the_gallery_opens_its_image(qtbot, measured, folder, store, window):
    record = store.images()[4]
    report = read_report(folder / REPORT_NAME)
    old, new = (
        [replace(s[0], name=str(record.path)), *s[1:]]
        for s in (report.current, report.candidate)
    )
    picture = folder / "gallery" / "0.png"
    picture.parent.mkdir()
    Image.new("RGB", (600, 150)).save(picture)
    report = GateReport((NUCLEUS,), old, new, (), {str(record.path): picture})
    (folder / REPORT_NAME).write_text(report.to_json())
    assert window.document.record != record
    (button,) = open_sheet(window).findChild(Gallery).findChildren(QToolButton)
    says = "e.png: 45 s less to correct (60 to 15 s), PQ 28.6 to 85.7"
    assert button.text() == says
    qtbot.waitUntil(lambda: button.iconSize().width() > 400)
    qtbot.waitUntil(lambda: button.height() > button.iconSize().height())  # with its text
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.document.record == record


def test_a_version_is_used_and_left_again(qtbot, measured, store, tiny_model, window):
    before = store.model
    click(qtbot, open_sheet(window), "Use the new model")
    qtbot.waitUntil(lambda: bool(store.model_versions()), **PATIENT)
    (version,) = store.model_versions()
    assert version.name == "tiny-v1" and version.n_images == len(store.training_images())
    assert version.path == models_folder(store.path) / "tiny-v1.safetensors"
    assert version.path.read_bytes() == tiny_model.read_bytes()
    assert version.scores["base"] == before and version.scores["verdict"] == "better"
    qtbot.waitUntil(lambda: store.model == str(version.path), **PATIENT)  # it is loaded
    assert find_open_run(store.path) is None
    assert not any("Nobody has touched" in n.text for n in window.notice_stack.shown)

    window.commands["versions"].trigger()
    (dialog,) = window.findChildren(VersionsDialog)
    table = dialog.findChild(QTableWidget)
    assert [row[0] for row in cells(dialog)] == ["tiny-v1 (in use)", "tiny"]
    place = table.visualItemRect(table.item(1, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    click(qtbot, dialog, "Use this version")
    (record, *_) = store.images()
    store.travel(record.id, 0)
    qtbot.waitUntil(lambda: store.model == before, **PATIENT)
    qtbot.waitUntil(lambda: says(window.notice_stack, "Nobody has touched 1 image"), **PATIENT)
    click(qtbot, window.notice_stack, "Pre-annotate…")
    assert [d for d in window.findChildren(BatchDialog) if d.isVisible()]


def test_a_version_is_kept_without_being_used(qtbot, measured, store, window):
    before = store.model
    click(qtbot, open_sheet(window), "Keep the old")
    qtbot.waitUntil(lambda: bool(store.model_versions()), **PATIENT)
    assert store.model == before and window.segmenter.model_path is None
    assert find_open_run(store.path) is None


def test_a_discarded_model_is_no_version(qtbot, measured, store, window):
    sheet = open_sheet(window)
    click(qtbot, sheet, "Discard")
    assert not store.model_versions() and find_open_run(store.path) is None
    assert find(sheet, "Start training").isVisible()


def test_a_version_that_cannot_be_kept_leaves_the_decision_open(
    qtbot, measured, folder, store, window
):
    sheet = open_sheet(window)
    (folder / "best.safetensors").unlink()
    click(qtbot, sheet, "Use the new model")
    qtbot.waitUntil(lambda: bool(window.notice_stack.shown), **PATIENT)
    assert "cannot be copied" in window.notice_stack.shown[0].text
    assert find(sheet, "Use the new model").isEnabled() and not store.model_versions()


def test_a_version_is_written_as_a_file(qtbot, measured, store, tmp_path, window):
    click(qtbot, open_sheet(window), "Keep the old")
    qtbot.waitUntil(lambda: bool(store.model_versions()), **PATIENT)
    window.commands["versions"].trigger()
    (dialog,) = window.findChildren(VersionsDialog)
    dialog.findChild(QTableWidget).selectRow(0)
    assert find(dialog, "Export file…").isEnabled()
    dialog.export(str(tmp_path / "out.safetensors"))
    (version,) = store.model_versions()
    assert (tmp_path / "out.safetensors").read_bytes() == version.path.read_bytes()
    dialog.export(str(tmp_path / "nowhere" / "out.safetensors"))
    assert says(dialog, "choose another place")


def test_room_is_freed_that_a_decided_run_takes(qtbot, measured, folder, store, window):
    size = (folder / "best.safetensors").stat().st_size
    click(qtbot, open_sheet(window), "Keep the old")
    qtbot.waitUntil(lambda: find_open_run(store.path) is None, **PATIENT)
    window.commands["versions"].trigger()
    (dialog,) = window.findChildren(VersionsDialog)
    assert says(dialog, f"keep {say_size(size)} of checkpoints")
    click(qtbot, dialog, f"Free {say_size(size)}")
    assert says(dialog, f"{say_size(size)} are free again.")
    assert not (folder / "best.safetensors").exists() and (folder / "log.jsonl").exists()
    (version,) = store.model_versions()
    assert version.path.exists()


# Slow, as the process that measures waits for torch.
def test_both_models_are_measured_when_a_run_is_done(qtbot, folder, store, window):
    ids = [
        [r.id for r in found] for found in (store.training_images(), store.hold_out_images())
    ]
    snapshot_project(store.path, folder, *ids)
    window.start_model()
    qtbot.waitUntil(
        lambda: any(n.offer == "Look at it…" for n in window.notice_stack.shown), **PATIENT
    )
    sheet = open_sheet(window)
    assert says(sheet, "no step of the training was better than the model that it began with")
    pq = next(row for row in cells(sheet) if row[0] == "PQ")
    assert pq[1] == pq[2] and pq[3] == "+0.0 (+0.0 to +0.0)"
