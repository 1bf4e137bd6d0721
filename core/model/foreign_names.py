"""How other programs call and lay out the weights of this network.

The authors' TensorFlow checkpoints name variables by attribute paths, e.g.
`model/denoiser/conv_in/kernel`; torchvision and timm have their names for a ResNet. Both lists
are written out module by module, so that they can be read beside the network.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.model.config import ModelConfig
from core.model.efficientnet import STAGES

Pairs = Iterator[tuple[str, str]]  # our module, their module

LEAVES: Final[Mapping[str, str]] = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def tensorflow_modules(config: ModelConfig) -> Pairs:
    """Modules that a checkpoint of the authors' code may have, by their attribute paths."""
    yield from _tensorflow_resnet(config)
    ours, theirs = "encoder", "encoder"
    yield f"{ours}.stem_projection", f"{theirs}/stem_projection"
    yield f"{ours}.stem_norm", f"{theirs}/stem_ln"
    yield f"{ours}.output_norm", f"{theirs}/output_ln"
    for i in range(config.encoder_layers):
        layer, stem = f"{ours}.layers.{i}", f"{theirs}/transformer_encoder/enc_layers/{i}"
        yield f"{layer}.self_norm", f"{stem}/mha_ln"
        yield from _attention(f"{layer}.self_attention", f"{stem}/mha")
        yield from _mlp(layer, stem)
    for i in range(3):
        block, stem = f"{ours}.merge.block{i}", f"encoder_fuse/upsample_blocks/{i}"
        for k in (1, 2):
            yield f"{block}.conv{k}", f"{stem}/conv{k}"
            yield f"{block}.norm{k}", f"{stem}/gn{k}"
    yield from _tensorflow_decoder(config)


def _tensorflow_resnet(config: ModelConfig) -> Pairs:
    ours, theirs = "encoder.resnet", "encoder/resnet"
    yield f"{ours}.stem_conv", f"{theirs}/initial_conv_relu_max_pool/0/conv2d"
    yield f"{ours}.stem_norm", f"{theirs}/initial_conv_relu_max_pool/2/bn"
    for i, n_blocks in enumerate(config.resnet_blocks):
        for j in range(n_blocks):
            block, stem = f"{ours}.stages.{i}.{j}", f"{theirs}/block_groups/{i}/layers/{j}"
            for k in (1, 2, 3):
                part = f"{stem}/conv_relu_dropblock_layers/{3 * k - 3}"
                yield f"{block}.conv{k}", f"{part}/conv2d"
                part = f"{stem}/conv_relu_dropblock_layers/{3 * k - 2}"
                yield f"{block}.norm{k}", f"{part}/bn"
            if j == 0:
                yield f"{block}.shortcut_conv", f"{stem}/projection_layers/0/conv2d"
                yield f"{block}.shortcut_norm", f"{stem}/projection_layers/1/bn"


def _tensorflow_decoder(config: ModelConfig) -> Pairs:
    ours, theirs = "decoder", "denoiser"
    for k in (0, 1):
        yield f"{ours}.time_embedding.dense{k}", f"{theirs}/time_emb/dense_{k}"
    for side in ("in", "out"):
        yield f"{ours}.conv_{side}", f"{theirs}/conv_{side}"
        yield f"{ours}.norm_{side}", f"{theirs}/group_norm_{side}"
        stem = f"{theirs}/transformer/trans_conv_{side}"
        yield f"{ours}.transformer.conv_{side}", stem
        yield f"{ours}.transformer.norm_{side}", f"{stem}_norm"
    yield f"{ours}.transformer.emb_projection", f"{theirs}/transformer/emb_proj"
    for i in range(config.transformer_layers):
        layer = f"{ours}.transformer.layers.{i}"
        stem = f"{theirs}/transformer/transformer_decoder/dec_layers/{i}"
        for kind in ("self", "cross"):
            yield f"{layer}.{kind}_norm", f"{stem}/{kind}_ln"
            yield from _attention(f"{layer}.{kind}_attention", f"{stem}/{kind}_mha")
        yield from _mlp(layer, stem)
    for level, n_blocks in enumerate(config.residual_blocks):
        for k in range(n_blocks):
            stem = f"{theirs}/dn_units/{level}/resnet_blocks/{k}"
            yield from _res_block(f"{ours}.down_blocks.{level}.{k}", stem)
        for k in range(n_blocks + 1):
            stem = f"{theirs}/up_units/{level}/resnet_blocks/{k}"
            yield from _res_block(f"{ours}.up_blocks.{level}.{k}", stem)
    for level in range(len(config.residual_blocks) - 1):
        yield f"{ours}.down_convs.{level}", f"{theirs}/dn_units/{level}/conv_dn"
        yield f"{ours}.up_convs.{level}", f"{theirs}/up_units/{level + 1}/conv_up"


def _attention(ours: str, theirs: str) -> Pairs:
    for part in ("query", "key", "value", "output"):
        yield f"{ours}.{part}", f"{theirs}/_{part}_dense"


def _mlp(ours: str, theirs: str) -> Pairs:
    yield f"{ours}.mlp_norm", f"{theirs}/mlp/layernorms/0"
    yield f"{ours}.mlp_in", f"{theirs}/mlp/mlp_layers/0/dense1"
    yield f"{ours}.mlp_out", f"{theirs}/mlp/mlp_layers/0/dense2"


def _res_block(ours: str, theirs: str) -> Pairs:
    for k in (0, 1):
        yield f"{ours}.norm{k}", f"{theirs}/group_norm_{k}"
        yield f"{ours}.conv{k}", f"{theirs}/conv_{k}"
    yield f"{ours}.emb_projection", f"{theirs}/emb_proj"
    yield f"{ours}.shortcut", f"{theirs}/shortcut_layer"


def resnet_modules(config: ModelConfig) -> Pairs:
    """Modules of the first three stages of a ResNet by the names of torchvision and timm."""
    ours = "encoder.resnet"
    yield f"{ours}.stem_conv", "conv1"
    yield f"{ours}.stem_norm", "bn1"
    for i, n_blocks in enumerate(config.resnet_blocks):
        for j in range(n_blocks):
            block, stem = f"{ours}.stages.{i}.{j}", f"layer{i + 1}.{j}"
            for k in (1, 2, 3):
                yield f"{block}.conv{k}", f"{stem}.conv{k}"
                yield f"{block}.norm{k}", f"{stem}.bn{k}"
            if j == 0:
                yield f"{block}.shortcut_conv", f"{stem}.downsample.0"
                yield f"{block}.shortcut_norm", f"{stem}.downsample.1"


def lite0_modules() -> Pairs:
    """Modules of EfficientNet-lite0 by the names of the package efficientnet-lite-pytorch."""
    ours = "encoder.lite0"
    yield f"{ours}.stem_conv", "_conv_stem"
    yield f"{ours}.stem_norm", "_bn0"
    for k in range(sum(stage.n_blocks for stage in STAGES)):
        block, stem = f"{ours}.blocks.{k}", f"_blocks.{k}"
        if k > 0:  # the first block has nothing to expand
            yield f"{block}.expand", f"{stem}._expand_conv"
            yield f"{block}.expand_norm", f"{stem}._bn0"
        yield f"{block}.depthwise", f"{stem}._depthwise_conv"
        yield f"{block}.depthwise_norm", f"{stem}._bn1"
        yield f"{block}.project", f"{stem}._project_conv"
        yield f"{block}.project_norm", f"{stem}._bn2"


def from_tensorflow(stem: str, leaf: str, values: NDArray[Any]) -> NDArray[Any]:
    """Lay a TensorFlow variable out as torch does.

    Convolution kernels [h, w, in, out] become [out, in, h, w] and dense ones [in, out] become
    [out, in]. Attention has one more axis: [in, heads, width] and, for the output, [heads,
    width, out]; heads take consecutive rows.
    """
    if leaf != "kernel":
        return values.reshape(-1)
    if values.ndim == 4:
        return np.ascontiguousarray(values.transpose(3, 2, 0, 1))
    if values.ndim == 3:
        is_output = stem.endswith("_output_dense")
        values = values.reshape((-1, values.shape[2]) if is_output else (values.shape[0], -1))
    return np.ascontiguousarray(values.T)
