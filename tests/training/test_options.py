"""Every setting of a run can be changed on the command line, and mistakes are sentences."""

import shlex

import pytest

from core.errors import TrainingError
from core.model.config import ModelConfig
from training.augment import Augmentation
from training.config import TrainConfig
from training.options import change, list_settings, split_changes
from training.recipes import RECIPES

CONFIG = TrainConfig(ModelConfig())


def changed(*arguments, config=CONFIG):
    return change(config, split_changes(config, arguments))


def test_settings_have_the_types_of_their_fields():
    config = changed(
        "--learning-rate", "1e-3", "--steps=7", "--schedule", "cosine", "--is-compiled",
        "--is-channels-last", "no", "--model.b", ".3", "--evaluation.every", "50",
        "--model.semantic-loss-power", "0.1", "--start-encoder", "a.safetensors",
    )  # fmt: skip
    assert (config.learning_rate, config.steps, config.schedule) == (1e-3, 7, "cosine")
    assert config.is_compiled and not config.is_channels_last
    assert config.model.b == 0.3 and config.model.semantic_loss_power == 0.1
    assert config.evaluation.every == 50 and config.start_encoder == "a.safetensors"


def test_sizes_that_fit_only_together_are_changed_together():
    config = changed("--model.image-size", "64,96", "--model.mask-size", "[32, 48]")
    assert config.model.image_size == (64, 96) and config.model.mask_size == (32, 48)


def test_crops_and_augmentation_of_a_recipe_can_be_changed():
    nuclei = RECIPES["nuclei"].config
    config = changed(
        "--crops", '{"size": 64, "batch": 2}', "--augmentation.gain", "1,1", config=nuclei
    )
    assert [crop.size for crop in config.crops] == [64]
    assert isinstance(config.augmentation, Augmentation)
    assert config.augmentation.gain == (1.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--learning-rat", "1"], r"--learning-rat\. Did you mean --learning-rate\?"),
        (["--model.bb", "1"], r"no setting --model\.bb.* There are: --model\.image-size, .*"),
        (["--steps.x", "1"], r"--steps is one value, and has no setting 'x' inside\."),
        (["--steps", "many"], r"--steps cannot be 'many'; give a whole number\."),
        (["--steps", "1.5"], r"--steps cannot be '1\.5'; give a whole number\."),
        (["--schedule", "step"], r"--schedule cannot be 'step'; give linear or cosine\."),
        (["--model.resnet-norm", "x"], r"cannot be 'x'; give batch or group\."),
        (["--is-compiled", "perhaps"], r"cannot be 'perhaps'; give true or false\."),
        (["--learning-rate", "fast"], r"cannot be 'fast'; give a number\."),
        (["--learning-rate"], r"--learning-rate has no value; give a number\."),
        (["--batch", "0"], r"batch cannot be 0; it is 1 or more\."),
        (["--model.image-size", "wide"], r"cannot be '\[wide\]'; give values with commas"),
        (["fast"], r"'fast' is not understood; settings begin with --\."),
    ],
)
def test_a_mistake_is_a_sentence_that_says_what_is_possible(arguments, said):
    with pytest.raises(TrainingError, match=said):
        changed(*arguments)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_setting_is_listed_in_the_form_in_which_it_is_given(recipe):
    config = RECIPES[recipe].config
    for line in list_settings(config):
        assert changed(*shlex.split(line), config=config) == config
