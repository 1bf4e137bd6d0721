"""A project of an earlier version opens in this one with all that it held."""

import shutil
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from core.edits import brush_stroke, new_segment
from core.migrations import MIGRATIONS
from core.panoptic import Category, PanopticMap, Segment
from core.recovery import recover_project
from core.review import Review
from core.store import AnnotationStore, ImageRecord

CELL = Category(5, "Zelle ø", is_thing=True, color=(255, 0, 1), supercategory="tissue")
DISH = Category(2, "dish", is_thing=False, color=(0, 16, 255))

CRC_OF_FIRST_MAP = 1558326191  # as the first version loads it


@pytest.fixture
def path(tmp_path):
    """Three images: 133 strokes of which 3 are taken back, a stroke and a lock, and nothing."""
    path = tmp_path / "old.bitbrush"
    shutil.copyfile(Path(__file__).parent / "data" / "version1.bitbrush", path)
    return path


def version(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_it_is_brought_up_to_date(path):
    assert version(path) == 1
    with AnnotationStore.open(path) as store:
        assert (store.categories, store.model, store.last_image) == ((CELL, DISH), "nuclei", 2)
        assert store.undo_limit is None
        folder = path.parent
        assert store.images() == [
            ImageRecord(1, folder / "a.png", None, 20, 30, 130, Review.IN_WORK, n_segments=97),
            ImageRecord(
                2, folder / "sub" / "é.png", None, 16, 24, 2, Review.IN_WORK, n_segments=1
            ),
            ImageRecord(3, folder / "v.mp4", 3, 16, 24, 0),
        ]
    assert version(path) == len(MIGRATIONS)


def test_its_maps_and_their_whole_history_are_there(path):
    with AnnotationStore.open(path) as store:
        map, replayed = store.load_map(1), PanopticMap.empty(20, 30)
        for edit in store.edits(1):
            replayed.apply(edit)
        assert np.array_equal(map.segment_ids, replayed.segment_ids)
        assert zlib.crc32(map.segment_ids.tobytes()) == CRC_OF_FIRST_MAP
        assert store.load_map(2).segments == {1: Segment(1, CELL.id, is_locked=True)}
        for _ in range(3):
            map.apply(store.redo(1))
        assert not store.can_redo(1)
        for _ in range(133):
            map.apply(store.undo(1))
        assert not map.segment_ids.any() and not store.can_undo(1)


def test_it_can_be_recovered_before_it_is_brought_up_to_date(path):
    report = recover_project(path)
    assert (report.n_images, report.n_steps, report.n_lost_steps) == (3, 135, 0)
    with AnnotationStore.open(path) as store:
        assert zlib.crc32(store.load_map(1).segment_ids.tobytes()) == CRC_OF_FIRST_MAP
        assert (store.categories, store.model, store.last_image) == ((CELL, DISH), "nuclei", 2)
        assert store.history(1)[1] == 130 and store.can_redo(1)


def test_it_can_be_worked_on(path):
    with AnnotationStore.open(path) as store:
        map = store.load_map(1)
        edit = brush_stroke(map, [(3, 4)], 2, new_segment(map, CELL))
        store.append_edit(1, edit)
        map.apply(edit)
    with AnnotationStore.open(path) as store:
        assert np.array_equal(store.load_map(1).segment_ids, map.segment_ids)
        assert not store.can_redo(1)
