"""The history of an image can be walked to any place and back, and a long one opens fast."""

import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edits import brush_stroke, new_segment
from core.errors import DamagedProjectError
from core.history import FAR
from core.panoptic import Category, Edit, PanopticMap, Segment
from core.snapshots import SNAPSHOT_COST
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
SIDE = 1500  # a fill of an image costs a seventeenth of a snapshot


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.create(tmp_path / "a.bitbrush", [CELL]) as store:
        store.add_images(
            [(tmp_path / "a.png", None, 20, 30), (tmp_path / "b.png", None, SIDE, SIDE)]
        )
        yield store


def draw(store, map, x):
    """A dot of a new segment in the small image."""
    edit = brush_stroke(map, [(x % 30, 4.5)], 2, new_segment(map, CELL))
    store.append_edit(1, edit)
    map.apply(edit)


def fill(store, map):
    """One segment all over the large image, above what was there."""
    after = np.full((SIDE, SIDE), map.next_id, np.uint16)
    new = {map.next_id: Segment(map.next_id, CELL.id)}
    edit = Edit(0, 0, map.segment_ids.copy(), after, dict(map.segments), new, "fill")
    store.append_edit(2, edit)
    map.apply(edit)


def assert_same_map(one, other):
    assert np.array_equal(one.segment_ids, other.segment_ids)
    assert one.segments == other.segments
    assert one.next_id == other.next_id


def snapshots(store):
    with closing(sqlite3.connect(store.path)) as connection:
        return connection.execute("SELECT image_id, seq FROM snapshot ORDER BY seq").fetchall()


def reopened(store):
    """The same project, after all snapshots that were asked for are made."""
    store.close()
    return AnnotationStore.open(store.path)


class TestTravel:
    @given(goals=st.lists(st.integers(0, 8), min_size=1, max_size=6))
    @settings(max_examples=30)
    def test_leads_to_any_position_and_back(self, tmp_path_factory, goals):
        path = tmp_path_factory.mktemp("travel") / "a.bitbrush"
        with AnnotationStore.create(path, [CELL]) as store:
            store.add_images([(path.with_name("a.png"), None, 20, 30)])
            map = store.load_map(1)
            for x in range(8):
                draw(store, map, 3 * x)
            for goal in goals:
                for edit in store.travel(1, goal):
                    map.apply(edit)
                assert store.history(1) == (["brush"] * 8, goal)
                assert_same_map(store.load_map(1), map)

    def test_is_one_edit_when_it_is_far(self, store):
        start, map = store.load_map(2), store.load_map(2)
        for _ in range(FAR // SIDE**2 + 1):
            fill(store, map)
        there = map.copy()
        (edit,) = store.travel(2, 0)
        map.apply(edit)
        assert np.array_equal(map.segment_ids, start.segment_ids) and map.segments == {}
        (edit,) = store.travel(2, len(store.history(2)[0]))
        map.apply(edit)
        assert_same_map(map, there)

    def test_to_where_one_is_is_nothing(self, store):
        draw(store, store.load_map(1), 3)
        assert store.travel(1, 1) == []

    @pytest.mark.parametrize("position", [-1, 2])
    def test_out_of_the_history_is_a_mistake(self, store, position):
        draw(store, store.load_map(1), 3)
        with pytest.raises(ValueError, match=f"no position {position} in its history"):
            store.travel(1, position)
        assert store.history(1)[1] == 1

    def test_is_forgotten_when_an_edit_on_the_way_is_damaged(self, store):
        map = store.load_map(1)
        for x in range(3):
            draw(store, map, 9 * x)
        with closing(sqlite3.connect(store.path)) as connection, connection:
            connection.execute("UPDATE edit SET payload = x'00' WHERE seq = 2")
        with pytest.raises(DamagedProjectError, match=r"Edit 2 of image 1 .*is damaged"):
            store.travel(1, 0)
        assert store.history(1)[1] == 3


class TestSnapshots:
    def test_are_made_when_replaying_has_become_costly(self, store):
        map = store.load_map(2)
        for _ in range(2 * SNAPSHOT_COST // SIDE**2):
            fill(store, map)
        with reopened(store) as again:
            assert snapshots(again)
            assert not again.needs_snapshot(2)
            assert_same_map(again.load_map(2), map)

    def test_are_not_made_by_the_thread_that_draws(self, store, monkeypatch):
        names = []
        encode = "core.snapshots.encode_map"
        monkeypatch.setattr(encode, lambda _: names.append(threading.current_thread().name))
        map = store.load_map(2)
        for _ in range(SNAPSHOT_COST // SIDE**2 + 1):
            fill(store, map)
        store.close()
        assert names == ["snapshots"]

    def test_change_nothing_but_the_time_it_takes(self, store):
        map = store.load_map(1)
        for x in range(9):
            draw(store, map, 3 * x)
        store.take_snapshot(1)
        assert snapshots(store) == [(1, 9)]
        assert_same_map(store.load_map(1), map)
        map.apply(store.undo(1))
        assert_same_map(store.load_map(1), map)
        draw(store, map, 17)
        assert snapshots(store) == []
        assert_same_map(store.load_map(1), map)

    def test_of_a_map_that_has_one_are_not_made_again(self, store):
        draw(store, store.load_map(1), 3)
        store.take_snapshot(1)
        (before,) = store._execute("SELECT rowid FROM snapshot")  # noqa: SLF001 - unseen else
        store.take_snapshot(1)
        assert store._execute("SELECT rowid FROM snapshot") == [before]  # noqa: SLF001

    def test_of_a_map_that_was_left_meanwhile_are_thrown_away(self, store, monkeypatch):
        map = store.load_map(1)
        draw(store, map, 3)
        draw(store, map, 9)

        def encode_while_another_edit_is_drawn(map: PanopticMap) -> bytes:
            here = store.load_map(1)
            here.apply(store.undo(1))
            draw(store, here, 20)
            return b"the map of an edit that is gone"

        encode = "core.snapshots.encode_map"
        with AnnotationStore.open(store.path, is_read_only=True) as reader:
            monkeypatch.setattr(encode, encode_while_another_edit_is_drawn)
            writer = AnnotationStore(store.path, reader._connection, None)  # noqa: SLF001
            writer.take_snapshot(1)
        assert snapshots(store) == []

    def test_a_checkpoint_makes_one_and_leaves_all_in_one_file(self, store):
        map = store.load_map(1)
        draw(store, map, 3)
        store.set_last_image(1)
        store.checkpoint()
        store.close()
        assert snapshots(store) == [(1, 1)]
        with AnnotationStore.open(store.path) as again:
            draw(again, map, 9)
            again.checkpoint()
            again.close()
            copy = store.path.with_name("copy.bitbrush")
            copy.write_bytes(store.path.read_bytes())
        with AnnotationStore.open(copy) as twin:
            assert_same_map(twin.load_map(1), map)


def test_what_was_just_made_is_taken_back_as_it_was_and_not_read_from_its_bytes(store):
    map = store.load_map(1)
    edit = brush_stroke(map, [(9, 9)], 3, new_segment(map, CELL))
    store.append_edit(1, edit)
    map.apply(edit)
    back = store.undo(1)
    assert back.before is edit.after and back.after is edit.before
    map.apply(back)
    assert store.redo(1) is edit
    map.apply(edit)
    assert_same_map(map, store.load_map(1))


def test_undo_goes_by_the_file_if_another_connection_has_changed_the_history(store):
    map = store.load_map(1)
    draw(store, map, 5)
    other = store.open_again()
    other.undo(1)
    theirs = other.load_map(1)
    draw(other, theirs, 20)
    other.close()
    assert_same_map(store.load_map(1), theirs)
    theirs.apply(store.undo(1))
    assert not theirs.segment_ids.any()


def test_undo_refuses_an_edit_whose_bytes_were_damaged_since_it_was_made(store):
    draw(store, store.load_map(1), 5)
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE edit SET payload = CAST(payload || x'00' AS BLOB)")
    with pytest.raises(DamagedProjectError, match="Edit 1 of image 1"):
        store.undo(1)
