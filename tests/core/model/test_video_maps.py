"""Ids of a frame's pixels, taken whole instead of bit by bit."""

import numpy as np
import torch

from core.model.bits import int_to_bits
from core.model.video_maps import LEAST_NEW, likeliest_ids


def expected_bits(ids, sureness=0.9):
    """Bits in [-1, 1] that speak for these ids [h, w]."""
    return (int_to_bits(torch.from_numpy(ids)[None], 4)[0] * 2 - 1) * sureness


def test_a_border_of_mixed_bits_goes_to_one_of_its_two_segments():
    ids = np.repeat([[5] * 6 + [10] * 6], 4, 0)
    bits = expected_bits(ids)
    bits[:, :, 6] = torch.tensor([0.1, -0.1, 0.1, 0.2])[:, None]  # of 13, between 5 and 10
    cut = ids.copy()
    cut[:, 6] = 13
    found = likeliest_ids(bits, cut, [ids])
    assert set(np.unique(found)) == {5, 10}
    assert np.array_equal(found[:, :6], ids[:, :6])
    assert np.array_equal(found[:, 7:], ids[:, 7:])


def test_what_is_new_stays_if_it_is_large_enough():
    ids = np.full((8, 8), 5)
    ids[:3, :4] = 9
    assert (ids == 9).sum() == LEAST_NEW
    ids[6, 6] = 12
    found = likeliest_ids(expected_bits(ids), ids, [np.full((8, 8), 5)])
    assert set(np.unique(found)) == {5, 9}
    assert np.array_equal(found == 9, ids == 9)


def test_what_was_told_stays_however_small_and_no_id_stays_none():
    ids = np.zeros((6, 6), np.int64)
    ids[2, 2] = 7
    told = np.zeros((6, 6), np.int64)
    told[2, 3] = 7
    assert np.array_equal(likeliest_ids(expected_bits(ids), ids, [told]), ids)
    assert np.array_equal(likeliest_ids(expected_bits(ids), ids, []), ids)
