"""The recipe natural-14 fits its data, and the ImageNet weights that it starts from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.coco import read_coco
from core.model.efficientnet import EfficientNetLite0
from core.model.foreign_names import lite0_modules
from core.model.import_weights import import_weights
from training.batches import make_batch
from training.recipes import RECIPES
from training.sources import open_data
from training.start import load_start
from training.stepper import Stepper, new_state

NATURAL = RECIPES["natural-14"]


@pytest.fixture(scope="module")
def data(shared_dir):
    path = shared_dir / "data" / "coco_panoptic" / "train" / "panoptic_coarse_train.json"
    return open_data(path, NATURAL.config)


def test_the_codes_are_the_14_categories_and_every_picture_has_ids_enough(data, shared_dir):
    model = NATURAL.config.model
    assert len(data.categories) == 14 == model.n_codes - 1
    assert sum(category.is_thing for category in data.categories) == 6
    truth = read_coco(
        shared_dir / "data" / "coco_panoptic" / "train" / "panoptic_coarse_train.json"
    )
    assert max(len(image.segments) for image in truth.images) < model.n_ids


def test_a_step_on_photographs_leaves_the_trunk_as_imagenet_made_it(data, tmp_path):
    torch.manual_seed(1)
    trunk = EfficientNetLite0()
    trunk.init_weights()
    inside = {f"encoder.lite0.{name}": value for name, value in trunk.state_dict().items()}
    names = dict(lite0_modules())
    raw = {}
    for name, value in inside.items():
        stem, _, leaf = name.rpartition(".")
        raw[f"{names[stem]}.{leaf}"] = value
    save_file(raw, tmp_path / "lite0.safetensors")
    start = tmp_path / "start.safetensors"
    import_weights(tmp_path / "lite0.safetensors", start, NATURAL.config.model)
    config = replace(NATURAL.config, start_encoder=str(start), noise_draws=1, batch=2)
    state = new_state(config)
    load_start(config, state.model)
    loss, norm = Stepper(config, state).step(make_batch(config, data, 0))
    assert np.isfinite([loss, norm]).all() and norm > 0
    after = state.model.encoder.trunk.state_dict()
    assert all(torch.equal(after[name], value) for name, value in trunk.state_dict().items())
