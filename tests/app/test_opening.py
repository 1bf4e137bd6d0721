"""Any path becomes a project: found, or made after asking."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from app.intake import BATCH, Intake
from app.new_project import NewProjectDialog
from app.opening import Opening, find_free_name
from app.sample_project import make_sample_folder
from core.bundled import SAMPLES
from core.panoptic import Category
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(200, 30, 30))


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two images, and a file that only claims to be one."""
    for name in ("crowded", "dim"):
        shutil.copy(SAMPLES / f"fluorescence_{name}.jpg", tmp_path / f"{name}.jpg")
    (tmp_path / "broken.png").write_text("no image")
    return tmp_path


@pytest.fixture
def video(tmp_path) -> Path:
    """Five frames of 64 x 48."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for shade in range(5):
        writer.write(np.full((48, 64, 3), 40 * shade, np.uint8))
    writer.release()
    return path


@pytest.fixture
def open_path(qtbot):
    """Open a path, creating a project where one is asked for; returns store and sentences."""
    stores: list[AnnotationStore] = []
    openings: list[Opening] = []

    def open_path(path: Path, current: AnnotationStore | None = None):
        opening = Opening(path, current)
        openings.append(opening)
        told: list[str] = []
        opening.told.connect(told.append)
        with qtbot.waitSignal(opening.opened, timeout=20_000) as opened:
            opening.start()
            for dialog in open_dialogs():
                dialog._create.click()  # noqa: SLF001
        stores.append(opened.args[0])
        return opened.args[0], told

    yield open_path
    for store in stores:
        store.close()


def open_dialogs() -> list[NewProjectDialog]:
    widgets = QApplication.topLevelWidgets()
    return [w for w in widgets if isinstance(w, NewProjectDialog) and w.isVisible()]


def names(store: AnnotationStore) -> list[str]:
    return [record.path.name for record in store.images()]


def test_a_folder_becomes_a_project_and_what_cannot_be_read_is_said(open_path, folder) -> None:
    store, told = open_path(folder)
    assert store.path == folder / "annotations.bitbrush"
    assert names(store) == ["crowded.jpg", "dim.jpg"]
    assert [(r.height, r.width) for r in store.images()] == [(256, 256), (360, 360)]
    assert told[0].startswith("1 of 3 files were left out.")
    assert "broken.png" in told[0]


def test_a_folder_with_a_project_opens_it_at_once_and_adds_what_is_new(
    qtbot, open_path, folder
) -> None:
    open_path(folder)[0].close()
    shutil.copy(folder / "dim.jpg", folder / "dim2.jpg")
    opening = Opening(folder)
    told: list[str] = []
    opening.told.connect(told.append)
    with (
        qtbot.waitSignal(opening.grown, timeout=20_000),
        qtbot.waitSignal(opening.opened) as opened,
    ):
        opening.start()
        assert names(opened.args[0]) == ["crowded.jpg", "dim.jpg"]
    with opened.args[0] as store:
        assert names(store) == ["crowded.jpg", "dim.jpg", "dim2.jpg"]
    assert len(told) == 1
    assert "broken.png" in told[0]


def test_a_project_without_images_waits_for_those_of_its_folder(open_path, folder) -> None:
    AnnotationStore.create(folder / "annotations.bitbrush", [CELL]).close()
    store, _ = open_path(folder)
    assert names(store) == ["crowded.jpg", "dim.jpg"]


def test_nothing_comes_into_a_project_that_is_closed(qtbot, open_path, folder) -> None:
    open_path(folder)[0].close()
    for number in range(20):
        shutil.copy(folder / "dim.jpg", folder / f"new{number}.jpg")
    opening = Opening(folder)
    with qtbot.waitSignal(opening.opened) as opened:
        opening.start()
    with qtbot.assertNotEmitted(opening.grown, wait=300):
        opening.stop()
        opened.args[0].close()


def test_an_image_opens_in_the_project_of_its_folder(open_path, folder) -> None:
    first, _ = open_path(folder / "dim.jpg")
    assert names(first) == ["dim.jpg"]
    first.close()
    store, _ = open_path(folder / "crowded.jpg")
    assert names(store) == ["dim.jpg", "crowded.jpg"]
    assert store.last_image == store.images()[1].id


def test_a_video_becomes_a_project_of_its_frames(open_path, video) -> None:
    store, _ = open_path(video)
    assert store.path == video.with_suffix(".bitbrush")
    assert [(r.frame, r.height, r.width) for r in store.images()] == [
        (frame, 48, 64) for frame in range(5)
    ]
    assert store.last_image == store.images()[0].id


def test_a_project_opens_as_it_is(open_path, folder) -> None:
    path = folder / "own.bitbrush"
    AnnotationStore.create(path, [CELL]).close()
    store, _ = open_path(path)
    assert (store.path, names(store)) == (path, [])


def test_the_project_that_is_open_already_is_not_opened_twice(open_path, folder) -> None:
    current, _ = open_path(folder / "dim.jpg")
    again, _ = open_path(folder / "crowded.jpg", current)
    assert again is current
    assert names(current) == ["dim.jpg", "crowded.jpg"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("notes.txt", "is no image, video or project"),
        ("damaged.bitbrush", "damaged.bitbrush"),
        ("empty", "holds no images"),
    ],
)
def test_what_cannot_be_opened_is_said(qtbot, tmp_path, name, sentence) -> None:
    if name == "empty":
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text("text")
    opening = Opening(tmp_path / name)
    with qtbot.waitSignal(opening.failed) as failed:
        opening.start()
    assert sentence in failed.args[0]


def test_leaving_the_dialog_makes_nothing(qtbot, folder) -> None:
    opening = Opening(folder)
    with qtbot.waitSignal(opening.abandoned):
        opening.start()
        for dialog in open_dialogs():
            dialog.reject()
    assert not (folder / "annotations.bitbrush").exists()


def test_a_project_that_cannot_be_made_is_said_in_the_dialog(qtbot, folder, tmp_path) -> None:
    opening = Opening(folder)
    opening.start()
    (dialog,) = open_dialogs()
    gone = tmp_path / "gone"
    gone.mkdir()
    dialog._path_edit.setText(str(gone / "new"))  # noqa: SLF001
    gone.rmdir()
    with qtbot.assertNotEmitted(opening.failed), qtbot.assertNotEmitted(opening.opened):
        dialog._create.click()  # noqa: SLF001
    assert dialog.isVisible()
    assert str(gone) in dialog._fault.text()  # noqa: SLF001
    dialog._path_edit.setText(str(folder / "new"))  # noqa: SLF001
    with qtbot.waitSignal(opening.opened) as opened:
        dialog._create.click()  # noqa: SLF001
    assert open_dialogs() == []
    opened.args[0].close()


def test_a_second_project_beside_the_first_gets_a_name_of_its_own(folder) -> None:
    AnnotationStore.create(folder / "annotations.bitbrush", [CELL]).close()
    assert find_free_name(folder) == folder / "annotations-2.bitbrush"


def test_a_cancelled_intake_keeps_what_came_in_before(qtbot, tmp_path) -> None:
    source = SAMPLES / "fluorescence_crowded.jpg"
    many = [tmp_path / f"{i}.jpg" for i in range(BATCH + 50)]
    for path in many:
        path.symlink_to(source)
    with AnnotationStore.create(tmp_path / "p.bitbrush", [CELL]) as store:
        intake = Intake(store)
        intake.progressed.connect(intake.cancel)
        with qtbot.waitSignal(intake.finished, timeout=20_000):
            intake.start(many)
        assert len(store.images()) >= BATCH


def test_the_sample_project_is_made_once_and_then_kept(own_home) -> None:
    folder = make_sample_folder()
    assert folder.is_relative_to(own_home)
    with AnnotationStore.open(folder / "annotations.bitbrush") as store:
        store.set_model("changed")
    assert make_sample_folder() == folder
    with AnnotationStore.open(folder / "annotations.bitbrush") as store:
        assert store.model == "changed"
