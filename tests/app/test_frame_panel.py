"""The image list shows what the project has, and says which image is wanted."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListView, QToolButton

from app.frame_panel import ImageList, ImageModel, describe
from core.store import ImageRecord


def record(image_id: int, path: Path, frame: int | None = None, n_edits: int = 0):
    return ImageRecord(image_id, path, frame, 20, 30, n_edits)


@pytest.fixture
def records(tmp_path) -> list[ImageRecord]:
    """Three images, of which the last is not there."""
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((20, 30, 3), 250, np.uint8)).save(tmp_path / name)
    return [
        record(11, tmp_path / "a.png"),
        record(12, tmp_path / "b.png", n_edits=3),
        record(13, tmp_path / "gone.png"),
    ]


@pytest.fixture
def images(qtbot, records) -> ImageList:
    images = ImageList()
    qtbot.addWidget(images)
    images.set_records(records)
    images.set_current(11)
    images.show()
    yield images
    images.stop()


@pytest.fixture
def chosen(images) -> list[int]:
    ids: list[int] = []
    images.image_chosen.connect(ids.append)
    return ids


@pytest.fixture
def model(qtbot, records) -> ImageModel:
    model = ImageModel()
    model.set_records(records)
    yield model
    model.thumbnails.stop()


def test_choosing_a_row_asks_for_its_image(qtbot, images, chosen) -> None:
    view = images.findChild(QListView)
    place = view.visualRect(view.model().index(1)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert chosen == [12, 13]


def test_marking_the_open_image_asks_for_nothing(images, chosen) -> None:
    images.set_current(12)
    assert chosen == []
    images.step(1)
    assert chosen == [13]


def test_the_ends_of_the_list_stop_the_arrows(images, chosen) -> None:
    images.set_current(13)
    images.step(1)
    assert chosen == []
    previous, following = images.findChildren(QToolButton)
    assert previous.isEnabled()
    assert not following.isEnabled()
    previous.click()
    assert chosen == [12]


def test_thumbnails_are_made_in_the_background(qtbot, model) -> None:
    index = model.index(0)
    assert index.data(Qt.ItemDataRole.DecorationRole) is None
    with qtbot.waitSignal(model.dataChanged):
        pass
    thumbnail = index.data(Qt.ItemDataRole.DecorationRole)
    assert (thumbnail.width(), thumbnail.height()) == (72, 48)
    assert thumbnail.pixelColor(0, 0).red() == 250


def test_an_unreadable_image_has_an_empty_thumbnail(qtbot, model) -> None:
    index = model.index(2)
    index.data(Qt.ItemDataRole.DecorationRole)
    with qtbot.waitSignal(model.dataChanged):
        pass
    assert index.data(Qt.ItemDataRole.DecorationRole).isNull()


def test_images_with_edits_are_marked_for_eye_and_ear(model) -> None:
    spoken = [model.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in (0, 1)]
    assert spoken == ["a.png, 30 by 20, not edited", "b.png, 30 by 20, edited"]
    model.set_edited(11, is_edited=True)
    model.set_edited(12, is_edited=False)
    spoken = [model.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in (0, 1)]
    assert spoken == ["a.png, 30 by 20, edited", "b.png, 30 by 20, not edited"]


def test_frames_are_counted_from_one() -> None:
    assert describe(record(1, Path("clip.mp4"), frame=0)) == "clip.mp4 #1"


def test_a_hundred_thousand_images_are_listed_without_reading_one(qtbot, tmp_path) -> None:
    images = ImageList()
    qtbot.addWidget(images)
    many = [record(i, tmp_path / f"{i}.png") for i in range(1, 100_001)]
    images.set_records(many)
    images.set_current(99_999)
    images.show()
    qtbot.waitExposed(images)
    images.stop()
    assert images._place.text() == "99,999 of 100,000"  # noqa: SLF001
    assert len(images._model.thumbnails._kept) <= 60  # noqa: SLF001
