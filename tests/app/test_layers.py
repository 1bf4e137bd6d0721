"""What is drawn at each device pixel, compared exactly."""

import numpy as np
import pytest

from app.layers import (
    HIGHLIGHT,
    Draft,
    MapColors,
    MapLayer,
    color_map,
    highlight,
    sample_map,
)
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


def render_map(layer, size, view, area, colors, *, draft=None) -> np.ndarray:
    return color_map(sample_map(layer, size, view, area, draft=draft, reach=2), colors)


def block(size: int, rows: slice, columns: slice, segment_id: int = 1) -> np.ndarray:
    ids = np.zeros((size, size), np.uint16)
    ids[rows, columns] = segment_id
    return ids


def test_inside_and_outline_of_a_segment():
    ids = block(6, slice(1, 5), slice(1, 5))
    shown = render_map(MapLayer(ids), (6, 6), Viewport(), Rect(0, 0, 6, 6), colors(1))
    expected = np.zeros((6, 6), np.uint32)
    expected[1:5, 1:5] = LINE + 1
    expected[2:4, 2:4] = FILL + 1
    np.testing.assert_array_equal(shown, expected)


def test_an_outline_is_one_device_pixel_wide_at_any_zoom():
    ids = block(6, slice(1, 5), slice(1, 5))
    shown = render_map(MapLayer(ids), (6, 6), Viewport(10.0), Rect(0, 0, 60, 60), colors(1))
    assert (shown[30, 10:50] == FILL + 1).sum() == 38
    assert shown[30, 10] == shown[30, 49] == LINE + 1


def test_the_selected_outline_is_twice_as_wide():
    ids = block(6, slice(1, 5), slice(1, 5))
    chosen = colors(1, selected_id=1)
    shown = render_map(MapLayer(ids), (6, 6), Viewport(10.0), Rect(0, 0, 60, 60), chosen)
    assert (shown[30, 10:50] == LINE + 1).sum() == 4


def test_a_segment_at_the_image_border_is_closed_by_its_outline():
    ids = block(4, slice(0, 4), slice(0, 4))
    shown = render_map(MapLayer(ids), (4, 4), Viewport(1.0, 2, 2), Rect(0, 0, 8, 8), colors(1))
    assert (shown[2:6, 2] == LINE + 1).all()
    assert (shown[:2] == 0).all()
    assert (shown[6:] == 0).all()


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.6])
def test_a_part_is_drawn_as_in_the_whole(scale):
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 4, (40, 50)).astype(np.uint16)
    view, chosen = Viewport(scale, 5, -7), colors(1, 2, 3, selected_id=2)
    whole = render_map(MapLayer(ids), (40, 50), view, Rect(0, 0, 90, 100), chosen)
    part = Rect(11, 23, 37, 61)
    shown = render_map(MapLayer(ids), (40, 50), view, part, chosen)
    np.testing.assert_array_equal(shown, whole[part.slices])


def test_a_coarse_map_is_stretched_over_the_image():
    ids = np.array([[1, 2], [3, 0]], np.uint16)
    table = colors(1, 2, 3)
    shown = render_map(MapLayer(ids), (8, 8), Viewport(), Rect(0, 0, 8, 8), table)
    np.testing.assert_array_equal(shown % 1000, np.kron(ids, np.ones((4, 4))))


def test_a_draft_covers_the_map():
    where = block(6, slice(2, 4), slice(2, 4)).astype(bool)
    ids = block(6, slice(0, 6), slice(0, 6))
    painted = Draft(Segment(2, 1), where)
    erased = Draft(None, where)
    area, table = Rect(0, 0, 6, 6), colors(1, 2)
    shown = render_map(MapLayer(ids), (6, 6), Viewport(), area, table, draft=painted)
    assert (shown[2:4, 2:4] == LINE + 2).all()
    shown = render_map(MapLayer(ids), (6, 6), Viewport(), area, table, draft=erased)
    assert (shown[2:4, 2:4] == 0).all()
    assert (ids == 1).all()


@pytest.mark.parametrize("scale", [1 / 4, 1 / 7, 1 / 20, 1 / 64])
@pytest.mark.parametrize("shape", [(403, 642), (64, 3000)])
def test_at_small_scales_each_pixel_shows_an_id_that_it_covers(scale, shape):
    ids = np.random.default_rng(2).integers(0, 9, shape).astype(np.uint16)
    view = Viewport(scale, 3, -2)
    area = Rect(-2, 3, -2 + int(shape[0] * scale), 3 + int(shape[1] * scale))
    shown = MapLayer(ids).sample(shape, view, area)
    side = 1 / scale
    for row in range(shown.shape[0]):
        for column in range(0, shown.shape[1], 7):
            covered = ids[
                int(row * side) : int((row + 1) * side) + 1,
                int(column * side) : int((column + 1) * side) + 1,
            ]
            assert shown[row, column] in covered


@pytest.mark.parametrize("scale", [1 / 3, 1 / 5, 1 / 17])
def test_a_map_that_changed_is_drawn_as_one_made_anew(scale):
    rng = np.random.default_rng(3)
    ids = rng.integers(0, 9, (131, 247)).astype(np.uint16)
    layer, view, area = MapLayer(ids), Viewport(scale), Rect(0, 0, 50, 90)
    layer.sample(ids.shape, view, area)
    for _ in range(40):
        top, left = rng.integers(0, 130), rng.integers(0, 246)
        rect = Rect(top, left, rng.integers(top, 131) + 1, rng.integers(left, 247) + 1)
        ids[rect.slices] = rng.integers(0, 9)
        layer.follow(rect)
        expected = MapLayer(ids).sample(ids.shape, view, area)
        np.testing.assert_array_equal(layer.sample(ids.shape, view, area), expected)


@pytest.mark.parametrize("scale", [2.0, 1.0, 1 / 3, 1 / 5, 1 / 17])
def test_a_draft_is_drawn_as_the_map_will_be(scale):
    rng = np.random.default_rng(4)
    ids = rng.integers(0, 9, (131, 247)).astype(np.uint16)
    where = rng.random(ids.shape) < 0.5
    view, area = Viewport(scale), Rect(0, 0, 50, 90)
    drafted = MapLayer(ids).sample(ids.shape, view, area, Draft(Segment(9, 1), where))
    done = MapLayer(np.where(where, np.uint16(9), ids)).sample(ids.shape, view, area)
    np.testing.assert_array_equal(drafted, done)


def test_a_highlight_is_a_line_inside_the_segment():
    ids = block(9, slice(2, 8), slice(1, 9), segment_id=5)
    rect, pixels = highlight(ids, 5, 1)
    expected = np.zeros((9, 9), np.uint32)
    expected[2:8, 1:9] = HIGHLIGHT
    expected[3:7, 2:9] = 0  # nobody knows what is to the right of what is seen
    np.testing.assert_array_equal(pixels, expected[rect.slices])
    expected[rect.slices] = 0
    assert not expected.any()


def test_nothing_is_highlighted_where_the_segment_is_not_seen():
    rect, _ = highlight(block(6, slice(1, 3), slice(1, 3)), 2, 1)
    assert rect.is_empty


def test_a_draft_is_read_only_where_it_reaches():
    ids = np.ones((40, 50), np.uint16)
    where = np.zeros((40, 50), np.bool_)
    where[10:20, 10:30] = True
    where[30, 30] = True  # outside of what it is said to reach
    for scale in (0.3, 1.0, 4.0):
        view, area = Viewport(scale), Rect(0, 0, int(40 * scale), int(50 * scale))
        part = Draft(Segment(9, 1), where.copy(), reached=Rect(10, 10, 20, 30))
        part.where[30, 30] = False
        expected = MapLayer(ids).sample(ids.shape, view, area, part)
        part.where[30, 30] = True
        np.testing.assert_array_equal(
            MapLayer(ids).sample(ids.shape, view, area, part), expected
        )
        part.where[30, 30], part.reached = False, None
        np.testing.assert_array_equal(
            MapLayer(ids).sample(ids.shape, view, area, part), expected
        )
