"""The image list shows what the project has, and says which image is wanted."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QTableView, QToolButton

from app.frame_panel import ImageList
from app.image_model import BLOCK, MAX_BLOCKS, ImageModel, describe
from app.keys import Keys
from core.edits import brush_stroke, new_segment
from core.panoptic import Category
from core.store import AnnotationStore, ImageRecord, Review

CELL = Category(1, "cell", is_thing=True, color=(200, 30, 30))
SIZE = (20, 30)
SPOKEN = Qt.ItemDataRole.AccessibleTextRole
Key = Qt.Key


@pytest.fixture
def store(tmp_path):
    """Three images; b has an edit, and the last is not there."""
    paths = [tmp_path / name for name in ("a.png", "b.png", "gone.png")]
    for path in paths[:2]:
        Image.fromarray(np.full((*SIZE, 3), 250, np.uint8)).save(path)
    with AnnotationStore.create(tmp_path / "p.bitbrush", [CELL]) as store:
        store.add_images([(path, None, *SIZE) for path in paths])
        edit_image(store, 2)
        yield store


def edit_image(store, image_id: int) -> None:
    map = store.load_map(image_id)
    store.append_edit(image_id, brush_stroke(map, [(5, 5)], 3, new_segment(map, CELL)))


@pytest.fixture
def images(qtbot, store) -> ImageList:
    images = ImageList(store, Keys())
    qtbot.addWidget(images)
    images.reload()
    images.set_current(1)
    images.show()
    yield images
    images.stop()


@pytest.fixture
def chosen(images) -> list[int]:
    ids: list[int] = []
    images.image_chosen.connect(ids.append)
    return ids


@pytest.fixture
def model(qtbot, store) -> ImageModel:
    model = ImageModel(store)
    model.set_ids(store.image_ids())
    yield model
    model.thumbnails.stop()


def listed(images) -> list[str]:
    model = images.findChild(QTableView).model()
    return [model.index(row).data() for row in range(model.rowCount())]


def test_choosing_a_row_asks_for_its_image(qtbot, images, chosen) -> None:
    view = images.findChild(QTableView)
    place = view.visualRect(view.model().index(1)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.keyClick(view, Key.Key_Down)
    assert chosen == [2, 3]


def test_marking_the_open_image_asks_for_nothing(images, chosen) -> None:
    images.set_current(2)
    assert chosen == []
    images.step(1)
    assert chosen == [3]


def test_the_ends_of_the_list_stop_the_arrows(images, chosen) -> None:
    images.set_current(3)
    images.step(1)
    assert chosen == []
    arrows = {button.accessibleName(): button for button in images.findChildren(QToolButton)}
    assert not arrows["Next image (D)"].isEnabled()
    arrows["Previous image (A)"].click()
    assert chosen == [2]


def test_typing_a_part_of_a_name_lists_the_images_that_have_it(qtbot, images, chosen) -> None:
    field = images.findChild(QLineEdit)
    qtbot.keyClicks(field, "GO")
    qtbot.waitUntil(lambda: listed(images) == ["gone.png"])
    assert chosen == []
    qtbot.keyClick(field, Key.Key_Return)
    assert chosen == [3]


def test_typed_words_ask_for_more_than_names(qtbot, images, store) -> None:
    qtbot.keyClicks(images.findChild(QLineEdit), "segments>0 category:CELL")
    qtbot.waitUntil(lambda: listed(images) == ["b.png"])


def test_words_that_mean_nothing_are_named_and_leave_the_list(qtbot, images) -> None:
    field, complaint = images.findChild(QLineEdit), images.findChild(QLabel, "complaint")
    qtbot.keyClicks(field, "b state:")
    qtbot.waitUntil(
        lambda: complaint.text() == "'state:' at character 3 has no value after it."
    )
    assert not complaint.isHidden() and len(listed(images)) == 3
    qtbot.keyClicks(field, "in-work")
    qtbot.waitUntil(lambda: listed(images) == ["b.png"])
    assert complaint.isHidden()


def test_the_list_is_filtered_by_state(images, store) -> None:
    store.set_review(1, Review.APPROVED)
    found = {}
    states = images.findChild(QComboBox, "state")
    for place in range(states.count()):
        states.setCurrentIndex(place)
        found[states.currentText()] = listed(images)
    assert found == {
        "All images": ["a.png", "b.png", "gone.png"],
        "To review": ["b.png", "gone.png"],
        "Empty": ["gone.png"],
        "Proposed": [],
        "In work": ["b.png"],
        "Approved": ["a.png"],
        "Rejected": [],
        "Held out": [],
        "With edits": ["b.png"],
        "Without edits": ["a.png", "gone.png"],
    }


def test_the_list_is_sorted_as_it_is_asked_for(images, store) -> None:
    order = images.findChild(QComboBox, "order")
    order.setCurrentText("Sorted by number of segments")
    assert listed(images) == ["b.png", "a.png", "gone.png"]
    order.setCurrentText("As they came in")
    assert listed(images) == ["a.png", "b.png", "gone.png"]


def test_an_image_that_is_not_listed_can_still_be_gone_to(images, chosen) -> None:
    images.findChild(QComboBox, "state").setCurrentText("In work")
    assert listed(images) == ["b.png"]
    images.choose(3)
    images.choose(2)
    assert chosen == [3, 2]


def test_thumbnails_are_made_in_the_background(qtbot, model) -> None:
    index = model.index(0)
    assert index.data(Qt.ItemDataRole.DecorationRole) is None
    with qtbot.waitSignal(model.dataChanged):
        pass
    thumbnail = index.data(Qt.ItemDataRole.DecorationRole)
    assert (thumbnail.width(), thumbnail.height()) == (72, 48)
    assert thumbnail.pixelColor(0, 0).red() == 250


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_thumbnail_shows_what_is_in_a_dark_or_deep_image(
    qtbot, model, tmp_path, kind
) -> None:
    values = np.zeros(SIZE, kind)
    values[:, 20:] = 12
    Image.fromarray(values).save(tmp_path / "a.png")
    index = model.index(0)
    assert index.data(Qt.ItemDataRole.DecorationRole) is None
    with qtbot.waitSignal(model.dataChanged):
        pass
    thumbnail = index.data(Qt.ItemDataRole.DecorationRole)
    assert thumbnail.pixelColor(5, 20).red() < 5
    assert thumbnail.pixelColor(60, 20).red() > 250


def test_a_thumbnail_is_made_once_for_as_long_as_its_file_is_the_same(
    qtbot, store, model, tmp_path, monkeypatch
) -> None:
    def shade(model) -> int:
        index = model.index(0)
        index.data(Qt.ItemDataRole.DecorationRole)
        qtbot.waitUntil(lambda: index.data(Qt.ItemDataRole.DecorationRole) is not None)
        image = index.data(Qt.ItemDataRole.DecorationRole)
        return -1 if image.isNull() else image.pixelColor(5, 5).red()

    assert shade(model) == 250
    again = ImageModel(store)
    again.set_ids(store.image_ids())
    with monkeypatch.context() as patch:
        patch.delattr("app.thumbnails.Thumbnails._read")  # nothing can be made now
        assert shade(again) == 250
    again.thumbnails.stop()
    Image.fromarray(np.full((*SIZE, 3), 100, np.uint8)).save(tmp_path / "a.png")
    changed = ImageModel(store)
    changed.set_ids(store.image_ids())
    assert shade(changed) == 100
    changed.thumbnails.stop()


def test_thumbnails_are_made_where_no_cache_can_be(qtbot, model, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    index = model.index(0)
    with qtbot.waitSignal(model.dataChanged):
        index.data(Qt.ItemDataRole.DecorationRole)
    assert not index.data(Qt.ItemDataRole.DecorationRole).isNull()


def test_a_thumbnail_that_cannot_be_made_says_why(qtbot, model, store) -> None:
    index = model.index(2)
    path = store.image_record(3).path
    for word, spoil in (
        ("missing", lambda: path.unlink(missing_ok=True)),
        ("unreadable", lambda: path.write_bytes(b"no image")),
    ):
        spoil()
        model.thumbnails.try_again()
        index.data(Qt.ItemDataRole.DecorationRole)
        with qtbot.waitSignal(model.dataChanged):
            pass
        assert index.data(Qt.ItemDataRole.DecorationRole) == word


def test_how_far_an_image_is_can_be_heard_and_follows_what_is_done(model, store) -> None:
    def spoken() -> list[str]:
        return [model.index(row).data(SPOKEN).split(", ")[-1] for row in range(3)]

    assert spoken() == ["empty", "in work", "empty"]
    edit_image(store, 1)
    store.set_review(2, Review.REJECTED, "too dark")
    store.set_review(3, Review.APPROVED)
    for image_id in (1, 2, 3):
        model.forget(image_id)
    assert spoken() == ["in work", "rejected: too dark", "approved"]


def test_edits_that_follow_each_other_are_shown_once(qtbot, images, store) -> None:
    model = images.findChild(QTableView).model()
    spoken = model.index(0).data(SPOKEN)
    changes = []
    model.dataChanged.connect(lambda first, _last: changes.append(first.row()))
    qtbot.wait(300)  # for thumbnails
    changes.clear()
    for _ in range(3):
        edit_image(store, 1)
        images.forget(1)
    assert changes == []
    qtbot.waitUntil(lambda: changes == [0])
    assert (spoken, model.index(0).data(SPOKEN)) == (
        "a.png, 30 by 20, empty",
        "a.png, 30 by 20, in work",
    )


def test_frames_are_counted_from_one() -> None:
    assert describe(ImageRecord(1, Path("clip.mp4"), 0, *SIZE, 0)) == "clip.mp4 #1"


def test_a_hundred_thousand_images_are_listed_without_reading_one(qtbot, tmp_path) -> None:
    with AnnotationStore.create(tmp_path / "many.bitbrush", [CELL]) as store:
        store.add_images([(tmp_path / f"{i}.png", None, *SIZE) for i in range(100_000)])
        images = ImageList(store, Keys())
        qtbot.addWidget(images)
        images.reload()
        images.set_current(99_999)
        images.show()
        qtbot.waitExposed(images)
        images.stop()
        model = images._model  # noqa: SLF001
        assert images._place.text() == "99,999 of 100,000"  # noqa: SLF001
        assert len(model.thumbnails._kept) <= 60  # noqa: SLF001
        for row in range(0, 100_000, BLOCK):
            model.record(row)
        assert len(model._blocks) <= MAX_BLOCKS  # noqa: SLF001
