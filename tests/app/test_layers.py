"""What is drawn at each device pixel, compared exactly."""

import numpy as np
import pytest

from app.layers import Draft, ImageLayer, MapColors, render_map
from app.viewport import Viewport
from core.panoptic import MAX_SEGMENT_ID, Rect, Segment

FILL, LINE = 1000, 2000


def colors(*ids: int, selected_id: int = 0) -> MapColors:
    """Tables in which segment i is filled with FILL + i and outlined with LINE + i."""
    fill = np.zeros(MAX_SEGMENT_ID + 1, np.uint32)
    line = fill.copy()
    for segment_id in ids:
        fill[segment_id] = FILL + segment_id
        line[segment_id] = LINE + segment_id
    return MapColors(fill, line, selected_id)


def block(size: int, rows: slice, columns: slice, segment_id: int = 1) -> np.ndarray:
    ids = np.zeros((size, size), np.uint16)
    ids[rows, columns] = segment_id
    return ids


def test_inside_and_outline_of_a_segment():
    ids = block(6, slice(1, 5), slice(1, 5))
    shown = render_map(ids, (6, 6), Viewport(), Rect(0, 0, 6, 6), colors(1))
    expected = np.zeros((6, 6), np.uint32)
    expected[1:5, 1:5] = LINE + 1
    expected[2:4, 2:4] = FILL + 1
    np.testing.assert_array_equal(shown, expected)


def test_an_outline_is_one_device_pixel_wide_at_any_zoom():
    ids = block(6, slice(1, 5), slice(1, 5))
    shown = render_map(ids, (6, 6), Viewport(10.0), Rect(0, 0, 60, 60), colors(1))
    assert (shown[30, 10:50] == FILL + 1).sum() == 38
    assert shown[30, 10] == shown[30, 49] == LINE + 1


def test_the_selected_outline_is_twice_as_wide():
    ids = block(6, slice(1, 5), slice(1, 5))
    chosen = colors(1, selected_id=1)
    shown = render_map(ids, (6, 6), Viewport(10.0), Rect(0, 0, 60, 60), chosen)
    assert (shown[30, 10:50] == LINE + 1).sum() == 4


def test_a_segment_at_the_image_border_is_closed_by_its_outline():
    ids = block(4, slice(0, 4), slice(0, 4))
    shown = render_map(ids, (4, 4), Viewport(1.0, 2, 2), Rect(0, 0, 8, 8), colors(1))
    assert (shown[2:6, 2] == LINE + 1).all()
    assert (shown[:2] == 0).all()
    assert (shown[6:] == 0).all()


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.6])
def test_a_part_is_drawn_as_in_the_whole(scale):
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 4, (40, 50)).astype(np.uint16)
    view, chosen = Viewport(scale, 5, -7), colors(1, 2, 3, selected_id=2)
    whole = render_map(ids, (40, 50), view, Rect(0, 0, 90, 100), chosen)
    part = Rect(11, 23, 37, 61)
    shown = render_map(ids, (40, 50), view, part, chosen)
    np.testing.assert_array_equal(shown, whole[part.slices])


def test_a_coarse_map_is_stretched_over_the_image():
    ids = np.array([[1, 2], [3, 0]], np.uint16)
    table = colors(1, 2, 3)
    shown = render_map(ids, (8, 8), Viewport(), Rect(0, 0, 8, 8), table)
    np.testing.assert_array_equal(shown % 1000, np.kron(ids, np.ones((4, 4))))


def test_a_draft_covers_the_map():
    where = block(6, slice(2, 4), slice(2, 4)).astype(bool)
    ids = block(6, slice(0, 6), slice(0, 6))
    painted = Draft(Segment(2, 1), where)
    erased = Draft(None, where)
    area, table = Rect(0, 0, 6, 6), colors(1, 2)
    shown = render_map(ids, (6, 6), Viewport(), area, table, draft=painted)
    assert (shown[2:4, 2:4] == LINE + 2).all()
    shown = render_map(ids, (6, 6), Viewport(), area, table, draft=erased)
    assert (shown[2:4, 2:4] == 0).all()
    assert (ids == 1).all()


def test_image_pixels_are_sharp_squares_when_magnified():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    shown = ImageLayer(image).render(Viewport(3.0), Rect(0, 0, 15, 21))
    red, green, blue = ((shown >> shift) & 255 for shift in (16, 8, 0))
    expected = np.kron(image, np.ones((3, 3, 1)))
    np.testing.assert_array_equal(np.stack([red, green, blue], axis=2), expected)


def test_a_shrunken_image_keeps_its_mean_color():
    image = np.zeros((2000, 3000, 3), np.uint8)
    image[::2] = 200  # would flicker between black and white without smaller levels
    shown = ImageLayer(image).render(Viewport(1 / 8), Rect(0, 0, 250, 375))
    assert abs(int((shown & 255).mean()) - 100) <= 2
    assert int((shown & 255).std()) <= 2
