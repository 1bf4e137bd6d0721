"""TrainConfig: through JSON and back, and refused where it is impossible."""

import json
import math
from dataclasses import replace

import pytest

from core.model.config import COCO, NUCLEI, PRESETS
from training.augment import Augmentation
from training.config import Crops, Evaluation, TrainConfig
from training.recipes import RECIPES

PLAIN = TrainConfig(COCO)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_survives_json(name):
    config = RECIPES[name].config
    assert TrainConfig.from_json(config.to_json()) == config


def test_absent_fields_of_older_files_get_their_defaults():
    values = json.loads(PLAIN.to_json())
    del values["precision"], values["evaluation"]
    assert TrainConfig.from_json(json.dumps(values)) == PLAIN


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("ids", "sorted", "ids cannot be 'sorted'; it is random or shuffle"),
        ("batch", 0, "batch cannot be 0; it is 1 or more"),
        ("batch", 1.5, "batch cannot be 1.5"),
        ("learning_rate", -1.0, "learning_rate cannot be -1.0; it is 0 or more"),
        ("learning_rate", math.nan, "learning_rate cannot be nan"),
        ("ema_decay", 1.0, "ema_decay cannot be 1.0; give less than 1"),
        ("past_dropout", 1.5, "past_dropout cannot be 1.5; give at most 1"),
        ("accumulation", 3, "accumulation 3 does not divide batches of"),
        ("crops", (Crops(100, 4),), "the image must be a multiple of 16"),
        ("crops", (Crops(64, 0),), "crops of batch 0"),
        ("crops", (Crops(64, 4), Crops(128, 2)), "make no epochs; use order draws"),
        ("precision", "float64", "it is float32 or bfloat16 or float16"),
        ("start_weights", 3, "start_weights cannot be 3"),
    ],
)
def test_an_impossible_field_is_named_with_its_value(field, value, says):
    with pytest.raises(ValueError, match=says):
        replace(PLAIN, **{field: value})


def test_an_evaluation_without_steps_is_refused():
    with pytest.raises(ValueError, match="steps cannot be 0; give 1 or more"):
        Evaluation(steps=0)


def test_two_starts_contradict_each_other():
    with pytest.raises(ValueError, match="start_weights goes without"):
        replace(PLAIN, start_weights="a.safetensors", start_decoder="b.safetensors")


def test_clips_and_oblong_views_need_photographs():
    with pytest.raises(ValueError, match="clips need a PhotoAugmentation"):
        replace(PLAIN, model=PRESETS["davis"], augmentation=Augmentation())
    oblong = replace(NUCLEI, image_size=(64, 128), mask_size=(32, 64))
    with pytest.raises(ValueError, match="64 x 128 cannot be turned"):
        replace(PLAIN, model=oblong, augmentation=Augmentation())


def test_an_unknown_field_in_a_file_is_refused():
    with pytest.raises(ValueError, match=r"TrainConfig has no fields \['colour'\]"):
        TrainConfig.from_json('{"colour": 1}')


def test_both_schedules_end_at_the_end_factor_after_the_warm_up():
    linear = replace(PLAIN, steps=110, learning_rate=1e-3, warmup_steps=10, end_factor=0.1)
    cosine = replace(linear, schedule="cosine")
    for config, middle in ((linear, 0.55e-3), (cosine, 0.55e-3)):
        rates = [config.learning_rate_at(step) for step in (0, 5, 10, 60, 110, 500)]
        assert rates == pytest.approx([0, 0.5e-3, 1e-3, middle, 1e-4, 1e-4])
    assert cosine.learning_rate_at(35) == pytest.approx(1e-4 + 0.9e-3 * (1 + 0.5**0.5) / 2)


def test_the_recipes_have_the_papers_numbers():
    table = {
        name: (
            r.config.batch,
            r.config.steps,
            r.config.learning_rate,
            r.config.warmup_steps,
            r.config.end_factor,
            r.config.ema_decay,
            r.config.ids,
        )
        for name, r in RECIPES.items()
    }
    assert table["coco-256"] == (512, 184_824, 1e-4, 1_155, 0.1, 0.999, "random")
    assert table["coco-1024"] == (16, 110_895, 1e-5, 0, 0.1, 0.999, "random")
    assert table["coco-ablation"][:2] == (128, 92_412)
    video = (32, 50_000, 1e-5, 0, 1.0, 0.99, "shuffle")
    assert table["davis"] == table["kitti-step"] == video
    config = RECIPES["coco-256"].config
    assert config.augmentation.scale == (1.0, 3.0) and config.augmentation.colour == 1.0
    assert (config.beta1, config.beta2, config.eps) == (0.9, 0.999, 1e-8)
    assert (config.weight_decay, config.clip_norm, config.model.b) == (0.05, 1.0, 0.1)
    assert RECIPES["davis"].config.augmentation.resize == "bicubic"


def test_what_paper_and_code_leave_open_has_the_recommended_default():
    config, photos = PLAIN, RECIPES["coco-256"].config.augmentation
    assert (config.crowds, config.ids, config.decay_scope) == ("void", "random", "kernels")
    assert (config.past_dropout, config.is_void_trained, config.noise_draws) == (0.2, True, 1)
    assert config.has_average_statistics and config.times == "independent"
    assert (config.model.time_scale, config.model.self_condition) == (1.0, "none")
    assert (config.model.b, config.model.loss_power) == (0.1, 0.2)
    assert photos.colour == 1.0 and photos.has_flips and not photos.has_shared_offset
    assert RECIPES["coco-1024"].config.augmentation.has_flips
    assert RECIPES["coco-1024"].config.is_checkpointed
    assert RECIPES["kitti-step"].config.model.has_stuff_ids is False
    assert RECIPES["cityscapes"].config.model.has_stuff_ids
