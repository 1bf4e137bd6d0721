"""A snapshot to train on: the maps of one moment, and what is held out apart."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from core.edits import brush_stroke
from core.errors import ProjectError
from core.panoptic import Category, Segment
from core.project_images import Review
from core.store import AnnotationStore
from core.training_snapshot import snapshot_project

NUCLEUS = Category(4, "nucleus", True, (220, 20, 60))
LUMEN = Category(9, "lumen", False, (20, 20, 60))


def stroke(panoptic_map, x, segment_id=1):
    points = np.array([[x, 10.0]], np.float32)
    return brush_stroke(panoptic_map, points, 4.0, Segment(segment_id, NUCLEUS.id))


@pytest.fixture
def store(tmp_path):
    """An open project of five images, each with as many strokes as its number, from 0."""
    folder = tmp_path / "work"
    (folder / "images").mkdir(parents=True)
    with AnnotationStore.create(folder / "p.bitbrush", (NUCLEUS, LUMEN)) as store:
        paths = [folder / "images" / f"{k}.png" for k in range(4)]
        paths.append(tmp_path / "elsewhere.png")
        for path in paths:
            path.touch()
        store.add_images([(path, None, 20, 60) for path in paths])
        for number, image_id in enumerate(store.image_ids()):
            for k in range(number):
                store.append_edit(image_id, stroke(store.load_map(image_id), 8 + 9 * k, k + 1))
        store.set_review(2, Review.APPROVED)
        yield store


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_same(copy, store, image_id):
    one, other = copy.load_map(image_id), store.load_map(image_id)
    assert np.array_equal(one.segment_ids, other.segment_ids)
    assert one.segments == other.segments and one.next_id == other.next_id
    assert copy.image_record(image_id).path == store.image_record(image_id).path
    assert copy.image_record(image_id).review == store.image_record(image_id).review


def test_the_copies_have_the_chosen_images_alone_with_their_maps(store, tmp_path):
    store.undo(4)
    store.take_snapshot(5)
    store.append_edit(5, stroke(store.load_map(5), 50, 9))
    made = snapshot_project(store.path, tmp_path / "run", [1, 2, 5], [4])
    for path, ids in ((made.training, [1, 2, 5]), (made.hold_out, [4])):
        with AnnotationStore.open(path) as copy:
            assert copy.image_ids() == ids and copy.categories == (NUCLEUS, LUMEN)
            for image_id in ids:
                assert_same(copy, store, image_id)
    assert names_in(tmp_path / "run") == ["hold-out.bitbrush", "training.bitbrush"]


def test_history_that_the_present_map_does_not_need_stays_behind(store, tmp_path):
    store.take_snapshot(5)
    store.append_edit(5, stroke(store.load_map(5), 50, 9))
    store.undo(3)
    made = snapshot_project(store.path, tmp_path / "run", [3, 5])
    assert made.hold_out is None
    with AnnotationStore.open(made.training, is_read_only=True) as copy:
        assert copy.n_dropped(5) == 4 and len(copy.history(5)[0]) == 1
        assert not copy.can_redo(3) and len(copy.history(3)[0]) == 1


def test_what_is_done_afterwards_is_not_in_it(store, tmp_path):
    before = store.load_map(2)
    made = snapshot_project(store.path, tmp_path / "run", [2])
    store.append_edit(2, stroke(store.load_map(2), 30, 7))
    store.set_categories((NUCLEUS,))
    with AnnotationStore.open(made.training, is_read_only=True) as copy:
        assert np.array_equal(copy.load_map(2).segment_ids, before.segment_ids)
        assert copy.categories == (NUCLEUS, LUMEN)


def test_former_categories_come_along(store, tmp_path):
    store.set_categories((NUCLEUS,))
    made = snapshot_project(store.path, tmp_path / "run", [2])
    with AnnotationStore.open(made.training, is_read_only=True) as copy:
        assert copy.categories == (NUCLEUS,) and copy.former_categories == (LUMEN,)


@pytest.mark.parametrize(
    ("training", "held_out"), [([1, 2], [2]), ([], [2]), ([1, 77], []), ([1], [77])]
)
def test_a_choice_that_makes_no_sense_is_the_callers_mistake(
    store, tmp_path, training, held_out
):
    with pytest.raises(ValueError, match=r"\[(2|77)?\]"):
        snapshot_project(store.path, tmp_path / "run", training, held_out)
    assert not (tmp_path / "run").exists()


def test_a_folder_with_a_snapshot_keeps_it(store, tmp_path):
    made = snapshot_project(store.path, tmp_path / "run", [2])
    before = made.training.read_bytes()
    with pytest.raises(ProjectError, match=r"training\.bitbrush already exists"):
        snapshot_project(store.path, tmp_path / "run", [1])
    assert made.training.read_bytes() == before
    assert names_in(tmp_path / "run") == ["training.bitbrush"]


def test_a_folder_that_cannot_be_made_is_a_sentence(store, tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(ProjectError, match="run cannot hold a snapshot"):
        snapshot_project(store.path, tmp_path / "run", [1])


def test_damage_is_found_in_the_copy_as_it_was(store, tmp_path):
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE edit SET payload = x'00' WHERE image_id = 3 AND seq = 1")
    made = snapshot_project(store.path, tmp_path / "run", [2, 3])
    with AnnotationStore.open(made.training, is_read_only=True) as copy:
        assert_same(copy, store, 2)
        with pytest.raises(ProjectError, match=r"Edit 1 of image 3 in the project .*damaged"):
            copy.load_map(3)
