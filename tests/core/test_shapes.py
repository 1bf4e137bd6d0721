"""Polygons: compared with counting crossings in whole numbers, and laid side by side."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.panoptic import Rect
from core.shapes import cover_polygon

HEIGHT, WIDTH = 11, 14

# Quarters of a pixel put corners and borders on centres, and are whole numbers times four.
quarters = st.tuples(st.integers(-12, WIDTH * 4 + 12), st.integers(-12, HEIGHT * 4 + 12))
outlines = st.lists(quarters, min_size=1, max_size=8)


def drawn(points, height=HEIGHT, width=WIDTH):
    """What a polygon covers, as one array [H, W]; points in quarters of a pixel."""
    whole = np.zeros((height, width), bool)
    rect, covered = cover_polygon(np.reshape(points, (-1, 2)) / 4, height, width)
    whole[rect.slices] = covered
    return whole


def is_inside(x, y, outline):
    """Whether a ray to the left crosses the outline an odd number of times."""
    n_crossings = 0
    for (x0, y0), (x1, y1) in pairwise([*outline, outline[0]]):
        if (y0 <= y) != (y1 <= y):
            side = (x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)
            n_crossings += side >= 0 if y1 > y0 else side <= 0
    return n_crossings % 2 == 1


@given(outlines)
def test_a_polygon_covers_exactly_the_pixels_whose_centre_lies_inside(outline):
    expected = [
        [is_inside(4 * x + 2, 4 * y + 2, outline) for x in range(WIDTH)] for y in range(HEIGHT)
    ]
    assert np.array_equal(drawn(outline), np.array(expected))


@given(outlines, st.integers(0, 7))
def test_a_polygon_is_the_same_drawn_backwards_or_begun_elsewhere(outline, start):
    start %= len(outline)
    begun_elsewhere = outline[start:] + outline[:start]
    assert np.array_equal(drawn(outline), drawn(outline[::-1]))
    assert np.array_equal(drawn(outline), drawn(begun_elsewhere))


@given(st.lists(quarters, min_size=2, max_size=6))
def test_outlines_that_share_a_border_share_no_pixel_and_leave_none(border):
    top, bottom = border[0][1], border[-1][1]
    left = drawn([(-40, top), *border, (-40, bottom)])
    right = drawn([(400, top), *border, (400, bottom)])
    both = drawn([(-40, top), (400, top), (400, bottom), (-40, bottom)])
    assert np.array_equal(left ^ right, both)


@given(outlines)
def test_the_rectangle_of_a_polygon_is_the_smallest(outline):
    rect, covered = cover_polygon(np.reshape(outline, (-1, 2)) / 4, HEIGHT, WIDTH)
    assert covered.shape == (rect.bottom - rect.top, rect.right - rect.left)
    assert rect == rect.clipped(HEIGHT, WIDTH)
    for edge in (covered[:1], covered[-1:], covered[:, :1], covered[:, -1:]):
        assert covered.size == 0 or edge.any()


def test_what_an_outline_goes_around_twice_is_outside():
    once, twice = [(0, 0), (40, 0), (40, 40), (0, 40)], [(8, 8), (24, 8), (24, 24), (8, 24)]
    covered = drawn([*once, once[0], *twice, twice[0]])
    assert covered.sum() == 10 * 10 - 4 * 4 and not covered[2:6, 2:6].any()


def test_an_outline_between_the_centres_of_pixels_covers_nothing():
    assert cover_polygon([(0, 2.6), (14, 2.6), (14, 3.4), (0, 3.4)], HEIGHT, WIDTH)[0].is_empty


@pytest.mark.parametrize("points", [[], [(3, 3)], [(3, 3), (9, 9)]])
def test_fewer_than_three_corners_cover_nothing(points):
    assert cover_polygon(points, HEIGHT, WIDTH)[0] == Rect(0, 0, 0, 0)


def test_a_polygon_around_the_image_covers_all_of_it():
    assert drawn([(-4e6, -4e6), (4e6, -4e6), (4e6, 4e6), (-4e6, 4e6)]).all()


def test_a_corner_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="a polygon through"):
        cover_polygon([(0, 0), (np.nan, 1), (2, 2)], HEIGHT, WIDTH)
