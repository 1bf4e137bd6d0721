"""What can be done to a segment in many frames of a clip: one edit of each, one step in all.

A segment of a clip is the same in all frames where it has the same id. The rules of the map
hold in each frame by itself: a locked segment loses no pixel and keeps its category.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from core.clip_history import ProjectJointSteps
from core.edits import delete_segment, paint_area, set_segment
from core.errors import ProjectError
from core.giving import find_pixels, give_all, make_edit
from core.panoptic import Category, Edit, PanopticMap, Segment
from core.segment_edits import merge_segments
from core.spans import NOWHERE

AT_ONCE: Final = 8  # frames that are saved in one transaction; the edits of so many are kept

FrameEdit = Callable[[PanopticMap], Edit]


def delete_in(map: PanopticMap, segment_id: int) -> Edit:
    """Make a segment's pixels void, if the frame has it and it is not locked."""
    return delete_segment(map, segment_id) if segment_id in map.segments else _nothing()


def recategorise_in(map: PanopticMap, segment_id: int, category: Category) -> Edit:
    """Give a segment another category, if the frame has it and it is not locked."""
    if segment_id not in map.segments:
        return _nothing()
    return set_segment(map, segment_id, category=category)


def merge_in(map: PanopticMap, segment_id: int, into: Segment, category: Category) -> Edit:
    """Make a segment part of another one, or that one itself where it is alone.

    Args:
        map: is not changed.
        segment_id: of the segment that will be no more; where it is locked, it stays.
        into: the other one, as it is in some frame.
        category: of `into`.
    """
    segment = map.segments.get(segment_id)
    if segment is None or segment.is_locked or segment_id == into.id:
        return _nothing()
    home = map.segments.get(into.id)
    if home is None and not category.is_thing and not into.is_crowd:
        home = map.find_stuff(category.id)
    if home is not None and home.id == segment_id:
        home = None  # stuff that gets the other id
    if home is not None:
        return merge_segments(map, [segment_id], home.id)
    heir = Segment(into.id, into.category_id, is_crowd=into.is_crowd)
    return give_all(map, [segment], heir, "merge segments")


def copy_in(map: PanopticMap, source: PanopticMap, segment_id: int, category: Category) -> Edit:
    """Give a frame the pixels that a segment has in another one, but those of locked segments.

    Where the frame has the segment already, they are added to it; stuff is added to the
    frame's own.

    Raises:
        ValueError: the frames differ in size, or the other one lacks the segment.
    """
    if source.segment_ids.shape != map.segment_ids.shape:
        raise ValueError(f"a map {source.segment_ids.shape} for one {map.segment_ids.shape}")
    rect, covered = find_pixels(source, segment_id)
    copied = source.segments[segment_id]
    here = map.segments.get(segment_id)
    if here is None and not category.is_thing and not copied.is_crowd:
        here = map.find_stuff(category.id)
    if here is not None and here.is_locked:
        return _nothing()
    return paint_area(map, rect, covered, here or replace(copied, is_locked=False), "copy")


def edit_frames(
    store: ProjectJointSteps, image_ids: Sequence[int], make: FrameEdit, label: str
) -> Iterator[int]:
    """Edit many frames as one step of undo; closing this keeps what is done.

    Args:
        store: of the clip; a connection of the thread that this runs in.
        image_ids: of the frames.
        make: the edit of a frame's map.
        label: of the step, as the history shows it.

    Yields:
        How many frames have been changed, after each that was looked at.

    Raises:
        ProjectError: a frame was edited by others meanwhile; those before it are changed.
    """
    step, n_changed = None, 0
    edits: dict[int, Edit] = {}
    marks: dict[int, tuple[int, int]] = {}

    def save() -> None:
        nonlocal step, n_changed
        for image_id, mark in marks.items():
            if store.mark(image_id) != mark:
                raise ProjectError(
                    f"'{label}' ended before its last frame, as a frame was edited meanwhile; "
                    "do it again."
                )
        if edits:
            step = store.new_joint_step() if step is None else step
            store.append_joint(edits, step)
            n_changed += len(edits)
        edits.clear()
        marks.clear()

    for image_id in image_ids:
        mark = store.mark(image_id)
        edit = make(store.load_map(image_id))
        if not edit.is_empty:
            edits[image_id], marks[image_id] = replace(edit, label=label), mark
        if len(edits) == AT_ONCE:
            save()
        yield n_changed + len(edits)
    save()
    yield n_changed


def _nothing() -> Edit:
    nothing = np.zeros((0, 0), np.uint16)
    return make_edit(NOWHERE, nothing, nothing, ({}, {}), "nothing")
