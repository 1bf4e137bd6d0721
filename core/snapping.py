"""Snap a segment's border to the edges of the image, no farther than it is told.

The segment, 1 inside and 0 outside, is smoothed by a guided filter: in each small window it
becomes the linear function of the colours that fits it best. Where the colours tell inside
from outside its value steps at their edge; where they do not, it stays near the old border.
This mends steps and wobbles, but hardly a border that is too wide or too narrow all around. So
if the image is clearly steeper along the whole border moved in or out, it is moved first.

`benchmarks/snapping.py` compares this with GrabCut and with a watershed from markers, which
lose borders that were nearly right.

Source: He, Sun & Tang 2013, "Guided Image Filtering", IEEE TPAMI 35(6), equations 14-16.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.areas import distance_from, nearest_ids
from core.giving import Mask, find_segment, repaint, unlocked
from core.images import Rgb
from core.panoptic import Edit, Ids, PanopticMap, Rect
from core.spans import NOWHERE

MAX_REACH: Final = 32
EPSILON: Final = 1e-4  # variance of a colour in 0..1 below which there is no edge
CLEAR: Final = 1.5  # times as steep as where the border is: a better place for all of it
HALF_STEEP: Final = 100.0  # gradient, in Sobel's units, that counts half of the steepest
FEW: Final = 20  # pixels of a border that tell nothing
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
    parts = [] if segment.is_locked else list(_fit_tiles(map, image, segment_id, reach))
    totals = np.sum([_weigh_tile(part, reach) for part in parts], axis=0) if parts else None
    shift = 0 if totals is None else _best_shift(totals, reach)
    can_change = unlocked(map)
    changes = [
        (part.tile, _reassign(part, segment_id, reach, shift, can_change)) for part in parts
    ]
    return _edit_of(map, changes, segment_id)


def snap_mask(colors: Rgb, inside: Mask, reach: int) -> Mask:
    """Which pixels belong inside, by the edges of the image within reach of the border.

    Args:
        colors: uint8 [m, n, 3].
        inside: bool [m, n], which pixels do now.
        reach: how many pixels the border may move.
    """
    fitted = _fit(colors, inside, reach)
    shift = _best_shift(_weigh_levels(_steepness(colors), _levels(fitted), reach), reach)
    return _shifted(colors, inside, fitted, reach, shift) if shift else fitted


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


def _weigh_levels(steepness: Floats, level: Floats, reach: int) -> Floats:
    """How steep the image is in all along the border, if that were moved out or in.

    Args:
        steepness: [m, n], of the image.
        level: [m, n], as `_levels` tells.
        reach: in pixels.

    Returns:
        [2, 2 reach - 1], the sum of the steepness and the number of pixels beside the border
        at each level from 1 - reach to reach - 1.
    """
    beside = [np.abs(level - offset) < 0.75 for offset in range(1 - reach, reach)]
    return np.array(
        [
            [float(steepness[where].sum()) for where in beside],
            [np.count_nonzero(where) for where in beside],
        ]
    )


def _best_shift(totals: Floats, reach: int) -> int:
    """How far in (or, negative, out) to move a border to where the image is much steeper."""
    counts = totals[1]
    means = np.where(counts > FEW, totals[0] / np.maximum(counts, 1), 0)
    here, best = reach - 1, int(np.argmax(means))
    is_clear = means[best] > CLEAR * means[here] > 0 and abs(best - here) >= 2
    return best - here if is_clear else 0


def _steepness(colors: Rgb) -> Floats:
    """How steep the colours are [m, n], in 0..1: strong edges count hardly more than clear."""
    blurred = cv2.GaussianBlur(colors, (0, 0), 1).astype(np.float32)
    dx, dy = cv2.Sobel(blurred, cv2.CV_32F, 1, 0), cv2.Sobel(blurred, cv2.CV_32F, 0, 1)
    gradient: Any = np.sqrt((dx * dx + dy * dy).sum(axis=2))
    return gradient / (gradient + HALF_STEEP)


def _levels(inside: Mask) -> Floats:
    """Signed distance [m, n] from the line between inside, positive, and outside."""
    return np.where(inside, distance_from(~inside) - 0.5, 0.5 - distance_from(inside))


def _fit(colors: Rgb, inside: Mask, reach: int) -> Mask:
    """Let the border step to edges near it."""
    fits = filter_guided(colors, inside, reach) > 0.5
    return np.where(_is_near(inside, reach), fits, inside)


def _shifted(colors: Rgb, inside: Mask, fitted: Mask, reach: int, shift: int) -> Mask:
    """Move the fitted border as a whole, and fit it once more."""
    fits = filter_guided(colors, _levels(fitted) >= shift, max(reach // 2, 1)) > 0.5
    return np.where(_is_near(inside, reach), fits, inside)


def _is_near(inside: Mask, reach: int) -> Mask:
    return (distance_from(inside) <= reach) & (distance_from(~inside) <= reach)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A tile that the border runs through or near, and a window around it.

    Attributes:
        tile: of the map.
        inner: the same, counted from the window's corner.
        ids, colors: [m, n] and [m, n, 3], views of the window.
        fitted: bool [m, n].
    """

    tile: Rect
    inner: Rect
    ids: Ids
    colors: Rgb
    fitted: Mask


def _fit_tiles(map: PanopticMap, image: Rgb, segment_id: int, reach: int) -> Iterator[_Part]:
    """Fit the border tile by tile; each filter and distance needs a margin of its own."""
    for top in range(0, map.height, TILE):
        for left in range(0, map.width, TILE):
            tile = Rect(top, left, top + TILE, left + TILE).clipped(map.height, map.width)
            close = tile.grown(reach).clipped(map.height, map.width)
            near = map.segment_ids[close.slices] == segment_id
            if 0 < np.count_nonzero(near) < near.size:
                window = tile.grown(4 * reach).clipped(map.height, map.width)
                ids, colors = map.segment_ids[window.slices], image[window.slices]
                fitted = _fit(colors, ids == segment_id, reach)
                yield _Part(tile, tile.inside(window), ids, colors, fitted)


def _weigh_tile(part: _Part, reach: int) -> Floats:
    """`_weigh_levels` of the tile alone, so that no pixel counts twice."""
    steepness, level = _steepness(part.colors), _levels(part.fitted)
    return _weigh_levels(steepness[part.inner.slices], level[part.inner.slices], reach)


def _reassign(part: _Part, segment_id: int, reach: int, shift: int, can_change: Mask) -> Ids:
    """The ids of a tile after its part of the border has moved."""
    inside, wanted = part.ids == segment_id, part.fitted
    if shift:
        wanted = _shifted(part.colors, inside, wanted, reach, shift)
    neighbours = nearest_ids(part.ids, ~inside)
    lost = inside & ~wanted & can_change[neighbours]
    gained = wanted & ~inside & can_change[part.ids]
    after = np.where(lost, neighbours, part.ids)
    after[gained] = segment_id
    return after[part.inner.slices]


def _edit_of(map: PanopticMap, changes: list[tuple[Rect, Ids]], segment_id: int) -> Edit:
    """One edit of all tiles; an empty one if it would leave nothing of the segment."""
    gained = sum(_count(ids, segment_id) for _, ids in changes)
    lost = sum(_count(map.segment_ids[tile.slices], segment_id) for tile, _ in changes)
    if map.areas()[segment_id] + gained == lost:
        changes = []
    rect = _enclose([tile for tile, _ in changes])
    after = map.segment_ids[rect.slices].copy()
    for tile, ids in changes:
        after[tile.inside(rect).slices] = ids
    return repaint(map, rect, after, "snap border")


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
