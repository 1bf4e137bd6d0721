"""Edits of whole segments: join, part, give away. Pure functions that make an `Edit`.

The rules of `core.edits` hold: a locked segment loses no pixel, and an edit that would break a
rule does less, down to nothing.
"""

from collections.abc import Collection, Iterable

import cv2
import numpy as np
from numpy.typing import ArrayLike

from core.areas import find_parts, nearest_ids
from core.cutting import Point, find_side
from core.flooding import flood
from core.giving import (
    Mask,
    checked_id,
    find_pixels,
    find_segment,
    give,
    give_all,
    repaint,
    unlocked,
)
from core.panoptic import VOID, Edit, PanopticMap, Rect, Segment


def flood_area(map: PanopticMap, x: int, y: int) -> tuple[Rect, Mask]:
    """Find what paint would fill: the pixels of one id that connect to a pixel, edge to edge.

    Args:
        map: is not changed.
        x: column of the pixel.
        y: row of it.

    Returns:
        The smallest rectangle that holds them, and which pixels [m, n] of it they are; the
        given one is always among them.

    Raises:
        ValueError: the pixel is outside the map.
    """
    if not (0 <= x < map.width and 0 <= y < map.height):
        raise ValueError(f"pixel ({x}, {y}) of a map of {map.width} x {map.height}")
    return flood(map.segment_ids, x, y, map.find_changes)


def merge_segments(map: PanopticMap, segment_ids: Iterable[int], into: int) -> Edit:
    """Make several segments one, of the category and with the flags of the one they join.

    Locked ones keep their pixels; the one that is joined may be locked.

    Raises:
        ValueError: the map lacks one of the segments.
    """
    home = find_segment(map, into)
    givers = [find_segment(map, i) for i in dict.fromkeys(segment_ids) if i != into]
    givers = [segment for segment in givers if not segment.is_locked]
    return give_all(map, givers, home, "merge segments")


def split_components(map: PanopticMap, segment_id: int, stuff: Collection[int]) -> Edit:
    """Make each connected part of a segment a segment of its own; the largest keeps the id.

    Pixels that touch at a corner are connected. Stuff, which has one segment an image, and
    locked segments stay whole.

    Args:
        map: is not changed.
        segment_id: of the segment to part.
        stuff: ids of the project's stuff categories.

    Raises:
        ValueError: the map has no such segment.
        ProjectError: the image has used every id there is.
    """
    segment = find_segment(map, segment_id)
    rect, inside = find_pixels(map, segment_id)
    after = map.segment_ids[rect.slices].copy()
    new: list[Segment] = []
    if _can_be_parted(segment, stuff):
        parts, areas = find_parts(inside)
        areas[0] = 0
        smaller = np.setdiff1d(np.flatnonzero(areas), areas.argmax())
        new = [_twin(segment, map.next_id + i) for i in range(len(smaller))]
        id_of = np.full(len(areas), segment_id, np.uint16)
        id_of[smaller] = [part.id for part in new]
        np.copyto(after, id_of[parts], where=inside)
    return repaint(map, rect, after, "split into parts", new)


def cut_segment(
    map: PanopticMap, segment_id: int, start: Point, end: Point, stuff: Collection[int]
) -> Edit:
    """Cut a segment in two where a straight line is drawn across it; see `split_by_line`."""
    return _cut(map, segment_id, [start, end], stuff, "cut")


def split_by_line(
    map: PanopticMap, segment_id: int, points: ArrayLike, stuff: Collection[int]
) -> Edit:
    """Split a segment in two: what lies on one side of a drawn line, and on the other.

    The line cuts only where it is drawn. If it goes neither right across some part of the
    segment nor around a piece of it, nothing is split. The larger side keeps the id, and so
    do parts that the line does not reach. Stuff and locked segments stay whole.

    Args:
        map: is not changed.
        segment_id: of the segment to split.
        points: [N, 2] x and y in image pixels, in or outside the image.
        stuff: ids of the project's stuff categories.

    Raises:
        ValueError: the map has no such segment, or a point is no usable number.
        ProjectError: the image has used every id there is.
    """
    return _cut(map, segment_id, points, stuff, "split")


def _cut(
    map: PanopticMap, segment_id: int, points: ArrayLike, stuff: Collection[int], label: str
) -> Edit:
    segment = find_segment(map, segment_id)
    rect, inside = find_pixels(map, segment_id)
    line = np.asarray(points, np.float64).reshape(-1, 2) - (rect.left, rect.top)
    side = find_side(inside, line)
    if not (side.any() and _can_be_parted(segment, stuff)):
        return give(map, rect, np.zeros_like(inside), None, label)
    return give(map, rect, side, _twin(segment, map.next_id), label)


def give_to_neighbours(map: PanopticMap, segment_id: int) -> Edit:
    """Dissolve a segment: each pixel goes to the nearest unlocked segment that touches it.

    Its pixels become void only if no such segment does.

    Raises:
        ValueError: the map has no such segment.
    """
    segment = find_segment(map, segment_id)
    rect, inside = find_pixels(map, segment_id, margin=1)
    window = map.segment_ids[rect.slices]
    can_take = unlocked(map)
    can_take[[VOID, segment_id]] = False
    touched = cv2.dilate(inside.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
    after = np.where(inside, nearest_ids(window, touched & can_take[window]), window)
    return repaint(map, rect, window if segment.is_locked else after, "give to neighbours")


def _can_be_parted(segment: Segment, stuff: Collection[int]) -> bool:
    """Whether the rules of the map allow that there are two of it."""
    return not segment.is_locked and (segment.is_crowd or segment.category_id not in stuff)


def _twin(segment: Segment, segment_id: int) -> Segment:
    """A new segment of the same kind."""
    return Segment(checked_id(segment_id), segment.category_id, is_crowd=segment.is_crowd)
