"""Images are found by what is asked, in the order in which they came in, and few at a time."""

import pytest

from core.edits import brush_stroke, new_segment
from core.panoptic import Category
from core.review import TO_REVIEW
from core.store import AnnotationStore, ImageQuery, Review

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
NAMES = ("a.png", "Größe/Ä_1.png", "sub/b%.png", "sub/c_.png")


@pytest.fixture
def store(tmp_path):
    """Four images; the second is approved, the third has an edit."""
    with AnnotationStore.create(tmp_path / "a.bitbrush", [CELL]) as store:
        ids = store.add_images((tmp_path / name, None, 20, 30) for name in NAMES)
        store.set_review(ids[1], Review.APPROVED)
        map = store.load_map(ids[2])
        store.append_edit(ids[2], brush_stroke(map, [(3, 4)], 2, new_segment(map, CELL)))
        yield store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (ImageQuery(), [1, 2, 3, 4]),
        (ImageQuery("sub/"), [3, 4]),
        (ImageQuery("SUB"), [3, 4]),
        (ImageQuery("größe/ä"), [2]),
        (ImageQuery("%"), [3]),
        (ImageQuery("_"), [2, 4]),
        (ImageQuery("nothing"), []),
        (ImageQuery(states=(Review.APPROVED,)), [2]),
        (ImageQuery(states=TO_REVIEW), [1, 3, 4]),
        (ImageQuery(has_edits=True), [3]),
        (ImageQuery(has_edits=False), [1, 2, 4]),
        (ImageQuery("sub", TO_REVIEW, has_edits=False), [4]),
    ],
)
def test_a_query_finds_what_it_asks_for(store, query, found):
    assert store.image_ids(query) == found
    assert store.n_images(query) == len(found)
    assert [record.id for record in store.image_records(found)] == found


@pytest.mark.parametrize(
    ("here", "is_backward", "there"),
    [
        (0, False, 1),
        (1, False, 3),
        (3, False, 4),
        (4, False, None),
        (3, True, 1),
        (1, True, None),
    ],
)
def test_the_next_image_is_the_nearest_that_answers(store, here, is_backward, there):
    query = ImageQuery(states=TO_REVIEW)
    assert store.next_image(here, query, is_backward=is_backward) == there


def test_records_come_in_the_order_asked_for(store):
    assert [record.id for record in store.image_records([4, 99, 1])] == [4, 1]
    assert store.image_record(4) == store.images()[3]


def test_images_are_found_by_their_file(store, tmp_path):
    video = tmp_path / "v.mp4"
    frames = store.add_images([(video, 8, 4, 5), (video, 7, 4, 5)])
    paths = [tmp_path / "sub" / ".." / "a.png", tmp_path / "b.png", tmp_path / "sub" / "c_.png"]
    odd = tmp_path / "a\udcff.png"
    assert store.find_images([*paths, video, odd]) == [1, None, 4, frames[1], None]


def test_any_number_of_records_can_be_asked_for(store, tmp_path):
    store.add_images((tmp_path / f"{n}.png", None, 2, 2) for n in range(1200))
    ids = store.image_ids()[::-1]
    assert [record.id for record in store.image_records(ids)] == ids


def test_a_review_is_kept_over_a_restart_and_can_be_taken_back(store):
    store.set_review(4, Review.APPROVED)
    store.close()
    with AnnotationStore.open(store.path) as again:
        assert again.image_record(4).review is Review.APPROVED
        again.reopen(4)
        assert again.image_record(4).review is Review.EMPTY


def test_a_review_of_an_image_that_is_not_there_is_a_mistake(store):
    with pytest.raises(ValueError, match="has no image 77"):
        store.set_review(77, Review.APPROVED)


def test_a_review_is_no_step_of_the_history(store):
    store.set_review(1, Review.APPROVED)
    assert store.history(1) == ([], 0)
