"""ModelConfig from what other programs leave behind: the authors' settings, or bare shapes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from core.errors import CheckpointError
from core.model.config import PRESETS, ModelConfig
from core.model.diffusion import Schedule, ScheduleName

Shapes = Mapping[str, tuple[int, ...]]  # by name, without `model/` and `/.ATTRIBUTES/...`

RESNET_BLOCKS: Final = {50: (3, 4, 6), 101: (3, 4, 23), 152: (3, 8, 36), 200: (3, 24, 36)}
# Options of the authors' code that the published models leave alone and this network lacks.
FIXED_SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "model": {
        "resnet_variant": "c4",
        "resnet_sk_ratio": 0.0,
        "pos_encoding": "sin_cos",
        "use_cls_token": False,
        "enc_fuse": "pyramid_merge",
        "enc_fuse_upsample": "nearest",
    },
    "decoder": {
        "in_strides": 1,
        "n_mlp_blocks": 0,
        "transformer_strides": 1,
        "mhsa_resolutions": "0",
        "u_pos_encoding": "sin_cos",
    },
}


def read_config(choice: str) -> ModelConfig:
    """The configuration that a user names.

    Args:
        choice: name of a preset, or path of a JSON file with either fields of ModelConfig or
            the settings of the authors' code.

    Raises:
        CheckpointError: there is no such preset or file, or it holds no configuration.
    """
    if choice in PRESETS:
        return PRESETS[choice]
    try:
        text = Path(choice).read_text("utf-8")
        values = json.loads(text)
        if isinstance(values, dict) and "decoder" in values:
            return config_from_settings(values)
        return ModelConfig.from_json(text)
    except OSError as error:
        raise CheckpointError(
            f"'{choice}' is neither a preset ({', '.join(PRESETS)}) nor a file that can be "
            f"read ({error.strerror})."
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{choice} holds no configuration: {error}.") from error


def config_from_settings(settings: Mapping[str, Any]) -> ModelConfig:
    """The configuration that settings of the authors' code mean.

    Args:
        settings: sections `model`, `decoder` and `task`, and the sizes of image and mask.

    Raises:
        ValueError: a setting is missing, or asks for something that this network lacks.
    """
    _check_fixed(settings)
    try:
        return ModelConfig(
            **_sizes(settings),
            **_encoder_fields(settings["model"]),
            **_decoder_fields(settings["decoder"]),
            **_task_fields(settings),
        )
    except KeyError as error:
        raise ValueError(f"the setting {error} is missing") from error


def _check_fixed(settings: Mapping[str, Any]) -> None:
    for section, fixed in FIXED_SETTINGS.items():
        for name, wanted in fixed.items():
            value = settings.get(section, {}).get(name, wanted)
            if value != wanted:
                raise ValueError(
                    f"{section}.{name} = {value!r}, but only {wanted!r} is supported"
                )


def _sizes(settings: Mapping[str, Any]) -> dict[str, Any]:
    model = settings["model"]
    return {
        "image_size": tuple(settings.get("image_size") or model["image_size"]),
        "mask_size": tuple(settings.get("mask_size") or model["msize"]),
    }


def _encoder_fields(model: Mapping[str, Any]) -> dict[str, Any]:
    depth, stem_width = model["resnet_depth"], int(64 * model["resnet_width_multiplier"])
    if depth not in RESNET_BLOCKS:
        raise ValueError(f"model.resnet_depth = {depth} is none of {list(RESNET_BLOCKS)}")
    return {
        "resnet_stem_width": stem_width,
        "resnet_widths": (stem_width, 2 * stem_width, 4 * stem_width),
        "resnet_blocks": RESNET_BLOCKS[depth],
        "encoder_width": model["dim_att"],
        "encoder_layers": model["num_encoder_layers"],
        "encoder_heads": model["num_heads"],
        "encoder_mlp_ratio": float(model["dim_mlp"] // model["dim_att"]),
        "encoder_dropout": float(model["drop_units"]),
        "encoder_attention_dropout": float(model["drop_att"]),
        "encoder_drop_path": float(model["drop_path"]),
        "merge_width": model["enc_fuse_dim"],
    }


def _decoder_fields(decoder: Mapping[str, Any]) -> dict[str, Any]:
    has_softmax = decoder["outp_softmax_groups"] > 0
    return {
        "decoder_width": decoder["dim"],
        "channel_multipliers": _integers(decoder["ch_multipliers"]),
        "residual_blocks": _integers(decoder["n_res_blocks"]),
        "decoder_kernels": _integers(decoder["kernel_sizes"]),
        "decoder_in_kernel": decoder["in_kernel_size"],
        "decoder_out_kernel": 1 if has_softmax else decoder["out_kernel_size"],
        "decoder_dropout": float(decoder["udrop"]),
        "transformer_width": decoder["transformer_dim"],
        "transformer_layers": decoder["transformer_blocks"],
        "transformer_head_width": decoder["per_head_dim"],
    }


def _task_fields(settings: Mapping[str, Any]) -> dict[str, Any]:
    model, task = settings["model"], settings["task"]
    n_bits, n_groups = task["n_bits_label"], settings["decoder"]["outp_softmax_groups"]
    return {
        "conditioning": model["conditional"],
        "time_scale": float(model.get("time_scaling", 1.0)),  # the published ones lack it
        "is_noisy_input_normalized": model["normalize_noisy_input"],
        "semantic_bits": n_bits // 2,
        "instance_bits": n_bits // 2,
        "softmax_groups": (n_bits // n_groups,) * n_groups if n_groups not in {0, 2} else (),
        # The authors' code lets a task have more than its bits can tell apart.
        "n_codes": min(task["num_classes"], 2 ** (n_bits // 2)),
        "n_ids": min(task["max_instances_per_image"], 2 ** (n_bits // 2)),
        "prediction": model["pred_type"],
        "b": float(model["b_scale"]),
        "loss_power": float(model["mask_weight_p"]),
        "x0_clip": _clip(model["x0_clip"]),
        "self_condition": {"x": "x0"}.get(model["self_cond"], model["self_cond"]),
        "train_schedule": parse_schedule(model["train_schedule"]),
        "sampling_schedule": parse_schedule(model["infer_schedule"]),
    }


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in str(text).split(","))


def _clip(text: str) -> float | None:
    if text == "auto":
        return None
    low, _, high = text.partition(",")
    if not high or float(low) != -float(high):
        raise ValueError(f"model.x0_clip = {text!r}, but only 'auto' and '-c,c' are supported")
    return float(high)


def parse_schedule(text: str) -> Schedule:
    """The schedule that the authors' code writes as `cosine`, `sigmoid@-3,3,0.9` and so on.

    Raises:
        ValueError: there is no such schedule.
    """
    name, _, rest = text.partition("@")
    names: dict[str, ScheduleName] = {
        "cosine": "cosine-range" if rest else "cosine",
        "sigmoid": "sigmoid",
        "simple_linear": "linear",
        "log": "log",
    }
    if name not in names:
        raise ValueError(f"there is no schedule {text!r}")
    if not rest:
        return Schedule(names[name])
    start, end, last = rest.split(",")
    if name == "log":
        return Schedule("log", float(start), float(end), is_reversed=last in {"t", "true"})
    return Schedule(names[name], float(start), float(end), float(last))


def infer_config(shapes: Shapes, base: ModelConfig) -> ModelConfig:
    """The configuration of a TensorFlow checkpoint, as far as shapes tell it.

    Args:
        shapes: of all variables, by names that begin with `encoder/`, `encoder_fuse/` and
            `denoiser/`; the last two may be absent.
        base: what shapes do not tell: sizes, schedules, b, time_scale, codes and ids.

    Raises:
        ValueError: the shapes are not those of this kind of network.
    """
    try:
        config = _infer_encoder(shapes, base)
        if any(name.startswith("encoder_fuse/") for name in shapes):
            config = _infer_merge(shapes, config)
        if any(name.startswith("denoiser/") for name in shapes):
            config = _infer_decoder(shapes, config)
    except (KeyError, IndexError, ZeroDivisionError) as error:
        raise ValueError(f"{error} is missing or has another rank") from error
    return config


def _count(shapes: Shapes, pattern: str) -> int:
    """How many numbers 0, 1, 2, ... put in for {} begin a name."""
    number = 0
    while any(name.startswith(pattern.format(number)) for name in shapes):
        number += 1
    return number


def _by_stage(values: list[int]) -> tuple[int, int, int]:
    first, second, third = values
    return first, second, third


def _infer_encoder(shapes: Shapes, base: ModelConfig) -> ModelConfig:
    groups = "encoder/resnet/block_groups"
    if _count(shapes, groups + "/{}/") != 3:
        raise ValueError("the ResNet does not have three stages (only the variant C4 is known)")
    inner = "layers/0/conv_relu_dropblock_layers/3/conv2d/kernel"
    layer = "encoder/transformer_encoder/enc_layers"
    width, hidden = shapes[f"{layer}/0/mlp/mlp_layers/0/dense1/kernel"]
    return replace(
        base,
        resnet_stem_width=shapes["encoder/resnet/initial_conv_relu_max_pool/0/conv2d/kernel"][
            3
        ],
        resnet_widths=_by_stage([shapes[f"{groups}/{i}/{inner}"][3] for i in range(3)]),
        resnet_blocks=_by_stage(
            [_count(shapes, f"{groups}/{i}/layers/{{}}/") for i in range(3)]
        ),
        resnet_norm="batch",
        has_stem_skip=False,
        evidence_dilations=(),
        has_category_skip=False,
        place_cell=0,
        encoder_width=width,
        encoder_layers=_count(shapes, layer + "/{}/"),
        encoder_heads=shapes[f"{layer}/0/mha/_query_dense/kernel"][1],
        encoder_mlp_ratio=hidden / width,
    )


def _infer_merge(shapes: Shapes, base: ModelConfig) -> ModelConfig:
    """The merge's width, and from its blocks how much smaller than the image a map is."""
    blocks = "encoder_fuse/upsample_blocks"
    n_blocks = sum(any(n.startswith(f"{blocks}/{i}/") for n in shapes) for i in range(3))
    stride = {2: 4, 1: 8, 0: 16}.get(n_blocks, min(base.stride, 2))
    height, width = base.image_size
    config = replace(base, mask_size=(height // stride, width // stride))
    if n_blocks == 3:
        config = replace(config, merge_width=shapes[f"{blocks}/0/conv2/kernel"][3])
    return config


def _infer_decoder(shapes: Shapes, base: ModelConfig) -> ModelConfig:
    up, transformer = "denoiser/up_units", "denoiser/transformer"
    levels = range(_count(shapes, up + "/{}/"))
    width = shapes["denoiser/time_emb/dense_0/kernel"][0]
    first = [shapes[f"{up}/{level}/resnet_blocks/0/conv_1/kernel"] for level in levels]
    kernels = [shape[0] for shape in first]
    layer = f"{transformer}/transformer_decoder/dec_layers"
    inner, hidden = shapes[f"{layer}/0/mlp/mlp_layers/0/dense1/kernel"]
    has_context = any(name.startswith(f"{layer}/0/cross_mha/") for name in shapes)
    conv_in, conv_out = (shapes[f"denoiser/conv_{side}/kernel"] for side in ("in", "out"))
    return replace(
        base,
        decoder_width=width,
        channel_multipliers=tuple(shape[3] // width for shape in first),
        residual_blocks=tuple(
            _count(shapes, f"{up}/{k}/resnet_blocks/{{}}/") - 1 for k in levels
        ),
        decoder_kernels=tuple(kernels if len(set(kernels)) > 1 else kernels[:1]),
        decoder_in_kernel=conv_in[0],
        decoder_out_kernel=conv_out[0],
        transformer_width=inner,
        transformer_layers=_count(shapes, layer + "/{}/"),
        transformer_head_width=shapes[f"{layer}/0/self_mha/_query_dense/kernel"][2],
        transformer_mlp_ratio=hidden / inner,
        conditioning="cat+attn" if has_context else "none",
        **_infer_bits(base, conv_in[2] - base.fmap_width, conv_out[3]),
    )


def _infer_bits(base: ModelConfig, n_extra: int, n_out: int) -> dict[str, Any]:
    """Bits and past frames from the inputs beside the feature map and the size of the head."""
    known = base.n_bits * (1 if base.self_condition == "none" else 2)
    if n_out == base.out_width and n_extra >= known and (n_extra - known) % base.n_bits == 0:
        return {"past_frames": (n_extra - known) // base.n_bits}
    n_bits = (n_out // 2).bit_length() - 1  # of each of two channels
    if n_bits < 1 or n_out != 2 * 2**n_bits or n_extra % (2 * n_bits):
        raise ValueError(
            f"{n_extra} inputs beside the features and {n_out} outputs do not tell the bits of "
            "the labels; give the configuration"
        )
    return {
        "semantic_bits": n_bits,
        "instance_bits": n_bits,
        "softmax_groups": (),
        "n_codes": min(base.n_codes, 2**n_bits),
        "n_ids": min(base.n_ids, 2**n_bits),
        "past_frames": n_extra // (2 * n_bits) - 1,
    }


def infer_resnet(shapes: Shapes, base: ModelConfig) -> ModelConfig:
    """The configuration with a ResNet as torchvision and timm lay it out.

    Raises:
        ValueError: it has no bottleneck blocks, or another stem.
    """
    try:
        return replace(
            base,
            resnet_stem_width=shapes["conv1.weight"][0],
            resnet_widths=_by_stage([shapes[f"layer{i}.0.conv2.weight"][0] for i in (1, 2, 3)]),
            resnet_blocks=_by_stage(
                [_count(shapes, f"layer{i}.{{}}.conv3") for i in (1, 2, 3)]
            ),
            resnet_norm="batch",
        )
    except (KeyError, IndexError) as error:
        raise ValueError(f"{error} is missing or has another rank") from error
