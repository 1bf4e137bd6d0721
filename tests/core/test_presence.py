"""Which frames a segment is in is known from what each frame was said to have."""

import numpy as np
import pytest

from core.edits import brush_stroke, delete_segment
from core.panoptic import Category, Segment
from core.presence import Presence, find_categories, find_runs
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))


def test_a_segment_is_in_the_frames_that_were_said_to_have_it():
    presence = Presence(6)
    for frame, ids in enumerate([(5, 2), (2,), (), (9, 2)]):
        presence.put(frame, dict.fromkeys(ids, 1))
    assert presence.frames_of(2).tolist() == [0, 1, 3]
    assert presence.frames_of(9).tolist() == [3]
    assert presence.frames_of(7).tolist() == []


def test_what_was_said_last_of_a_frame_holds():
    presence = Presence(2)
    presence.put(0, {4: 1})
    presence.put(1, {4: 1})
    assert presence.frames_of(4).tolist() == [0, 1]
    presence.put(0, {65535: 3})
    assert presence.frames_of(4).tolist() == [1]
    assert presence.frames_of(65535).tolist() == [0]


def test_segments_come_in_the_order_in_which_they_are_first_seen():
    presence = Presence(3)
    presence.put(2, {1: 1, 8: 1})
    presence.put(0, {7: 1, 3: 1})
    assert presence.segment_ids() == [3, 7, 1, 8]


def test_a_segment_has_the_category_that_was_said_last():
    presence = Presence(2)
    presence.put(0, {4: 1})
    presence.put(1, {4: 2})
    assert (presence.category_id(4), presence.category_id(5)) == (2, 0)


@pytest.mark.parametrize(
    ("frames", "runs"),
    [
        ([], []),
        ([3], [(3, 4)]),
        ([0, 1, 2], [(0, 3)]),
        ([0, 2, 3, 7], [(0, 1), (2, 4), (7, 8)]),
    ],
)
def test_frames_without_a_gap_are_one_run(frames, runs):
    assert find_runs(np.array(frames, np.int32)) == runs


def test_the_journal_tells_which_segments_each_frame_has(tmp_path):
    with AnnotationStore.create(tmp_path / "a.bitbrush", [CELL]) as store:
        ids = store.add_images((tmp_path / "a.mp4", k, 20, 30) for k in range(3))
        for image_id, segment_id in ((ids[0], 4), (ids[2], 4), (ids[2], 6)):
            map = store.load_map(image_id)
            place = (4 * segment_id, 5)
            edit = brush_stroke(map, [place], 3, Segment(segment_id, CELL.id))
            store.append_edit(image_id, edit)
        store.append_edit(ids[0], delete_segment(store.load_map(ids[0]), 4))
        found = [find_categories(store, image_id) for image_id in ids]
    assert found == [{}, {}, {4: 1, 6: 1}]
