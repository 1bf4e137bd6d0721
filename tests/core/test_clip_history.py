"""Edits of many frames that are one step: together on the disk, together back and forth."""

from dataclasses import replace

import numpy as np
import pytest

from core.authors import Author, AuthorKind
from core.clip_history import push_over_frames
from core.edits import brush_stroke, new_segment
from core.errors import ProjectError
from core.panoptic import Category
from core.recovery import recover_project
from core.review import Review
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
FOLLOWED = Author(AuthorKind.PROPAGATED, "m", 1, 8)


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.create(tmp_path / "a.bitbrush", [CELL]) as store:
        store.add_images([(tmp_path / "a.mp4", k, 20, 30) for k in range(4)])
        yield store


def dot(store, image_id, x=5):
    map = store.load_map(image_id)
    return brush_stroke(map, [(x, 4.5)], 2, new_segment(map, CELL))


def push(store, image_ids=(1, 2, 3), **more):
    push_over_frames(store, {i: dot(store, i, 5 * i) for i in image_ids}, "merge", **more)


def n_segments(store):
    return [len(store.load_map(i).segments) for i in range(1, 5)]


def test_a_step_over_frames_has_its_label_and_author_in_each(store):
    push(store, author=FOLLOWED)
    assert [store.history(i) for i in (1, 2, 3)] == [(["merge"], 1)] * 3
    assert store.history(4) == ([], 0)
    assert store.image_record(2).review is Review.PROPOSED
    assert np.any(store.provenance(2).of_kinds([AuthorKind.PROPAGATED]))


def test_it_goes_back_and_forth_together_from_any_of_its_frames(store):
    push(store)
    step, edit = store.take_joint_step(2, forwards=False)
    assert (step.label, step.image_ids) == ("merge", (1, 2, 3))
    assert n_segments(store) == [0, 0, 0, 0]
    assert edit.segments_before and not edit.segments_after
    assert [record.n_segments for record in store.images()] == [0, 0, 0, 0]
    store.take_joint_step(3, forwards=True)
    assert n_segments(store) == [1, 1, 1, 0]
    assert [record.n_segments for record in store.images()] == [1, 1, 1, 0]


def test_two_steps_are_told_apart(store):
    push(store, (1, 2))
    push(store, (2, 3))
    store.take_joint_step(3, forwards=False)
    assert n_segments(store) == [1, 1, 0, 0]


def test_a_run_is_one_step_however_many_times_it_saved(store):
    run = store.new_joint_step()
    for image_id in (1, 2):
        store.append_joint({image_id: dot(store, image_id)}, run, FOLLOWED)
    push(store, (3,))
    assert store.joint_step(1, forwards=False).image_ids == (1, 2)
    store.append_joint({4: dot(store, 4)}, run, FOLLOWED)
    store.take_joint_step(4, forwards=False)
    assert n_segments(store) == [0, 0, 1, 0]


def test_an_edit_of_one_image_is_no_such_step(store):
    push(store)
    store.append_edit(1, dot(store, 1, 20))
    assert store.joint_step(1, forwards=False) is None
    assert store.joint_step(4, forwards=False) is None
    with pytest.raises(ValueError, match="no step over several images"):
        store.take_joint_step(1, forwards=False)


def test_a_frame_that_was_changed_since_holds_all_up_and_is_named(store):
    push(store)
    store.append_edit(2, dot(store, 2, 20))
    assert store.joint_step(3, forwards=False).held_by == 2
    with pytest.raises(ProjectError, match=r"a\.mp4 #2 was changed since\."):
        store.take_joint_step(3, forwards=False)
    assert n_segments(store) == [1, 2, 1, 0]
    store.undo(2)
    store.take_joint_step(3, forwards=False)
    assert n_segments(store) == [0, 0, 0, 0]


def test_an_approved_frame_holds_it_up_unless_it_is_the_one_in_view(store):
    push(store)
    store.set_review(2, Review.APPROVED)
    with pytest.raises(ProjectError, match=r"a\.mp4 #2 is approved"):
        store.take_joint_step(3, forwards=False)
    store.take_joint_step(2, forwards=False)
    assert n_segments(store) == [0, 0, 0, 0]


def test_frames_where_it_is_undone_already_stay_as_they_are(store):
    push(store)
    store.undo(1)
    step, _ = store.take_joint_step(2, forwards=False)
    assert step.image_ids == (2, 3)
    store.take_joint_step(2, forwards=True)
    assert n_segments(store) == [1, 1, 1, 0]


def test_redo_needs_what_was_before_it(store):
    store.append_edit(1, dot(store, 1, 20))
    push(store)
    store.take_joint_step(2, forwards=False)
    store.undo(1)
    with pytest.raises(ProjectError, match=r"cannot be taken again: a\.mp4 #1 lacks"):
        store.take_joint_step(2, forwards=True)


def test_a_new_edit_in_place_of_it_leaves_the_others_to_redo(store):
    push(store)
    store.take_joint_step(2, forwards=False)
    store.append_edit(1, dot(store, 1, 20))
    assert store.joint_step(2, forwards=True).image_ids == (2, 3)


def test_it_is_still_one_step_after_the_project_is_opened_again(store):
    push(store)
    store.close()
    with AnnotationStore.open(store.path) as again:
        again.take_joint_step(1, forwards=False)
        assert n_segments(again) == [0, 0, 0, 0]
        push(again, (4,))
        assert again.joint_step(4, forwards=False).number == 2


def test_nothing_is_saved_of_a_step_that_cannot_be(store):
    edits = {1: dot(store, 1), 2: dot(store, 2)}
    edits[2] = replace(edits[2], top=500)
    with pytest.raises(ValueError, match="not inside"):
        push_over_frames(store, edits, "merge")
    assert n_segments(store) == [0, 0, 0, 0]


def test_edits_that_change_nothing_are_no_part_of_it(store):
    edit = dot(store, 1)
    nothing = replace(edit, after=edit.before, segments_after={})
    push_over_frames(store, {1: edit, 2: nothing}, "merge")
    assert store.joint_step(1, forwards=False).image_ids == (1,)


def test_compacted_frames_leave_the_step(store):
    push(store)
    store.append_edit(1, dot(store, 1, 20))
    store.compact(1)
    assert store.joint_step(2, forwards=False).image_ids == (2, 3)


def test_a_recovered_project_has_the_maps(store):
    push(store)
    store.close()
    recover_project(store.path)
    with AnnotationStore.open(store.path) as again:
        assert n_segments(again) == [1, 1, 1, 0]
