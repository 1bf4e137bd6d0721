"""Samples of a model that see different segments leave doubt; different ids do not."""

import numpy as np
import pytest

from core.correction_cost import PRICES
from core.doubt import find_doubt

CELL, GROUND, OTHER = 1, 2, 3


def sample(*cells: tuple[int, int, int, int], ids=(1, 3, 4), ground=2, category=CELL):
    """Cells, given by their boxes, on ground."""
    plane = np.full((40, 40), ground, np.uint16)
    for number, (top, left, bottom, right) in zip(ids, cells, strict=False):
        plane[top:bottom, left:right] = number
    return plane, dict.fromkeys(ids[: len(cells)], category) | {ground: GROUND}


LEFT, RIGHT = (5, 5, 20, 15), (5, 20, 20, 35)


def test_samples_that_differ_in_their_ids_alone_agree() -> None:
    doubt = find_doubt([sample(LEFT, RIGHT), sample(RIGHT, LEFT, ids=(9, 7), ground=1)])
    assert not doubt.plane.any()
    assert doubt.seconds == 0


def test_doubt_is_the_share_of_samples_that_see_another_segment() -> None:
    both, one = sample(LEFT, RIGHT), sample(LEFT)
    doubt = find_doubt([both, one, both, one, both])
    assert doubt.plane.dtype == np.float32
    assert doubt.plane[12, 27] == 0.5
    assert doubt.plane[12, 10] == 0
    assert doubt.share == pytest.approx(0.5 * 9 * 9 / 1600)  # the inside of RIGHT, 3 px off
    assert doubt.seconds == pytest.approx(PRICES.remove / 2)


def test_a_segment_that_only_another_sample_has_leaves_doubt_where_it_lies() -> None:
    doubt = find_doubt([sample(LEFT), sample(LEFT, RIGHT)])
    assert doubt.plane[5:20, 20:35].all()
    assert doubt.plane.sum() == 15 * 15
    assert doubt.seconds == PRICES.add


def test_a_segment_cut_in_two_leaves_doubt_in_the_smaller_part() -> None:
    upper, lower = (5, 20, 14, 35), (14, 20, 20, 35)
    doubt = find_doubt([sample(RIGHT), sample(upper, lower)])
    assert doubt.plane[15, 27] == 1
    assert doubt.plane[10, 27] == 0
    assert doubt.seconds > 0


def test_borders_that_move_within_the_band_leave_none() -> None:
    shifted = sample(tuple(side + 2 for side in LEFT))
    assert not find_doubt([sample(LEFT), shifted]).plane.any()
    assert find_doubt([sample(LEFT), shifted], band=0).plane.any()


def test_another_category_leaves_doubt() -> None:
    doubt = find_doubt([sample(LEFT), sample(LEFT, category=OTHER)])
    assert doubt.plane[12, 10] == 1
    assert doubt.seconds == PRICES.recategorise


def test_a_segment_on_what_is_void_in_another_sample_leaves_doubt() -> None:
    (ids, _), (more_ids, _) = sample(LEFT), sample(LEFT, RIGHT)
    ids[ids == 2], more_ids[more_ids == 2] = 0, 0
    one, more = (ids, {1: CELL}), (more_ids, {1: CELL, 3: CELL})
    assert find_doubt([more, one]).plane[12, 27] == 1
    assert find_doubt([more, one]).seconds == PRICES.remove
    assert find_doubt([one, more]).seconds == PRICES.add


def test_void_in_all_samples_leaves_none() -> None:
    nothing = np.zeros((4, 4), np.uint16), {}
    assert find_doubt([nothing, nothing]).share == 0


def test_one_sample_says_nothing_of_doubt() -> None:
    with pytest.raises(ValueError, match="at least two"):
        find_doubt([sample(LEFT)])
