"""Corrections are what an annotator would do, kind by kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.corrections import Corrections, count_corrections

TRUTH = np.array([[1, 1, 1, 1, 2, 2, 2, 2]] * 4)
CATEGORIES = {1: 7, 2: 8}


def corrections(rows: list[int], categories: dict[int, int], truth=TRUTH, crowds=()):
    predicted = np.array([rows] * 4)
    return count_corrections(predicted, categories, truth, CATEGORIES, crowds)


@pytest.mark.parametrize(
    ("rows", "categories", "expected"),
    [
        ([0] * 8, {}, Corrections(add=2)),
        ([1, 1, 1, 1, 2, 2, 2, 2], {1: 7, 2: 8}, Corrections()),
        ([1, 1, 1, 1, 2, 2, 2, 2], {1: 8, 2: 8}, Corrections(recolour=1)),
        ([1, 1, 1, 1, 0, 0, 0, 0], {1: 7}, Corrections(add=1)),
        ([1, 1, 3, 3, 2, 2, 2, 2], {1: 7, 2: 8, 3: 7}, Corrections(merge=1)),
        ([1, 1, 3, 3, 2, 2, 2, 2], {1: 9, 2: 8, 3: 9}, Corrections(merge=1, recolour=1)),
        ([1, 1, 1, 3, 2, 2, 2, 2], {1: 7, 2: 8, 3: 7}, Corrections(remove=1)),
        ([1] * 8, {1: 7}, Corrections(split=1, recolour=1)),
        ([0, 0, 0, 3, 2, 2, 2, 2], {2: 8, 3: 7}, Corrections(add=1, remove=1)),
    ],
    ids=[
        "empty",
        "right",
        "wrong-category",
        "missed",
        "pieces",
        "pieces-of-another-category",
        "small-piece",
        "joined",
        "crumb",
    ],
)
def test_each_fault_costs_its_action(rows, categories, expected) -> None:
    assert corrections(rows, categories) == expected


def test_joining_two_segments_of_the_same_category_costs_one_split() -> None:
    result = count_corrections(np.ones((4, 8), int), {1: 7}, TRUTH, {1: 7, 2: 7})
    assert result == Corrections(split=1)


def test_segments_on_void_and_crowds_are_forgiven() -> None:
    truth = np.array([[1, 1, 1, 1, 0, 0, 2, 2]] * 4)
    rows = [1, 1, 1, 1, 3, 3, 4, 4]
    result = corrections(rows, {1: 7, 3: 8, 4: 8}, truth, crowds={2})
    assert result == Corrections()


def test_corrections_of_images_add_up() -> None:
    total = Corrections(add=1)
    total.take(Corrections(add=2, split=3))
    assert total == Corrections(add=3, split=3) and total.total == 6


@given(
    arrays(np.int64, (5, 6), elements=st.integers(0, 4)),
    arrays(np.int64, (5, 6), elements=st.integers(0, 4)),
)
def test_mending_never_costs_more_than_beginning_anew(predicted, truth) -> None:
    names = {1: 1, 2: 1, 3: 2, 4: 2}
    n_ours, n_true = (len(np.unique(m[m > 0])) for m in (predicted, truth))
    result = count_corrections(predicted, names, truth, names)
    assert result.total <= n_ours + n_true
    assert count_corrections(truth, names, truth, names).total == 0
