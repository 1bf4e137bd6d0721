"""Cutting an area by a drawn line: exactly between the pixels that the line parts.

Two neighbouring pixels are joined unless the line runs between their centres. What the cut
leaves connected is found by the runs of pixels in each row, of which a large area has few.
A pixel is named by its place in the window, row after row; a joint by its later pixel.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.giving import Mask
from core.parts import connect, find_meetings
from core.spans import Floats, Ints, point_downwards, row_crossings

# A line through the very middle of a pixel would leave open on which side of it the pixel is,
# so every line is moved by less than anybody can draw.
_ASIDE: Final = (1e-6, 0.7e-6)
_CUT: Final = 1 << 24  # more than a line has crossings

Point = tuple[float, float]  # x and y in image pixels


@dataclass(frozen=True, slots=True, eq=False)
class _Crossings:
    """Joints that a line cuts: the earlier and the later pixel of each [K], in order.

    `way` [K] is 1 where the earlier one is to the right for who goes along the line, else -1;
    where the line passes more than once, the first time counts.
    """

    earlier: Ints
    later: Ints
    way: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Runs of pixels inside the area or outside it, none longer than a row or across a cut."""

    starts: Ints  # [R]
    ends: Ints
    is_inside: Mask

    def find(self, pixels: Ints) -> Ints:
        """The run of each pixel."""
        return np.searchsorted(self.starts, pixels, "right") - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Corners:
    """Pairs of runs [C] that only touch at a corner, and whether the line runs between them."""

    upper: Ints
    lower: Ints
    is_cut: Mask


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
    beside, below = _cross_rows(inside, points), _cross_columns(inside, points)
    runs = _find_runs(inside, beside)
    part, corners = _find_parts(inside, runs, beside, below)
    net = _count_sides(runs, part, (beside, below), corners)
    lengths = runs.ends - runs.starts
    areas = np.bincount(part, lengths, len(part))
    # Of two equal sides the one that comes first in the image is kept.
    side = min((net > 0, net < 0), key=lambda side: (areas[side].sum(), -side.argmax()))
    return np.repeat(side[part], lengths).reshape(inside.shape)


def _cross_rows(inside: Mask, points: Floats) -> _Crossings:
    """Where a polyline passes between two pixels side by side."""
    rows, columns, is_down = _find_crossings(points + _ASIDE, inside.shape)
    later, first = np.unique(rows * inside.shape[1] + columns, return_index=True)
    return _Crossings(later - 1, later, np.where(is_down[first], 1, -1))


def _cross_columns(inside: Mask, points: Floats) -> _Crossings:
    """Where a polyline passes between two pixels one above the other."""
    columns, rows, is_right = _find_crossings((points + _ASIDE)[:, ::-1], inside.T.shape)
    later, first = np.unique(rows * inside.shape[1] + columns, return_index=True)
    return _Crossings(later - inside.shape[1], later, np.where(is_right[first], -1, 1))


def _find_crossings(points: Floats, shape: tuple[int, ...]) -> tuple[Ints, Ints, Mask]:
    """Of each crossing the row, the column to the right, and whether the line goes down."""
    starts, ends = points[:-1], points[1:]
    is_down = starts[:, 1] < ends[:, 1]
    piece, rows, x = row_crossings(*point_downwards(starts, ends), shape[0])
    columns = np.clip(np.ceil(x - 0.5), 0, shape[1]).astype(np.int64)
    is_between = (columns > 0) & (columns < shape[1])
    return rows[is_between], columns[is_between], is_down[piece][is_between]


def _find_runs(inside: Mask, beside: _Crossings) -> _Runs:
    flat = inside.ravel()
    is_start = np.ones(flat.size, np.bool_)
    np.not_equal(flat[1:], flat[:-1], out=is_start[1:])
    is_start[:: inside.shape[1]] = True
    is_start[beside.later] = True
    starts = np.flatnonzero(is_start)
    return _Runs(starts, np.append(starts[1:], flat.size), flat[starts])


def _find_parts(
    inside: Mask, runs: _Runs, beside: _Crossings, below: _Crossings
) -> tuple[Ints, _Corners]:
    """The part that each run belongs to, named by its first run, and where corners touch.

    Two runs stay joined while there is a joint between them that the line does not cut.
    """
    n_runs, width = len(runs.starts), inside.shape[1]
    upper, lower, shared = find_meetings(runs.starts, runs.ends - runs.starts, width)
    meeting = np.searchsorted(
        upper * n_runs + lower, runs.find(below.earlier) * n_runs + runs.find(below.later)
    )
    n_cut = np.bincount(meeting, minlength=len(upper))
    is_inside = runs.is_inside[upper] & runs.is_inside[lower]
    is_corner = is_inside & (shared == 0)
    corners = _find_corners(inside, runs, upper[is_corner], lower[is_corner], beside, below)
    is_joined = is_inside & (shared > n_cut)
    one = np.append(upper[is_joined], corners.upper[~corners.is_cut])
    other = np.append(lower[is_joined], corners.lower[~corners.is_cut])
    return connect(n_runs, one, other), corners


def _find_corners(
    inside: Mask, runs: _Runs, upper: Ints, lower: Ints, beside: _Crossings, below: _Crossings
) -> _Corners:
    """The corners that alone join two pixels: the two others around them are not inside.

    The line does not run between two such pixels if a way around the corner crosses no line.
    """
    flat, width = inside.ravel(), inside.shape[1]
    is_falling = runs.starts[lower] == runs.ends[upper] + width
    ne = np.where(is_falling, runs.ends[upper], runs.starts[upper])
    nw, sw, se = ne - 1, ne + width - 1, ne + width
    is_alone = ~np.where(is_falling, flat[ne] | flat[sw], flat[nw] | flat[se])
    top, bottom = np.isin(ne, beside.later), np.isin(se, beside.later)
    left, right = np.isin(sw, below.later), np.isin(se, below.later)
    is_cut = np.where(
        is_falling,
        (top | right) & (left | bottom),
        (top | left) & (right | bottom),
    )
    return _Corners(upper[is_alone], lower[is_alone], is_cut[is_alone])


def _count_sides(
    runs: _Runs, part: Ints, crossings: tuple[_Crossings, ...], corners: _Corners
) -> NDArray[np.int64]:
    """How much oftener [R] each part lies to the right than to the left of the line.

    A border of the area that the line only passes counts where it cuts no joint; so what only
    touched at a corner, where there is no joint, can be told apart.
    """
    net = np.zeros(len(part), np.int64)
    for crossing in crossings:
        one, other = runs.find(crossing.earlier), runs.find(crossing.later)
        is_joint = runs.is_inside[one] & runs.is_inside[other]
        way = crossing.way * np.where(is_joint, _CUT, 1)
        np.add.at(net, part[one], way)
        np.subtract.at(net, part[other], way)
    net[~runs.is_inside] = 0
    upper, lower = part[corners.upper], part[corners.lower]
    is_apart = upper != lower
    for known, open_part in (
        (upper[is_apart], lower[is_apart]),
        (lower[is_apart], upper[is_apart]),
    ):
        net[open_part] = np.where(net[open_part], net[open_part], -np.sign(net[known]))
    return net
