"""Strokes: compared with the distance of every pixel to the polyline, and end to end."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.panoptic import Rect
from core.strokes import Tip, cover_stroke

HEIGHT, WIDTH = 15, 18

# Eighths of a pixel are exact in floating point, so that ties are ties.
coordinates = st.integers(-60, 200).map(lambda eighths: eighths / 8)
strokes = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=5)
radii = st.sampled_from([0.1, 0.5, 0.7, 1.0, 2.5, 7.3])


def drawn(points, radius, height=HEIGHT, width=WIDTH, tip=Tip.ROUND):
    """What a stroke covers, as one array [H, W]."""
    whole = np.zeros((height, width), bool)
    rect, covered = cover_stroke(points, radius, height, width, tip)
    whole[rect.slices] = covered
    return whole


def distance_to(points, height=HEIGHT, width=WIDTH):
    """Distance [H, W] of each pixel's centre to the polyline, the slow and obvious way."""
    centres = np.stack(np.mgrid[:height, :width][::-1], axis=-1) + 0.5
    pieces = list(pairwise(points)) or [(points[0], points[0])]
    distances = []
    for start, end in np.asarray(pieces, float):
        along, length = end - start, float(np.hypot(*(end - start)))
        t = ((centres - start) @ along / length**2).clip(0, 1) if length else np.zeros(())
        distances.append(np.linalg.norm(centres - start - t[..., None] * along, axis=-1))
    return np.min(distances, axis=0)


@given(strokes, radii)
def test_a_stroke_covers_exactly_the_pixels_within_its_radius(points, radius):
    covered, distance = drawn(points, radius), distance_to(points)
    assert covered[distance < radius - 1e-9].all()
    assert not covered[distance > max(radius, np.sqrt(0.5)) + 1e-9].any()


def is_reached_by_square(centre, start, end, radius):
    """Whether a piece enters the square around a pixel's centre (Liang and Barsky 1984)."""
    first, last = 0.0, 1.0
    for middle, begin, way in zip(centre, start, np.subtract(end, start), strict=True):
        if way == 0 and abs(begin - middle) > radius:
            return False
        if way != 0:
            times = sorted(((middle - radius - begin) / way, (middle + radius - begin) / way))
            first, last = max(first, times[0]), min(last, times[1])
    return first <= last


@given(strokes, st.sampled_from([0.75, 1.0, 2.5, 7.25]))
def test_a_square_stroke_covers_exactly_what_the_square_sweeps_over(points, radius):
    pieces = list(pairwise(points)) or [(points[0], points[0])]

    def swept(radius):
        reached = [
            any(is_reached_by_square((x + 0.5, y + 0.5), *piece, radius) for piece in pieces)
            for y in range(HEIGHT)
            for x in range(WIDTH)
        ]
        return np.reshape(reached, (HEIGHT, WIDTH))

    covered = drawn(points, radius, tip=Tip.SQUARE)
    assert covered[swept(radius - 1e-9)].all()
    assert not covered[~swept(radius + 1e-9)].any()


@given(strokes, radii, st.sampled_from(Tip))
def test_a_stroke_is_the_same_drawn_backwards_or_piece_by_piece(points, radius, tip):
    pieces = [points[i : i + 2] for i in range(max(1, len(points) - 1))]
    together = np.any([drawn(piece, radius, tip=tip) for piece in pieces], axis=0)
    assert np.array_equal(drawn(points, radius, tip=tip), drawn(points[::-1], radius, tip=tip))
    assert np.array_equal(drawn(points, radius, tip=tip), together)


@given(strokes, radii)
def test_the_rectangle_of_a_stroke_is_the_smallest(points, radius):
    rect, covered = cover_stroke(points, radius, HEIGHT, WIDTH)
    assert covered.shape == (rect.bottom - rect.top, rect.right - rect.left)
    assert rect == rect.clipped(HEIGHT, WIDTH)
    for edge in (covered[:1], covered[-1:], covered[:, :1], covered[:, -1:]):
        assert covered.size == 0 or edge.any()


@given(
    st.lists(
        st.tuples(
            st.integers(0, WIDTH * 8 - 1).map(lambda x: x / 8),
            st.integers(0, HEIGHT * 8 - 1).map(lambda y: y / 8),
        ),
        min_size=2,
        max_size=2,
    ),
    st.sampled_from([0.01, 0.5]),
)
def test_a_thin_stroke_has_no_gaps(points, radius):
    covered = drawn(points, radius)
    for t in np.linspace(0, 1, 64):
        x, y = np.asarray(points[0]) * (1 - t) + np.asarray(points[1]) * t
        near = covered[max(0, int(y) - 1) : int(y) + 2, max(0, int(x) - 1) : int(x) + 2]
        assert near.any()
    rows, columns = np.nonzero(covered)
    n_steps = max(np.ptp(rows), np.ptp(columns)) + 1
    assert len(rows) >= n_steps


@pytest.mark.parametrize("point", [(3.0, 3.0), (3.5, 3.5), (3.99, 3.01), (3.0, 3.9)])
def test_a_brush_of_half_a_pixel_paints_the_pixel_under_the_mouse(point):
    covered = drawn([point], 0.5)
    assert covered[3, 3] and covered.sum() == 1


def test_a_thin_diagonal_through_pixel_corners_takes_no_neighbours():
    assert np.array_equal(drawn([(0, 0), (4, 4)], 0.5, 5, 5), np.eye(5, dtype=bool))


def test_a_stroke_outside_the_image_covers_nothing():
    assert cover_stroke([(-9, -9), (-9, 90)], 5, HEIGHT, WIDTH)[0] == Rect(0, 0, 0, 0)


def test_a_stroke_without_points_covers_nothing():
    assert cover_stroke([], 5, HEIGHT, WIDTH)[0].is_empty


def test_a_stroke_from_far_outside_crosses_the_image():
    covered = drawn([(-1e6, 2.5), (1e6, 2.5)], 1.0)
    assert covered[2].all() and covered[1:4].all() and not covered[4:].any()


@pytest.mark.parametrize(
    ("points", "radius"),
    [([(0, 0)], 0), ([(0, 0)], -1), ([(0, 0)], np.inf), ([(np.nan, 0)], 1)],
)
def test_a_stroke_that_is_no_number_is_refused(points, radius):
    with pytest.raises(ValueError, match="a stroke of radius"):
        cover_stroke(points, radius, HEIGHT, WIDTH)
