"""Weights of other programs come in whole and in our layout, or not at all."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.errors import CheckpointError
from core.model.checkpoint import load_checkpoint
from core.model.config import COCO, ModelConfig
from core.model.foreign_config import (
    infer_config,
    read_config,
)
from core.model.foreign_names import LEAVES, resnet_modules, tensorflow_modules
from core.model.import_weights import import_weights
from core.model.pix2seq_d import Pix2SeqD, with_past_frames
from core.panoptic import Category

SMALL = ModelConfig(
    image_size=(32, 48),
    mask_size=(16, 24),
    resnet_stem_width=8,
    resnet_widths=(4, 8, 8),
    resnet_blocks=(1, 2, 1),
    encoder_width=16,
    encoder_layers=2,
    encoder_heads=4,
    encoder_mlp_ratio=2.0,
    merge_width=16,
    decoder_width=8,
    channel_multipliers=(1, 2),
    residual_blocks=(1, 2),
    transformer_width=32,
    transformer_layers=1,
    transformer_head_width=8,
    semantic_bits=3,
    instance_bits=3,
    n_codes=5,
    n_ids=8,
)
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def to_tensorflow(model: Pix2SeqD) -> dict[str, np.ndarray]:
    """Weights as the authors' code lays them out, by names such as `encoder/stem_ln/beta`."""
    config, state, out = model.config, model.state_dict(), {}
    batch_norms = {"moving_mean", "moving_variance"}
    for ours, theirs in tensorflow_modules(config):
        for leaf, our_leaf in LEAVES.items():
            value = state.get(f"{ours}.{our_leaf}")
            is_norm = value is not None and f"{ours}.weight" in state
            is_norm = is_norm and state[f"{ours}.weight"].ndim == 1
            if value is None or (leaf in {"gamma", "beta"} | batch_norms) != is_norm:
                continue
            out[f"{theirs}/{leaf}"] = lay_out(theirs, leaf, value.numpy(), config)
    return out


def lay_out(theirs: str, leaf: str, value: np.ndarray, config: ModelConfig) -> np.ndarray:
    if value.ndim == 4:
        return np.ascontiguousarray(value.transpose(2, 3, 1, 0))
    in_encoder = theirs.startswith("encoder")
    heads = config.encoder_heads if in_encoder else config.transformer_width // 8
    if theirs.endswith("_output_dense"):
        return value.T.reshape(heads, -1, value.shape[0]) if leaf == "kernel" else value
    if theirs.endswith("_dense"):
        return (
            value.T.reshape(-1, heads, len(value) // heads)
            if leaf == "kernel"
            else (value.reshape(heads, -1))
        )
    return np.ascontiguousarray(value.T)


def random_model(config: ModelConfig, seed: int = 0) -> Pix2SeqD:
    torch.manual_seed(seed)
    model = Pix2SeqD(config)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.randn(value.shape))
            if name.endswith("running_var"):
                value.abs_()
    return model


def decorated(weights: dict[str, np.ndarray], copy: str = "") -> dict[str, np.ndarray]:
    """Checkpoint keys: `encoder/x` -> `model/encoder_ema/x/.ATTRIBUTES/VARIABLE_VALUE`."""
    return {
        f"model/{re.sub('^[a-z_]+', lambda m: m[0] + copy, name)}{SUFFIX}": values
        for name, values in weights.items()
    }


def assert_same(model: Pix2SeqD, other: Pix2SeqD, part: str = "") -> None:
    theirs = other.state_dict()
    for name, value in model.state_dict().items():
        if name.startswith(part) and not name.endswith("num_batches_tracked"):
            assert torch.equal(value, theirs[name]), name


def test_the_golden_checkpoint_comes_in_whole(
    golden_checkpoint, golden_dir, golden, tmp_path
) -> None:
    config = read_config(str(golden_dir / "config.json"))
    report = import_weights(golden_checkpoint, tmp_path / "m.safetensors", config)
    assert (len(report.taken), report.drawn, report.unused) == (501, (), ())
    model, card = load_checkpoint(tmp_path / "m.safetensors", "cpu")
    assert model.config == config
    assert len(card.categories) == 133
    ema = golden("weights_ema")["denoiser/conv_in/kernel"]
    assert np.array_equal(
        model.decoder.conv_in.weight.detach().numpy().transpose(2, 3, 1, 0), ema
    )
    assert "501 tensors imported" in report.describe()
    assert "training state were left out" in report.describe()


def test_the_live_copy_is_taken_on_demand(golden_checkpoint, golden, tmp_path) -> None:
    out = tmp_path / "m.safetensors"
    report = import_weights(golden_checkpoint, out, use_average=False)
    model, _ = load_checkpoint(out, "cpu")
    raw = golden("weights_raw")["denoiser/conv_in/bias"]
    assert np.array_equal(model.decoder.conv_in.bias.detach().numpy(), raw)
    assert report.kind == "live weights of the TensorFlow checkpoint ckpt-7"


def test_shapes_tell_what_the_golden_settings_say(
    golden_checkpoint, golden_dir, tmp_path
) -> None:
    report = import_weights(golden_checkpoint, tmp_path / "m.safetensors")
    known = read_config(str(golden_dir / "config.json"))
    told = replace(
        report.config,
        image_size=known.image_size,
        mask_size=known.mask_size,
        encoder_dropout=known.encoder_dropout,
        encoder_drop_path=known.encoder_drop_path,
        time_scale=known.time_scale,
    )
    assert told == known


def test_every_variable_of_the_full_size_model_has_a_place(golden_dir) -> None:
    variables = json.loads((golden_dir / "full_config_variables.json").read_text())
    with torch.device("meta"):
        model = Pix2SeqD(COCO)
    wanted = sorted(
        tuple(sorted(value.shape))
        for name, value in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    )
    flat = sorted(tuple(sorted(_flat(name, shape))) for name, shape, _ in variables)
    assert flat == wanted


def _flat(name: str, shape: list[int]) -> list[int]:
    """The shape with heads and their width in one axis."""
    if re.search(r"/(query|key|value)/", name):
        return [*shape[:-2], shape[-2] * shape[-1]]
    return [shape[0] * shape[1], shape[2]] if "attention_output/kernel" in name else shape


@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        replace(SMALL, past_frames=2),
        replace(SMALL, conditioning="none"),
        replace(SMALL, mask_size=(8, 12), image_size=(32, 48)),
        replace(SMALL, mask_size=(4, 6), image_size=(32, 48)),
        replace(SMALL, channel_multipliers=(2, 1), decoder_kernels=(5, 3), decoder_in_kernel=3),
        replace(SMALL, semantic_bits=4, instance_bits=4),
    ],
)
def test_any_shape_of_network_is_recognised_and_taken(config, bundles, tmp_path) -> None:
    model = random_model(config)
    weights = to_tensorflow(model)
    shapes = {name: values.shape for name, values in weights.items()}
    base = replace(config, resnet_blocks=(1, 1, 1), encoder_layers=1, past_frames=0)
    assert infer_config(shapes, base) == config
    index = bundles.write(tmp_path / "c", decorated(weights), n_shards=2)
    report = import_weights(index, tmp_path / "m.safetensors", config)
    assert (report.drawn, report.unused, report.n_ignored) == ((), (), 0)
    assert_same(load_checkpoint(tmp_path / "m.safetensors", "cpu")[0], model)


def test_averaged_weights_are_preferred(bundles, tmp_path) -> None:
    live, averaged = random_model(SMALL, 1), random_model(SMALL, 2)
    tensors = decorated(to_tensorflow(live)) | decorated(to_tensorflow(averaged), "_ema")
    tensors["optimizer/_variables/1" + SUFFIX] = np.zeros(3, np.float32)
    index = bundles.write(tmp_path / "c", tensors)
    report = import_weights(index, tmp_path / "m.safetensors", SMALL)
    assert_same(load_checkpoint(tmp_path / "m.safetensors", "cpu")[0], averaged)
    assert report.n_ignored == len(to_tensorflow(live)) + 1
    assert report.kind.startswith("averaged (EMA)")


def test_a_detector_gives_its_encoder_and_the_rest_is_drawn(bundles, tmp_path) -> None:
    model = random_model(SMALL)
    weights = {
        name: values
        for name, values in to_tensorflow(model).items()
        if name.startswith("encoder/")
    }
    tensors = decorated(weights) | {
        f"model/decoder/ln/gamma{SUFFIX}": np.ones(4, np.float32),
        f"model/proj/kernel{SUFFIX}": np.ones((4, 4), np.float32),
        f"model/encoder/new/kernel{SUFFIX}": np.ones((4, 4), np.float32),
        f"save_counter{SUFFIX}": np.array(3, np.int64),
    }
    report = import_weights(bundles.write(tmp_path / "c", tensors), tmp_path / "m.safetensors")
    loaded, _ = load_checkpoint(tmp_path / "m.safetensors", "cpu")
    assert loaded.config.encoder_layers == 2
    assert_same(
        loaded.encoder.resnet,
        model.encoder.resnet,
    )
    assert_same(loaded.encoder.layers, model.encoder.layers)
    assert {key.split("/")[1] for key in report.unused} == {"decoder", "proj", "encoder"}
    assert {name.split(".")[0] for name in report.drawn} == {"encoder", "decoder"}
    assert all(name.startswith(("encoder.merge.", "decoder.")) for name in report.drawn)
    text = report.describe()
    assert "model/proj/kernel" in text
    assert "The decoder is untrained: train the model before you use it." in text
    assert re.search(r"\d+ tensors of the model are not in the file:\n  encoder\.merge", text)
    assert "... and" in text


def test_what_is_drawn_follows_from_the_seed(bundles, tmp_path) -> None:
    weights = {k: v for k, v in to_tensorflow(random_model(SMALL)).items() if "encoder/" in k}
    index = bundles.write(tmp_path / "c", decorated(weights))
    models = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        import_weights(index, tmp_path / name, SMALL, seed=seed)
        models.append(load_checkpoint(tmp_path / name, "cpu")[0])
    assert_same(models[0], models[1])
    assert not torch.equal(models[0].decoder.conv_in.weight, models[2].decoder.conv_in.weight)


def test_an_image_model_is_widened_for_past_frames(bundles, tmp_path) -> None:
    model = random_model(SMALL)
    index = bundles.write(tmp_path / "c", decorated(to_tensorflow(model)))
    report = import_weights(index, tmp_path / "m", replace(SMALL, past_frames=2))
    weight = load_checkpoint(tmp_path / "m", "cpu")[0].decoder.conv_in.weight
    n_inputs = SMALL.noisy_width
    assert report.config.past_frames == 2
    assert torch.equal(weight[:, :n_inputs], model.decoder.conv_in.weight)
    assert weight.shape[1] == n_inputs + 2 * SMALL.n_bits
    assert not weight[:, n_inputs:].any()


def test_a_widened_model_ignores_past_maps_at_first() -> None:
    model = random_model(SMALL).eval()
    wide = with_past_frames(model, 1).eval()
    image, x_t = torch.rand(1, 3, 32, 48), torch.randn(1, 6, 16, 24)
    past = torch.randint(0, 5, (1, 1, 2, 16, 24))
    gamma = torch.tensor([0.4])
    with torch.inference_mode():
        encoding = model.encode(image)
        plain = model.logits(x_t, gamma, encoding, model.given(encoding))
        seeing = wide.logits(x_t, gamma, encoding, wide.given(encoding, past))
    torch.testing.assert_close(seeing, plain)


def torchvision_resnet(config: ModelConfig, model: Pix2SeqD) -> dict[str, torch.Tensor]:
    state, out = model.state_dict(), {"fc.weight": torch.ones(2, 2)}
    for ours, theirs in resnet_modules(config):
        for leaf in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            if f"{ours}.{leaf}" in state:
                out[f"{theirs}.{leaf}"] = state[f"{ours}.{leaf}"]
    out["layer4.0.conv1.weight"] = torch.ones(2, 2, 1, 1)
    return out


def test_a_torchvision_resnet_gives_its_first_three_stages(tmp_path) -> None:
    config = replace(SMALL, resnet_blocks=(3, 4, 6))
    model = random_model(config)
    source = tmp_path / "resnet50.safetensors"
    save_file(torchvision_resnet(config, model), source)
    report = import_weights(source, tmp_path / "m.safetensors", config)
    loaded, _ = load_checkpoint(tmp_path / "m.safetensors", "cpu")
    assert_same(loaded.encoder.resnet, model.encoder.resnet)
    assert set(report.unused) == {"fc.weight", "layer4.0.conv1.weight"}
    assert all(not name.startswith("encoder.resnet.") for name in report.drawn)


def test_the_names_are_torchvisions() -> None:
    """The state dict of torchvision's resnet50, without its last stage and head."""
    names = dict(resnet_modules(COCO))
    assert names["encoder.resnet.stem_conv"] == "conv1"
    assert names["encoder.resnet.stages.0.0.shortcut_norm"] == "layer1.0.downsample.1"
    assert names["encoder.resnet.stages.2.5.norm3"] == "layer3.5.bn3"
    assert len(names) == 2 + 13 * 6 + 3 * 2


def test_a_resnet_without_bottlenecks_is_refused(tmp_path) -> None:
    source = tmp_path / "resnet18.safetensors"
    save_file({"conv1.weight": torch.ones(64, 3, 7, 7), "fc.bias": torch.ones(2)}, source)
    with pytest.raises(CheckpointError, match=r"no ResNet-50 as torchvision and timm name it"):
        import_weights(source, tmp_path / "m.safetensors")


def test_a_damaged_safetensors_file_is_refused(tmp_path) -> None:
    (tmp_path / "r.safetensors").write_bytes(b"12345678nothing")
    with pytest.raises(CheckpointError, match=r"r\.safetensors cannot be read .* download it"):
        import_weights(tmp_path / "r.safetensors", tmp_path / "m.safetensors")


def test_a_checkpoint_of_another_network_is_refused(bundles, tmp_path) -> None:
    tensors = {f"model/encoder/stem_conv/kernel{SUFFIX}": np.ones((16, 16, 3, 4), np.float32)}
    index = bundles.write(tmp_path / "vit", tensors)
    with pytest.raises(
        CheckpointError, match=r"vit\.index has no ResNet encoder of this model"
    ):
        import_weights(index, tmp_path / "m.safetensors")


def test_a_checkpoint_with_a_fourth_stage_is_refused(bundles, tmp_path) -> None:
    weights = to_tensorflow(random_model(SMALL))
    weights["encoder/resnet/block_groups/3/layers/0/x/kernel"] = np.ones((2, 2), np.float32)
    index = bundles.write(tmp_path / "c", decorated(weights))
    with pytest.raises(CheckpointError, match=r"another kind of network: .* three stages"):
        import_weights(index, tmp_path / "m.safetensors")


def test_an_incomplete_part_is_refused(bundles, tmp_path) -> None:
    weights = to_tensorflow(random_model(SMALL))
    del weights["denoiser/conv_in/bias"]
    index = bundles.write(tmp_path / "c", decorated(weights))
    with pytest.raises(
        CheckpointError, match=r"decoder\.conv_in\.bias is not among them; leave"
    ):
        import_weights(index, tmp_path / "m.safetensors", SMALL)
    assert not (tmp_path / "m.safetensors").exists()


def test_weights_that_do_not_fit_the_configuration_are_refused(bundles, tmp_path) -> None:
    index = bundles.write(tmp_path / "c", decorated(to_tensorflow(random_model(SMALL))))
    with pytest.raises(
        CheckpointError, match=r"do not fit the configuration: .* instead of \("
    ):
        import_weights(index, tmp_path / "m.safetensors", replace(SMALL, encoder_width=32))
    with pytest.raises(CheckpointError, match=r"do not fit the configuration: it has no"):
        import_weights(index, tmp_path / "m.safetensors", replace(SMALL, conditioning="none"))


def test_categories_are_one_for_each_code(bundles, tmp_path) -> None:
    index = bundles.write(tmp_path / "c", decorated(to_tensorflow(random_model(SMALL))))
    four = [Category(i, f"c{i}", is_thing=False, color=(0, 0, i)) for i in (7, 8, 9, 10)]
    import_weights(index, tmp_path / "m", SMALL, categories=four)
    assert load_checkpoint(tmp_path / "m", "cpu")[1].categories == tuple(four)
    with pytest.raises(CheckpointError, match="4 semantic codes besides void, but there are 3"):
        import_weights(index, tmp_path / "m", SMALL, categories=four[:3])
