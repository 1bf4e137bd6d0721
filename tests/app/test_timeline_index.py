"""What the timeline knows is what the project holds, also after edits and undo."""

import pytest

from app.timeline_index import TimelineIndex, is_corrected
from core.clips import clip_of
from core.edits import brush_stroke
from core.panoptic import Segment
from core.store import Review


@pytest.fixture
def paint(store):
    """A function that paints a segment in an image, and keeps that in the project."""

    def paint(image_id, segment_id, category_id=1):
        map = store.load_map(image_id)
        place = (3 * segment_id, 3 * segment_id)
        segment = Segment(segment_id, category_id)
        store.append_edit(image_id, brush_stroke(map, [place], 2, segment))

    return paint


@pytest.fixture
def index(store, qtbot):
    index = TimelineIndex(store)
    yield index
    index.stop()
    qtbot.waitUntil(lambda: index._pool.waitForDone(0))  # noqa: SLF001 - before the store ends


def show(index, store, qtbot):
    index.show_clip(clip_of(store, 1))
    qtbot.waitUntil(lambda: index.is_complete)


def test_states_and_segments_are_those_of_the_project(store, qtbot, index, paint):
    paint(1, 1)
    paint(3, 1)
    paint(3, 2)
    store.set_review(3, Review.APPROVED)
    show(index, store, qtbot)
    reviews = [state.review for state in index.states]
    assert reviews == [Review.IN_WORK, Review.EMPTY, Review.APPROVED]
    assert index.presence.frames_of(1).tolist() == [0, 2]
    assert index.presence.frames_of(2).tolist() == [2]


def test_an_edit_and_its_undo_are_known_soon(store, qtbot, index, paint):
    show(index, store, qtbot)
    for step, frames in ((lambda: paint(2, 5), [1]), (lambda: store.undo(2), [])):
        step()
        index.forget(2)
        qtbot.waitUntil(lambda: index.is_complete)
        assert index.presence.frames_of(5).tolist() == frames


def test_a_frame_that_is_forgotten_twice_is_known_as_well(store, qtbot, index, paint):
    show(index, store, qtbot)
    paint(2, 5)
    index.forget(2)
    index.forget(2)
    qtbot.waitUntil(lambda: index.is_complete)
    assert index.presence.frames_of(5).tolist() == [1]


def test_only_what_has_another_map_is_read_again(store, qtbot, index, paint):
    paint(1, 1)
    show(index, store, qtbot)
    paint(2, 1)
    index.forget_all()
    qtbot.waitUntil(lambda: index.is_complete)
    assert index.presence.frames_of(1).tolist() == [0, 1]


def test_an_image_of_no_clip_is_no_frame(store, qtbot, index, tmp_path):
    (alone,) = store.add_images([(tmp_path / "alone.png", None, 48, 64)])
    show(index, store, qtbot)
    assert [index.frame_of(image_id) for image_id in (2, alone)] == [1, None]
    index.forget(alone)
    assert index.is_complete


def test_the_next_wanted_frame_is_found_around_the_ends(store, qtbot, index, paint):
    paint(1, 1)
    show(index, store, qtbot)
    assert index.find(1, 1, is_corrected) == 0
    assert index.find(2, -1, is_corrected) == 0
    assert index.find(0, 1, is_corrected) is None
