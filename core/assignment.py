"""best_assignment(): pairs of rows and columns whose values have the largest sum.

SciPy's `linear_sum_assignment` does the same; it is no dependency of this program, and some
dozens of segments need no faster one.

Source: Kuhn 1955; Munkres 1957; with potentials as in Jonker and Volgenant 1987.
"""

import numpy as np
from numpy.typing import NDArray


def best_assignment(values: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Pair rows with columns, each at most once, so that the sum of values is the largest.

    Args:
        values: [m, n] finite.

    Returns:
        min(m, n) pairs (row, column), by row.
    """
    if values.size == 0:
        return []
    is_tall = values.shape[0] > values.shape[1]
    costs = -(values.T if is_tall else values).astype(np.float64)
    row_of = _match_rows(costs)
    pairs = [(int(row), column) for column, row in enumerate(row_of) if row >= 0]
    return sorted((column, row) if is_tall else (row, column) for row, column in pairs)


def _match_rows(costs: NDArray[np.float64]) -> NDArray[np.intp]:
    """The row of each column, or -1, by the smallest sum; at most as many rows as columns."""
    n_rows, n_columns = costs.shape
    of_rows, of_columns = np.zeros(n_rows), np.zeros(n_columns)  # potentials
    row_of = np.full(n_columns, -1, np.intp)
    for first in range(n_rows):
        row, column = first, -1
        distances = np.full(n_columns, np.inf)
        before = np.full(n_columns, -1, np.intp)  # column on the way to each
        is_done = np.zeros(n_columns, np.bool_)
        while row >= 0:
            slack = costs[row] - of_rows[row] - of_columns
            lowest = distances[column] if column >= 0 else 0.0
            is_nearer = ~is_done & (lowest + slack < distances)
            distances[is_nearer] = lowest + slack[is_nearer]
            before[is_nearer] = column
            column = int(np.where(is_done, np.inf, distances).argmin())
            is_done[column] = True
            row = int(row_of[column])
        last = distances[column]
        of_rows[first] += last
        for seen in np.flatnonzero(is_done):
            gain = last - distances[seen]
            if row_of[seen] >= 0:
                of_rows[row_of[seen]] += gain
            of_columns[seen] -= gain
        while column >= 0:
            row_of[column] = first if before[column] < 0 else row_of[before[column]]
            column = int(before[column])
    return row_of
