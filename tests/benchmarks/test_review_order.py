"""The figures of the review order are what their names say."""

import numpy as np
import pytest

from benchmarks.review_order import auroc, found_after, load_map, save_map, spearman

COSTS = np.array([1.0, 4, 2, 3])


def test_the_work_found_is_that_of_the_first_images() -> None:
    assert found_after(COSTS, COSTS, 0.25) == pytest.approx(0.4)
    assert found_after(-COSTS, COSTS, 0.5) == pytest.approx(0.3)
    assert found_after(COSTS, COSTS, 1.0) == pytest.approx(1)


def test_images_with_equal_scores_come_in_any_order() -> None:
    assert found_after(np.zeros(4), COSTS, 0.25) == pytest.approx(0.25)
    assert found_after(np.array([1, 1, 0, 0]), COSTS, 0.25) == pytest.approx(0.25)


def test_spearman_knows_only_the_order() -> None:
    assert spearman(COSTS, COSTS**3) == pytest.approx(1)
    assert spearman(COSTS, -COSTS) == pytest.approx(-1)
    assert spearman(COSTS, np.ones(4)) == 0
    assert spearman(np.array([1, 1, 2, 2]), np.array([1, 1, 5, 5])) == pytest.approx(1)


def test_auroc_is_the_chance_that_a_wrong_pixel_is_doubted_more() -> None:
    assert auroc(np.array([9, 0]), np.array([0, 4])) == 1
    assert auroc(np.array([3, 3]), np.array([2, 2])) == pytest.approx(0.5)
    assert auroc(np.array([3, 1]), np.array([1, 3])) == pytest.approx(0.75 * 0.75 + 0.375 / 2)


def test_a_map_is_kept_as_it_was(tmp_path) -> None:
    ids = np.array([[0, 3]], np.uint16)
    save_map(tmp_path / "a.npz", (ids, {3: 7}))
    kept, categories = load_map(tmp_path / "a.npz")
    assert (kept == ids).all() and categories == {3: 7}
