"""The wand takes exactly the pixels that a slow and obvious search takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.panoptic import Rect
from core.wand import wand_area


def gray(*rows):
    """An image whose three channels are the same."""
    return np.repeat(np.array(rows, np.uint8)[..., None], 3, axis=2)


def whole(image, found):
    """The area as a mask of the whole image."""
    rect, inside = found
    mask = np.zeros(image.shape[:2], np.bool_)
    mask[rect.slices] = inside
    return mask


def search(image, x, y, tolerance, *, is_contiguous):
    """Pixel by pixel, from the definition."""
    is_like = np.abs(image.astype(int) - image[y, x].astype(int)).max(axis=2) <= tolerance
    if not is_contiguous:
        return is_like
    reached, waiting = np.zeros_like(is_like), [(y, x)]
    while waiting:
        row, column = waiting.pop()
        if not (0 <= row < is_like.shape[0] and 0 <= column < is_like.shape[1]):
            continue
        if is_like[row, column] and not reached[row, column]:
            reached[row, column] = True
            waiting += [(row + 1, column), (row - 1, column)]
            waiting += [(row, column + 1), (row, column - 1)]
    return reached


def test_takes_connected_pixels_of_like_colour():
    rect, inside = wand_area(gray([10, 12, 90, 10], [10, 90, 90, 10]), 0, 0, 2)
    assert rect == Rect(0, 0, 2, 2)
    assert inside.tolist() == [[True, True], [True, False]]


def test_takes_the_whole_image_when_it_need_not_be_connected():
    image = gray([90, 12, 90, 10], [90, 90, 90, 10])
    rect, inside = wand_area(image, 1, 0, 2, is_contiguous=False)
    assert rect == Rect(0, 1, 2, 4)
    assert inside.tolist() == [[True, False, True], [False, False, True]]


def test_does_not_step_over_a_corner():
    image = gray([10, 90], [90, 10])
    rect, inside = wand_area(image, 0, 0, 5)
    assert rect == Rect(0, 0, 1, 1) and inside.all()


def test_a_ramp_is_followed_no_farther_than_the_tolerance():
    rect, _ = wand_area(gray(range(0, 100, 5)), 10, 0, 20)
    assert rect == Rect(0, 6, 1, 15)


def test_one_channel_that_differs_is_enough_to_stop():
    image = np.array([[[10, 10, 10], [10, 10, 31]]], np.uint8)
    assert wand_area(image, 0, 0, 20)[0] == Rect(0, 0, 1, 1)
    assert wand_area(image, 0, 0, 21)[0] == Rect(0, 0, 1, 2)


def test_leaves_the_image_as_it_was():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    before = image.copy()
    wand_area(image, 3, 4, 255)
    wand_area(image, 3, 4, 90, is_contiguous=False)
    assert np.array_equal(image, before)


def test_works_on_a_part_of_an_image():
    image = np.random.default_rng(1).integers(0, 4, (20, 30, 3)).astype(np.uint8)
    part = image[2:15, 5:25]
    for is_contiguous in (True, False):
        found = wand_area(part, 4, 6, 1, is_contiguous=is_contiguous)
        expected = wand_area(part.copy(), 4, 6, 1, is_contiguous=is_contiguous)
        assert found[0] == expected[0] and np.array_equal(found[1], expected[1])


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (3, 0), (0, 2)])
def test_a_pixel_outside_the_image_is_a_mistake(x, y):
    with pytest.raises(ValueError, match="of an image of 3 x 2"):
        wand_area(gray([1, 2, 3], [1, 2, 3]), x, y, 9)


@pytest.mark.parametrize("tolerance", [-1, 256])
def test_a_tolerance_outside_its_range_is_a_mistake(tolerance):
    with pytest.raises(ValueError, match="a tolerance of"):
        wand_area(gray([1]), 0, 0, tolerance)


@given(st.data(), st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_equals_a_search_pixel_by_pixel(data, height, width, is_contiguous):
    values = st.sampled_from([0, 1, 2, 3, 128, 254, 255])
    flat = data.draw(st.lists(values, min_size=height * width * 3, max_size=height * width * 3))
    image = np.array(flat, np.uint8).reshape(height, width, 3)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    tolerance = data.draw(st.sampled_from([0, 1, 2, 127, 254, 255]))
    found = wand_area(image, x, y, tolerance, is_contiguous=is_contiguous)
    expected = search(image, x, y, tolerance, is_contiguous=is_contiguous)
    assert np.array_equal(whole(image, found), expected)
    for edge in (found[1][0], found[1][-1], found[1][:, 0], found[1][:, -1]):
        assert edge.any()
