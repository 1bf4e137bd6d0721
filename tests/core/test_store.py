"""The project keeps everything that was committed, through restarts and moves of its folder."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edits import brush_stroke, clear, new_segment, set_segment
from core.panoptic import Category, Edit, PanopticMap, Segment
from core.store import PROJECT_NAME, AnnotationStore, ImageRecord
from core.whole_maps import import_map

CELL = Category(5, "Zelle ø", is_thing=True, color=(255, 0, 1), supercategory="tissue")
DISH = Category(2, "dish", is_thing=False, color=(0, 16, 255))
HEIGHT, WIDTH = 20, 30


@pytest.fixture
def path(tmp_path):
    return tmp_path / "my images ä" / PROJECT_NAME


@pytest.fixture
def store(path):
    path.parent.mkdir()
    with AnnotationStore.create(path, [CELL, DISH]) as store:
        yield store


@pytest.fixture
def image(store):
    (image_id,) = store.add_images([(store.path.parent / "a.png", None, HEIGHT, WIDTH)])
    return image_id


def draw(store, image_id, panoptic, x, *, radius=1.0):
    """Paint a dot of a new segment, committed first and then shown."""
    edit = brush_stroke(panoptic, [(x, 4.5)], radius, new_segment(panoptic, CELL))
    store.append_edit(image_id, edit)
    panoptic.apply(edit)
    return edit


def replayed(store, image_id):
    """What the journal adds up to, without help of snapshots."""
    panoptic = PanopticMap.empty(HEIGHT, WIDTH)
    for edit in store.edits(image_id):
        panoptic.apply(edit)
    return panoptic


def assert_same_map(one, other):
    assert np.array_equal(one.segment_ids, other.segment_ids)
    assert one.segments == other.segments


def rows(path, statement):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


class TestProject:
    def test_keeps_categories_in_their_order(self, store, path):
        store.close()
        with AnnotationStore.open(path) as again:
            assert again.categories == (CELL, DISH)
            again.set_categories([DISH, CELL])
            assert again.categories == (DISH, CELL)

    def test_refuses_two_categories_with_one_id(self, store):
        with pytest.raises(ValueError, match="same id"):
            store.set_categories([CELL, CELL])
        assert store.categories == (CELL, DISH)

    def test_keeps_the_model_and_the_last_image(self, store, image):
        assert (store.model, store.last_image) == ("", None)
        store.set_model("nuclei")
        store.set_last_image(image)
        store.close()
        with AnnotationStore.open(store.path) as again:
            assert (again.model, again.last_image) == ("nuclei", image)

    def test_is_a_sqlite_file_that_says_what_it_is(self, store):
        (application_id,) = rows(store.path, "PRAGMA application_id")[0]
        assert application_id.to_bytes(4) == b"BitB"
        assert rows(store.path, "PRAGMA journal_mode") == [("wal",)]

    def test_leaves_one_file_when_it_is_closed(self, store, image):
        draw(store, image, store.load_map(image), 3)
        store.close()
        assert [file.name for file in store.path.parent.iterdir()] == [PROJECT_NAME]


class TestImages:
    def test_come_back_in_the_order_in_which_they_came_in(self, store):
        folder = store.path.parent
        video = folder / "sub" / "v.mp4"
        ids = store.add_images(
            [(video, 7, 4, 5), (video, 8, 4, 5), (folder / "é.png", None, 2, 3)]
        )
        assert store.images() == [
            ImageRecord(ids[0], video, 7, 4, 5, 0),
            ImageRecord(ids[1], video, 8, 4, 5, 0),
            ImageRecord(ids[2], folder / "é.png", None, 2, 3, 0),
        ]

    def test_that_are_known_keep_their_id_and_edits(self, store, image):
        draw(store, image, store.load_map(image), 3)
        again = store.add_images([(store.path.parent / "a.png", None, 99, 99)])
        assert again == [image]
        (record,) = store.images()
        assert (record.height, record.width, record.n_edits) == (HEIGHT, WIDTH, 1)

    def test_without_edits_take_over_a_new_size(self, store, image):
        store.add_images([(store.path.parent / "a.png", None, 99, 98)])
        assert store.load_map(image).segment_ids.shape == (99, 98)

    def test_move_with_the_folder_of_the_project(self, store, image, tmp_path):
        store.close()
        moved = store.path.parent.rename(tmp_path / "elsewhere")
        with AnnotationStore.open(moved / PROJECT_NAME) as again:
            assert again.images()[0].path == moved / "a.png"

    def test_outside_the_folder_are_named_from_it_unless_only_the_root_has_both(
        self, store, tmp_path
    ):
        store.add_images(
            [(tmp_path / "b.png", None, 2, 2), (Path("/elsewhere/c.png"), None, 2, 2)]
        )
        whole = Path("/elsewhere").resolve() / "c.png"
        assert rows(store.path, "SELECT path FROM image") == [
            ("../b.png",),
            (whole.as_posix(),),
        ]
        assert [r.path for r in store.images()] == [tmp_path / "b.png", whole]

    def test_that_are_links_keep_their_own_name(self, store, tmp_path):
        link = store.path.parent / "link.png"
        link.symlink_to(tmp_path / "target.png")
        store.add_images([(link, None, 2, 2)])
        assert store.images()[0].path == link

    def test_given_by_a_path_from_here_are_found_from_anywhere(self, store, monkeypatch):
        monkeypatch.chdir(store.path.parent)
        store.add_images([(Path("b.png"), None, 2, 2)])
        assert store.images()[0].path == store.path.parent / "b.png"

    def test_that_are_not_there_are_a_mistake(self, store):
        with pytest.raises(ValueError, match="has no image 77"):
            store.load_map(77)


class TestJournal:
    def test_a_new_image_is_void(self, store, image):
        panoptic = store.load_map(image)
        assert panoptic.segment_ids.shape == (HEIGHT, WIDTH)
        assert panoptic.areas() == {} and panoptic.next_id == 1
        assert not store.can_undo(image) and not store.can_redo(image)
        assert store.undo(image) is None and store.redo(image) is None
        assert store.history(image) == ([], 0)

    def test_everything_is_there_after_a_restart(self, store, image):
        panoptic = store.load_map(image)
        for x in (3, 9, 9, 15):
            draw(store, image, panoptic, x)
        store.close()
        with AnnotationStore.open(store.path) as again:
            assert_same_map(again.load_map(image), panoptic)
            assert again.images()[0].n_edits == 4

    def test_undo_and_redo_survive_a_restart(self, store, image):
        panoptic = store.load_map(image)
        first = draw(store, image, panoptic, 3)
        second = draw(store, image, panoptic, 9)
        panoptic.apply(store.undo(image))
        store.close()
        with AnnotationStore.open(store.path) as again:
            assert_same_map(again.load_map(image), panoptic)
            assert again.can_undo(image) and again.can_redo(image)
            assert np.array_equal(again.redo(image).after, second.after)
            assert not again.can_redo(image)
            again.undo(image)
            assert np.array_equal(again.undo(image).after, first.before)
            assert not again.can_undo(image)

    def test_a_new_edit_drops_those_that_were_taken_back(self, store, image):
        panoptic = store.load_map(image)
        draw(store, image, panoptic, 3)
        draw(store, image, panoptic, 9)
        panoptic.apply(store.undo(image))
        lock = set_segment(panoptic, 1, is_locked=True)
        store.append_edit(image, lock)
        panoptic.apply(lock)
        assert store.history(image) == (["brush", "lock"], 2)
        assert not store.can_redo(image)
        assert_same_map(store.load_map(image), panoptic)

    def test_ids_are_not_used_again_after_undo_and_restart(self, store, image):
        panoptic = store.load_map(image)
        draw(store, image, panoptic, 3)
        draw(store, image, panoptic, 9)
        store.undo(image)
        store.undo(image)
        assert store.load_map(image).next_id == 3
        draw(store, image, store.load_map(image), 3)
        store.close()
        with AnnotationStore.open(store.path) as again:
            panoptic = again.load_map(image)
            assert panoptic.segments.keys() == {3} and panoptic.next_id == 4

    def test_images_have_journals_of_their_own(self, store, image):
        (other,) = store.add_images([(Path("/elsewhere/b.png"), None, HEIGHT, WIDTH)])
        draw(store, image, store.load_map(image), 3)
        assert not store.can_undo(other) and store.load_map(other).areas() == {}

    def test_a_whole_map_is_one_edit(self, store, image):
        ids = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 109
        imported = PanopticMap(ids, {int(i): Segment(int(i), CELL.id) for i in ids.flat if i})
        store.append_edit(image, import_map(store.load_map(image), imported, set()))
        assert_same_map(store.load_map(image), imported)
        store.append_edit(image, clear(store.load_map(image)))
        assert store.history(image) == (["import", "clear"], 2)
        store.undo(image)
        assert_same_map(store.load_map(image), imported)

    def test_an_edit_that_changes_nothing_leaves_no_trace(self, store, image):
        store.append_edit(image, clear(store.load_map(image)))
        assert store.history(image) == ([], 0)

    def test_an_edit_outside_the_image_is_a_mistake(self, store, image):
        ids = np.zeros((1, 1), np.uint16)
        edit = Edit(HEIGHT, 0, ids, ids + 1, {}, {1: Segment(1, 5)}, "brush")
        with pytest.raises(ValueError, match="not inside the image"):
            store.append_edit(image, edit)
        assert store.history(image) == ([], 0)

    def test_a_reader_sees_what_the_writer_has_committed(self, store, image):
        panoptic = store.load_map(image)
        with AnnotationStore.open(store.path, is_read_only=True) as reader:
            draw(store, image, panoptic, 3)
            assert_same_map(reader.load_map(image), panoptic)

    @given(st.lists(st.sampled_from(["edit", "edit", "undo", "redo", "reopen"]), max_size=20))
    @settings(max_examples=20)
    def test_any_walk_through_the_history_is_the_replayed_journal(self, tmp_path_factory, walk):
        path = tmp_path_factory.mktemp("walk") / PROJECT_NAME
        store = AnnotationStore.create(path, [CELL])
        try:
            (image,) = store.add_images([(path.with_name("a.png"), None, HEIGHT, WIDTH)])
            panoptic = store.load_map(image)
            for x, step in enumerate(walk):
                if step == "edit":
                    draw(store, image, panoptic, x, radius=3)
                elif step == "reopen":
                    store.close()
                    store = AnnotationStore.open(path)
                elif edit := getattr(store, step)(image):
                    panoptic.apply(edit)
                assert_same_map(store.load_map(image), panoptic)
                assert_same_map(replayed(store, image), panoptic)
                assert store.load_map(image).next_id == panoptic.next_id
        finally:
            store.close()
