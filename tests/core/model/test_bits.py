"""Integers, bits, analog bits and softmax codes agree with the authors' code."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.model.bits import (
    bit_logits_to_code_logits,
    bits_to_int,
    code_log_probabilities,
    int_to_bits,
    labels_to_x0,
    logits_to_x0,
    x0_to_labels,
)


def pixels(values) -> torch.Tensor:
    """[B, H, W] with one pixel a value."""
    return torch.tensor(values).view(1, 1, -1)


@pytest.mark.parametrize(
    ("value", "bits"),
    [(5, [1, 0, 1, 0, 0, 0, 0, 0]), (133, [1, 0, 1, 0, 0, 0, 0, 1]), (255, [1] * 8)],
)
def test_bits_have_the_published_order(value, bits) -> None:
    found = int_to_bits(pixels([value]), 8)
    assert found.flatten().tolist() == bits
    assert bits_to_int(found).item() == value


def test_analog_bits_of_five() -> None:
    x0 = labels_to_x0(torch.tensor([5, 0]).view(1, 2, 1, 1), (8, 8), 0.1)
    expected = [0.1, -0.1, 0.1, -0.1, -0.1, -0.1, -0.1, -0.1]
    assert x0[0, :8, 0, 0].tolist() == pytest.approx(expected, abs=1e-8)


@given(st.integers(1, 16), st.integers(0, 2**20))
def test_integers_come_back_modulo_the_bits(n_bits, value) -> None:
    assert bits_to_int(int_to_bits(pixels([value]), n_bits)).item() == value % 2**n_bits


def test_negative_integers_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot write -1 in bits; give values of 0 or more"):
        int_to_bits(pixels([3, -1]), 8)


@pytest.mark.parametrize("groups", [(8, 8), (5, 5), (2, 6), (1, 3)])
def test_labels_come_back(groups) -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.stack(
        [torch.randint(2**n_bits, (3, 4, 5), generator=generator) for n_bits in groups], 1
    )
    x0 = labels_to_x0(labels, groups, 0.2)
    assert x0.shape == (3, sum(groups), 4, 5)
    assert torch.equal(x0_to_labels(x0, groups, 2 ** groups[0], 2 ** groups[1]), labels)


@pytest.mark.parametrize(
    ("logits", "analog"),
    [
        ([0.0, 1, 2, -1], [-0.046212, 0.035195]),
        ([2.0, 0, 0, 1.9], [-0.004374, -0.004374]),
        ([0.0, 1.2, 1.1, 1.1], [0.022463, 0.016345]),
    ],
)
def test_expected_bits_of_a_softmax(logits, analog, near) -> None:
    logits = torch.tensor(logits, dtype=torch.float64).view(1, 4, 1, 1)
    near(logits_to_x0(logits, (2,), 0.1).flatten(), analog, 2e-6)


def test_the_threshold_of_expected_bits_may_differ_from_the_likeliest_code() -> None:
    logits = torch.tensor([0.0, 1.2, 1.1, 1.1]).view(1, 4, 1, 1)
    assert logits.argmax(1).item() == 1
    assert bits_to_int(logits_to_x0(logits, (2,), 0.1)).item() == 3


def test_groups_of_bits_have_softmaxes_of_their_own() -> None:
    logits = torch.randn(1, 4 + 8, 2, 3, generator=torch.Generator().manual_seed(0))
    both = logits_to_x0(logits, (2, 3), 0.1)
    alone = [logits_to_x0(logits[:, :4], (2,), 0.1), logits_to_x0(logits[:, 4:], (3,), 0.1)]
    torch.testing.assert_close(both, torch.cat(alone, 1))


def test_independent_bits_are_a_softmax_over_their_products() -> None:
    log_odds = torch.randn(1, 5, 2, 3, generator=torch.Generator().manual_seed(0))
    x0 = logits_to_x0(bit_logits_to_code_logits(log_odds, (2, 3)), (2, 3), 1.0)
    torch.testing.assert_close(x0, 2 * log_odds.sigmoid() - 1)


def test_recorded_integers_and_bits(golden) -> None:
    tasks = golden("tasks")
    ints = torch.from_numpy(tasks["int2bits/ints"]).view(1, 1, -1)
    bits = int_to_bits(ints, 8)
    assert np.array_equal(bits[0, :, 0].T.numpy(), tasks["int2bits/bits8"])
    assert np.array_equal(bits_to_int(bits)[0, 0].numpy(), tasks["bits2int/ints"])
    codes = int_to_bits(torch.arange(256).view(1, 1, -1), 8)
    assert np.array_equal(codes[0, :, 0].T.numpy(), tasks["class_bits"])


def test_recorded_analog_bits_of_labels(golden, to_torch, near) -> None:
    tasks = golden("tasks")
    x0 = labels_to_x0(to_torch(tasks["bits/label_map"]), (8, 8), 0.1)
    near(x0, to_torch(tasks["bits/analog16_scale0.1"]), 0)


def test_recorded_labels_of_analog_bits(golden, to_torch) -> None:
    tasks = golden("tasks")
    labels = x0_to_labels(to_torch(tasks["panoptic/bits"]), (8, 8), n_codes=134, n_ids=101)
    assert torch.equal(labels, to_torch(tasks["panoptic/map"]).long())


def test_the_likeliest_code_is_none_that_the_task_lacks_though_its_bits_are_cut_to_one():
    bits = torch.tensor([0.2, 0.9, 0.4, -0.1]).view(1, 4, 1, 1)  # cut: 7
    likely = code_log_probabilities(bits, n_codes=7, scale=1.0)
    assert likely.shape == (1, 7, 1, 1)
    assert likely.argmax() == 6  # of 5, 6 and 3, which differ in one bit, the least sure one

    chances = (bits.flatten() + 1) / 2
    by_hand = (1 - chances[0]) * chances[1] * chances[2] * (1 - chances[3])
    assert likely[0, 6].item() == pytest.approx(by_hand.log().item())


def test_a_bit_without_doubt_leaves_every_code_possible():
    bits = torch.full((1, 2, 1, 1), 0.1)
    assert code_log_probabilities(bits, n_codes=4, scale=0.1).isfinite().all()
