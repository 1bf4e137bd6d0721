"""How an edit takes pixels: by the rules of the map, whatever decides which pixels.

Pixels are taken only from void and from unlocked segments; a segment that loses its last pixel
goes with it; a segment whose shape a person changes is a person's work from then on.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import ProjectError
from core.panoptic import (
    MAX_SEGMENT_ID,
    VOID,
    Counts,
    Edit,
    Ids,
    PanopticMap,
    Places,
    Rect,
    Runs,
    Segment,
    Segments,
    Source,
    count_pixels,
    count_runs,
    find_changes,
    find_runs,
)
from core.spans import NOWHERE

N_IDS: Final = MAX_SEGMENT_ID + 1
FEW: Final = 8  # to look up one pixel in that many takes as long as to go through all

Mask = NDArray[np.bool_]
Table = TypeVar("Table", Mask, Ids)


def give_all(
    map: PanopticMap, givers: Iterable[Segment], taker: Segment | None, label: str
) -> Edit:
    """Move all pixels of some segments to another one, or to void."""
    taken = is_any_of(givers, map.segment_ids)
    return give(map, Rect(0, 0, map.height, map.width), taken, taker, label)


def give(map: PanopticMap, rect: Rect, taken: Mask, taker: Segment | None, label: str) -> Edit:
    """Move the taken pixels of a rectangle to a segment, or to void.

    Args:
        map: is not changed.
        rect: of the map.
        taken: bool [m, n], which pixels of the rectangle; none of them the taker's own or of
            a locked segment.
        taker: one of the map's segments, or a new one; None for void.
        label: of the edit.
    """
    rect, taken = shrink(rect, taken)
    before = map.segment_ids[rect.slices].copy()
    is_whole = before.shape == map.segment_ids.shape
    changes = map.find_changes() if is_whole else find_changes(before.reshape(-1))
    after, runs = _paint(before, changes, taken, taker.id if taker else VOID)
    counts = count_runs(runs[0]), count_runs(runs[1])
    losses, areas = _losses(*counts), map.areas()
    segments_before = {i: map.segments[i] for i in losses}
    left_over = [map.segments[i] for i in losses if losses[i] < areas[i]]
    if taker and taken.any():
        left_over.append(taker)
        segments_before |= {i: map.segments[i] for i in [taker.id] if i in map.segments}
    segments_after = {s.id: replace(s, source=Source.HUMAN) for s in left_over}
    edit = make_edit(rect, before, after, (segments_before, segments_after), label)
    return edit.knowing(runs=runs, counts=counts, states=(map.state, object()))


def repaint(
    map: PanopticMap, rect: Rect, after: Ids, label: str, new: Iterable[Segment] = ()
) -> Edit:
    """Give pixels of a rectangle to several segments, or to void, at once.

    Args:
        map: is not changed.
        rect: of the map.
        after: uint16 [m, n], whose each pixel shall be; no locked segment loses any.
        label: of the edit.
        new: segments that begin with this edit.
    """
    smaller, changed = shrink(rect, after != map.segment_ids[rect.slices])
    before = map.segment_ids[smaller.slices].copy()
    after = after[smaller.inside(rect).slices].copy()
    lost, gained = count_pixels(before[changed]), count_pixels(after[changed])
    areas = map.areas()
    known = map.segments | {segment.id: segment for segment in new}
    touched = lost.keys() | gained.keys()
    left_over = [i for i in touched if areas.get(i, 0) - lost.get(i, 0) + gained.get(i, 0)]
    segments_before = {i: map.segments[i] for i in touched if i in map.segments}
    segments_after = {i: replace(known[i], source=Source.HUMAN) for i in left_over}
    edit = make_edit(smaller, before, after, (segments_before, segments_after), label)
    return edit.knowing(states=(map.state, object()))


def _paint(
    before: Ids, changes: Places, taken: Mask, segment_id: int
) -> tuple[Ids, tuple[Runs, Runs]]:
    """The ids [m, n] when those of the taken pixels are another one, and the runs of both.

    Run by run: on a large map two thirds of the time that it takes to write pixels and then to
    look for the runs of both.
    """
    flat, is_taken = before.ravel(), taken.ravel()
    places = np.concatenate([np.zeros(min(flat.size, 1), np.intp), changes])
    both = np.sort(np.concatenate([places, find_changes(is_taken)]), kind="stable")
    both = both[np.diff(both, prepend=-1) > 0]
    ids = flat[both]
    ids[is_taken[both]] = segment_id
    after = np.repeat(ids, np.diff(both, append=flat.size)).reshape(before.shape)
    is_new = np.append(True, ids[1:] != ids[:-1])[: len(ids)]
    ends = both[is_new]
    runs = (
        (np.diff(places, append=flat.size), flat[places]),
        (np.diff(ends, append=flat.size), ids[is_new]),
    )
    return after, runs


def _is_few(where: Mask) -> bool:
    """Whether to look these pixels up one by one is quicker than to go through all."""
    return bool(np.count_nonzero(where) * FEW < where.size)


def _losses(before: Counts, after: Counts) -> Counts:
    """How many pixels the box of an edit takes from each segment."""
    lost = {i: area - after.get(i, 0) for i, area in before.items()}
    return {i: area for i, area in lost.items() if area > 0}


def replace_segment(before: Segment, after: Segment, label: str) -> Edit:
    """An edit that moves no pixel."""
    nothing = np.zeros((0, 0), np.uint16)
    return make_edit(NOWHERE, nothing, nothing, ({before.id: before}, {after.id: after}), label)


def make_edit(
    rect: Rect, before: Ids, after: Ids, segments: tuple[Segments, Segments], label: str
) -> Edit:
    """An edit that, of the segments before and after, names only those that differ."""
    old, new = segments
    differing = sorted(i for i in old.keys() | new.keys() if old.get(i) != new.get(i))
    return Edit(
        rect.top,
        rect.left,
        before,
        after,
        {i: old[i] for i in differing if i in old},
        {i: new[i] for i in differing if i in new},
        label,
    )


def shrink(rect: Rect, taken: Mask) -> tuple[Rect, Mask]:
    """The smallest rectangle inside `rect` that holds all taken pixels, and those in it."""
    rows = np.flatnonzero(taken.any(axis=1))
    if not len(rows):
        return NOWHERE, taken[:0, :0]
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    taken = taken[top:bottom]
    columns = np.flatnonzero(taken.any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    smaller = Rect(rect.top + top, rect.left + left, rect.top + bottom, rect.left + right)
    return smaller, taken[:, left:right]


def find_pixels(map: PanopticMap, segment_id: int, margin: int = 0) -> tuple[Rect, Mask]:
    """The box of a segment, wider by a margin inside the image, and its pixels [m, n] there.

    Raises:
        ValueError: the map has no such segment.
    """
    find_segment(map, segment_id)
    whole = Rect(0, 0, map.height, map.width)
    rect, inside = shrink(whole, map.segment_ids == segment_id)
    if not margin:
        return rect, inside
    rect = rect.grown(margin).clipped(map.height, map.width)
    return rect, map.segment_ids[rect.slices] == segment_id


def keep_those_of(can_lose: Mask, covered: Mask, segment_ids: Ids) -> Mask:
    """Which covered pixels belong to a segment that may lose them, as `can_lose` [65536] says.

    A long stroke covers few pixels of its rectangle, so only these are looked up; of what is
    mostly covered, the runs.
    """
    if can_lose.all():
        return covered
    if _is_few(covered):
        rows, columns = np.divmod(np.flatnonzero(covered), max(covered.shape[1], 1))
        is_kept = can_lose[segment_ids[rows, columns]]
        taken = np.zeros_like(covered)
        taken[rows[is_kept], columns[is_kept]] = True
        return taken
    losing_ids, kept_ids = np.flatnonzero(can_lose), np.flatnonzero(~can_lose)
    if len(kept_ids) == 1:
        return covered & (segment_ids != kept_ids[0])
    if len(losing_ids) == 1:
        return covered & (segment_ids == losing_ids[0])
    lengths, ids = find_runs(segment_ids)
    return covered & np.repeat(can_lose[ids], lengths).reshape(covered.shape)


def unlocked(map: PanopticMap) -> Mask:
    """[65536], true for void and for every id but those of locked segments."""
    can_lose = np.ones(N_IDS, np.bool_)
    can_lose[[segment.id for segment in locked(map)]] = False
    return can_lose


def is_any_of(segments: Iterable[Segment], segment_ids: Ids) -> Mask:
    """Which pixels belong to one of the segments."""
    ids = [segment.id for segment in segments]
    if 0 < len(ids) <= FEW:
        is_theirs = segment_ids == ids[0]
        for i in ids[1:]:
            is_theirs |= segment_ids == i
        return is_theirs
    is_one = np.zeros(N_IDS, np.bool_)
    is_one[ids] = True
    return look_up(is_one, segment_ids)


def look_up(table: Table, segment_ids: Ids) -> Table:
    """What a table [65536] says of each pixel's id: run by run, three times as fast."""
    lengths, ids = find_runs(segment_ids)
    return np.repeat(table[ids], lengths).reshape(segment_ids.shape)


def locked(map: PanopticMap) -> list[Segment]:
    """The segments that an annotator vouches for."""
    return [segment for segment in map.segments.values() if segment.is_locked]


def find_segment(map: PanopticMap, segment_id: int) -> Segment:
    """A segment of the map.

    Raises:
        ValueError: the map has no such segment.
    """
    if segment_id not in map.segments:
        raise ValueError(f"the map has no segment {segment_id}")
    return map.segments[segment_id]


def checked_id(segment_id: int) -> int:
    """The id, if a map can hold it.

    Raises:
        ProjectError: the image has used every id there is.
    """
    if segment_id > MAX_SEGMENT_ID:
        raise ProjectError(
            f"This image has used all {MAX_SEGMENT_ID} segment ids that it can have; extend an "
            "existing segment, or label the image in a new project."
        )
    return segment_id
