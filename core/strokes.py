"""Which pixels a stroke covers: exactly, without gaps, and in whatever order it was drawn.

The pixel in column x and row y has its centre at (x + 0.5, y + 0.5). A stroke covers it when
that centre lies within the radius of the polyline, measured for a square tip along the axes. A
stroke thinner than a pixel's diagonal also covers every pixel that the polyline runs through,
so that it never breaks up or paints nothing.
"""

import math
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.panoptic import Rect
from core.spans import Floats, Ints, fill_spans, point_downwards, rows_of_each

HALF_DIAGONAL: Final = math.sqrt(0.5)  # no point of a pixel is farther from its centre


class Tip(StrEnum):
    """The shape of a brush."""

    ROUND = "round"
    SQUARE = "square"


def cover_stroke(
    points: ArrayLike, radius: float, height: int, width: int, tip: Tip = Tip.ROUND
) -> tuple[Rect, NDArray[np.bool_]]:
    """Draw a polyline of pen strokes.

    Args:
        points: [N, 2] x and y in image pixels, in or outside the image; one point is a dot.
        radius: of the pen, in pixels; half the side of a square one.
        height: of the image.
        width: of the image.
        tip: of the pen; a square one stays upright.

    Returns:
        The smallest rectangle of the image that holds the stroke, and which pixels [m, n] of
        it are covered.

    Raises:
        ValueError: a point or the radius is no usable number.
    """
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    if not (np.isfinite(corners).all() and math.isfinite(radius) and radius > 0):
        raise ValueError(f"a stroke of radius {radius} through {corners.tolist()}")
    n_pieces = max(1, len(corners) - 1)
    starts, ends = point_downwards(corners[:n_pieces], corners[-n_pieces:])
    sweep = _capsule_spans if tip is Tip.ROUND else _swept_square_spans
    spans = [sweep(starts, ends, radius, height)]
    if radius < HALF_DIAGONAL:
        spans.append(_line_spans(starts, ends, height))
    rows, firsts, lasts = (np.concatenate(parts) for parts in zip(*spans, strict=True))
    return fill_spans(rows, firsts, lasts, width)


def _capsule_spans(
    starts: Floats, ends: Floats, radius: float, height: int
) -> tuple[Ints, Floats, Floats]:
    """First and last column, in each row, of the pixels within the radius of each piece.

    In a row the capsule is the union of the discs' spans, all along the piece. The leftmost
    point belongs to the disc at that t in [0, 1] whose edge touches the row where the
    capsule's left side does; likewise on the right.
    """
    piece, rows = rows_of_each(
        np.ceil(starts[:, 1] - radius - 0.5), np.floor(ends[:, 1] + radius - 0.5), height
    )
    x, y = starts[piece].T
    dx, dy = (ends - starts)[piece].T
    down = rows + 0.5 - y
    lean = radius * dx / np.maximum(np.hypot(dx, dy), np.finfo(np.float64).tiny)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t_left = np.where(dy > 0, np.clip((down - lean) / dy, 0, 1), 0)
        t_right = np.where(dy > 0, np.clip((down + lean) / dy, 0, 1), 1)
    left = x + t_left * dx - _half_chord(radius, down - t_left * dy)
    right = x + t_right * dx + _half_chord(radius, down - t_right * dy)
    return rows, np.ceil(left - 0.5), np.floor(right - 0.5)


def _swept_square_spans(
    starts: Floats, ends: Floats, radius: float, height: int
) -> tuple[Ints, Floats, Floats]:
    """First and last column, in each row, of the pixels that an upright square sweeps over.

    In a row the sweep is the union of the squares that reach it: those around the points of
    the piece that are at most the radius above or below. These points are a piece of it too.
    """
    piece, rows = rows_of_each(
        np.ceil(starts[:, 1] - radius - 0.5), np.floor(ends[:, 1] + radius - 0.5), height
    )
    x, y = starts[piece].T
    dx, dy = (ends - starts)[piece].T
    down = rows + 0.5 - y
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t_first = np.where(dy > 0, np.clip((down - radius) / dy, 0, 1), 0)
        t_last = np.where(dy > 0, np.clip((down + radius) / dy, 0, 1), 1)
    first, last = x + t_first * dx, x + t_last * dx
    left, right = np.minimum(first, last) - radius, np.maximum(first, last) + radius
    return rows, np.ceil(left - 0.5), np.floor(right - 0.5)


def _half_chord(radius: float, distance: Floats) -> Floats:
    return np.sqrt(np.maximum(radius**2 - distance**2, 0))


def _line_spans(starts: Floats, ends: Floats, height: int) -> tuple[Ints, Floats, Floats]:
    """First and last column, in each row, of the pixels that each piece runs through.

    A point on the border of two pixels belongs to the right or the lower one.
    """
    piece, rows = rows_of_each(np.floor(starts[:, 1]), np.floor(ends[:, 1]), height)
    x, y = starts[piece].T
    end_x, end_y = ends[piece].T
    has_more = rows + 1 <= end_y  # the line goes on in the next row
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(end_y > y, (end_x - x) / (end_y - y), 0)
    enter = np.where(rows > y, x + (rows - y) * slope, x)
    leave = np.where(has_more, x + (rows + 1 - y) * slope, end_x)
    last = np.where(
        has_more & (leave > enter),
        np.maximum(np.floor(enter), np.ceil(leave) - 1),
        np.floor(np.maximum(enter, leave)),
    )
    return rows, np.floor(np.minimum(enter, leave)), last
