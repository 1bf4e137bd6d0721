"""Building blocks of the network agree with closed forms and with the authors' code."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from core.model.config import COCO
from core.model.decoder import ResBlock, TimeEmbedding
from core.model.encoder import MergeBlock, ResNetC4
from core.model.foreign_names import from_tensorflow
from core.model.layers import (
    Attention,
    DownConv,
    TransformerLayer,
    group_norm,
    max_pool_same,
    position_code,
    sincos_code,
)

F64 = torch.float64
LEAVES = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}
TRANSFORMER = {
    "self_norm": ("mha/ln", "self_mha/ln"),
    "self_attention": ("mha", "self_mha"),
    "cross_norm": ("", "cross_mha/ln"),
    "cross_attention": ("", "cross_mha"),
    "mlp_norm": ("mlp/ffn/ln",) * 2,
    "mlp_in": ("mlp/ffn/dense1",) * 2,
    "mlp_out": ("mlp/ffn/dense2",) * 2,
}
ATTENTION = {
    "query": "query",
    "key": "key",
    "value": "value",
    "output": "attention_output",
}


@pytest.fixture(scope="session")
def layers(golden):
    return golden("layers")


@pytest.fixture
def load(layers) -> Callable:
    """Put recorded weights `case/w/THEIRS/...` into modules, by our module's name."""

    def load_into(module: nn.Module, case: str, names: dict[str, str]) -> nn.Module:
        for ours, theirs in names.items():
            part = module.get_submodule(ours)
            stem = f"{case}/w/{theirs}" if theirs else f"{case}/w"
            for leaf, our_leaf in LEAVES.items():
                if f"{stem}/{leaf}" not in layers.files:
                    continue
                is_output = theirs.endswith("attention_output")
                name = "_output_dense" if is_output else stem
                values = from_tensorflow(name, leaf, layers[f"{stem}/{leaf}"])
                getattr(part, our_leaf).data = torch.from_numpy(values)
        return module.eval()

    return load_into


def attention_names(prefix: str, theirs: str) -> dict[str, str]:
    return {f"{prefix}{ours}": f"{theirs}{name}" for ours, name in ATTENTION.items()}


def transformer_names(column: int) -> dict[str, str]:
    names = {}
    for ours, theirs in TRANSFORMER.items():
        if not theirs[column]:
            continue
        if ours.endswith("attention"):
            names |= attention_names(f"{ours}.", f"{theirs[column]}/")
        else:
            names[ours] = theirs[column]
    return names


# -- closed forms of the specification ---------------------------------------------------------


def test_one_dimensional_code(near) -> None:
    code = sincos_code(torch.tensor([0.5, 500], dtype=F64), 8)
    first = [0.479426, 0.049979, 0.005, 0.0005, 0.877583, 0.998750, 0.999988, 1]
    near(code[0], first, 2e-6)
    second = [-0.467772, -0.262375, -0.958924, 0.479426, -0.883849, 0.964966, 0.283662]
    near(code[1], [*second, 0.877583], 2e-6)
    wide = sincos_code(torch.tensor(0.25, dtype=F64), 128)[[0, 1, 63, 64, 65, 127]]
    near(wide, [0.247404, 0.214804, 0.000029, 0.968912, 0.976657, 1], 2e-6)


def test_two_dimensional_code(near) -> None:
    code = position_code(2, 3, 8, torch.zeros(1))
    near(code[0], [0, 0, 1, 1, 0, 0, 1, 1], 2e-6)
    near(code[1], [0, 0, 1, 1, 0, 0.031411, -1, 0.999507], 2e-6)
    near(code[2], [0, 0, 1, 1, 0, 0.062791, 1, 0.998027], 2e-6)
    near(code[3], [0, 0.062791, 1, 0.998027, 0, 0, 1, 1], 2e-6)
    found = position_code(16, 16, 512, torch.zeros(1))[3 * 16 + 7]
    wanted = [0.951057, 0.000135, 0.309017, 1, 0.207912, 0.123333, -0.978148, 1]
    near(found[[0, 127, 128, 255, 256, 300, 384, 511]], wanted, 2e-6)


def test_a_grid_of_one_cell_has_a_code() -> None:
    assert position_code(1, 1, 8, torch.zeros(1)).isfinite().all()


def test_strided_convolution_pads_bottom_and_right() -> None:
    conv = DownConv(1).double()
    conv.weight.data = torch.arange(1, 10, dtype=F64).view(1, 1, 3, 3) / 10
    conv.bias.data.zero_()
    found = conv(torch.arange(16, dtype=F64).view(1, 1, 4, 4))
    expected = torch.tensor([[30.3, 22.5], [25.3, 16.3]], dtype=F64)
    torch.testing.assert_close(found[0, 0], expected)


def test_max_pool_pads_bottom_and_right_and_padding_never_wins() -> None:
    found = max_pool_same(-torch.arange(16.0).view(1, 1, 4, 4))
    assert found[0, 0].tolist() == [[0, -2], [-8, -10]]


@pytest.mark.parametrize(
    ("values", "size", "expected"),
    [
        (range(8), 4, [1, 3, 5, 7]),
        (range(8), 3, [1, 4, 6]),
        (range(3), 8, [0, 0, 0, 1, 1, 2, 2, 2]),
    ],
)
def test_labels_are_resized_to_half_pixel_centres(values, size, expected) -> None:
    row = torch.tensor(list(values), dtype=torch.float32).view(1, 1, 1, -1)
    found = functional.interpolate(row, (1, size), mode="nearest-exact")
    assert found.flatten().tolist() == expected


def test_images_are_resized_with_antialiasing(near) -> None:
    row = torch.tensor([0, 1, 4, 9, 16, 25], dtype=F64).view(1, 1, 1, -1)
    found = functional.interpolate(row, (1, 3), mode="bilinear", antialias=True)
    near(found.flatten(), [1.0, 7.0, 18.857143], 2e-6)


# -- networks filled by the rule of the specification ------------------------------------------


def mean_and_std(x: torch.Tensor) -> list[float]:
    return [x.mean().item(), x.std(correction=0).item()]


def test_residual_block_by_the_fill_rule(fill, grid, near) -> None:
    block = fill(ResBlock(8, 12, 4))
    y = block(grid(8, 3, 3, 0.5, 0.3, 0.7), torch.arange(4, dtype=F64).cos()[None])[0]
    near(
        torch.stack([y[0, 0, 0], y[5, 1, 2], y[11, 2, 2]]), [0.776888, 0.090735, 0.280804], 2e-6
    )
    assert mean_and_std(y) == pytest.approx([-0.004676, 0.598164], abs=2e-6)


def test_merge_block_by_the_fill_rule(fill, grid, near) -> None:
    block = fill(MergeBlock(12, 8, 16))
    y = block(grid(12, 4, 4, 0.2, 0.4, 0.6), grid(8, 2, 2, 0.5, 0.3, 0.7), 2)[0]
    found = torch.stack([y[0, 0, 0], y[7, 1, 2], y[15, 3, 3]])
    near(found, [0.049346, -0.213067, -0.276871], 2e-6)
    assert mean_and_std(y) == pytest.approx([0.222784, 0.581564], abs=2e-6)


def test_encoder_layer_by_the_fill_rule(fill, near) -> None:
    layer = fill(TransformerLayer(16, 4))
    s, d = torch.arange(6, dtype=F64), torch.arange(16, dtype=F64)
    y = layer((0.3 * s[:, None] + 0.5 * d).sin()[None])[0]
    near(torch.stack([y[0, 0], y[2, 7], y[5, 15]]), [0.126224, -0.876813, 0.253784], 2e-6)
    assert mean_and_std(y) == pytest.approx([0.148435, 0.708447], abs=2e-6)


# -- recorded from the authors' code -----------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "groups_of"),
    [("c64_g16", 64), ("c160_g32", 160), ("c64_g32", 128), ("c96_g24", 96)],
)
def test_recorded_group_norm(layers, load, to_torch, near, case, groups_of) -> None:
    x = to_torch(layers[f"groupnorm_{case}/x"])
    norm = nn.Sequential(group_norm(x.shape[1], groups_of=groups_of))
    assert norm[0].num_groups == int(case.split("g")[1])
    load(norm, f"groupnorm_{case}", {"0": ""})
    near(norm(x), to_torch(layers[f"groupnorm_{case}/y"]), 1e-5)


def test_recorded_layer_norm(layers, load, near) -> None:
    norm = nn.Sequential(TransformerLayer(10, 1).self_norm)
    load(norm, "layernorm", {"0": ""})
    near(norm(torch.from_numpy(layers["layernorm/x"])), layers["layernorm/y"], 1e-5)


def test_recorded_batch_norm(layers, to_torch, near) -> None:
    norm = ResNetC4(COCO).stem_norm
    names = ("weight", "gamma"), ("bias", "beta")
    names += ("running_mean", "moving_mean"), ("running_var", "moving_variance")
    for ours, theirs in names:
        values = layers[f"batchnorm/w/global_bn/{theirs}"].copy()
        getattr(norm, ours).data = torch.from_numpy(values)
    x = to_torch(layers["batchnorm/x"])
    near(norm.eval()(x), to_torch(layers["batchnorm/y_inference"]), 1e-5)
    near(norm.train()(x), to_torch(layers["batchnorm/y_training"]), 1e-5)
    near(norm.running_mean, layers["batchnorm/moving_mean_after"], 1e-6)


@pytest.mark.parametrize(
    ("case", "widths"), [("resblock", (20, 12)), ("resblock_same", (20, 20))]
)
def test_recorded_residual_block(layers, load, to_torch, near, case, widths) -> None:
    names = {f"norm{k}": f"group_norm_{k}" for k in (0, 1)}
    names |= {f"conv{k}": f"conv_{k}" for k in (0, 1)} | {"emb_projection": "emb_proj"}
    if case == "resblock":
        names["shortcut"] = "shortcut_layer"
    block = load(ResBlock(*widths, 20), case, names)
    # Blocks of one record share their time embedding.
    y = block(to_torch(layers[f"{case}/x"]), torch.from_numpy(layers["resblock/emb"]))
    near(y, to_torch(layers[f"{case}/y"]), 1e-5)


@pytest.mark.parametrize("size", ["6x8", "5x7", "5x8"])
def test_recorded_same_padding(layers, load, to_torch, near, size) -> None:
    conv = nn.Sequential(DownConv(4))
    conv = load(conv, f"conv3x3_s2_same_{size}", {"0": ""})
    x = to_torch(layers[f"conv3x3_s2_same_{size}/x"])
    near(conv(x), to_torch(layers[f"conv3x3_s2_same_{size}/y"]), 1e-5)
    case = f"maxpool3_s2_same_{size}"
    near(max_pool_same(to_torch(layers[f"{case}/x"])), to_torch(layers[f"{case}/y"]), 0)


@pytest.mark.parametrize("kernel", [7, 3, 1])
@pytest.mark.parametrize("size", ["6x8", "5x7", "5x8"])
def test_recorded_symmetric_padding(layers, to_torch, near, kernel, size) -> None:
    case = f"fixedpad_conv{kernel}_s2_{size}"
    resnet = ResNetC4(COCO)
    second = resnet.stages[1][0]
    conv = {7: resnet.stem_conv, 3: second.conv2, 1: second.shortcut_conv}[kernel]
    values = from_tensorflow("", "kernel", layers[f"{case}/w/conv2d/kernel"])
    conv.weight.data = torch.from_numpy(values)
    near(conv(to_torch(layers[f"{case}/x"])), to_torch(layers[f"{case}/y"]), 1e-5)


@pytest.mark.parametrize("case", ["upsample_block", "upsample_block_solo"])
def test_recorded_merge_block(layers, load, to_torch, near, case) -> None:
    names = {f"conv{k}": f"conv{k}" for k in (1, 2)}
    names |= {f"norm{k}": f"group_norm{k}" for k in (1, 2)}
    block = load(MergeBlock(16, 12, 16), case, names)
    high = to_torch(layers[f"{case}/x_hr"]) if case == "upsample_block" else None
    y = block(high, to_torch(layers[f"{case}/x"]), 2)
    near(y, to_torch(layers[f"{case}/y"]), 1e-5)


@pytest.mark.parametrize(
    ("case", "scale", "width"),
    [
        ("scalar_scale10000_dim16", 10000, 16),
        ("scalar_scale1000_dim16", 1000, 16),
        ("scalar_scale10000_dim128", 10000, 128),
    ],
)
def test_recorded_time_code(layers, near, case, scale, width) -> None:
    gamma = torch.from_numpy(layers["posenc/gamma"])
    near(sincos_code(gamma * scale, width), layers[f"posenc/{case}"], 1e-3)


def test_recorded_position_codes(layers, near) -> None:
    like = torch.zeros(1)
    small = position_code(4, 6, 48, like).view(1, 4, 6, 48)
    near(small, layers["posenc/2d_4x6_dim48"], 1e-5)
    large = position_code(16, 16, 512, like).view(1, 16, 16, 512)[:, ::3, ::3]
    near(large, layers["posenc/2d_16x16_dim512"], 1e-5)
    near(position_code(1, 7, 16, like)[None], layers["posenc/1d_7_dim16"], 1e-5)


def test_recorded_time_embedding(layers, load, golden_settings, near) -> None:
    scale = golden_settings["model"]["time_scaling"]
    config = COCO.__class__(
        decoder_width=16, time_scale=scale, channel_multipliers=(4, 4, 8, 8)
    )
    names = {f"dense{k}": f"dense{k}" for k in (0, 1)}
    module = load(TimeEmbedding(config), "time_embedding", names)
    near(module(torch.from_numpy(layers["time_embedding/x"])), layers["time_embedding/y"], 1e-3)


def test_recorded_attention(layers, load, near) -> None:
    module = load(Attention(24, 3, context_width=20), "attention", attention_names("", ""))
    x, kv = (torch.from_numpy(layers[f"attention/{name}"]) for name in ("x", "kv"))
    near(module(x, kv), layers["attention/y"], 1e-5)


def test_recorded_encoder_layer(layers, load, near) -> None:
    layer = load(TransformerLayer(24, 3), "encoder_layer", transformer_names(0))
    near(layer(torch.from_numpy(layers["encoder_layer/x"])), layers["encoder_layer/y"], 1e-5)


def test_recorded_decoder_layer(layers, load, near) -> None:
    layer = TransformerLayer(24, 3, context_width=20)
    load(layer, "decoder_layer", transformer_names(1))
    memory = torch.from_numpy(layers["attention/kv"])
    y = layer(torch.from_numpy(layers["decoder_layer/x"]), memory)
    near(y, layers["decoder_layer/y"], 1e-5)


@pytest.mark.parametrize("size", ["3x4", "12x16", "5x7", "9x11"])
def test_recorded_resizing_of_labels(layers, to_torch, near, size) -> None:
    x = to_torch(layers["resize_nearest/x"]).float()
    shape = [int(side) for side in size.split("x")]
    found = functional.interpolate(x, shape, mode="nearest-exact")
    near(found, to_torch(layers[f"resize_nearest/{size}"]), 0)


@pytest.mark.parametrize("size", ["18x26", "6x7", "4x5", "9x20"])
def test_recorded_resizing_of_images(layers, to_torch, near, size) -> None:
    x = to_torch(layers["resize_bilinear/x"])
    shape = [int(side) for side in size.split("x")]
    found = functional.interpolate(x, shape, mode="bilinear", antialias=True)
    near(found, to_torch(layers[f"resize_bilinear/{size}"]), 1e-5)


def test_recorded_activations(layers, near) -> None:
    x = torch.from_numpy(layers["activations/x"])
    near(functional.gelu(x), layers["activations/gelu"], 1e-6)
    near(functional.silu(x), layers["activations/silu"], 1e-6)
