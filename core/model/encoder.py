"""PixelEncoder: an image becomes tokens and a feature map, once, whatever the number of steps.

ResNet C4 -> transformer over its stride-16 map -> merge up to the size of the map. In place of
the ResNet there may be an EfficientNet-lite0, whose coarsest map has stride 32.

Source: Chen et al. 2022, arXiv:2210.06366, section 3.1 and figure 3.
"""

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.model.config import ModelConfig
from core.model.convolution import QuickConv
from core.model.efficientnet import EfficientNetLite0
from core.model.layers import (
    BatchNorm,
    TransformerLayer,
    group_norm,
    init_glorot,
    max_pool_same,
    position_code,
)


class Encoding(NamedTuple):
    """What the decoder needs of an image.

    Attributes:
        tokens: [B, N, C] of the trunk's coarsest grid, row by row.
        fmap: [B, C, h, w] at the size of the map.
    """

    tokens: Tensor
    fmap: Tensor


def _norm(config: ModelConfig, channels: int) -> nn.Module:
    if config.resnet_norm == "batch":
        return BatchNorm(channels)
    return group_norm(channels)


def _conv(in_width: int, width: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_width, width, kernel, stride, (kernel - 1) // 2, bias=False)


class Bottleneck(nn.Module):
    """1x1, 3x3 (strided) and 1x1 convolutions, each with norm, added to their input."""

    def __init__(
        self, config: ModelConfig, in_width: int, width: int, stride: int | None
    ) -> None:
        """`stride` is None but for the first block of a stage, whose shortcut is projected."""
        super().__init__()
        out_width = 4 * width
        self.conv1 = _conv(in_width, width, 1)
        self.norm1 = _norm(config, width)
        self.conv2 = _conv(width, width, 3, stride or 1)
        self.norm2 = _norm(config, width)
        self.conv3 = _conv(width, out_width, 1)
        self.norm3 = _norm(config, out_width)
        self.has_projection = stride is not None
        if stride is not None:
            self.shortcut_conv = _conv(in_width, out_width, 1, stride)
            self.shortcut_norm = _norm(config, out_width)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)))
        y = self.norm3(self.conv3(y))
        if self.has_projection:
            x = self.shortcut_norm(self.shortcut_conv(x))
        return F.relu(x + y)


class ResNetC4(nn.Module):
    """ResNet without its last stage: maps at strides 2 (stem), 4, 8 and 16."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.resnet_stem_width
        self.stem_conv = _conv(3, width, 7, 2)
        self.stem_norm = _norm(config, width)
        stages = []
        for stage, (inner, n_blocks) in enumerate(
            zip(config.resnet_widths, config.resnet_blocks, strict=True)
        ):
            blocks: list[nn.Module] = []
            for block in range(n_blocks):
                stride = None if block else (1 if stage == 0 else 2)
                blocks.append(Bottleneck(config, width, inner, stride))
                width = 4 * inner
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, image: Tensor) -> list[Tensor]:
        """From [B, 3, H, W] to maps at strides 2, 4, 8 and 16."""
        x = F.relu(self.stem_norm(self.stem_conv(image)))
        maps = [x]
        x = max_pool_same(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class MergeBlock(nn.Module):
    """Brings a coarse map up and adds it to a fine one, if there is one."""

    def __init__(self, high_width: int, low_width: int, out_width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(low_width, high_width, 1)
        self.norm1 = group_norm(high_width)
        self.conv2 = QuickConv(high_width, out_width)
        self.norm2 = group_norm(out_width)

    def forward(self, high: Tensor | None, low: Tensor, factor: int) -> Tensor:
        """From low [B, D, h, w] and high [B, C, h f, w f] to [B, out, h f, w f]."""
        u = F.silu(self.norm1(self.conv1(low)))
        u = u.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
        return F.silu(self.norm2(self.conv2(u if high is None else u + high)))


class FeatureMerge(nn.Module):
    """Merges tokens into ResNet maps, from coarse to fine, as far as the map's size allows."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        r1, r2, _ = (4 * width for width in config.resnet_widths)
        stride = config.stride
        self.stride = stride
        self.block2 = MergeBlock(r2, config.encoder_width, r2) if stride <= 8 else None
        self.block1 = MergeBlock(r1, r2, r1) if stride <= 4 else None
        self.block0 = (
            MergeBlock(config.merge_width, r1, config.merge_width) if stride < 4 else None
        )
        self.stem_conv = None
        if config.has_stem_skip:
            if stride != 2:
                raise ValueError(f"has_stem_skip needs a map of stride 2, not {stride}")
            self.stem_conv = nn.Conv2d(config.resnet_stem_width, config.merge_width, 1)

    def forward(self, maps: list[Tensor], tokens: Tensor) -> Tensor:
        """From ResNet maps at strides 2, 4, 8, 16 and tokens to [B, C, h, w]."""
        stem, r1, r2, r3 = maps
        x = tokens.transpose(1, 2).unflatten(2, r3.shape[-2:])  # [B, C, H / 16, W / 16]
        if self.block2 is not None:
            x = self.block2(r2, x, 2)
        if self.block1 is not None:
            x = self.block1(r1, x, 2)
        if self.block0 is not None:
            high = None if self.stem_conv is None else self.stem_conv(stem)
            x = self.block0(high, x, 4 // self.stride)
        return x


class LateralMerge(nn.Module):
    """Merges tokens into maps of any width, which 1x1 convolutions bring to one.

    Source: Lin et al. 2017, arXiv:1612.03144, with the blocks of FeatureMerge.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.has_stem_skip:
            raise ValueError(f"has_stem_skip is for a ResNet, not for {config.trunk}")
        width = config.merge_width
        strides = [2 << k for k in range(len(config.map_widths))]
        # From coarse to fine: the maps between the tokens' and the map's stride, both included
        # but for the tokens' own.
        self.numbers = [
            k for k in reversed(range(len(strides) - 1)) if strides[k] >= config.stride
        ]
        self.laterals = nn.ModuleList(
            nn.Conv2d(config.map_widths[k], width, 1) for k in self.numbers
        )
        low = [config.encoder_width] + [width] * len(self.numbers)
        self.blocks = nn.ModuleList(
            MergeBlock(width, low[i], width) for i in range(len(low) - 1)
        )
        self.last = MergeBlock(width, width, width) if config.stride == 1 else None

    def forward(self, maps: list[Tensor], tokens: Tensor) -> Tensor:
        """From maps at strides 2, 4, ... and the last one's tokens to [B, C, h, w]."""
        x = tokens.transpose(1, 2).unflatten(2, maps[-1].shape[-2:])
        for k, lateral, block in zip(self.numbers, self.laterals, self.blocks, strict=True):
            x = block(lateral(maps[k]), x, 2)
        return x if self.last is None else self.last(None, x, 2)


class PixelEncoder(nn.Module):
    """Image -> tokens and feature map."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.encoder_width
        is_resnet = config.trunk == "resnet"
        self.resnet = ResNetC4(config) if is_resnet else None
        self.lite0 = None if is_resnet else EfficientNetLite0()
        self.stem_dropout = nn.Dropout(config.encoder_dropout)
        self.stem_projection = nn.Linear(config.map_widths[-1], width)
        self.stem_norm = nn.LayerNorm(width, eps=1e-6)
        self.layers = nn.ModuleList(
            TransformerLayer(
                width,
                config.encoder_heads,
                mlp_ratio=config.encoder_mlp_ratio,
                dropout=config.encoder_dropout,
                attention_dropout=config.encoder_attention_dropout,
                drop_path=config.encoder_drop_path,
            )
            for _ in range(config.encoder_layers)
        )
        self.output_norm = nn.LayerNorm(width, eps=1e-6)
        self.merge = FeatureMerge(config) if is_resnet else LateralMerge(config)

    @property
    def trunk(self) -> nn.Module:
        """What comes before the transformer."""
        return cast(nn.Module, self.resnet or self.lite0)

    def init_weights(self) -> None:
        """Glorot uniform but for the trunk, which has its own."""
        init_glorot(self)
        if self.resnet is not None:
            init_resnet(self.resnet)
        if self.lite0 is not None:
            self.lite0.init_weights()

    def encode_tokens(self, maps: list[Tensor]) -> Tensor:
        """Tokens [B, N, C] of the trunk's coarsest map."""
        grid = maps[-1]
        x = self.stem_dropout(grid.flatten(2).transpose(1, 2))  # [B, N, C3]
        x = self.stem_norm(self.stem_projection(x))
        x = x + position_code(grid.shape[-2], grid.shape[-1], x.shape[-1], x)
        for layer in self.layers:
            x = layer(x)
        return self.output_norm(x)

    def forward(self, image: Tensor) -> Encoding:
        """From [B, 3, H, W] float in [0, 1], not normalised.

        H and W are multiples of the tokens' stride.
        """
        maps = self.trunk(image)
        tokens = self.encode_tokens(maps)
        return Encoding(tokens, self.merge(maps, tokens))


def init_resnet(resnet: ResNetC4) -> None:
    """Truncated normal by fan-in; the last norm of each block starts at zero."""
    for module in resnet.modules():
        if isinstance(module, nn.Conv2d):
            fan_in = module.weight[0].numel()
            std = (1 / fan_in) ** 0.5 / 0.87962566  # of a normal cut off at two deviations
            nn.init.trunc_normal_(module.weight, 0.0, std, -2 * std, 2 * std)
        if isinstance(module, Bottleneck) and isinstance(module.norm3.weight, torch.Tensor):
            nn.init.zeros_(module.norm3.weight)
