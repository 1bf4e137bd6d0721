"""The plain peer of natural-14, and the clock by which both are trained."""

import json
from dataclasses import replace

import numpy as np

from benchmarks.natural import train_for, without_small
from benchmarks.pixel_head import find_segments, head_step, new_head
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


def test_small_segments_become_void() -> None:
    ids = np.array([[1, 2, 2, 0], [3, 2, 2, 0]], np.uint16)
    kept, categories = without_small((ids, {1: 7, 2: 9, 3: 7}), 2)
    assert kept.tolist() == [[0, 2, 2, 0], [0, 2, 2, 0]] and categories == {2: 9}


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
