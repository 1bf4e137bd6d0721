"""Old steps go only when asked, and all maps and steps that are kept stay as they are."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.compaction import CompactionPlan
from core.edits import brush_stroke, new_segment
from core.errors import DamagedProjectError
from core.panoptic import Category
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
N_STEPS = 9


@pytest.fixture
def store(tmp_path):
    """Two images, of which the first has nine steps and the last of them taken back."""
    with make_store(tmp_path) as store:
        yield store


def make_store(folder):
    store = AnnotationStore.create(folder / "a.bitbrush", [CELL])
    store.add_images((folder / name, None, 20, 30) for name in "ab")
    for x in range(N_STEPS):
        draw(store, 3 * x)
    store.undo(1)
    return store


def draw(store, x):
    map = store.load_map(1)
    store.append_edit(1, brush_stroke(map, [(x, 4.5)], 3, new_segment(map, CELL)))


def maps(store):
    """Every map of the history that is kept, the last one first."""
    here = store.history(1)[1]
    last = len(store.history(1)[0])
    store.travel(1, last)
    found = []
    for position in range(last, -1, -1):
        store.travel(1, position)
        map = store.load_map(1)
        found.append((map.segment_ids.tobytes(), dict(map.segments), map.next_id))
    store.travel(1, here)
    return found


@given(limits=st.lists(st.integers(0, N_STEPS + 1), min_size=1, max_size=3))
@settings(max_examples=30)
def test_every_kept_step_leads_where_it_did(tmp_path_factory, limits):
    with make_store(tmp_path_factory.mktemp("compact")) as store:
        before, n_kept = maps(store), N_STEPS - 1
        for limit in limits:
            store.compact(limit)
            n_kept = min(n_kept, limit)
            assert store.history(1) == (["brush"] * (n_kept + 1), n_kept)
            assert maps(store) == before[: n_kept + 2]
        assert store.image_record(1).n_edits == N_STEPS - 1


def test_undo_ends_at_the_base_and_goes_on_from_there(store):
    store.compact(1)
    base = store.base_map(1)
    assert store.undo(1) is not None
    assert not store.can_undo(1) and store.undo(1) is None
    assert np.array_equal(store.load_map(1).segment_ids, base.segment_ids)
    draw(store, 29)
    assert store.history(1) == (["brush"], 1)
    map = base.copy()
    for edit in store.edits(1):
        map.apply(edit)
    assert np.array_equal(store.load_map(1).segment_ids, map.segment_ids)


def test_the_plan_says_what_goes_and_changes_nothing(store):
    before = store.history(1)
    plan = store.plan_compaction(3)
    assert (plan.limit, plan.n_images, plan.n_steps) == (3, 1, 5)
    assert plan.n_bytes > 5 * 50
    assert store.history(1) == before
    assert store.compact(3) == plan
    assert store.plan_compaction(3) == CompactionPlan(3, 0, 0, 0)


def test_nothing_goes_because_a_limit_is_set(store):
    store.set_undo_limit(2)
    store.close()
    with AnnotationStore.open(store.path) as again:
        assert again.undo_limit == 2
        assert again.history(1)[1] == N_STEPS - 1
        again.set_undo_limit(None)
        assert again.undo_limit is None


def test_the_file_gets_smaller(store):
    noise = np.random.default_rng(0).integers(0, 30, (900, 2))
    for x, y in noise:
        map = store.load_map(1)
        store.append_edit(1, brush_stroke(map, [(x, y)], 9, new_segment(map, CELL)))
    store.checkpoint()
    before = store.path.stat().st_size
    store.compact(0)
    assert store.path.stat().st_size < before / 2


def test_a_limit_below_nothing_is_a_mistake(store):
    for ask in (store.plan_compaction, store.compact, store.set_undo_limit):
        with pytest.raises(ValueError, match="-1 steps cannot be kept"):
            ask(-1)


def test_a_damaged_history_is_not_compacted(store):
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE edit SET payload = x'00' WHERE seq = 2")
    with pytest.raises(DamagedProjectError, match=r"Edit 2 of image 1 .*is damaged"):
        store.compact(3)
    assert len(store.history(1)[0]) == N_STEPS


def test_a_damaged_base_is_noticed(store):
    store.compact(3)
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE snapshot SET payload = x'00'")
    sentence = r"first map that is kept of image 1 .*is damaged \(its snapshot cannot be read\)"
    with pytest.raises(DamagedProjectError, match=sentence):
        store.load_map(1)
