"""Parts of all segments: the same as OpenCV's, one segment after another."""

from collections import Counter

import cv2
import numpy as np
from hypothesis import given

from core.parts import find_parts_of_all
from tests.core.map_edits import HEIGHT, WIDTH, ids, whole_maps


def numbered(parts):
    """The number of the part of each pixel."""
    return parts.paint(np.arange(len(parts.ids)).astype(np.uint16))


@given(whole_maps)
def test_parts_are_those_that_opencv_finds_in_each_segment(array):
    parts = find_parts_of_all(array)
    number = numbered(parts)
    assert np.array_equal(parts.paint(parts.ids), array)
    assert np.array_equal(parts.areas, np.bincount(number.ravel()))
    for i in np.unique(array):
        n, expected = cv2.connectedComponents((array == i).astype(np.uint8), connectivity=8)
        pairs = {
            (int(a), int(b)) for a, b in zip(expected.ravel(), number.ravel(), strict=True) if a
        }
        assert len(pairs) == n - 1 == np.sum(parts.ids == i)


@given(whole_maps)
def test_borders_are_as_long_as_pixels_meet_edge_to_edge(array):
    parts = find_parts_of_all(array)
    number, expected, found = numbered(parts).tolist(), Counter(), Counter()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            for y2, x2 in ((y, x + 1), (y + 1, x)):
                if y2 < HEIGHT and x2 < WIDTH and number[y][x] != number[y2][x2]:
                    expected[number[y][x], number[y2][x2]] += 1
                    expected[number[y2][x2], number[y][x]] += 1
    for one, other, length in zip(*parts.borders, strict=True):
        found[int(one), int(other)] += int(length)
    assert found == expected


def test_a_run_does_not_go_on_in_the_next_row():
    assert len(find_parts_of_all(ids([0, 0, 1], [1, 0, 0])).ids) == 3


def test_a_snake_from_side_to_side_is_one_part():
    snake = np.zeros((40, 401), np.uint16)
    snake[:, ::2] = 1
    snake[0, 1::4] = snake[-1, 3::4] = 1
    for turned in (snake, snake.T, snake[::-1], snake[:, ::-1]):
        assert np.sum(find_parts_of_all(np.ascontiguousarray(turned)).ids == 1) == 1
