"""Snapping moves a border to the edge of the image, no farther than told, and no other's."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.panoptic import PanopticMap, Rect, Segment, Source
from core.snapping import EPSILON, MAX_REACH, TILE, filter_guided, snap_border, snap_mask
from tests.core.map_edits import (
    CELL,
    assert_is_partition,
    assert_locked_pixels_stay,
    cells,
    same_map,
)

DARK, BRIGHT, RED = (40, 44, 50), (190, 180, 170), (200, 30, 30)


def picture(height, width, edges, colors=(DARK, BRIGHT, RED), noise=6):
    """Upright bands of colour that meet at the columns given, with noise."""
    image = np.zeros((height, width, 3), np.int64)
    for color, (left, right) in zip(colors, pairwise([0, *edges, width]), strict=False):
        image[:, left:right] = color
    image += np.random.default_rng(0).integers(-noise, noise + 1, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def bands(height, width, borders, but=None):
    """A map of upright bands 1, 2, 3 that meet at the columns given."""
    array = np.zeros((height, width), np.uint16)
    for number, (left, right) in enumerate(pairwise([0, *borders, width]), start=1):
        array[:, left:right] = number
    return cells(*array, but=but)


def snapped(panoptic, *args):
    after = panoptic.copy()
    after.apply(snap_border(panoptic, *args))
    return after


def distance_to_border(panoptic, segment_id):
    """How far each pixel is from the nearest one on the segment's other side."""
    inside = panoptic.segment_ids == segment_id
    y, x = np.indices(inside.shape)
    away = np.zeros(inside.shape)
    for side in (inside, ~inside):
        rows, columns = np.nonzero(side)
        gaps = np.hypot(y[..., None] - rows, x[..., None] - columns).min(axis=2, initial=1e9)
        away = np.maximum(away, gaps)
    return away


def test_a_stepped_border_becomes_the_edge_of_the_image():
    image = picture(64, 64, [30])
    stepped = np.full((64, 64), 2, np.uint16)
    for top in range(0, 64, 8):
        stepped[top : top + 8, : 27 + 6 * (top // 8 % 2)] = 1
    after = snapped(cells(*stepped), image, 1, 6)
    assert np.array_equal(after.segment_ids, bands(64, 64, [30]).segment_ids)


def test_a_border_on_the_edge_of_the_image_stays():
    assert snap_border(bands(50, 60, [30]), picture(50, 60, [30]), 1, 6).is_empty


def test_a_straight_border_where_the_image_has_no_edge_stays():
    plain = np.full((50, 60, 3), 128, np.uint8)
    assert snap_border(bands(50, 60, [30]), plain, 1, 6).is_empty


def test_what_is_lost_goes_to_the_neighbour_that_is_nearest():
    after = snapped(
        bands(40, 90, [32, 58]), picture(40, 90, [30, 60], (DARK, BRIGHT, DARK)), 2, 6
    )
    assert np.array_equal(after.segment_ids, bands(40, 90, [30, 60]).segment_ids)
    narrow = snapped(
        bands(40, 90, [28, 62]), picture(40, 90, [30, 60], (DARK, BRIGHT, DARK)), 2, 6
    )
    assert np.array_equal(narrow.segment_ids, bands(40, 90, [30, 60]).segment_ids)


def test_what_is_lost_to_void_becomes_void():
    panoptic = cells(*np.where(np.arange(60) < 32, 1, 0)[None].repeat(40, axis=0))
    after = snapped(panoptic, picture(40, 60, [30]), 1, 6)
    assert (after.segment_ids[:, 30:] == 0).all() and (after.segment_ids[:, :30] == 1).all()


@pytest.mark.parametrize("border", [28, 32])
def test_the_border_with_a_locked_neighbour_stays(border):
    locked = Segment(2, CELL.id, is_locked=True)
    panoptic = bands(40, 60, [border], but=locked)
    assert snap_border(panoptic, picture(40, 60, [30]), 1, 6).is_empty


def test_a_locked_segment_stays():
    panoptic = bands(40, 60, [28], but=Segment(1, CELL.id, is_locked=True))
    assert snap_border(panoptic, picture(40, 60, [30]), 1, 6).is_empty


def test_a_segment_that_would_vanish_stays():
    array = np.zeros((40, 40), np.uint16)
    array[20, 20] = 1
    assert snap_border(cells(*array), np.full((40, 40, 3), 99, np.uint8), 1, 8).is_empty


def test_a_neighbour_that_is_swallowed_goes_with_its_last_pixel():
    array = np.ones((40, 40), np.uint16)
    array[20, 20] = 2
    after = snapped(cells(*array), np.full((40, 40, 3), 99, np.uint8), 1, 8)
    assert after.segments.keys() == {1} and (after.segment_ids == 1).all()


def test_makes_both_segments_a_persons_work_and_says_what_it_was():
    panoptic = bands(40, 60, [28])
    edit = snap_border(panoptic, picture(40, 60, [30]), 1, 6)
    panoptic.apply(edit)
    assert {s.source for s in panoptic.segments.values()} == {Source.HUMAN}
    assert edit.label == "snap border" and edit.rect == Rect(0, 28, 40, 30)


def test_follows_a_border_through_many_tiles():
    height = 2 * TILE + 40
    borders, edges = [TILE - 2, 2 * TILE + 2], [TILE, 2 * TILE]
    colors = (DARK, BRIGHT, DARK)
    image = picture(height, 3 * TILE, edges, colors)
    after = snapped(bands(height, 3 * TILE, borders), image, 2, 6)
    assert np.array_equal(after.segment_ids, bands(height, 3 * TILE, edges).segment_ids)


@pytest.mark.parametrize("error", [-5, 5])
def test_a_border_too_wide_or_too_narrow_all_around_moves_as_a_whole(error):
    edges = [100, 200]
    colors = (DARK, BRIGHT, DARK)
    panoptic = bands(2 * TILE, 300, [100 - error, 200 + error])
    after = snapped(panoptic, picture(2 * TILE, 300, edges, colors), 2, 8)
    assert np.array_equal(after.segment_ids, bands(2 * TILE, 300, edges).segment_ids)


@pytest.mark.parametrize("radius", [34, 40, 46])
def test_tiles_see_what_one_window_sees(monkeypatch, radius):
    y, x = np.mgrid[:100, :110]
    distance = np.hypot(y - 50, x - 55)
    image = picture(100, 110, [55])
    image[distance < 40] = RED
    panoptic = cells(*np.where(distance < radius, 1, 2).astype(np.uint16))
    in_one = snapped(panoptic, image, 1, 8)
    seen = snap_mask(image, panoptic.segment_ids == 1, 8)
    assert np.array_equal(in_one.segment_ids == 1, seen)
    monkeypatch.setattr("core.snapping.TILE", 32)
    assert same_map(snapped(panoptic, image, 1, 8), in_one)


def test_tiles_leave_no_seam(monkeypatch):
    random = np.random.default_rng(1)
    image = random.integers(0, 256, (100, 110, 3)).astype(np.uint8)
    y, x = np.mgrid[:100, :110]
    panoptic = cells(*np.where(np.hypot(y - 50, x - 55) < 40, 1, 2).astype(np.uint16))
    in_one = snapped(panoptic, image, 1, 5)
    monkeypatch.setattr("core.snapping.TILE", 32)
    assert same_map(snapped(panoptic, image, 1, 5), in_one)


def test_the_guided_filter_equals_its_equations():
    random = np.random.default_rng(2)
    colors = random.integers(0, 256, (9, 11, 3)).astype(np.uint8)
    inside = random.random((9, 11)) < 0.5
    expected = filter_slowly(colors / 255, inside.astype(float), radius=2)
    assert np.allclose(filter_guided(colors, inside, 2), expected, atol=1e-4)


def filter_slowly(guide, p, radius):
    """Window by window: fit p by a linear function of the colours, then take the mean fit."""
    side = 2 * radius + 1
    fits = np.zeros((*p.shape, 4))
    wide_guide = np.pad(guide, ((radius,) * 2, (radius,) * 2, (0, 0)), mode="symmetric")
    wide_p = np.pad(p, radius, mode="symmetric")
    for y, x in np.ndindex(p.shape):
        window = wide_guide[y : y + side, x : x + side].reshape(-1, 3)
        values = wide_p[y : y + side, x : x + side].ravel()
        scatter = np.cov(window.T, bias=True) + EPSILON * np.eye(3)
        covariance = (window * values[:, None]).mean(0) - window.mean(0) * values.mean()
        slope = np.linalg.solve(scatter, covariance)
        fits[y, x] = [*slope, values.mean() - slope @ window.mean(0)]
    wide = np.pad(fits, ((radius,) * 2, (radius,) * 2, (0, 0)), mode="symmetric")
    mean = np.zeros_like(fits)
    for y, x in np.ndindex(p.shape):
        mean[y, x] = wide[y : y + side, x : x + side].reshape(-1, 4).mean(0)
    return (mean[..., :3] * guide).sum(-1) + mean[..., 3]


@pytest.mark.parametrize("reach", [0, MAX_REACH + 1])
def test_a_reach_outside_its_range_is_a_mistake(reach):
    with pytest.raises(ValueError, match=f"moved by {reach} pixels"):
        snap_border(bands(9, 9, [4]), picture(9, 9, [4]), 1, reach)


def test_an_image_of_another_size_is_a_mistake():
    with pytest.raises(ValueError, match=r"\(9, 8, 3\) for a map \(9, 9\)"):
        snap_border(bands(9, 9, [4]), picture(9, 8, [4]), 1, 3)


def test_a_segment_that_is_not_there_is_a_mistake():
    with pytest.raises(ValueError, match="no segment 7"):
        snap_border(bands(9, 9, [4]), picture(9, 9, [4]), 7, 3)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_only_unlocked_pixels_within_reach_change_hands(data):
    height, width = data.draw(st.integers(1, 24)), data.draw(st.integers(1, 24))
    random = np.random.default_rng(data.draw(st.integers(0, 999)))
    coarse = random.integers(0, 4, (height // 4 + 1, width // 4 + 1))
    array = coarse.repeat(4, axis=0).repeat(4, axis=1)[:height, :width].astype(np.uint16)
    locked = data.draw(st.sets(st.sampled_from([1, 2, 3])))
    segments = {
        int(i): Segment(int(i), CELL.id, Source.MODEL, is_locked=int(i) in locked)
        for i in np.unique(array)
        if i
    }
    before = PanopticMap(array, segments, 4)
    if not segments:
        return
    segment_id = data.draw(st.sampled_from(sorted(segments)))
    reach = data.draw(st.integers(1, 9))
    image = random.integers(0, 256, (height, width, 3)).astype(np.uint8)
    edit = snap_border(before, image, segment_id, reach)
    after = before.copy()
    after.apply(edit)
    assert_is_partition(after)
    assert_locked_pixels_stay(before, after)
    assert segment_id in after.segments
    changed = after.segment_ids != before.segment_ids
    assert (distance_to_border(before, segment_id)[changed] <= reach + 1e-3).all()
    assert not np.isin(after.segment_ids[changed], sorted(locked)).any()
    one_side = (before.segment_ids == segment_id) ^ (after.segment_ids == segment_id)
    assert np.array_equal(changed, one_side)
    after.apply(edit.inverted())
    assert same_map(after, before)
