"""Each pixel is by who changed it last, at every step of the history, however it is reached."""

import random

import numpy as np
import pytest

from core.authors import A_PERSON, ANOTHER_PROGRAM, Author, AuthorKind
from core.edits import brush_stroke, erase_stroke, new_segment, set_segment
from core.journal import decode_change, encode_edit
from core.panoptic import Category
from core.provenance import Provenance, find_shares
from core.recovery import recover_project
from core.store import AnnotationStore
from core.training_snapshot import snapshot_project

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
DEBRIS = Category(2, "debris", is_thing=True, color=(0, 255, 0))
MODEL = Author(AuthorKind.MODEL, "nuclei v3", 7, 20)
OTHER_SEED = Author(AuthorKind.MODEL, "nuclei v3", 8, 20)
TRACKER = Author(AuthorKind.PROPAGATED, "nuclei v3", 0, 20)
AUTHORS = (A_PERSON, MODEL, OTHER_SEED, TRACKER, ANOTHER_PROGRAM)
SIZE = (40, 60)


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.create(tmp_path / "a.bitbrush", [CELL, DEBRIS]) as store:
        store.add_images((tmp_path / f"{name}.png", None, *SIZE) for name in "ab")
        yield store


def any_edit(map, dice):
    while True:
        points = [(dice.uniform(0, 60), dice.uniform(0, 40)) for _ in range(2)]
        edit = brush_stroke(map, points, dice.uniform(2, 9), new_segment(map, CELL))
        if dice.random() < 0.3:
            edit = erase_stroke(map, points, 5)
        if not edit.is_empty:
            return edit


def made_by(provenance):
    """The author of each pixel, as an array of objects."""
    return np.array(provenance.authors, object)[provenance.numbers]


def draw(store, image_id, seed, n_edits):
    """Make edits by several authors; returns who made each pixel after each of them."""
    dice = random.Random(seed)  # noqa: S311 - no secrets here
    map = store.load_map(image_id)
    expected = [np.full(SIZE, None, object)]
    for _ in range(n_edits):
        edit, author = any_edit(map, dice), dice.choice(AUTHORS)
        store.append_edit(image_id, edit, author)
        before = map.segment_ids.copy()
        map.apply(edit)
        after = expected[-1].copy()
        after[before != map.segment_ids] = author
        expected.append(after)
    return expected


def assert_made_by(store, expected, image_id=1):
    found = made_by(store.provenance(image_id))
    assert (found == expected).all()


@pytest.mark.parametrize("is_asked_at_each_step", [True, False])
def test_undo_redo_and_travel_take_it_along(store, is_asked_at_each_step):
    expected = draw(store, 1, seed=0, n_edits=12)
    dice = random.Random(1)  # noqa: S311
    position = 12
    for _ in range(40):
        if dice.random() < 0.4:
            goal = dice.randrange(13)
            store.travel(1, goal)
        else:
            goal = min(max(position + dice.choice([-1, 1]), 0), 12)
            store.undo(1) if goal < position else store.redo(1) if goal > position else None
        position = goal
        if is_asked_at_each_step or dice.random() < 0.2:
            assert_made_by(store, expected[position])
    assert_made_by(store, expected[position])


def test_a_new_edit_after_undo_takes_another_way(store):
    draw(store, 1, seed=0, n_edits=6)
    store.provenance(1)
    for n_back, seed in ((1, 3), (3, 4), (2, 5)):
        for _ in range(n_back):
            store.undo(1)
        draw(store, 1, seed=seed, n_edits=2)
        kept = made_by(store.provenance(1))
        with AnnotationStore.open(store.path, is_read_only=True) as again:
            assert (made_by(again.provenance(1)) == kept).all()


def test_one_image_is_not_taken_for_another(store):
    first, second = (draw(store, image_id, image_id, 4)[-1] for image_id in (1, 2))
    for _ in range(2):
        assert_made_by(store, first, 1)
        assert_made_by(store, second, 2)


def test_snapshots_compaction_and_recovery_keep_it(store):
    expected = draw(store, 1, seed=5, n_edits=20)
    store.undo(1)
    store.take_snapshot(1)
    assert_made_by(store, expected[19])
    store.compact(4)
    assert store.n_dropped(1) == 15
    for place in (19, 15, 20):
        store.travel(1, place - 15)
        store._kept = None  # noqa: SLF001 - as if the project had just been opened
        assert_made_by(store, expected[place])
    store.close()
    recover_project(store.path)
    with AnnotationStore.open(store.path) as again:
        assert_made_by(again, expected[20])
        again.travel(1, 0)
        assert_made_by(again, expected[15])


def test_a_copy_to_train_on_knows_who_made_which_pixel(store, tmp_path):
    expected = draw(store, 1, seed=8, n_edits=9)
    store.take_snapshot(1)
    expected += draw(store, 1, seed=9, n_edits=4)[1:]
    made = expected[-1].copy()
    made[made == None] = expected[9][made == None]  # noqa: E711 - of each pixel
    copied = snapshot_project(store.path, tmp_path / "run", [1])
    with AnnotationStore.open(copied.training, is_read_only=True) as training:
        assert (training.human_pixels(1) == (made == A_PERSON)).all()
        assert (made_by(training.provenance(1)) == made).all()


def test_what_was_compacted_away_still_tells_the_state_and_the_model(store):
    map = store.load_map(1)
    edit = brush_stroke(map, [(9, 9)], 5, new_segment(map, CELL))
    store.append_edit(1, edit, MODEL)
    map.apply(edit)
    store.append_edit(1, erase_stroke(map, [(9, 9)], 2), A_PERSON)
    store.compact(1)
    store.undo(1)
    record = store.image_record(1)
    assert (record.review.value, record.model) == ("proposed", "nuclei v3")


def test_a_new_category_changes_no_pixel(store):
    expected = draw(store, 1, seed=5, n_edits=3)[-1]
    map = store.load_map(1)
    segment = next(iter(map.segments))
    store.append_edit(1, set_segment(map, segment, category=DEBRIS), A_PERSON)
    assert_made_by(store, expected)


def test_pixels_of_a_person_are_told_from_others(store):
    expected = draw(store, 1, seed=6, n_edits=9)[-1]
    assert (store.human_pixels(1) == (expected == A_PERSON)).all()
    models = store.provenance(1).of_kinds({AuthorKind.MODEL, AuthorKind.PROPAGATED})
    wanted = [author in {MODEL, OTHER_SEED, TRACKER} for author in expected.ravel()]
    assert (models.ravel() == wanted).all()


def test_shares_of_a_segment_add_up(store):
    expected = draw(store, 1, seed=7, n_edits=12)[-1]
    map, provenance = store.load_map(1), store.provenance(1)
    for segment_id, shares in provenance.shares(map).items():
        inside = expected[map.segment_ids == segment_id]
        assert sum(shares.values()) == pytest.approx(1)
        for author, share in shares.items():
            assert share == pytest.approx(np.mean([other == author for other in inside]))
    assert sum(provenance.counts().values()) == map.segment_ids.size
    for _, named in find_shares(provenance, map):
        assert set(named) <= {
            "human",
            "model nuclei v3",
            "propagated nuclei v3",
            "imported",
        }
        assert sum(named.values()) == pytest.approx(1, abs=0.001)


def test_a_map_of_another_size_is_a_mistake(store):
    with pytest.raises(ValueError, match=r"a map \(40, 60\) for \(2, 2\) pixels"):
        Provenance.unknown(2, 2).shares(store.load_map(1))


@pytest.mark.parametrize("seed", range(20))
def test_what_an_edit_changes_is_read_from_its_runs(store, seed):
    dice = random.Random(seed)  # noqa: S311
    map = store.load_map(1)
    for _ in range(4):
        map.apply(any_edit(map, dice))
    edit = any_edit(map, dice)
    change = decode_change(encode_edit(edit))
    assert change.rect == edit.rect
    assert (change.is_changed == (edit.before != edit.after)).all()
