"""Taking pixels: the same ones, whether few or many of a box are meant."""

import numpy as np
import pytest

from core.edits import erase_area, paint_area
from core.giving import N_IDS, keep_those_of
from core.panoptic import VOID, PanopticMap, Rect, Segment

SIDE = 24
WHOLE = Rect(0, 0, SIDE, SIDE)
FEW, MANY = 0.05, 0.8  # shares of a box that are looked up one by one, and all at once


def make_map(*, locked: tuple[int, ...]) -> PanopticMap:
    """Seven segments and void in stripes."""
    ids = np.repeat(np.arange(8, dtype=np.uint16), SIDE // 8)[None].repeat(SIDE, 0)
    return PanopticMap(
        ids, {i: Segment(i, 1, is_locked=i in locked) for i in range(1, 8)}, next_id=8
    )


def some_of(share: float) -> np.ndarray:
    return np.random.default_rng(3).random((SIDE, SIDE)) < share


@pytest.mark.parametrize("share", [FEW, MANY])
@pytest.mark.parametrize("locked", [(), (2,), (2, 3, 7)])
@pytest.mark.parametrize("painted", [4, 8])
def test_painting_takes_exactly_what_is_covered_and_not_locked(share, locked, painted) -> None:
    map, covered = make_map(locked=locked), some_of(share)
    expected = map.segment_ids.copy()
    expected[covered & ~np.isin(expected, locked)] = painted
    map.apply(paint_area(map, WHOLE, covered, Segment(painted, 1), "paint"))
    np.testing.assert_array_equal(map.segment_ids, expected)


@pytest.mark.parametrize("share", [FEW, MANY])
@pytest.mark.parametrize("only", [None, 5])
def test_erasing_takes_exactly_what_is_covered_and_meant(share, only) -> None:
    map, covered = make_map(locked=(2, 3)), some_of(share)
    expected = map.segment_ids.copy()
    is_meant = ~np.isin(expected, (2, 3)) if only is None else expected == only
    expected[covered & is_meant] = VOID
    map.apply(erase_area(map, WHOLE, covered, only, "erase"))
    np.testing.assert_array_equal(map.segment_ids, expected)


def test_a_segment_goes_with_its_last_pixel_whatever_share_of_the_box_it_was() -> None:
    map = make_map(locked=())
    edit = paint_area(map, WHOLE, map.segment_ids == 6, Segment(8, 1), "paint")
    assert set(edit.segments_before) == {6}
    edit = paint_area(map, WHOLE, np.ones((SIDE, SIDE), np.bool_), Segment(8, 1), "paint")
    assert set(edit.segments_before) == set(range(1, 8))


@pytest.mark.parametrize("share", [0.02, 0.9])
@pytest.mark.parametrize("losing", [(), (3,), (0, 3), (0, 1, 2, 3, 4, 5, 7), tuple(range(8))])
def test_of_covered_pixels_those_of_segments_that_can_lose_them_are_kept(share, losing) -> None:
    map, covered = make_map(locked=()), some_of(share)
    for can_lose in (np.zeros(N_IDS, np.bool_), np.ones(N_IDS, np.bool_)):
        can_lose[:8] = np.isin(np.arange(8), losing)
        kept = keep_those_of(can_lose, covered, map.segment_ids)
        np.testing.assert_array_equal(kept, covered & np.isin(map.segment_ids, losing))
