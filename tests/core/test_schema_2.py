"""A project of the second version opens in this one with all that it held, and its states."""

import shutil
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import DamagedProjectError
from core.migrations import MIGRATIONS
from core.recovery import recover_project
from core.review import Review
from core.store import AnnotationStore

# As the second version loads them.
CRCS = (1492444048, 604403694, 1270382012, 206457449, 206457449, 3975177757)
STEPS = (3, 1, 8, 0, 0, 1)
STATES = ["approved", "in work", "approved", "empty", "empty", "in work"]


@pytest.fixture
def path(tmp_path):
    """Six images in five folders and a video, with these histories.

    1 a proposal and two strokes, approved; 2 a proposal and a stroke taken back; 3 twelve
    strokes, of which four were compacted away, approved; 4 two strokes taken back; 5 nothing;
    6 a stroke.
    """
    path = tmp_path / "old.bitbrush"
    shutil.copyfile(Path(__file__).parent / "data" / "version2.bitbrush", path)
    return path


def change(path, statement):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def test_maps_histories_and_settings_are_there(path):
    with AnnotationStore.open(path) as store:
        ids = store.image_ids()
        crcs = (zlib.crc32(store.load_map(i).segment_ids.tobytes()) for i in ids)
        assert tuple(crcs) == CRCS
        assert tuple(store.history(i)[1] for i in ids) == STEPS
        assert (store.can_redo(2), store.can_redo(4), store.n_dropped(3)) == (True, True, 4)
        assert [c.hotkey for c in store.categories] == ["c", ""]
        assert (store.model, store.last_image, store.undo_limit) == ("nuclei", 3, 8)


def test_open_images_become_empty_or_in_work_and_approved_ones_stay(path):
    with AnnotationStore.open(path) as store:
        records = store.images()
        assert [record.review for record in records] == STATES
        assert [r.n_segments for r in records] == [
            len(store.load_segments(r.id)) for r in records
        ]
        assert {record.changed_at for record in records} == {0}


def test_labels_say_who_made_its_edits(path):
    with AnnotationStore.open(path) as store:
        store.redo(2)
        assert store.image_record(2).review is Review.IN_WORK
        store.undo(2)
        assert store.image_record(2).review is Review.PROPOSED
        store.undo(1)
        assert store.image_record(1).review is Review.IN_WORK
        store.redo(1)
        assert store.image_record(1).review is Review.APPROVED


def test_what_was_damaged_before_is_still_known_to_be(path):
    change(path, "UPDATE image SET width = 31 WHERE id = 5")
    with AnnotationStore.open(path) as store:
        assert store.image_record(4).review is Review.EMPTY
        with pytest.raises(DamagedProjectError, match="image 5"):
            store.image_record(5)


def test_an_image_with_a_damaged_edit_does_not_keep_the_project_from_opening(path):
    change(path, "UPDATE edit SET payload = x'00' WHERE image_id = 6")
    with AnnotationStore.open(path) as store:
        assert [record.n_segments for record in store.images()][-1] == -1


def test_it_can_be_recovered_before_it_is_brought_up_to_date(path):
    report = recover_project(path)
    assert (report.n_images, report.n_lost_steps) == (6, 0)
    with AnnotationStore.open(path) as store:
        states = [record.review.value for record in store.images()]
        assert states == ["approved", "proposed", "approved", "empty", "empty", "in work"]
        crcs = (zlib.crc32(store.load_map(i).segment_ids.tobytes()) for i in range(1, 7))
        assert tuple(crcs) == CRCS


def test_a_migration_that_is_cut_short_leaves_the_file_as_it_was(path):
    change(path, "CREATE TABLE content (a INTEGER)")
    before = path.read_bytes()
    with pytest.raises(Exception, match="content"):
        AnnotationStore.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert len(MIGRATIONS) == 5
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (
            closing_count(before, path),
        )


def closing_count(before, path):
    other = path.with_name("before.bitbrush")
    other.write_bytes(before)
    with closing(sqlite3.connect(other)) as connection:
        return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
