"""What a person can do to a map: pure functions that make an `Edit` and change nothing.

The rules of the map hold after every edit. Pixels are taken only from void and from unlocked
segments; a stuff category has one segment; a segment that loses its last pixel goes with it;
ids are never used twice. An edit that would break a rule does less, down to nothing: ask
`edit.is_empty`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import ProjectError
from core.panoptic import (
    MAX_SEGMENT_ID,
    VOID,
    Category,
    Edit,
    Ids,
    PanopticMap,
    Rect,
    Segment,
    Segments,
    Source,
    count_pixels,
)
from core.proposals import Proposal
from core.strokes import NOWHERE, cover_stroke

N_IDS: Final = MAX_SEGMENT_ID + 1

Mask = NDArray[np.bool_]


def new_segment(map: PanopticMap, category: Category) -> Segment:
    """The segment to paint next: the category's own if it is stuff, else one with a new id.

    Raises:
        ProjectError: the image has used every id there is.
    """
    existing = None if category.is_thing else map.find_stuff(category.id)
    return existing or Segment(_checked_id(map.next_id), category.id)


def brush_stroke(map: PanopticMap, points: ArrayLike, radius: float, segment: Segment) -> Edit:
    """Give the pixels under a stroke to a segment.

    Args:
        map: is not changed.
        points: [N, 2] x and y in image pixels; (0, 0) is the outer corner of the first pixel.
        radius: of the brush in pixels.
        segment: one of the map's, or a new one that this stroke begins.
    """
    rect, covered = cover_stroke(points, radius, map.height, map.width)
    can_lose = _unlocked(map)
    can_lose[segment.id] = False
    taken = _keep_those_of(can_lose, covered, map.segment_ids[rect.slices])
    return _give(map, rect, taken, map.segments.get(segment.id, segment), "brush")


def erase_stroke(
    map: PanopticMap, points: ArrayLike, radius: float, only: int | None = None
) -> Edit:
    """Make the pixels under a stroke void.

    Args:
        map: is not changed.
        points: [N, 2] x and y in image pixels.
        radius: of the eraser in pixels.
        only: id of the one segment to erase; None erases from all.
    """
    rect, covered = cover_stroke(points, radius, map.height, map.width)
    can_lose = _unlocked(map)
    can_lose[VOID] = False
    if only is not None:
        can_lose &= np.arange(N_IDS) == only
    taken = _keep_those_of(can_lose, covered, map.segment_ids[rect.slices])
    return _give(map, rect, taken, None, "erase")


def delete_segment(map: PanopticMap, segment_id: int) -> Edit:
    """Make all pixels of a segment void, unless it is locked.

    Raises:
        ValueError: the map has no such segment.
    """
    segment = _segment(map, segment_id)
    return _give_all(map, [] if segment.is_locked else [segment], None, "delete segment")


def clear(map: PanopticMap) -> Edit:
    """Make the pixels of all unlocked segments void."""
    unlocked = [segment for segment in map.segments.values() if not segment.is_locked]
    return _give_all(map, unlocked, None, "clear")


def set_segment(
    map: PanopticMap,
    segment_id: int,
    *,
    is_locked: bool | None = None,
    category: Category | None = None,
) -> Edit:
    """Lock or unlock a segment, or change its category; what is None stays.

    A segment whose category becomes stuff that the image already has joins that segment. The
    category of a locked segment stays as it is, unless the same edit unlocks it.

    Raises:
        ValueError: the map has no such segment.
    """
    segment = _segment(map, segment_id)
    changed = segment
    if is_locked is not None:
        changed = replace(changed, is_locked=is_locked)
    if category is None or (segment.is_locked and changed.is_locked):
        return _replace_segment(segment, changed, "lock" if changed.is_locked else "unlock")
    home = None if category.is_thing or segment.is_crowd else map.find_stuff(category.id)
    if home is not None and home.id != segment_id:
        return _give_all(map, [segment], home, "change category")
    if category.id != segment.category_id:
        changed = replace(changed, category_id=category.id, source=Source.HUMAN)
    return _replace_segment(segment, changed, "change category")


def accept_proposal(
    map: PanopticMap,
    proposal: Proposal,
    to_project: Mapping[int, int],
    stuff: Collection[int],
) -> Edit:
    """Take over a proposal, except where a person has vouched for a segment or drawn a thing.

    Args:
        map: is not changed.
        proposal: at the size of the map.
        to_project: the model's category ids -> the project's; segments of others become void.
        stuff: ids of the project's stuff categories.

    Raises:
        ValueError: the proposal has another size than the map.
        ProjectError: the image has used every id there is.
    """
    suggested = {
        segment_id: Segment(segment_id, to_project[category_id], Source.MODEL)
        for segment_id, category_id in proposal.category_ids.items()
        if category_id in to_project
    }
    kept = [
        segment
        for segment in map.segments.values()
        if segment.is_locked
        or (segment.source is Source.HUMAN and segment.category_id not in stuff)
    ]
    ids = _IdGiver(map, stuff, has_own_ids=False)
    return _replace_map(
        map, proposal.segment_ids, suggested, kept=kept, ids=ids, label="accept proposal"
    )


def import_map(map: PanopticMap, imported: PanopticMap, stuff: Collection[int]) -> Edit:
    """Put a whole map in place of another, except where a segment is locked.

    Ids stay as they are if the image has used none so high yet; otherwise they are renumbered.

    Args:
        map: is not changed.
        imported: of the same size, in the project's categories.
        stuff: ids of the project's stuff categories.

    Raises:
        ValueError: the maps differ in size.
        ProjectError: the image has used every id there is.
    """
    has_own_ids = min(imported.segments, default=0) >= map.next_id
    ids = _IdGiver(map, stuff, has_own_ids=has_own_ids)
    return _replace_map(
        map,
        imported.segment_ids,
        imported.segments,
        kept=_locked(map),
        ids=ids,
        label="import",
    )


class _IdGiver:
    """Says which segment of the map a foreign segment becomes.

    Args:
        has_own_ids: foreign things keep their ids instead of getting the next ones.
    """

    def __init__(self, map: PanopticMap, stuff: Collection[int], *, has_own_ids: bool) -> None:
        self._stuff = stuff
        self._has_own_ids = has_own_ids
        self._next_id = map.next_id
        self._homes = {category_id: map.find_stuff(category_id) for category_id in stuff}

    def is_stuff(self, segment: Segment) -> bool:
        return segment.category_id in self._stuff and not segment.is_crowd

    def adopt(self, foreign: Segment) -> Segment:
        home = self._homes.get(foreign.category_id) if self.is_stuff(foreign) else None
        if home is not None:
            return home if home.is_locked else replace(foreign, id=home.id)
        adopted = foreign
        if not self._has_own_ids:
            adopted = replace(foreign, id=_checked_id(self._next_id))
            self._next_id += 1
        if self.is_stuff(foreign):
            self._homes[foreign.category_id] = adopted
        return adopted


def _replace_map(
    map: PanopticMap,
    foreign_ids: Ids,
    foreign: Segments,
    *,
    kept: Iterable[Segment],
    ids: _IdGiver,
    label: str,
) -> Edit:
    """Lay foreign segments everywhere but on the kept ones.

    A thing that lies mostly on kept segments is one of them, seen again: its rim becomes void.
    """
    if foreign_ids.shape != map.segment_ids.shape:
        raise ValueError(f"a map {foreign_ids.shape} for an image {map.segment_ids.shape}")
    segments = {segment.id: segment for segment in kept}
    is_free = ~_is_any_of(segments.values(), map.segment_ids)
    areas, free_areas = count_pixels(foreign_ids), count_pixels(foreign_ids[is_free])
    new_id_of = np.zeros(N_IDS, np.uint16)
    for foreign_id, area in free_areas.items():
        segment = foreign.get(foreign_id)
        if segment is None or (not ids.is_stuff(segment) and area * 2 < areas[foreign_id]):
            continue
        adopted = ids.adopt(segment)
        segments[adopted.id] = adopted
        new_id_of[foreign_id] = adopted.id
    after = np.where(is_free, new_id_of[foreign_ids], map.segment_ids)
    rect, _ = _shrink(Rect(0, 0, map.height, map.width), after != map.segment_ids)
    before, after = map.segment_ids[rect.slices].copy(), after[rect.slices].copy()
    return _edit(rect, before, after, (map.segments, segments), label)


def _give_all(
    map: PanopticMap, givers: Iterable[Segment], taker: Segment | None, label: str
) -> Edit:
    """Move all pixels of some segments to another one, or to void."""
    taken = _is_any_of(givers, map.segment_ids)
    return _give(map, Rect(0, 0, map.height, map.width), taken, taker, label)


def _give(map: PanopticMap, rect: Rect, taken: Mask, taker: Segment | None, label: str) -> Edit:
    """Move the taken pixels of a rectangle to a segment, or to void.

    A segment whose shape a person changes is a person's work from then on.
    """
    rect, taken = _shrink(rect, taken)
    before = map.segment_ids[rect.slices].copy()
    after = before.copy()
    after[taken] = taker.id if taker else VOID
    losses, areas = count_pixels(before[taken]), map.areas()
    segments_before = {i: map.segments[i] for i in losses}
    left_over = [map.segments[i] for i in losses if losses[i] < areas[i]]
    if taker and taken.any():
        left_over.append(taker)
        segments_before |= {i: map.segments[i] for i in [taker.id] if i in map.segments}
    segments_after = {s.id: replace(s, source=Source.HUMAN) for s in left_over}
    return _edit(rect, before, after, (segments_before, segments_after), label)


def _replace_segment(before: Segment, after: Segment, label: str) -> Edit:
    """An edit that moves no pixel."""
    nothing = np.zeros((0, 0), np.uint16)
    return _edit(NOWHERE, nothing, nothing, ({before.id: before}, {after.id: after}), label)


def _edit(
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


def _shrink(rect: Rect, taken: Mask) -> tuple[Rect, Mask]:
    """The smallest rectangle inside `rect` that holds all taken pixels, and those in it."""
    rows, columns = np.flatnonzero(taken.any(axis=1)), np.flatnonzero(taken.any(axis=0))
    if not len(rows):
        return NOWHERE, taken[:0, :0]
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    smaller = Rect(rect.top + top, rect.left + left, rect.top + bottom, rect.left + right)
    return smaller, taken[top:bottom, left:right]


def _keep_those_of(can_lose: Mask, covered: Mask, segment_ids: Ids) -> Mask:
    """Which covered pixels belong to a segment that may lose them, as `can_lose` [65536] says.

    A long stroke covers few pixels of its rectangle, so only these are looked up.
    """
    rows, columns = np.divmod(np.flatnonzero(covered), max(covered.shape[1], 1))
    is_kept = can_lose[segment_ids[rows, columns]]
    taken = np.zeros_like(covered)
    taken[rows[is_kept], columns[is_kept]] = True
    return taken


def _unlocked(map: PanopticMap) -> Mask:
    """[65536], true for void and for every id but those of locked segments."""
    can_lose = np.ones(N_IDS, np.bool_)
    can_lose[[segment.id for segment in _locked(map)]] = False
    return can_lose


def _is_any_of(segments: Iterable[Segment], segment_ids: Ids) -> Mask:
    """Which pixels belong to one of the segments."""
    is_one = np.zeros(N_IDS, np.bool_)
    is_one[[segment.id for segment in segments]] = True
    return is_one[segment_ids]


def _locked(map: PanopticMap) -> list[Segment]:
    return [segment for segment in map.segments.values() if segment.is_locked]


def _segment(map: PanopticMap, segment_id: int) -> Segment:
    if segment_id not in map.segments:
        raise ValueError(f"the map has no segment {segment_id}")
    return map.segments[segment_id]


def _checked_id(segment_id: int) -> int:
    if segment_id > MAX_SEGMENT_ID:
        raise ProjectError(
            f"This image has used all {MAX_SEGMENT_ID} segment ids that it can have; extend an "
            "existing segment, or label the image in a new project."
        )
    return segment_id
