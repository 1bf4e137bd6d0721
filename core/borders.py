"""Edits of a segment's outline: holes, islands, smoothing, growing, shrinking.

The rules of `core.edits` hold: a locked segment loses no pixel, and an edit that would break a
rule does less, down to nothing. A pixel that a segment gives up goes to what lies nearest, be
it void or a segment that is not locked, so that mending one border opens no gap.
"""

import math
from collections.abc import Callable, Iterator
from typing import Final

import cv2
import numpy as np

from core.areas import distance_from, find_holes, nearest_ids
from core.giving import N_IDS, Mask, find_pixels, give, repaint, unlocked
from core.panoptic import VOID, Edit, Ids, PanopticMap, Rect, count_pixels
from core.parts import MapParts, find_parts_of_all
from core.spans import Ints

TILE: Final = 256  # pixels on a side, or twice the reach if that is more


def fill_holes(map: PanopticMap, segment_id: int) -> Edit:
    """Give a segment the void and the stray pixels that it encloses.

    What lies in a hole with all its pixels is an object of its own and stays; of a segment
    that goes on outside, what lies in the hole is taken. The image's edge closes no hole.

    Raises:
        ValueError: the map has no such segment.
    """
    rect, inside = find_pixels(map, segment_id)
    window = map.segment_ids[rect.slices]
    holes = find_holes(inside)
    areas, can_lose = map.areas(), unlocked(map)
    enclosed = count_pixels(window[holes])
    can_lose[[i for i, area in enclosed.items() if area == areas[i]]] = False
    taken = holes & can_lose[window]
    return give(map, rect, taken, map.segments[segment_id], "fill holes")


def remove_islands(map: PanopticMap, min_area: int, segment_id: int | None = None) -> Edit:
    """Dissolve the small parts of a segment, or of all.

    An island goes to the neighbour along which most of its border runs: void, or a segment
    that is not locked. The largest part of a segment stays, however small: a whole segment is
    deleted on purpose or not at all.

    Args:
        map: is not changed.
        min_area: pixels; a part of fewer is an island. Pixels that touch at a corner are
            connected.
        segment_id: None for all segments but the locked ones.

    Raises:
        ValueError: the map has no such segment, or the area is not positive.
    """
    if min_area < 1:
        raise ValueError(f"islands of fewer than {min_area} pixels")
    if segment_id is None:
        rect = Rect(0, 0, map.height, map.width)
    else:
        rect, _ = find_pixels(map, segment_id, margin=1)
    parts = find_parts_of_all(map.segment_ids[rect.slices])
    can_change = unlocked(map)
    is_island = (parts.areas < min_area) & (parts.ids != VOID) & can_change[parts.ids]
    is_island[_largest_of_each(parts)] = False
    if segment_id is not None:
        is_island &= parts.ids == segment_id
    after = parts.paint(_dissolve(parts, is_island, can_change))
    return repaint(map, rect, after, "remove islands")


def _largest_of_each(parts: MapParts) -> Ints:
    """The largest part of each segment, and the first of several."""
    order = np.lexsort((-np.arange(len(parts.ids)), parts.areas, parts.ids))
    return order[np.append(np.diff(parts.ids[order]) != 0, True)]


def _dissolve(parts: MapParts, is_island: Mask, can_take: Mask) -> Ids:
    """Whose each part [P] is when islands have gone to their main neighbours.

    An island among islands waits for what becomes of these; what then has no neighbour but
    locked ones becomes void. Of several main neighbours the one with the lowest id takes it.
    """
    ids, waiting = parts.ids.copy(), is_island.copy()
    island, neighbour, length = parts.borders
    while waiting.any():
        can_join = waiting[island] & ~waiting[neighbour] & can_take[ids[neighbour]]
        pairs = island[can_join] * N_IDS + ids[neighbour[can_join]]
        pairs, place = np.unique(pairs, return_inverse=True)
        if not len(pairs):
            ids[waiting] = VOID
            break
        joining, taker = np.divmod(pairs, N_IDS)
        order = np.lexsort((-taker, np.bincount(place, length[can_join])))
        ids[joining[order]] = taker[order]  # the last one written to a place stays there
        waiting[joining] = False
    return ids


def smooth_border(map: PanopticMap, segment_id: int, radius: float) -> Edit:
    """Round a segment off: a pixel belongs to it if most of the disc around the pixel does.

    Spikes and islands narrower than the radius go, as do notches and holes. The border along
    the image's edge or a locked neighbour gives no pixel up, so that no gap opens there. A
    segment that would vanish stays; a locked one only gains.

    Args:
        map: is not changed.
        segment_id: of the segment.
        radius: of the disc, in pixels.

    Raises:
        ValueError: the map has no such segment, or the radius is no positive number.
    """
    if not (math.isfinite(radius) and radius > 0):
        raise ValueError(f"a disc of radius {radius}")
    reach = math.floor(radius)

    def find_wanted(inside: Mask) -> Mask:
        return _most_of_disc(inside, radius)

    return _reshape(map, segment_id, reach, find_wanted, "smooth", leaves_void=False)


def grow(map: PanopticMap, segment_id: int, n: int) -> Edit:
    """Give a segment the void and the unlocked pixels at most `n` pixels away from it.

    Raises:
        ValueError: the map has no such segment, or `n` is not positive.
    """
    return _reshape(
        map, segment_id, _checked(n), lambda inside: distance_from(inside) <= n, "grow"
    )


def shrink(map: PanopticMap, segment_id: int, n: int) -> Edit:
    """Take from a segment the pixels at most `n` pixels away from what surrounds it.

    Along a locked neighbour they become void. The border along the image's edge stays, and so
    does a segment that would vanish.

    Raises:
        ValueError: the map has no such segment, or `n` is not positive.
    """
    return _reshape(
        map, segment_id, _checked(n), lambda inside: distance_from(~inside) > n, "shrink"
    )


def _reshape(
    map: PanopticMap,
    segment_id: int,
    reach: int,
    find_wanted: Callable[[Mask], Mask],
    label: str,
    *,
    leaves_void: bool = True,
) -> Edit:
    """Give a segment the pixels that it should have, and no others.

    Only tiles that the border runs through are looked at: the inside of a large segment stays.

    Args:
        map: is not changed.
        segment_id: of the segment.
        reach: how far, in pixels, from the border a pixel can change.
        find_wanted: from the segment's pixels [m, n] of a window to those it should have; they
            depend on pixels at most as far away as `reach`.
        label: of the edit.
        leaves_void: what lies nearest to a locked segment becomes void, or else stays.
    """
    rect, _ = find_pixels(map, segment_id, margin=reach)
    after = map.segment_ids[rect.slices].copy()
    for tile in _tiles(rect, max(TILE, 2 * reach)):
        window = tile.grown(reach + 1).clipped(map.height, map.width)
        before = map.segment_ids[window.slices]
        inside = before == segment_id
        if inside.any() and not inside.all():
            wanted = find_wanted(inside)
            changed = _give_and_take(map, before, segment_id, wanted, leaves_void=leaves_void)
            after[tile.inside(rect).slices] = changed[tile.inside(window).slices]
    if not (after == segment_id).any():
        after = map.segment_ids[rect.slices]
    return repaint(map, rect, after, label)


def _give_and_take(
    map: PanopticMap, before: Ids, segment_id: int, wanted: Mask, *, leaves_void: bool
) -> Ids:
    """The ids of a window when a segment has the wanted pixels, as far as the rules allow."""
    inside, can_change = before == segment_id, unlocked(map)
    after = np.where(wanted & can_change[before], np.uint16(segment_id), before)
    lost = inside & ~wanted & can_change[segment_id]
    if lost.any():
        takers = nearest_ids(before, ~inside)
        can_take = can_change[takers]
        np.copyto(after, takers, where=lost & can_take)
        np.copyto(after, np.uint16(VOID), where=lost & ~can_take & leaves_void)
    return after


def _tiles(rect: Rect, side: int) -> Iterator[Rect]:
    for top in range(rect.top, rect.bottom, side):
        for left in range(rect.left, rect.right, side):
            yield Rect(top, left, min(top + side, rect.bottom), min(left + side, rect.right))


def _most_of_disc(inside: Mask, radius: float) -> Mask:
    """Around which pixels most of a disc lies inside; the image goes on as it ends."""
    reach = np.arange(-math.floor(radius), math.floor(radius) + 1)
    disc = (np.hypot(reach[:, None], reach) <= radius).astype(np.float32)
    counts = cv2.filter2D(
        inside.astype(np.float32), cv2.CV_32F, disc, borderType=cv2.BORDER_REPLICATE
    )
    return counts > disc.sum() / 2  # an odd number of pixels: halves never tie


def _checked(n: int) -> int:
    if n < 1:
        raise ValueError(f"a border moved by {n} pixels")
    return n
