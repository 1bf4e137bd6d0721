"""The correction cost is what a person would do, kind by kind; more errors never cost less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.correction_cost import (
    KINDS,
    PRICES,
    CorrectionCost,
    Prices,
    cost_of_map,
    judge_void,
    measure_cost,
    near_borders,
)
from core.panoptic import PanopticMap, Segment

TRUTH = np.array([[1, 1, 1, 1, 2, 2, 2, 2]] * 4)
CATEGORIES = {1: 7, 2: 8}
CELL, GROUND = 1, 2


def actions(rows, categories, truth=TRUTH, crowds=()) -> dict[str, int]:
    """The counts that are not 0, of a map whose rows are alike; borders are not looked at."""
    predicted = np.array([rows] * 4)
    cost = measure_cost(predicted, categories, truth, CATEGORIES, crowds, tolerance=8)
    return {kind: getattr(cost, kind) for kind in KINDS if getattr(cost, kind)}


@pytest.mark.parametrize(
    ("rows", "categories", "expected"),
    [
        ([0] * 8, {}, {"add": 2}),
        ([1, 1, 1, 1, 2, 2, 2, 2], {1: 7, 2: 8}, {}),
        ([1, 1, 1, 1, 2, 2, 2, 2], {1: 8, 2: 8}, {"recategorise": 1}),
        ([1, 1, 1, 1, 0, 0, 0, 0], {1: 7}, {"add": 1}),
        ([1, 1, 3, 3, 2, 2, 2, 2], {1: 7, 2: 8, 3: 7}, {"merge": 1}),
        ([1, 1, 3, 3, 2, 2, 2, 2], {1: 9, 2: 8, 3: 9}, {"merge": 1, "recategorise": 1}),
        ([1, 1, 1, 3, 2, 2, 2, 2], {1: 7, 2: 8, 3: 7}, {"merge": 1}),
        ([1, 1, 1, 3, 2, 2, 2, 2], {1: 7, 2: 8, 3: 8}, {"remove": 1}),
        ([1] * 8, {1: 7}, {"split": 1, "recategorise": 1}),
        ([0, 0, 0, 3, 2, 2, 2, 2], {2: 8, 3: 7}, {"add": 1, "remove": 1}),
    ],
    ids=[
        "empty",
        "right",
        "wrong-category",
        "missed",
        "pieces",
        "pieces-of-another-category",
        "small-piece",
        "small-piece-of-another-category",
        "joined",
        "crumb",
    ],
)
def test_each_fault_costs_its_action(rows, categories, expected) -> None:
    assert actions(rows, categories) == expected


def test_joining_two_segments_of_the_same_category_costs_one_split() -> None:
    cost = measure_cost(np.ones((4, 8), int), {1: 7}, TRUTH, {1: 7, 2: 7})
    assert cost == CorrectionCost(split=1, changed_pixels=16)


def test_a_small_segment_in_a_large_one_that_was_found_is_cut_off() -> None:
    truth = np.array([[1] * 6 + [2] * 2] * 4)
    cost = measure_cost(np.ones((4, 8), int), {1: 7}, truth, {1: 7, 2: 7}, tolerance=0)
    assert cost == CorrectionCost(split=1, changed_pixels=8)


def test_segments_on_void_and_crowds_of_their_category_are_forgiven() -> None:
    truth = np.array([[1, 1, 1, 1, 0, 0, 2, 2]] * 4)
    rows = [1, 1, 1, 1, 3, 3, 4, 4]
    assert actions(rows, {1: 7, 3: 8, 4: 8}, truth, crowds={2}) == {}
    assert actions(rows, {1: 7, 3: 8, 4: 7}, truth, crowds={2}) == {"remove": 1}


def test_void_that_says_that_nothing_is_there_forgives_nothing() -> None:
    truth = np.array([[1, 1, 1, 1, 0, 0, 0, 0]] * 4)
    predicted = np.array([[1, 1, 1, 1, 3, 0, 0, 0]] * 4)
    judged = judge_void(predicted, {1: 7, 3: 7}), judge_void(truth, {1: 7})
    assert measure_cost(*judged[0], *judged[1], tolerance=8) == CorrectionCost(
        remove=1, changed_pixels=4
    )


# Borders


def square(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    """A cell, 1, on ground, 2."""
    ids = np.full((40, 40), 2)
    ids[top:bottom, left:right] = 1
    return ids


def border_cost(predicted: np.ndarray, tolerance: int = 2) -> CorrectionCost:
    kinds = {1: CELL, 2: GROUND}
    truth = square(10, 10, 30, 30)
    return measure_cost(predicted, kinds, truth, kinds, tolerance=tolerance)


def test_pixels_count_only_outside_the_tolerance_and_on_both_sides_alike() -> None:
    wide, narrow = square(10, 10, 30, 35), square(10, 10, 30, 25)
    assert border_cost(wide) == CorrectionCost(border_pixels=3 * 20, changed_pixels=5 * 20)
    # The two rows along the top and the bottom of the cell are near a border, too.
    assert border_cost(narrow) == CorrectionCost(border_pixels=3 * 16, changed_pixels=5 * 20)
    assert border_cost(square(8, 8, 32, 32)).seconds() == 0
    assert border_cost(square(8, 8, 32, 32), tolerance=1).border_pixels == 24**2 - 22**2


def test_a_border_that_is_dearer_than_an_outline_is_drawn_anew() -> None:
    predicted = square(10, 10, 30, 30)
    predicted[32:] = 1
    cost = border_cost(predicted)
    assert cost == CorrectionCost(redraw=1, changed_pixels=8 * 40)
    assert cost.seconds() == PRICES.redraw


def test_the_border_of_a_segment_to_be_added_costs_nothing_more() -> None:
    predicted = np.full((40, 40), 2)
    assert border_cost(predicted) == CorrectionCost(add=1, changed_pixels=400)


def test_near_borders_reaches_as_far_on_both_sides() -> None:
    ids = np.array([[1] * 5 + [2] * 5] * 3)
    for distance in range(4):
        expected = np.abs(np.arange(10) - 4.5) < distance
        assert (near_borders(ids, distance) == expected).all()


# Sums and prices


def test_costs_of_images_add_up() -> None:
    one, other = CorrectionCost(add=1, border_pixels=9), CorrectionCost(add=2, split=3)
    both = CorrectionCost(add=3, split=3, border_pixels=9)
    assert one + other == both
    assert both.actions == 6
    assert both.seconds() == pytest.approx(one.seconds() + other.seconds())


def test_seconds_are_counts_times_prices() -> None:
    cost = CorrectionCost(add=1, remove=2, merge=3, border_pixels=10, changed_pixels=99)
    prices = Prices(add=10, remove=1, merge=2, border_pixels=0.5)
    assert cost.seconds(prices) == 10 + 2 + 6 + 5
    assert cost.breakdown(prices)["merge"] == 6
    assert cost.to_json()["seconds"] == cost.seconds()


def test_crowds_of_an_approved_map_are_left_out() -> None:
    ids = TRUTH.astype(np.uint16)
    approved = PanopticMap(ids, {1: Segment(1, 7), 2: Segment(2, 8, is_crowd=True)})
    proposed = PanopticMap(ids.clip(max=1), {1: Segment(1, 7)})
    assert cost_of_map(proposed, PanopticMap(ids, {1: Segment(1, 7), 2: Segment(2, 8)})).actions
    assert cost_of_map(proposed, approved).actions == 0


# Any maps

FEW_IDS = arrays(np.int64, (5, 6), elements=st.integers(0, 4))
NAMES = {1: 1, 2: 1, 3: 2, 4: 2}


@given(FEW_IDS, FEW_IDS)
def test_mending_takes_no_more_actions_than_beginning_anew(predicted, truth) -> None:
    n_ours, n_true = (len(np.unique(m[m > 0])) for m in (predicted, truth))
    cost = measure_cost(predicted, NAMES, truth, NAMES)
    assert cost.actions - cost.redraw <= n_ours + n_true


@given(FEW_IDS)
def test_a_map_as_approved_costs_nothing(truth) -> None:
    assert measure_cost(truth, NAMES, truth, NAMES, tolerance=0) == CorrectionCost()


@given(FEW_IDS, st.permutations([1, 2, 3, 4]))
def test_the_same_map_under_other_ids_costs_nothing(truth, order) -> None:
    table = np.array([0, *order])
    renamed = {int(table[i]): category for i, category in NAMES.items()}
    cost = measure_cost(table[truth], renamed, truth, NAMES, tolerance=0)
    assert cost == CorrectionCost()


def cells_and_kinds(seed: int) -> tuple[np.ndarray, dict[int, int]]:
    """A grid of cells with gaps between them, on ground; ids in a random order."""
    random = np.random.default_rng(seed)
    ids = random.permutation(np.arange(1, 18))
    plane = np.full((80, 80), ids[16])
    for place in range(16):
        top, left = (5 + 20 * k for k in divmod(place, 4))
        plane[top : top + random.integers(9, 16), left : left + random.integers(9, 16)] = ids[
            place
        ]
    return plane, {int(i): CELL for i in ids[:16]} | {int(ids[16]): GROUND}


def damage(kind: int, plane: np.ndarray, kinds: dict[int, int], cell: int) -> None:
    """Give one cell, not yet damaged, an error of some kind."""
    ground = next(i for i, category in kinds.items() if category == GROUND)
    rows, columns = np.nonzero(plane == cell)
    top, left, bottom, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    if kind == 0:  # missed
        plane[plane == cell] = ground
    elif kind == 1:  # split
        kinds[fresh := max(kinds) + 1] = CELL
        plane[top : (top + bottom) // 2, left:right] = fresh
    elif kind == 2:  # wrong category
        kinds[cell] = 3
    elif kind == 3:  # too wide
        plane[top - 4 : bottom, left - 4 : right] = cell
    elif kind == 4:  # too narrow
        plane[top : top + 4, left:right] = ground
    else:  # one too many beside it
        kinds[fresh := max(kinds) + 1] = CELL
        plane[top - 4 : top, left:right] = fresh


@pytest.mark.parametrize("seed", range(10))
def test_every_further_error_costs_more(seed) -> None:
    random = np.random.default_rng(seed)
    truth, true_kinds = cells_and_kinds(seed)
    plane, kinds = truth.copy(), dict(true_kinds)
    cells = [i for i, category in true_kinds.items() if category == CELL]
    before = 0.0
    for cell in random.permutation(cells):
        damage(int(random.integers(6)), plane, kinds, int(cell))
        seconds = measure_cost(plane, kinds, truth, true_kinds).seconds()
        assert seconds > before
        before = seconds
