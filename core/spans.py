"""Areas as spans: the columns that a shape covers in each row, and the pixels these make up."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.panoptic import Rect

NOWHERE: Final = Rect(0, 0, 0, 0)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def point_downwards(starts: Floats, ends: Floats) -> tuple[Floats, Floats]:
    """Start and end [M, 2] of each piece, in one direction whichever way it was drawn."""
    is_upwards = (starts[:, 1] > ends[:, 1]) | (
        (starts[:, 1] == ends[:, 1]) & (starts[:, 0] > ends[:, 0])
    )
    flip = is_upwards[:, None]
    return np.where(flip, ends, starts), np.where(flip, starts, ends)


def rows_of_each(firsts: Floats, lasts: Floats, height: int) -> tuple[Ints, Ints]:
    """Every row of every piece: the piece's index [K] and the row [K], inside the image."""
    first = np.clip(firsts, 0, height).astype(np.int64)
    last = np.clip(lasts, -1, height - 1).astype(np.int64)
    counts = np.maximum(last - first + 1, 0)
    piece = np.repeat(np.arange(len(counts)), counts)
    offset = np.arange(len(piece)) - (np.cumsum(counts) - counts)[piece]
    return piece, first[piece] + offset


def row_crossings(starts: Floats, ends: Floats, height: int) -> tuple[Ints, Ints, Floats]:
    """Where pieces that point downwards cross the middles of the image's rows.

    Returns:
        Of each crossing [K] the index of the piece, the row and x. A piece that ends on the
        middle of a row leaves that crossing to the piece which goes on from there.
    """
    piece, rows = rows_of_each(
        np.ceil(starts[:, 1] - 0.5), np.ceil(ends[:, 1] - 0.5) - 1, height
    )
    x, y = starts[piece].T
    dx, dy = (ends - starts)[piece].T
    return piece, rows, x + (rows + 0.5 - y) * dx / dy


def fill_spans(
    rows: Ints, firsts: Floats, lasts: Floats, width: int
) -> tuple[Rect, NDArray[np.bool_]]:
    """The union of spans, each from a first to a last column of a row.

    Returns:
        The smallest rectangle that holds them inside the width, and which pixels [m, n] of it
        they cover.
    """
    begin = np.clip(firsts, 0, width).astype(np.int64)
    end = np.clip(lasts + 1, 0, width).astype(np.int64)
    is_inside = begin < end
    rows, begin, end = rows[is_inside], begin[is_inside], end[is_inside]
    if not len(rows):
        return NOWHERE, np.zeros((0, 0), np.bool_)
    rect = Rect(int(rows.min()), int(begin.min()), int(rows.max()) + 1, int(end.max()))
    shape = rect.bottom - rect.top, rect.right - rect.left
    line = (rows - rect.top) * shape[1] - rect.left
    return rect, _fill_ranges(line + begin, line + end, shape[0] * shape[1]).reshape(shape)


def _fill_ranges(begin: Ints, end: Ints, size: int) -> NDArray[np.bool_]:
    """[size], true in any of the ranges: runs of either kind, written whole and in turn."""
    order = np.argsort(begin)
    begin, reached = begin[order], np.maximum.accumulate(end[order])
    is_gap = begin[1:] > reached[:-1]
    edges = np.stack([begin[np.append(True, is_gap)], reached[np.append(is_gap, True)]], 1)
    lengths = np.diff(edges.ravel(), prepend=0, append=size)
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
