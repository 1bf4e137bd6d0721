"""Settings of the authors' code, presets and files become configurations."""

import pytest

from core.errors import CheckpointError
from core.model.config import COCO, PRESETS
from core.model.diffusion import Schedule
from core.model.foreign_config import config_from_settings, parse_schedule, read_config


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("cosine", Schedule()),
        ("cosine@0.2,1,1", Schedule("cosine-range", 0.2, 1, 1)),
        ("sigmoid@-3,3,0.9", Schedule("sigmoid", -3, 3, 0.9)),
        ("simple_linear", Schedule("linear")),
        ("log@1,100,t", Schedule("log", 1, 100, is_reversed=True)),
    ],
)
def test_the_authors_schedules_are_understood(text, schedule) -> None:
    assert parse_schedule(text) == schedule


@pytest.mark.parametrize(
    ("section", "values", "sentence"),
    [
        ("model", {"resnet_variant": "c5"}, r"model\.resnet_variant = 'c5', but only 'c4' is"),
        ("model", {"resnet_depth": 18}, r"model\.resnet_depth = 18 is none of"),
        ("model", {"x0_clip": "0,1"}, r"only 'auto' and '-c,c'"),
        ("model", {"train_schedule": "quadratic"}, "no schedule 'quadratic'"),
        ("model", {"conditional": "attn"}, "conditioning cannot be 'attn'"),
        ("decoder", {"n_mlp_blocks": 2}, r"decoder\.n_mlp_blocks = 2, but only 0 is supported"),
        ("decoder", {"mhsa_resolutions": "16"}, r"decoder\.mhsa_resolutions = '16'"),
    ],
)
def test_settings_that_this_network_lacks_are_named(
    golden_settings, section, values, sentence
) -> None:
    settings = golden_settings | {section: golden_settings[section] | values}
    with pytest.raises(ValueError, match=sentence):
        config_from_settings(settings)


def test_settings_become_fields(golden_settings) -> None:
    model = {"resnet_depth": 101, "resnet_width_multiplier": 0.25, "x0_clip": "-0.5,0.5"}
    decoder = {"ch_multipliers": "2,1", "n_res_blocks": "1,3", "kernel_sizes": "3,5"}
    decoder |= {"outp_softmax_groups": 4}
    task = golden_settings["task"] | {"n_bits_label": 8}
    config = config_from_settings(
        golden_settings
        | {"model": golden_settings["model"] | model, "mask_size": [48, 80]}
        | {"decoder": golden_settings["decoder"] | decoder, "task": task}
    )
    assert config.resnet_widths == (16, 32, 64)
    assert config.resnet_blocks == (3, 4, 23)
    assert (config.x0_clip, config.softmax_groups) == (0.5, (2, 2, 2, 2))
    assert (config.channel_multipliers, config.decoder_kernels) == ((2, 1), (3, 5))
    assert (config.mask_size, config.out_width) == ((48, 80), 16)
    assert (config.n_codes, config.n_ids) == (16, 16)


def test_a_configuration_is_a_preset_or_a_file(tmp_path) -> None:
    path = tmp_path / "c.json"
    path.write_text(PRESETS["davis"].to_json())
    assert read_config(str(path)) == PRESETS["davis"]
    assert read_config("coco") == COCO
    with pytest.raises(CheckpointError, match=r"'huge' is neither a preset \(coco,"):
        read_config("huge")
    for text in ("{", "[]", '{"decoder": {}}', '{"decoder": 3}'):
        path.write_text(text)
        with pytest.raises(CheckpointError, match=r"c\.json holds no configuration"):
            read_config(str(path))
