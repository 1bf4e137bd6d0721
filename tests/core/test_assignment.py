"""The best assignment is as good as the best of all that there are."""

from itertools import permutations

import numpy as np
import pytest

from core.assignment import best_assignment


def total(values: np.ndarray, pairs) -> float:
    return float(sum(values[row, column] for row, column in pairs))


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (3, 6), (6, 3), (5, 5)])
def test_no_other_assignment_is_better(shape) -> None:
    rng = np.random.default_rng(sum(shape))
    for values in (rng.random(shape), rng.integers(-2, 3, shape).astype(float)):
        pairs = best_assignment(values)
        assert (
            len(pairs) == min(shape) == len({r for r, _ in pairs}) == len({c for _, c in pairs})
        )
        wide = values if shape[0] <= shape[1] else values.T
        every = permutations(range(wide.shape[1]), wide.shape[0])
        best = max(total(wide, enumerate(columns)) for columns in every)
        assert total(values, pairs) == pytest.approx(best)


def test_the_greedy_choice_is_not_the_best() -> None:
    assert best_assignment(np.array([[0.9, 0.8], [0.8, 0.1]])) == [(0, 1), (1, 0)]


def test_nothing_has_no_pairs() -> None:
    assert best_assignment(np.zeros((0, 3))) == []
