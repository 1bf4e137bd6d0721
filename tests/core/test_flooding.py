"""A flood finds exactly the connected part around a pixel, small or large, however it winds."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core import flooding
from core.flooding import flood
from core.panoptic import PanopticMap

maps = arrays.arrays(
    np.uint16, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.integers(0, 2)
)


def connected(ids, x, y):
    """The same by OpenCV's components, as a whole image [H, W]."""
    area = (ids == ids[y, x]).astype(np.uint8)
    _, parts = cv2.connectedComponents(area, connectivity=4)
    return parts == parts[y, x]


def assert_flood(ids, x, y):
    rect, inside = flood(ids, x, y)
    same, known = flood(ids, x, y, PanopticMap(ids).find_changes)
    assert rect == same and np.array_equal(inside, known)
    whole = np.zeros(ids.shape, np.bool_)
    whole[rect.slices] = inside
    np.testing.assert_array_equal(whole, connected(ids, x, y))
    for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
        assert side.any()  # no smaller rectangle holds it


@pytest.mark.parametrize("near", [1, 4, 100])
@pytest.mark.parametrize("max_runs", [0, 10**6])
@pytest.mark.parametrize("most", [0, 10**6])
@given(ids=maps, data=st.data())
def test_a_flood_is_the_connected_part_whichever_way_it_is_found(
    near, max_runs, most, ids, data
):
    x = data.draw(st.integers(0, ids.shape[1] - 1))
    y = data.draw(st.integers(0, ids.shape[0] - 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flooding, "NEAR", near)
        patch.setattr(flooding, "MAX_RUNS", max_runs)
        patch.setattr(flooding, "MOST", most)
        assert_flood(ids, x, y)


def test_a_flood_follows_a_spiral_to_its_end():
    ids = np.ones((41, 41), np.uint16)
    x = y = 20
    ids[y, x] = 0
    for number in range(1, 20):  # walls of one pixel between arms of one pixel
        for dx, dy in [((1, 0), (0, 1)), ((-1, 0), (0, -1))][number % 2]:
            for _ in range(2 * number):
                x, y = x + dx, y + dy
                if 0 <= x < 41 and 0 <= y < 41:
                    ids[y, x] = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flooding, "NEAR", 4)
        assert_flood(ids, 20, 20)
    assert (ids == 0).sum() > 300
