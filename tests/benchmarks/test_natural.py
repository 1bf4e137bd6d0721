"""The plain peer of natural-14, and the clock by which both are trained."""

import json
from dataclasses import replace

import numpy as np

from benchmarks.natural import ODD, Scores, choose_ways, train_for
from benchmarks.pixel_head import (
    Segments,
    find_segments,
    head_step,
    keep_sure,
    measure_sureness,
    new_head,
)
from core.correction_cost import CorrectionCost
from core.panoptic import Category
from training.data import PanopticDataset
from training.recipes import RECIPES

CATEGORIES = (
    Category(7, "square", True, (220, 20, 60)),
    Category(9, "ground", False, (0, 20, 60)),
)


def test_things_are_components_and_stuff_is_one_segment() -> None:
    codes = np.array([[1, 2, 1, 0, 2], [1, 2, 1, 0, 2]])
    ids, categories = find_segments(codes, CATEGORIES)
    assert ids[0].tolist() == [1, 3, 2, 0, 3]
    assert categories == {1: 7, 2: 7, 3: 9}


def test_hundreds_of_crumbs_have_numbers_of_their_own() -> None:
    codes = np.full((61, 61), 2)
    codes[::3, ::3] = 1
    ids, categories = find_segments(codes, CATEGORIES)
    assert len(categories) == 21**2 + 1 == ids.max() and len(np.unique(ids)) == len(categories)


def test_small_and_doubtful_segments_become_void() -> None:
    ids = np.array([[1, 2, 2, 0], [3, 2, 2, 4], [4, 4, 4, 4]], np.uint16)
    found = Segments(ids, {1: 7, 2: 9, 3: 7, 4: 9}, {1: 0.9, 2: 0.6, 3: 0.9, 4: 0.2})
    kept = keep_sure(found, 2, 0.5)
    assert kept.ids.tolist() == [[0, 2, 2, 0], [0, 2, 2, 0], [0, 0, 0, 0]]
    assert (kept.categories, kept.sureness) == ({2: 9}, {2: 0.6})


def test_a_segment_is_as_sure_as_its_pixels_are_of_its_category() -> None:
    ids = np.repeat(np.array([[1, 1, 2, 2]], np.uint16), 4, 0)
    chances = np.zeros((3, 2, 2), np.float32)
    chances[1], chances[2] = [[0.6, 0.5], [0.6, 0.5]], [[0.4, 0.5], [0.4, 0.5]]
    sureness = measure_sureness(chances, ids, {1: 7, 2: 9, 3: 9}, CATEGORIES)
    assert 0.575 < sureness[1] < 0.6 and 0.475 < sureness[2] < 0.5
    assert sureness[3] == 0  # so small that none of its pixels was left at the picture's size


def test_a_way_is_chosen_without_the_photographs_that_it_is_counted_on() -> None:
    ways = [
        Scores("head", name, costs=[CorrectionCost(add=n) for n in actions])
        for name, actions in (("a", (3, 0, 3, 0)), ("b", (2, 9, 2, 9)))
    ]
    (chosen,) = choose_ways(ways)
    assert chosen.name == "b" and chosen.actions(ODD) == 18


def test_a_stopped_run_goes_on_until_its_minutes_are_spent(tmp_path) -> None:
    image, labels = np.zeros((64, 64, 3), np.uint8), np.ones((64, 64, 2), np.int32)
    data = PanopticDataset(CATEGORIES, ["0.png"], [image], [labels])
    recipe = RECIPES["natural-14"].config
    model = replace(recipe.model, image_size=(64, 64), mask_size=(16, 16))
    config = replace(recipe, model=model, batch=2)
    steps = []
    for minutes in (0.0005, 0.0005, 0.01):
        state = new_head(config)
        train_for(minutes, config, state, data, tmp_path, head_step(config, state))
        steps.append(state.step)
    assert 0 < steps[0] == steps[1] < steps[2]
    clock = json.loads((tmp_path / "seconds.json").read_text())
    assert clock["cpu_seconds"] > 0.6 - 1e-6 and clock["step"] == steps[2]
