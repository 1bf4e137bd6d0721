"""A model file comes back as it was, or is refused with one sentence."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.model.checkpoint import load_checkpoint, save_checkpoint
from core.model.config import ModelConfig
from core.model.pix2seq_d import Pix2SeqD
from core.model_card import ModelCard, read_card, read_metadata
from core.panoptic import Category
from core.proposals import SamplingOptions

TINY = ModelConfig(
    image_size=(32, 48),
    mask_size=(16, 24),
    resnet_stem_width=8,
    resnet_widths=(4, 4, 4),
    resnet_blocks=(1, 1, 1),
    encoder_width=16,
    encoder_layers=1,
    encoder_heads=4,
    merge_width=16,
    decoder_width=8,
    channel_multipliers=(1, 2),
    residual_blocks=(1, 1),
    transformer_width=32,
    transformer_layers=1,
    transformer_head_width=8,
    semantic_bits=2,
    instance_bits=3,
    n_codes=3,
    n_ids=8,
)
CARD = ModelCard(
    name="tiny",
    summary="Drawn at random; knows cells.",
    categories=(
        Category(1, "cell", is_thing=True, color=(1, 2, 3)),
        Category(2, "glass", is_thing=False, color=(3, 2, 1)),
    ),
    sampling=SamplingOptions(steps=5),
    training={"pq": 0.5},
)


@pytest.fixture
def model() -> Pix2SeqD:
    torch.manual_seed(0)
    return Pix2SeqD(TINY).init_weights()


@pytest.fixture
def saved(tmp_path, model) -> Path:
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, model, CARD)
    return path


def rewrite(path: Path, change=lambda state: state, **metadata: str) -> None:
    """Write the file again with changed tensors and metadata."""
    save_file(change(load_file(path)), path, read_metadata(path) | metadata)


def with_config(path: Path, **values) -> str:
    return json.dumps(json.loads(read_metadata(path)["config"]) | values)


def test_weights_configuration_and_card_come_back(saved, model) -> None:
    loaded, card = load_checkpoint(saved, "cpu")
    assert (loaded.config, card) == (model.config, CARD)
    assert not loaded.training
    state = loaded.state_dict()
    assert list(state) == list(model.state_dict())
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())


def test_an_efficientnet_has_its_channels_last_and_is_written_as_it_was(saved, model) -> None:
    config = replace(TINY, image_size=(64, 96), trunk="efficientnet-lite0", resize="native")
    save_checkpoint(saved, Pix2SeqD(config).init_weights(), CARD)
    loaded, card = load_checkpoint(saved, "cpu")
    assert loaded.encoder.lite0 is not None
    kernel = loaded.encoder.lite0.stem_conv.weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)
    assert loaded.decoder.up_convs[0].weight.is_contiguous()
    before = load_file(saved)
    save_checkpoint(saved, loaded, card)
    after = load_file(saved)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_the_card_is_read_without_the_weights(saved) -> None:
    assert read_card(saved) == CARD


def test_loaded_weights_outlive_their_file(saved) -> None:
    loaded, _ = load_checkpoint(saved, "cpu")
    before = loaded.decoder.conv_in.weight.clone()
    saved.write_bytes(bytes(saved.stat().st_size))
    assert torch.equal(loaded.decoder.conv_in.weight, before)


def test_half_precision_files_are_loaded_in_single_precision(saved, model) -> None:
    rewrite(saved, lambda state: {name: value.half() for name, value in state.items()})
    loaded, _ = load_checkpoint(saved, "cpu")
    assert loaded.decoder.conv_in.weight.dtype == torch.float32
    torch.testing.assert_close(
        loaded.decoder.conv_in.weight, model.decoder.conv_in.weight, atol=1e-3, rtol=0
    )


def test_an_older_file_is_replaced_and_nothing_is_left_beside_it(saved, model) -> None:
    save_checkpoint(saved, model, replace(CARD, name="newer"))
    assert read_card(saved).name == "newer"
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_failed_save_leaves_the_older_file_alone(saved, model, monkeypatch) -> None:
    before = saved.read_bytes()
    monkeypatch.setattr("core.model.checkpoint.save_file", _no_space)
    with pytest.raises(
        CheckpointError, match=r"tiny\.safetensors cannot be written .*No space"
    ):
        save_checkpoint(saved, model, CARD)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def _no_space(state: dict, path: Path, metadata: dict) -> None:
    path.write_bytes(b"half of it")
    raise OSError(28, "No space left on device")


def test_saving_into_a_missing_folder_is_refused(tmp_path, model) -> None:
    with pytest.raises(CheckpointError, match=r"cannot be written .* choose another folder"):
        save_checkpoint(tmp_path / "none" / "m.safetensors", model, CARD)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_not_saved(tmp_path, model, value) -> None:
    model.decoder.conv_in.bias.data[1] = value
    with pytest.raises(CheckpointError, match=r"decoder\.conv_in\.bias is not finite"):
        save_checkpoint(tmp_path / "m.safetensors", model, CARD)
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_finite_are_not_loaded(saved) -> None:
    def spoil(state):
        return state | {"decoder.conv_in.bias": state["decoder.conv_in.bias"] * torch.nan}

    rewrite(saved, spoil)
    with pytest.raises(CheckpointError, match=r"decoder\.conv_in\.bias is not finite; choose"):
        load_checkpoint(saved, "cpu")


def test_a_file_cut_short_anywhere_is_refused(saved) -> None:
    whole = saved.read_bytes()
    (header,) = struct.unpack_from("<Q", whole)
    for length in (0, 7, 8, 100, header, header + 8, header + 9, len(whole) - 1):
        saved.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"tiny\.safetensors"):
            load_checkpoint(saved, "cpu")


def test_a_damaged_header_is_refused(saved) -> None:
    whole = saved.read_bytes()
    (header,) = struct.unpack_from("<Q", whole)
    for place in range(0, header + 8, 97):
        data = bytearray(whole)
        data[place] ^= 0xFF
        saved.write_bytes(data)
        with pytest.raises(CheckpointError, match=r"tiny\.safetensors"):
            load_checkpoint(saved, "cpu")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a pickle", bytes(4096), b"{}" * 50])
def test_a_file_of_another_kind_is_refused(tmp_path, content) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a safetensors file or was cut short"):
        load_checkpoint(path, "cpu")


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.safetensors cannot be read"):
        load_checkpoint(tmp_path / "none.safetensors", "cpu")


def test_a_safetensors_file_of_another_program_is_refused(tmp_path) -> None:
    path = tmp_path / "resnet.safetensors"
    save_file({"conv1.weight": torch.zeros(3)}, path)
    with pytest.raises(CheckpointError, match="no Bitbrush model; foreign weights come in"):
        load_checkpoint(path, "cpu")


def test_a_missing_tensor_is_named(saved) -> None:
    rewrite(
        saved, lambda state: {k: v for k, v in state.items() if k != "decoder.conv_in.bias"}
    )
    with pytest.raises(CheckpointError, match=r"decoder\.conv_in\.bias is missing; copy or"):
        load_checkpoint(saved, "cpu")


def test_an_extra_tensor_is_named(saved) -> None:
    rewrite(saved, lambda state: state | {"a.b": torch.zeros(1), "a.c": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"a\.b and 1 more are not part of it; copy or"):
        load_checkpoint(saved, "cpu")


def test_a_tensor_of_another_shape_is_named(saved) -> None:
    rewrite(saved, lambda state: state | {"decoder.conv_in.bias": torch.zeros(9)})
    with pytest.raises(CheckpointError, match=r"bias has the shape \(9,\) instead of \(8,\)"):
        load_checkpoint(saved, "cpu")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"colour": 3}, "colour"),
        ({"b": "high"}, "b"),
        ({"time_scale": None}, "time_scale"),
        ({"b": -0.1}, "b"),
        ({"semantic_bits": 2.5}, "semantic_bits"),
        ({"semantic_bits": 10**9}, "at most 16 bits"),
        ({"instance_bits": 0}, "instance_bits"),
        ({"image_size": [32]}, "image_size"),
        ({"image_size": [30, 48]}, r"image \(30, 48\)"),
        ({"resnet_widths": [4, "x", 4]}, "resnet_widths"),
        ({"prediction": "guess"}, "prediction"),
        ({"resize": ["fit"]}, "resize"),
        ({"is_stretched": 1}, "is_stretched"),
        ({"decoder_width": -8}, "decoder_width"),
        ({"residual_blocks": [1]}, "residual_blocks"),
        ({"train_schedule": {"name": "magic"}}, "train_schedule"),
        ({"train_schedule": {"speed": 1}}, "speed"),
        ({"encoder_heads": 5}, "5 heads"),
        ({"encoder_layers": 10**9}, "1000000"),
        ({"past_frames": -1}, "past_frames"),
        ({"mask_size": [0, 0]}, "mask"),
    ],
)
def test_an_impossible_configuration_is_refused(saved, values, sentence) -> None:
    rewrite(saved, config=with_config(saved, **values))
    with pytest.raises(CheckpointError, match=rf"cannot be built .*{sentence}.*newer version"):
        load_checkpoint(saved, "cpu")


@pytest.mark.parametrize("config", ["", "[]", "null", "{", "7"])
def test_a_configuration_that_is_no_object_is_refused(saved, config) -> None:
    rewrite(saved, config=config)
    with pytest.raises(CheckpointError, match="cannot be built"):
        load_checkpoint(saved, "cpu")


def test_a_card_with_too_few_categories_is_refused(saved) -> None:
    rewrite(saved, card=replace(CARD, categories=CARD.categories[:1]).to_json())
    with pytest.raises(CheckpointError, match="2 semantic codes, but 1 categories"):
        load_checkpoint(saved, "cpu")


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"name": 1}'])
def test_a_damaged_card_is_refused(saved, card) -> None:
    rewrite(saved, card=card)
    with pytest.raises(CheckpointError, match="no readable card"):
        load_checkpoint(saved, "cpu")
