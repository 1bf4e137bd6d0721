"""Cutting an area by a drawn line: exactly between the pixels that the line parts.

Two neighbouring pixels are joined unless the line runs between their centres. The area is laid
out twice as fine, pixels at even places and the joints between them at odd ones, so that what
the cut leaves connected are ordinary parts.
"""

from typing import Final

import numpy as np

from core.areas import Parts, find_parts
from core.giving import Mask
from core.spans import Floats, Ints, point_downwards, row_crossings

_CUT: Final = 1 << 24  # more than a line has crossings

Point = tuple[float, float]  # x and y in image pixels
Crossings = tuple[Ints, Ints, Mask]

# A line through the very middle of a pixel would leave open on which side of it the pixel is,
# so every line is moved by less than anybody can draw.
_ASIDE: Final = (1e-6, 0.7e-6)


def find_side(inside: Mask, points: Floats) -> Mask:
    """The smaller side of a cut.

    Args:
        inside: bool [m, n], the area.
        points: [N, 2] x and y of a polyline, from the corner of the area's window.

    Returns:
        Which pixels [m, n] to cut off; none if the line leaves connected what it runs through.

    Raises:
        ValueError: a point is no usable number.
    """
    if not np.isfinite(points).all():
        raise ValueError(f"a line through {points.tolist()}")
    beside = _find_crossings(points + _ASIDE, inside.shape)
    below = _find_crossings((points + _ASIDE)[:, ::-1], inside.T.shape)
    parts, areas = _find_parts(inside, beside, below)
    net = _count_sides(parts, beside, len(areas)) - _count_sides(parts.T, below, len(areas))
    net[0] = 0
    _tell_corners_apart(net, inside, parts)
    sides = [net > 0, net < 0]
    # Of two equal sides the one that comes first in the image is kept.
    return min(sides, key=lambda side: (areas[side].sum(), -side.argmax()))[parts]


def _find_crossings(points: Floats, shape: tuple[int, ...]) -> Crossings:
    """Where a polyline passes between two neighbours in a row.

    Returns:
        Of each crossing the row, the column of the pixel to the right, and whether the line
        runs downwards there.
    """
    starts, ends = points[:-1], points[1:]
    is_down = starts[:, 1] < ends[:, 1]
    piece, rows, x = row_crossings(*point_downwards(starts, ends), shape[0])
    columns = np.clip(np.ceil(x - 0.5), 0, shape[1]).astype(np.int64)
    is_between = (columns > 0) & (columns < shape[1])
    return rows[is_between], columns[is_between], is_down[piece][is_between]


def _find_parts(inside: Mask, beside: Crossings, below: Crossings) -> tuple[Parts, Ints]:
    """Number what stays connected, and count the pixels of each part."""
    is_open_beside = _open_joints(inside, beside)
    is_open_below = _open_joints(inside.T, below).T
    fine = np.zeros((2 * inside.shape[0] - 1, 2 * inside.shape[1] - 1), np.bool_)
    fine[::2, ::2] = inside
    fine[::2, 1::2] = inside[:, :-1] & inside[:, 1:] & is_open_beside
    fine[1::2, ::2] = inside[:-1] & inside[1:] & is_open_below
    fine[1::2, 1::2] = _open_corners(inside, is_open_beside, is_open_below)
    parts = np.ascontiguousarray(find_parts(fine)[0][::2, ::2])
    return parts, np.bincount(parts.ravel())


def _open_joints(inside: Mask, crossings: Crossings) -> Mask:
    """Between which neighbours [m, n - 1] in a row the line does not run."""
    rows, columns, _ = crossings
    is_open = np.ones((inside.shape[0], inside.shape[1] - 1), np.bool_)
    is_open[rows, columns - 1] = False
    return is_open


def _open_corners(inside: Mask, beside: Mask, below: Mask) -> Mask:
    """Which corners [m - 1, n - 1] alone join two pixels, and are not cut.

    The line does not run between two such pixels if a way around the corner crosses no line.
    """
    falling, rising = _corner_joints(inside)
    top, bottom, left, right = beside[:-1], beside[1:], below[:, :-1], below[:, 1:]
    is_open_falling = (top & right) | (left & bottom)
    return (falling & is_open_falling) | (rising & ((top & left) | (right & bottom)))


def _corner_joints(inside: Mask) -> tuple[Mask, Mask]:
    """Which corners [m - 1, n - 1] alone join two pixels, along either diagonal."""
    nw, ne, sw, se = inside[:-1, :-1], inside[:-1, 1:], inside[1:, :-1], inside[1:, 1:]
    return nw & se & ~ne & ~sw, ne & sw & ~nw & ~se


def _count_sides(parts: Parts, crossings: Crossings, n_parts: int) -> Ints:
    """How much oftener [n_parts] each part lies to the right than to the left of the line.

    To the right for who goes along the line; seen along columns, that is to the left. A border
    of the area that the line only passes counts where it cuts no joint: then what touches at
    a corner can be told apart.
    """
    rows, columns, is_down = crossings
    one, other = parts[rows, columns - 1], parts[rows, columns]
    weight = np.where((one > 0) & (other > 0), _CUT, 1)
    way = np.where(is_down, weight, -weight)
    net = np.zeros(n_parts, np.int64)
    np.add.at(net, one, way)
    np.subtract.at(net, other, way)
    return net


def _tell_corners_apart(net: Ints, inside: Mask, parts: Parts) -> None:
    """Put parts that only touched at a corner, where no joint was cut, on opposite sides."""
    falling, rising = _corner_joints(inside)
    for one, other in (
        (parts[:-1, :-1][falling], parts[1:, 1:][falling]),
        (parts[:-1, 1:][rising], parts[1:, :-1][rising]),
    ):
        is_cut = one != other
        for known, open_part in ((one[is_cut], other[is_cut]), (other[is_cut], one[is_cut])):
            net[open_part] = np.where(net[open_part], net[open_part], -np.sign(net[known]))
