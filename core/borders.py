"""Edits of a segment's outline: holes, islands, smoothing, growing, shrinking.

The rules of `core.edits` hold: a locked segment loses no pixel, and an edit that would break a
rule does less, down to nothing. A pixel that a segment gives up goes to what lies nearest, be
it void or a segment that is not locked, so that mending one border opens no gap.
"""

import math

import cv2
import numpy as np

from core.areas import Parts, distance_from, find_boxes, find_holes, find_parts, nearest_ids
from core.giving import N_IDS, Mask, find_pixels, give, locked, repaint, unlocked
from core.panoptic import VOID, Edit, Ids, PanopticMap, Rect, count_pixels

_SIDES = ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1, :], np.s_[1:, :]))  # left, right; up, down


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
        boxes = find_boxes(map.segment_ids)
    else:
        rect, _ = find_pixels(map, segment_id, margin=1)
        boxes = {segment_id: Rect(0, 0, rect.bottom - rect.top, rect.right - rect.left)}
    after = map.segment_ids[rect.slices].copy()
    can_take = unlocked(map)
    for i in sorted(boxes.keys() - {VOID, *(segment.id for segment in locked(map))}):
        window = boxes[i].grown(1).clipped(*after.shape)
        takers = _dissolve_islands(after[window.slices], i, min_area, can_take)
        boxes |= {taker: boxes[taker].united(window) for taker in takers if taker in boxes}
    return repaint(map, rect, after, "remove islands")


def _dissolve_islands(window: Ids, segment_id: int, min_area: int, can_take: Mask) -> list[int]:
    """Change a segment's islands in its window, and tell whose they are now."""
    inside = window == segment_id
    parts, areas = find_parts(inside)
    areas[0] = 0
    is_island = (areas > 0) & (areas < min_area)
    is_island[areas.argmax()] = False
    if not is_island.any():
        return []
    islands = parts * is_island[parts]
    new_id_of = _main_neighbours(islands, window, ~inside & can_take[window], len(areas))
    np.copyto(window, new_id_of[islands], where=islands > 0)
    return np.unique(new_id_of[is_island]).tolist()


def _main_neighbours(islands: Parts, window: Ids, is_taker: Mask, n_parts: int) -> Ids:
    """Whose pixels [n_parts] most often lie beside each island's: the lowest id of several."""
    sides = []
    for one, other in (*_SIDES, *(side[::-1] for side in _SIDES)):
        meet = (islands[one] > 0) & is_taker[other]
        sides.append(islands[one][meet].astype(np.int64) * N_IDS + window[other][meet])
    pairs, counts = np.unique(np.concatenate(sides), return_counts=True)
    island, taker = np.divmod(pairs, N_IDS)
    order = np.lexsort((-taker, counts))  # the last one written to a place stays there
    main = np.zeros(n_parts, np.uint16)
    main[island[order]] = taker[order]
    return main


def smooth_border(map: PanopticMap, segment_id: int, radius: float) -> Edit:
    """Round a segment off: a pixel belongs to it if most of the disc around the pixel does.

    Spikes and islands narrower than the radius go, as do notches and holes. The border along
    the image's edge stays. A locked segment stays as it is, and so does one that would vanish.

    Args:
        map: is not changed.
        segment_id: of the segment.
        radius: of the disc, in pixels.

    Raises:
        ValueError: the map has no such segment, or the radius is no positive number.
    """
    if not (math.isfinite(radius) and radius > 0):
        raise ValueError(f"a disc of radius {radius}")
    rect, inside = find_pixels(map, segment_id, margin=math.floor(radius) + 1)
    return _reshape(map, segment_id, rect, _most_of_disc(inside, radius), "smooth")


def grow(map: PanopticMap, segment_id: int, n: int) -> Edit:
    """Give a segment the void and the unlocked pixels at most `n` pixels away from it.

    Raises:
        ValueError: the map has no such segment, or `n` is not positive.
    """
    rect, inside = find_pixels(map, segment_id, margin=_checked(n))
    can_lose = unlocked(map)
    taken = (distance_from(inside) <= n) & ~inside & can_lose[map.segment_ids[rect.slices]]
    return give(map, rect, taken, map.segments[segment_id], "grow")


def shrink(map: PanopticMap, segment_id: int, n: int) -> Edit:
    """Take from a segment the pixels at most `n` pixels away from what surrounds it.

    The border along the image's edge stays. A locked segment stays as it is, and so does one
    that would vanish.

    Raises:
        ValueError: the map has no such segment, or `n` is not positive.
    """
    rect, inside = find_pixels(map, segment_id, margin=min(_checked(n), 1))
    return _reshape(map, segment_id, rect, distance_from(~inside) > n, "shrink")


def _reshape(map: PanopticMap, segment_id: int, rect: Rect, wanted: Mask, label: str) -> Edit:
    """Give a segment the wanted pixels of a window around it, and no others."""
    window = map.segment_ids[rect.slices]
    if map.segments[segment_id].is_locked or not wanted.any():
        return give(map, rect, np.zeros_like(wanted), None, label)
    inside, can_change = window == segment_id, unlocked(map)
    free = np.where(can_change[window], window, np.uint16(VOID))
    after = np.where(inside & ~wanted, nearest_ids(free, ~inside), window)
    after[wanted & can_change[window]] = segment_id
    return repaint(map, rect, after, label)


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
