"""What a person can do to a map: pure functions that make an `Edit` and change nothing.

The rules of the map hold after every edit. Pixels are taken only from void and from unlocked
segments; a stuff category has one segment; a segment that loses its last pixel goes with it;
ids are never used twice. An edit that would break a rule does less, down to nothing: ask
`edit.is_empty`.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from core.giving import (
    N_IDS,
    Mask,
    checked_id,
    find_segment,
    give,
    give_all,
    keep_those_of,
    replace_segment,
    unlocked,
)
from core.panoptic import VOID, Category, Edit, PanopticMap, Rect, Segment, Source
from core.strokes import Tip, cover_stroke


def new_segment(map: PanopticMap, category: Category) -> Segment:
    """The segment to paint next: the category's own if it is stuff, else one with a new id.

    Raises:
        ProjectError: the image has used every id there is.
    """
    existing = None if category.is_thing else map.find_stuff(category.id)
    return existing or Segment(checked_id(map.next_id), category.id)


def brush_stroke(
    map: PanopticMap,
    points: ArrayLike,
    radius: float,
    segment: Segment,
    *,
    tip: Tip = Tip.ROUND,
) -> Edit:
    """Give the pixels under a stroke to a segment.

    Args:
        map: is not changed.
        points: [N, 2] x and y in image pixels; (0, 0) is the outer corner of the first pixel.
        radius: of the brush in pixels; half the side of a square one.
        segment: one of the map's, or a new one that this stroke begins.
    """
    rect, covered = cover_stroke(points, radius, map.height, map.width, tip)
    return paint_area(map, rect, covered, segment, "brush")


def erase_stroke(
    map: PanopticMap,
    points: ArrayLike,
    radius: float,
    only: int | None = None,
    *,
    tip: Tip = Tip.ROUND,
) -> Edit:
    """Make the pixels under a stroke void.

    Args:
        map: is not changed.
        points: [N, 2] x and y in image pixels.
        radius: of the eraser in pixels; half the side of a square one.
        only: id of the one segment to erase; None erases from all.
    """
    rect, covered = cover_stroke(points, radius, map.height, map.width, tip)
    return erase_area(map, rect, covered, only, "erase")


def paint_area(
    map: PanopticMap, rect: Rect, covered: Mask, segment: Segment, label: str
) -> Edit:
    """Give an area's pixels to a segment, except those of locked segments.

    Args:
        map: is not changed.
        rect: of the map.
        covered: bool [m, n], which pixels of the rectangle are meant.
        segment: one of the map's, or a new one that this edit begins.
        label: of the edit.
    """
    can_lose = unlocked(map)
    if segment.id in map.segments:
        can_lose[segment.id] = False
    taken = keep_those_of(can_lose, covered, map.segment_ids[rect.slices])
    return give(map, rect, taken, map.segments.get(segment.id, segment), label)


def erase_area(
    map: PanopticMap, rect: Rect, covered: Mask, only: int | None, label: str
) -> Edit:
    """Make an area's pixels void, except those of locked segments.

    Args:
        map: is not changed.
        rect: of the map.
        covered: bool [m, n], which pixels of the rectangle are meant.
        only: id of the one segment to erase; None erases from all.
        label: of the edit.
    """
    can_lose = unlocked(map)
    can_lose[VOID] = False
    if only is not None:
        can_lose &= np.arange(N_IDS) == only
    taken = keep_those_of(can_lose, covered, map.segment_ids[rect.slices])
    return give(map, rect, taken, None, label)


def delete_segment(map: PanopticMap, segment_id: int) -> Edit:
    """Make all pixels of a segment void, unless it is locked.

    Raises:
        ValueError: the map has no such segment.
    """
    segment = find_segment(map, segment_id)
    return give_all(map, [] if segment.is_locked else [segment], None, "delete segment")


def clear(map: PanopticMap) -> Edit:
    """Make the pixels of all unlocked segments void."""
    unlocked = [segment for segment in map.segments.values() if not segment.is_locked]
    return give_all(map, unlocked, None, "clear")


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
    segment = find_segment(map, segment_id)
    changed = segment
    if is_locked is not None:
        changed = replace(changed, is_locked=is_locked)
    if category is None or (segment.is_locked and changed.is_locked):
        return replace_segment(segment, changed, "lock" if changed.is_locked else "unlock")
    home = None if category.is_thing or segment.is_crowd else map.find_stuff(category.id)
    if home is not None and home.id != segment_id:
        return give_all(map, [segment], home, "change category")
    if category.id != segment.category_id:
        changed = replace(changed, category_id=category.id, source=Source.HUMAN)
    return replace_segment(segment, changed, "change category")
