"""Snap a segment's border to the edges of the image, no farther than it is told.

The segment, 1 inside and 0 outside, is smoothed by a guided filter: in each small window it
becomes the linear function of the colours that fits it best. Where the colours tell inside
from outside its value steps at their edge; where they do not, it stays near the old border.

`benchmarks/snapping.py` compares this with GrabCut and with a watershed from markers. Those
move a border that is shifted as a whole farther back, and lose one that was nearly right.

Source: He, Sun & Tang 2013, "Guided Image Filtering", IEEE TPAMI 35(6), equations 14-16.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.areas import distance_from, nearest_ids
from core.giving import Mask, find_segment, repaint, unlocked
from core.images import Rgb
from core.panoptic import Edit, Ids, PanopticMap, Rect
from core.spans import NOWHERE

MAX_REACH: Final = 64
EPSILON: Final = 1e-4  # variance of a colour in 0..1 below which there is no edge
TILE: Final = 128  # pixels on a side; only tiles that hold the border are looked at

Floats = NDArray[np.float32]  # [m, n]

_PAIRS: Final = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))  # of colour channels


def snap_border(map: PanopticMap, image: Rgb, segment_id: int, reach: int) -> Edit:
    """Move the border of a segment to the edges of the image near it.

    What the segment loses goes to the nearest neighbour. The border with a locked neighbour
    stays as it is; so does a locked segment, and one that would vanish.

    Args:
        map: is not changed.
        image: uint8 [H, W, 3], what the map is of.
        segment_id: of the segment.
        reach: 1..MAX_REACH, how many pixels the border may move.

    Raises:
        ValueError: the map has no such segment, the image is of another size, or the reach
            outside its range.
    """
    segment = find_segment(map, segment_id)
    if image.shape[:2] != map.segment_ids.shape:
        raise ValueError(f"an image {image.shape} for a map {map.segment_ids.shape}")
    if not 1 <= reach <= MAX_REACH:
        raise ValueError(f"a border moved by {reach} pixels, not by 1..{MAX_REACH}")
    parts = [] if segment.is_locked else list(_changes(map, image, segment_id, reach))
    gained = sum(_count(ids, segment_id) for _, ids in parts)
    lost = sum(_count(map.segment_ids[part.slices], segment_id) for part, _ in parts)
    if map.areas()[segment_id] + gained == lost:
        parts = []
    rect = _enclose([part for part, _ in parts])
    after = map.segment_ids[rect.slices].copy()
    for part, ids in parts:
        after[part.inside(rect).slices] = ids
    return repaint(map, rect, after, "snap border")


def snap_mask(colors: Rgb, inside: Mask, reach: int) -> Mask:
    """Which pixels belong inside, by the edges of the image within reach of the border.

    Args:
        colors: uint8 [m, n, 3].
        inside: bool [m, n], which pixels do now.
        reach: in pixels. What is nearer than twice that to a side of the array is only right
            where that is a side of the image.
    """
    share = filter_guided(colors, inside, reach)
    is_near = (distance_from(inside) <= reach) & (distance_from(~inside) <= reach)
    return np.where(is_near, share > 0.5, inside)


def filter_guided(colors: Rgb, inside: Mask, radius: int) -> Floats:
    """Smooth an area by a linear function of the colours in each window of 2 radius + 1 pixels.

    Args:
        colors: uint8 [m, n, 3], the guide I, read as 0..1.
        inside: bool [m, n], the input p.
        radius: of the windows, in pixels.

    Returns:
        float32 [m, n], the output q: about 1 inside and 0 outside.
    """
    guide = [np.divide(plane, 255, dtype=np.float32) for plane in cv2.split(colors)]
    p = inside.astype(np.float32)
    mean_i, mean_p = [_box(plane, radius) for plane in guide], _box(p, radius)
    scatter = [
        _box(guide[i] * guide[j], radius)
        - mean_i[i] * mean_i[j]
        + np.float32(EPSILON * (i == j))
        for i, j in _PAIRS
    ]
    covariance = [
        _box(plane * p, radius) - mean * mean_p
        for plane, mean in zip(guide, mean_i, strict=True)
    ]
    slope = _solve(scatter, covariance)  # a, equation 14
    offset = mean_p - _dot(slope, mean_i)  # b, equation 15
    return _dot([_box(plane, radius) for plane in slope], guide) + _box(offset, radius)  # 16


def _box(plane: Floats, radius: int) -> Floats:
    """The mean of each window; beyond the image lies its mirror image."""
    side = 2 * radius + 1
    mean: Any = cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT)
    return mean


def _dot(some: Sequence[Floats], others: Sequence[Floats]) -> Floats:
    """The scalar product of two colours a pixel, each given as three planes."""
    return some[0] * others[0] + some[1] * others[1] + some[2] * others[2]


def _solve(scatter: Sequence[Floats], right: Sequence[Floats]) -> list[Floats]:
    """Solve a symmetric 3 x 3 system a pixel, by Cramer's rule; `scatter` as in `_PAIRS`."""
    rr, rg, rb, gg, gb, bb = scatter
    a, b, c = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    d, e, f = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant: Any = a * rr + b * rg + c * rb
    rows = ((a, b, c), (b, d, e), (c, e, f))
    return [_dot(row, right) / determinant for row in rows]


def _changes(
    map: PanopticMap, image: Rgb, segment_id: int, reach: int
) -> Iterator[tuple[Rect, Ids]]:
    """The tiles of the map that the border runs through or near, and their ids after."""
    can_change = unlocked(map)
    for top in range(0, map.height, TILE):
        for left in range(0, map.width, TILE):
            tile = Rect(top, left, top + TILE, left + TILE).clipped(map.height, map.width)
            close = tile.grown(reach).clipped(map.height, map.width)
            near = map.segment_ids[close.slices] == segment_id
            if 0 < np.count_nonzero(near) < near.size:
                window = tile.grown(2 * reach).clipped(map.height, map.width)
                ids = map.segment_ids[window.slices]
                after = _snap(ids, image[window.slices], segment_id, reach, can_change)
                yield tile, after[tile.inside(window).slices]


def _snap(ids: Ids, colors: Rgb, segment_id: int, reach: int, can_change: Mask) -> Ids:
    """The ids of a window after its part of the segment has been snapped."""
    inside = ids == segment_id
    wanted = snap_mask(colors, inside, reach)
    neighbours = nearest_ids(ids, ~inside)
    lost = inside & ~wanted & can_change[neighbours]
    gained = wanted & ~inside & can_change[ids]
    after = np.where(lost, neighbours, ids)
    after[gained] = segment_id
    return after


def _count(ids: Ids, segment_id: int) -> int:
    return int(np.count_nonzero(ids == segment_id))


def _enclose(rects: list[Rect]) -> Rect:
    """The smallest rectangle that holds all of them."""
    if not rects:
        return NOWHERE
    return Rect(
        min(rect.top for rect in rects),
        min(rect.left for rect in rects),
        max(rect.bottom for rect in rects),
        max(rect.right for rect in rects),
    )
