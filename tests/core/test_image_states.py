"""The state of an image follows from who made its edits and from what was said of it."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from core.authors import A_PERSON, ANOTHER_PROGRAM, Author, AuthorKind, author_of_options
from core.edits import brush_stroke, erase_stroke, new_segment, set_segment
from core.panoptic import Category
from core.proposals import SamplingOptions
from core.review import Review, find_review
from core.store import AnnotationStore, ImageQuery, Order

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
DEBRIS = Category(2, "debris", is_thing=True, color=(0, 255, 0))
MODEL = Author(AuthorKind.MODEL, "nuclei v3", seed=2**63 - 1, steps=20)
TRACKER = Author(AuthorKind.PROPAGATED, "nuclei v3", seed=0, steps=10)


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.create(tmp_path / "a.bitbrush", [CELL, DEBRIS]) as store:
        store.add_images((tmp_path / f"{name}.png", None, 20, 30) for name in "abc")
        yield store


@pytest.fixture
def paint(store):
    """A function that makes another segment in an image."""

    def paint(author=A_PERSON, image_id=1, category=CELL, **options):
        map = store.load_map(image_id)
        x = 2 + 3 * len(map.segments)
        edit = brush_stroke(map, [(x, 4)], 1, new_segment(map, category))
        store.append_edit(image_id, edit, author, **options)

    return paint


def state(store, image_id=1):
    return store.image_record(image_id).review


def content(store):
    with closing(sqlite3.connect(store.path)) as connection:
        return connection.execute("SELECT * FROM content ORDER BY 2, 1").fetchall()


@pytest.mark.parametrize(
    ("authors", "review"),
    [
        ([], Review.EMPTY),
        ([MODEL], Review.PROPOSED),
        ([MODEL, TRACKER], Review.PROPOSED),
        ([MODEL, A_PERSON], Review.IN_WORK),
        ([A_PERSON, MODEL], Review.IN_WORK),
        ([ANOTHER_PROGRAM], Review.IN_WORK),
    ],
)
def test_edits_alone_make_an_image_empty_proposed_or_in_work(store, paint, authors, review):
    for author in authors:
        paint(author)
    assert state(store) is review is find_review(authors)


def test_a_proposal_over_the_work_of_a_person_stays_in_work(store, paint):
    paint()
    paint(MODEL)
    assert state(store) is Review.IN_WORK


def test_undo_redo_and_travel_take_the_state_along(store, paint):
    paint(MODEL)
    paint()
    seen = [state(store)]
    for _ in range(2):
        store.undo(1)
        seen.append(state(store))
    store.redo(1)
    seen.append(state(store))
    store.travel(1, 2)
    seen.append(state(store))
    assert seen == ["in work", "proposed", "empty", "proposed", "in work"]


def test_a_verdict_holds_for_the_map_that_was_seen(store, paint):
    paint()
    store.set_review(1, Review.APPROVED)
    paint()
    assert state(store) is Review.IN_WORK
    store.undo(1)
    assert state(store) is Review.APPROVED
    store.undo(1)
    assert state(store) is Review.EMPTY
    store.redo(1)
    assert state(store) is Review.APPROVED


def test_a_verdict_goes_for_good_with_the_edits_that_it_was_about(store, paint):
    paint()
    paint()
    store.set_review(1, Review.APPROVED)
    store.undo(1)
    paint(category=DEBRIS)
    assert state(store) is Review.IN_WORK
    store.undo(1)
    store.redo(1)
    assert state(store) is Review.IN_WORK


def test_an_image_can_be_rejected_for_a_reason_and_reopened(store, paint):
    paint(MODEL)
    store.set_review(1, Review.REJECTED, "out of focus")
    record = store.image_record(1)
    assert (record.review, record.reason) == (Review.REJECTED, "out of focus")
    store.reopen(1)
    record = store.image_record(1)
    assert (record.review, record.reason) == (Review.PROPOSED, "")


def test_only_a_verdict_can_be_said(store):
    with pytest.raises(ValueError, match="nobody can say that an image is in work"):
        store.set_review(1, Review.IN_WORK)


def test_a_change_of_the_whole_project_leaves_what_was_said(store, paint):
    paint()
    store.set_review(1, Review.APPROVED)
    map = store.load_map(1)
    store.append_edit(1, set_segment(map, 1, category=DEBRIS), keeps_review=True)
    assert state(store) is Review.APPROVED
    paint()
    store.undo(1)
    assert state(store) is Review.APPROVED


def test_the_time_is_that_of_the_last_change_of_state(store, paint):
    assert store.image_record(1).changed_at == 0
    paint()
    first = store.image_record(1).changed_at
    assert first > 0
    store._execute("UPDATE image SET changed_at = 5")  # noqa: SLF001 - long ago
    paint()
    assert store.image_record(1).changed_at == 5
    store.set_review(1, Review.APPROVED)
    assert store.image_record(1).changed_at >= first


def test_the_model_is_the_last_one_in_effect(store, paint):
    paint(MODEL)
    paint(Author(AuthorKind.MODEL, "nuclei v4", 1, 20))
    paint()
    assert store.image_record(1).model == "nuclei v4"
    store.travel(1, 1)
    assert store.image_record(1).model == "nuclei v3"
    store.travel(1, 0)
    assert store.image_record(1).model == ""


def test_td_tells_two_authors_apart_where_it_is_known(store, paint):
    known = [replace(MODEL, time_delta=td) for td in (None, 1.0, 2.0)]
    for image_id, author in enumerate(known, 1):
        paint(author, image_id)
    assert list(store.authors().values()) == known
    assert store.proposed_by(known[1]) == {1, 2}  # of the first nobody knows it
    assert store.proposed_by(known[0]) == {1, 2, 3}
    options = SamplingOptions(steps=20, seed=2**63 - 1, time_delta=2.0)
    assert author_of_options("nuclei v3", options) == known[2]


def test_a_model_that_found_nothing_is_known_until_another_step(store, paint):
    for image_id in (1, 2):
        store.note_nothing_found(image_id, "nuclei v3")
    assert state(store) is Review.EMPTY
    assert store.proposed_by(MODEL) == {1, 2}
    paint(MODEL)
    store.undo(1)
    assert store.proposed_by(MODEL) == {2}  # a map that was taken back is made again
    paint(image_id=3)
    store.note_nothing_found(3, "nuclei v3")
    assert store.image_record(3).model == ""


def test_segments_are_counted_by_category_at_every_step(store, paint):
    paint()
    paint(category=DEBRIS)
    paint(category=DEBRIS)
    paint(image_id=2)
    assert content(store) == [(1, 1, 1), (2, 1, 2), (1, 2, 1)]
    map = store.load_map(1)
    store.append_edit(1, set_segment(map, 3, category=CELL))
    assert content(store) == [(1, 1, 2), (2, 1, 1), (1, 2, 1)]
    map = store.load_map(1)
    store.append_edit(1, erase_stroke(map, [(0, 4), (30, 4)], 5))
    assert content(store) == [(1, 2, 1)] and store.image_record(1).n_segments == 0
    store.travel(1, 3)
    assert content(store) == [(1, 1, 1), (2, 1, 2), (1, 2, 1)]
    assert store.image_record(1).n_segments == 3


def test_authors_are_kept_once_each(store, paint):
    for author in (MODEL, A_PERSON, MODEL, TRACKER, A_PERSON):
        paint(author)
    assert list(store.authors().values()) == [MODEL, A_PERSON, TRACKER]


def test_images_come_in_the_order_that_is_asked_for(store, paint):
    paint(image_id=2)
    paint(image_id=2)
    paint(MODEL, image_id=3)
    store.set_review(1, Review.APPROVED)
    store.set_expected_work(3, 0.5)
    store.set_expected_work(1, 2)
    store._execute("UPDATE image SET changed_at = 9 - id")  # noqa: SLF001
    found = {order.name: store.image_ids(ImageQuery(order=order)) for order in Order}
    assert found == {
        "ADDED": [1, 2, 3],
        "NAME": [1, 2, 3],
        "STATE": [3, 2, 1],
        "CHANGED": [3, 2, 1],
        "SEGMENTS": [2, 3, 1],
        "MODEL": [1, 2, 3],
        "WORK": [1, 3, 2],
    }
    assert store.image_record(1).expected_work == 2.0
