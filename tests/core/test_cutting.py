"""Cuts: compared with joints that are cut one by one, on small areas."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.cutting import find_side

HEIGHT, WIDTH = 6, 8

areas = st.lists(st.booleans(), min_size=HEIGHT * WIDTH, max_size=HEIGHT * WIDTH).map(
    lambda pixels: np.reshape(pixels, (HEIGHT, WIDTH))
)
full_areas = st.just(np.ones((HEIGHT, WIDTH), bool))
# Odd amounts keep lines off the middles of pixels.
lines = st.lists(
    st.tuples(
        st.integers(-8, 8 * WIDTH + 8).map(lambda n: n / 8 + 0.0137),
        st.integers(-8, 8 * HEIGHT + 8).map(lambda n: n / 8 + 0.0291),
    ),
    min_size=1,
    max_size=6,
)


def side_of(point, start, end):
    return np.sign(
        (end[0] - start[0]) * (point[1] - start[1])
        - (end[1] - start[1]) * (point[0] - start[0])
    )


def crosses(start, end, one, other):
    """Whether two straight lines run through each other."""
    return side_of(one, start, end) != side_of(other, start, end) and side_of(
        start, one, other
    ) != side_of(end, one, other)


def is_cut(line, one, other):
    """Whether a polyline runs between the middles of two pixels, each (row, column)."""
    middles = [(column + 0.5, row + 0.5) for row, column in (one, other)]
    return any(crosses(start, end, *middles) for start, end in pairwise(line))


def joints_of(inside, line):
    """Pairs of pixels that a cut leaves joined."""
    for y, x in np.argwhere(inside):
        for other in ((y, x + 1), (y + 1, x)):
            if has(inside, other) and not is_cut(line, (y, x), other):
                yield (y, x), other
        for aside in (-1, 1):
            corner = (y + 1, x + aside)
            ways = [[(y, x), middle, corner] for middle in ((y, x + aside), (y + 1, x))]
            is_alone = has(inside, corner) and not any(has(inside, way[1]) for way in ways)
            if is_alone and any(is_open(line, way) for way in ways):
                yield (y, x), corner


def is_open(line, way):
    """Whether a polyline cuts no step of a way from pixel to pixel."""
    return not any(is_cut(line, *step) for step in pairwise(way))


def has(inside, pixel):
    return 0 <= pixel[0] < HEIGHT and 0 <= pixel[1] < WIDTH and inside[pixel]


def parts_of(inside, line):
    """Number what a cut leaves connected, one joint after another; 0 is outside."""
    parts = np.where(inside, np.arange(1, inside.size + 1).reshape(inside.shape), 0)
    for one, other in joints_of(inside, line):
        parts[parts == parts[other]] = parts[one]
    return parts


@given(areas | full_areas, lines)
def test_what_stays_joined_stays_on_one_side(inside, line):
    parts, side = parts_of(inside, line), find_side(inside, np.array(line))
    assert not side[~inside].any()
    for part in np.unique(parts[inside]):
        assert len(np.unique(side[parts == part])) == 1


@given(areas | full_areas, st.tuples(lines, lines).map(lambda both: [both[0][0], both[1][0]]))
def test_a_line_right_across_cuts_off_the_smaller_side_of_what_it_separates(inside, ends):
    line = [(ends[0][0], -2.0), (ends[1][0], HEIGHT + 2.0)]
    parts, whole = parts_of(inside, line), parts_of(inside, [])
    side = find_side(inside, np.array(line))
    if len(np.unique(parts)) > len(np.unique(whole)):
        assert side.any()
    assert side.sum() * 2 <= inside.sum()


@given(areas, lines)
def test_a_line_drawn_to_and_fro_cuts_like_one_drawn_once(inside, line):
    once, again = np.array(line), np.array(line + line[::-1])
    assert np.array_equal(find_side(inside, once), find_side(inside, again))
