"""Faults of past maps: as many as are asked for, and never a code that is not there."""

from dataclasses import replace

import numpy as np
import pytest

from training.map_faults import Faults, add_faults

NONE = Faults(share=1, bend=0, lost=0, joined=0, invented=0)


def grid() -> np.ndarray:
    """Nine segments of 6 x 6, ids 10..90, code 1, on code 2; two of them touch."""
    labels = np.zeros((2, 40, 40), np.int32)
    labels[0] = 2
    for k in range(9):
        top, left = 3 + 12 * (k // 3), 3 + 12 * (k % 3)
        labels[:, top : top + 6, left : left + 6] = np.array([1, 10 * (k + 1)])[:, None, None]
    labels[:, 3:9, 9:15] = np.array([1, 20])[:, None, None]
    return labels


def spoil(**changes: float) -> np.ndarray:
    return add_faults(grid(), 256, replace(NONE, **changes), np.random.default_rng(0))


def test_without_faults_a_map_is_as_it_was():
    assert np.array_equal(spoil(), grid())


def test_a_lost_segment_becomes_what_lies_around_it():
    found = spoil(lost=1.0)
    assert not found[1].any() and (found[0] == 2).all()


def test_segments_that_touch_are_joined():
    assert not ((spoil(joined=1.0)[1] == 10) & (grid()[1] == 10)).any()
    assert set(np.unique(spoil(joined=1.0)[1])) >= {0, 20, 30, 90}


def test_invented_segments_lie_where_there_were_none():
    found = spoil(invented=1.0)
    is_new = (found[1] > 0) & (grid()[1] == 0)
    assert is_new.any() and (found[0][is_new] == 1).all()
    assert np.array_equal(found[1][grid()[1] > 0], grid()[1][grid()[1] > 0])


def test_bent_borders_stay_near():
    found = spoil(bend=1.0)
    is_off = found[1] != grid()[1]
    assert 0.02 < is_off.mean() < 0.3
    assert set(np.unique(found[1])) <= set(np.unique(grid()[1]))


def test_an_empty_map_stays_empty():
    empty = np.zeros((2, 8, 8), np.int32)
    assert np.array_equal(add_faults(empty, 16, Faults(1), np.random.default_rng(0)), empty)


def test_impossible_faults_are_refused():
    with pytest.raises(ValueError, match=r"lost cannot be 1\.5"):
        Faults(lost=1.5)
