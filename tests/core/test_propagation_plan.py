"""Which frames a run is for, what the model is told of them, and what its maps change."""

import numpy as np
import pytest

from core.authors import A_PERSON, Author, AuthorKind
from core.errors import ProjectError
from core.panoptic import Category, Edit, PanopticMap, Segment, Source
from core.pre_annotation import read_ground
from core.propagation import FrameProposal, VideoOptions
from core.propagation_plan import RunRequest, plan_run, propagated_edit
from core.review import Review
from core.store import AnnotationStore

THING, STUFF = Category(1, "cell", True, (255, 0, 0)), Category(2, "dish", False, (0, 0, 9))
FOLLOWED = Author(AuthorKind.PROPAGATED, "m", 1, 8)
OPTIONS = VideoOptions()


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.create(tmp_path / "a.bitbrush", [THING, STUFF]) as store:
        store.add_images([(tmp_path / "a.mp4", k, 20, 30) for k in range(6)])
        store.add_images([(tmp_path / "alone.png", None, 20, 30)])
        yield store


def put(store, image_id, boxes, author=A_PERSON, *, is_locked=False):
    """Give a frame things with these ids, in columns."""
    map = store.load_map(image_id)
    after = map.segment_ids.copy()
    new, source = {}, Source.MODEL if author.is_automatic else Source.HUMAN
    for segment_id, (left, right) in boxes.items():
        after[5:15, left:right] = segment_id
        new[segment_id] = Segment(segment_id, 1, source, is_locked)
    edit = Edit(0, 0, map.segment_ids.copy(), after, {}, new, "draw")
    store.append_edit(image_id, edit, author)


def plan(store, image_id, n_frames=None, *, is_forward=True):
    return plan_run(store, RunRequest(image_id, is_forward, n_frames, OPTIONS))


def propose(store, image_id, boxes, categories=None):
    ids = np.zeros((20, 30), np.uint16)
    for segment_id, (left, right) in boxes.items():
        ids[5:15, left:right] = segment_id
    categories = categories or dict.fromkeys(boxes, 1)
    proposal = FrameProposal(0, ids, categories, 8, 0.1)
    map = store.load_map(image_id)
    edit = propagated_edit(read_ground(store, image_id), proposal, store.categories)
    map.apply(edit)
    return map


def test_a_run_goes_from_the_frame_after_a_map_to_the_end(store):
    put(store, 2, {1: (3, 9)})
    found = plan(store, 2)
    assert found.image_ids == (3, 4, 5, 6)
    assert [source.number for source in found.job.frames] == [2, 3, 4, 5]
    assert [source.frame for source in found.job.frames] == [2, 3, 4, 5]
    assert [found.image_of(source.number) for source in found.job.frames] == [3, 4, 5, 6]


def test_it_goes_back_as_well_and_as_far_as_asked(store):
    put(store, 4, {1: (3, 9)})
    found = plan(store, 4, 2, is_forward=False)
    assert found.image_ids == (3, 2)
    assert [found.image_of(source.number) for source in found.job.frames] == [3, 2]


def test_it_begins_with_an_empty_frame_itself(store):
    found = plan(store, 2, 2)
    assert found.image_ids == (2, 3)
    assert found.job.start.past == ()


def test_an_approved_frame_ends_it_and_is_named_when_it_is_the_next(store):
    put(store, 2, {1: (3, 9)})
    store.set_review(5, Review.APPROVED)
    found = plan(store, 2)
    assert (found.image_ids, found.stopped_by) == ((3, 4), 5)
    put(store, 4, {1: (3, 9)})
    with pytest.raises(ProjectError, match="frame 5, is approved and stays as it is"):
        plan(store, 4)


def test_the_last_frame_has_none_after_it(store):
    put(store, 6, {1: (3, 9)})
    with pytest.raises(ProjectError, match="This is the last frame"):
        plan(store, 6)


def test_a_lone_image_has_no_clip(store):
    with pytest.raises(ProjectError, match=r"alone\.png is a single image"):
        plan(store, 7)


def test_new_ids_are_free_in_the_whole_clip(store):
    put(store, 2, {1: (3, 9)})
    put(store, 6, {77: (3, 9)})
    assert plan(store, 2).job.start.next_id == 78


@pytest.mark.parametrize(
    ("before", "here", "n_past"),
    [
        (FOLLOWED, FOLLOWED, 2),
        (FOLLOWED, A_PERSON, 1),
        (A_PERSON, A_PERSON, 2),
        (A_PERSON, FOLLOWED, 2),
    ],
)
def test_the_frame_before_is_told_unless_it_is_less_sure(store, before, here, n_past):
    put(store, 2, {1: (3, 9)}, before)
    put(store, 3, {1: (4, 10)}, here)
    past = plan(store, 3).job.start.past
    assert len(past) == n_past
    assert past[-1].segment_ids[10, 9] == 1
    assert past[-1].segment_ids[10, 3] == 0


def test_what_people_drew_on_the_way_is_held(store):
    put(store, 2, {1: (3, 9)})
    put(store, 3, {1: (3, 9)}, FOLLOWED)
    put(store, 4, {8: (20, 25)})
    known = plan(store, 2).job.known
    assert list(known) == [3]
    assert known[3].map.segments[8].is_locked


def test_maps_keep_the_ids_of_the_clip(store):
    put(store, 3, {2: (3, 9)}, FOLLOWED)
    map = propose(store, 3, {40: (5, 11), 7: (20, 25)})
    assert set(map.segments) == {40, 7}
    assert map.segment_ids[10, 5] == 40


def test_pixels_of_people_and_locked_segments_stay(store):
    put(store, 3, {2: (3, 9)})
    put(store, 3, {5: (20, 25)}, FOLLOWED, is_locked=True)
    before = store.load_map(3)
    map = propose(store, 3, {40: (0, 30)})
    for segment_id in (2, 5):
        assert np.array_equal(map.segment_ids == segment_id, before.segment_ids == segment_id)
        assert map.segments[segment_id] == before.segments[segment_id]
    assert map.segment_ids[10, 15] == 40


def test_a_thing_that_stays_gets_no_more_pixels(store):
    put(store, 3, {2: (3, 9)})
    map = propose(store, 3, {2: (3, 12)})
    assert (map.segment_ids == 2).sum() == 60
    assert not map.segment_ids[:, 9:].any()


def test_what_lies_mostly_on_what_stays_is_not_drawn_a_second_time(store):
    put(store, 3, {2: (3, 9)})
    map = propose(store, 3, {40: (4, 11)})
    assert set(map.segments) == {2}


def test_an_id_that_is_another_thing_here_is_not_given_twice(store):
    put(store, 3, {2: (3, 9)})
    map = propose(store, 3, {2: (15, 30)}, {2: 2})
    assert map.segments[2].category_id == 1
    assert {segment.category_id for segment in map.segments.values()} == {1, 2}


def test_stuff_that_stays_is_extended(store):
    base = PanopticMap(np.zeros((20, 30), np.uint16))
    ids = base.segment_ids.copy()
    ids[:, :10] = 4
    store.append_edit(3, Edit(0, 0, base.segment_ids, ids, {}, {4: Segment(4, 2)}, "draw"))
    map = propose(store, 3, {9: (5, 30)}, {9: 2})
    assert set(map.segments) == {4}
    assert map.segment_ids[10, 29] == 4
