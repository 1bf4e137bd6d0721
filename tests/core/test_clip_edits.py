"""Edits of a segment in many frames keep the rules of each map, and are one step of undo."""

import numpy as np
import pytest

from core.clip_edits import copy_in, delete_in, edit_frames, merge_in, recategorise_in
from core.errors import ProjectError
from core.panoptic import Category, Edit, PanopticMap, Segment
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
DEBRIS = Category(2, "debris", is_thing=True, color=(0, 255, 0))
GROUND = Category(3, "ground", is_thing=False, color=(0, 0, 255))
SIZE = (8, 10)


def frame(*areas, locked=()) -> PanopticMap:
    """A map with a column for each (id, category id), from the left."""
    ids = np.zeros(SIZE, np.uint16)
    segments = {}
    for column, (segment_id, category_id) in enumerate(areas):
        ids[:, column] = segment_id
        segments[segment_id] = Segment(segment_id, category_id, is_locked=segment_id in locked)
    return PanopticMap(ids, segments)


def after(map: PanopticMap, edit: Edit) -> dict[int, tuple[int, int]]:
    """The segments after an edit, as id -> (category id, pixels)."""
    map = map.copy()
    if not edit.is_empty:
        map.apply(edit)
    return {i: (map.segments[i].category_id, n) for i, n in map.areas().items() if i}


def test_a_segment_that_came_back_under_another_id_gets_the_first_one():
    map = frame((7, DEBRIS.id), (2, CELL.id))
    assert after(map, merge_in(map, 7, Segment(4, CELL.id), CELL)) == {4: (1, 8), 2: (1, 8)}


def test_where_both_are_the_other_one_gets_the_pixels():
    map = frame((7, CELL.id), (4, CELL.id))
    assert after(map, merge_in(map, 7, Segment(4, CELL.id), CELL)) == {4: (1, 16)}


def test_stuff_joins_the_stuff_that_the_frame_has():
    map = frame((7, CELL.id), (5, GROUND.id))
    assert after(map, merge_in(map, 7, Segment(4, GROUND.id), GROUND)) == {5: (3, 16)}


def test_stuff_alone_gets_the_other_id():
    map = frame((7, GROUND.id))
    assert after(map, merge_in(map, 7, Segment(4, GROUND.id), GROUND)) == {4: (3, 8)}


@pytest.mark.parametrize(
    "change",
    [
        lambda map: merge_in(map, 7, Segment(4, CELL.id), CELL),
        lambda map: delete_in(map, 7),
        lambda map: recategorise_in(map, 7, DEBRIS),
    ],
)
def test_a_frame_without_the_segment_or_with_it_locked_stays_as_it_is(change):
    for map in (frame((2, CELL.id)), frame((7, CELL.id), locked=[7])):
        assert change(map).is_empty


def test_a_segment_is_deleted_and_recategorised_where_it_is():
    map = frame((7, CELL.id), (2, CELL.id))
    assert after(map, delete_in(map, 7)) == {2: (1, 8)}
    assert after(map, recategorise_in(map, 7, DEBRIS)) == {7: (2, 8), 2: (1, 8)}


def test_a_copy_takes_pixels_of_what_is_not_locked_and_keeps_its_id():
    source = frame((4, CELL.id))
    source.apply(
        Edit(0, 1, np.zeros((8, 1), np.uint16), np.full((8, 1), 4, np.uint16), {}, {}, "")
    )
    map = frame((2, CELL.id), (3, CELL.id), locked=[3])
    assert after(map, copy_in(map, source, 4, CELL)) == {4: (1, 8), 3: (1, 8)}


def test_a_copy_is_added_to_the_segment_that_is_there():
    source, map = frame((4, CELL.id)), frame((2, CELL.id), (4, DEBRIS.id))
    assert after(map, copy_in(map, source, 4, CELL)) == {4: (2, 16)}


def test_a_copy_of_stuff_is_added_to_the_frames_own():
    source, map = frame((4, GROUND.id)), frame((2, CELL.id), (5, GROUND.id))
    assert after(map, copy_in(map, source, 4, GROUND)) == {5: (3, 16)}


def test_a_copy_leaves_a_locked_segment_of_its_id_as_it_is():
    map = frame((2, CELL.id), (4, CELL.id), locked=[4])
    assert copy_in(map, frame((4, CELL.id)), 4, CELL).is_empty


def test_frames_of_two_sizes_are_a_mistake():
    with pytest.raises(ValueError, match="for one"):
        copy_in(PanopticMap.empty(3, 3), frame((4, CELL.id)), 4, CELL)


@pytest.fixture
def store(tmp_path):
    """Twenty frames with cells 7 and 2."""
    with AnnotationStore.create(tmp_path / "a.bitbrush", [CELL, DEBRIS, GROUND]) as store:
        ids = store.add_images((tmp_path / "a.mp4", k, *SIZE) for k in range(20))
        map = frame((7, CELL.id), (2, CELL.id))
        empty = np.zeros_like(map.segment_ids)
        for image_id in ids:
            edit = Edit(0, 0, empty, map.segment_ids.copy(), {}, map.segments, "put")
            store.append_edit(image_id, edit)
        yield store


def segments(store):
    return [set(store.load_segments(image_id)) for image_id in store.image_ids()]


def test_frames_are_edited_and_taken_back_together(store):
    ids = store.image_ids()[3:]
    made = list(edit_frames(store, ids, lambda map: delete_in(map, 7), "delete cell 7"))
    assert made == [*range(1, 18), 17]
    assert segments(store) == [{7, 2}] * 3 + [{2}] * 17
    step = store.joint_step(ids[0], forwards=False)
    assert (step.label, len(step.image_ids)) == ("delete cell 7", 17)
    store.take_joint_step(ids[5], forwards=False)
    assert segments(store) == [{7, 2}] * 20


def test_what_is_done_when_it_is_stopped_is_one_step_as_well(store):
    ids = store.image_ids()
    steps = edit_frames(store, ids, lambda map: delete_in(map, 7), "delete")
    for _ in range(10):
        next(steps)
    steps.close()
    assert segments(store) == [{2}] * 8 + [{7, 2}] * 12
    assert len(store.joint_step(ids[0], forwards=False).image_ids) == 8


def test_a_frame_that_others_edit_meanwhile_ends_it(store):
    ids = store.image_ids()

    def make(map):
        if not edited:
            edited.append(store.append_edit(ids[0], delete_in(store.load_map(ids[0]), 2)))
        return delete_in(map, 7)

    edited = []
    with pytest.raises(ProjectError, match="edited meanwhile"):
        list(edit_frames(store, ids, make, "delete"))
    assert set(store.load_segments(ids[0])) == {7}
