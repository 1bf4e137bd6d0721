"""MaskDecoder: noisy bits, gamma and an image's encoding become a prediction, once a step.

TransUNet: a U-Net over the map with a transformer at its coarsest level.

Source: Chen et al. 2022, arXiv:2210.06366, section 3.1 and figure 3; U-Net blocks as in
Dhariwal and Nichol 2021, arXiv:2105.05233.
"""

import math
from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.model.bits import bit_logits_to_code_logits, logits_to_x0
from core.model.config import ModelConfig
from core.model.convolution import QuickConv
from core.model.evidence import EvidencePool
from core.model.layers import (
    DownConv,
    TransformerLayer,
    group_norm,
    init_glorot,
    position_code,
    sincos_code,
)
from core.model.place import PlaceHead, Settle

# Map pixels whose logits exist at one time while sampling: a processor keeps few in its cache.
MAX_CHUNK_PIXELS = 16_384
MAX_CPU_CHUNK_PIXELS = 2_048


class TimeEmbedding(nn.Module):
    """gamma -> sine code -> two SiLU layers."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.width, self.scale = config.decoder_width, config.time_scale
        self.dense0 = nn.Linear(self.width, 4 * self.width)
        self.dense1 = nn.Linear(4 * self.width, 4 * self.width)

    def forward(self, gamma: Tensor) -> Tensor:
        """From gamma [B] to [B, 4 * width]."""
        code = sincos_code(gamma * self.scale, self.width).to(self.dense0.weight.dtype)
        return F.silu(self.dense1(F.silu(self.dense0(code))))


class ResBlock(nn.Module):
    """Two convolutions, the second modulated by the time embedding, added to their input."""

    def __init__(
        self, in_width: int, width: int, emb_width: int, kernel: int = 3, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.norm0 = group_norm(in_width)
        self.conv0 = QuickConv(in_width, width, kernel)
        self.emb_projection = nn.Linear(emb_width, 2 * width)
        self.norm1 = group_norm(width)
        self.dropout = nn.Dropout(dropout)
        self.conv1 = QuickConv(width, width, kernel)
        self.shortcut = nn.Conv2d(in_width, width, 1) if in_width != width else nn.Identity()

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        """From x [B, C, h, w] and emb [B, E] to [B, width, h, w]."""
        y = self.conv0(F.silu(self.norm0(x)))
        scale, shift = self.emb_projection(emb)[:, :, None, None].chunk(2, 1)
        y = self.norm1(y) * (1 + scale) + shift
        y = self.conv1(self.dropout(F.silu(y)))
        return (y + self.shortcut(x)) / math.sqrt(2)


class BottleneckTransformer(nn.Module):
    """Transformer over the coarsest grid and one time token, looking at the image's tokens."""

    def __init__(self, config: ModelConfig, in_width: int) -> None:
        super().__init__()
        width = config.transformer_width
        has_context = config.conditioning == "cat+attn"
        self.norm_in = group_norm(in_width, groups_of=width)
        self.conv_in = nn.Conv2d(in_width, width, 1)
        self.emb_projection = nn.Linear(4 * config.decoder_width, width)
        self.layers = nn.ModuleList(
            TransformerLayer(
                width,
                width // config.transformer_head_width,
                mlp_ratio=config.transformer_mlp_ratio,
                context_width=config.encoder_width if has_context else None,
            )
            for _ in range(config.transformer_layers)
        )
        self.norm_out = group_norm(width)
        self.conv_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, emb: Tensor, tokens: Tensor | None) -> Tensor:
        """From x [B, C, h, w], emb [B, E] and tokens [B, N, D] to [B, width, h, w]."""
        height, width = x.shape[-2:]
        x = self.conv_in(self.norm_in(x)).flatten(2).transpose(1, 2)  # [B, h w, width]
        x = x + position_code(height, width, x.shape[-1], x)
        x = torch.cat([x, self.emb_projection(emb).unsqueeze(1)], 1)  # [B, h w + 1, width]
        for layer in self.layers:
            x = layer(x, tokens)
        x = x[:, :-1].transpose(1, 2).unflatten(2, (height, width))  # [B, width, h, w]
        return self.conv_out(self.norm_out(x))


class MaskDecoder(nn.Module):
    """Noisy bits -> logits (or x0, eps, v), given gamma and the image's encoding."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.time_embedding = TimeEmbedding(config)
        widths = config.level_widths
        kernel = config.decoder_in_kernel
        self.conv_in = nn.Conv2d(config.noisy_width, widths[0], kernel, padding=kernel // 2)
        self.norm_in = group_norm(widths[0])
        skips = self._build_down(widths)
        self.transformer = BottleneckTransformer(config, widths[-1])
        self._build_up(widths, skips)
        self.norm_out = group_norm(widths[0], groups_of=config.decoder_width)
        kernel = config.decoder_out_kernel
        self.conv_out = nn.Conv2d(widths[0], config.out_width, kernel, padding=kernel // 2)
        self.category_skip: nn.Conv2d | None = None
        if config.has_category_skip:
            self.category_skip = nn.Conv2d(config.fmap_width, 2**config.semantic_bits, 1)
        self.place = PlaceHead(config) if config.place_cell else None
        self.evidence = EvidencePool(config) if config.evidence_dilations else None

    def _res_block(self, level: int, in_width: int) -> ResBlock:
        config = self.config
        kernels = config.decoder_kernels
        return ResBlock(
            in_width,
            config.level_widths[level],
            4 * config.decoder_width,
            kernels[min(level, len(kernels) - 1)],
            config.decoder_dropout,
        )

    def _build_down(self, widths: list[int]) -> list[int]:
        """Make the levels from fine to coarse; returns the widths on the skip stack."""
        width = widths[0]
        skips = [width]
        self.down_blocks, self.down_convs = nn.ModuleList(), nn.ModuleList()
        for level, level_width in enumerate(widths):
            blocks = nn.ModuleList()
            for _ in range(self.config.residual_blocks[level]):
                blocks.append(self._res_block(level, width))
                width = level_width
                skips.append(width)
            self.down_blocks.append(blocks)
            if level < len(widths) - 1:
                self.down_convs.append(DownConv(width))
                skips.append(width)
        return skips

    def _build_up(self, widths: list[int], skips: list[int]) -> None:
        """Make the levels from coarse to fine; `up_blocks[0]` is the finest, as going down."""
        width = self.config.transformer_width
        levels = []
        for level in reversed(range(len(widths))):
            blocks = nn.ModuleList()
            for _ in range(self.config.residual_blocks[level] + 1):
                blocks.append(self._res_block(level, width + skips.pop()))
                width = widths[level]
            levels.append(blocks)
        self.up_blocks = nn.ModuleList(reversed(levels))
        self.up_convs = nn.ModuleList(QuickConv(w, w) for w in widths[1:])

    def features(
        self, x_t: Tensor, gamma: Tensor, given: Tensor, tokens: Tensor | None
    ) -> Tensor:
        """Everything but the head.

        Args:
            x_t: [B, n, h, w] noisy bits.
            gamma: [B].
            given: [B, C, h, w] what is concatenated: estimate, feature map, past maps.
            tokens: [B, N, D], or None without conditioning.

        Returns:
            [B, C, h, w], C the width of the finest level.
        """
        if self.config.is_noisy_input_normalized:
            x_t = x_t / x_t.std((1, 2, 3), correction=0, keepdim=True)
        emb = self.time_embedding(gamma)
        x = self.norm_in(self.conv_in(torch.cat([x_t, given], 1)))
        skips = [x]
        for level, blocks in enumerate(self.down_blocks):
            for block in cast(nn.ModuleList, blocks):
                x = block(x, emb)
                skips.append(x)
            if level < len(self.down_convs):
                x = self.down_convs[level](x)  # [B, C, h / 2, w / 2]
                skips.append(x)
        x = self.transformer(x, emb, tokens)
        for level in reversed(range(len(self.up_blocks))):
            for block in cast(nn.ModuleList, self.up_blocks[level]):
                x = block(torch.cat([x, skips.pop()], 1), emb)
            if level > 0:
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")  # [B, C, 2 h, 2 w]
                x = self.up_convs[level - 1](x)
        return F.silu(self.norm_out(x))

    def forward(
        self,
        x_t: Tensor,
        gamma: Tensor,
        given: Tensor,
        tokens: Tensor | None,
        settle: Settle | None = None,
    ) -> Tensor:
        """Logits (or x0, eps, v) [B, out_width, h, w]; arguments as for `predict`."""
        x = self.features(x_t, gamma, given, tokens)
        out, guess = self.conv_out(x), self._guess_categories(given)
        if guess is not None:
            out = _add_to_first(out, guess)
        if self.place is None and self.evidence is None:
            return out
        if self.config.prediction == "x_sigmoid_xent":
            return self._add_to_bits(out, x, x_t, gamma, given, settle)
        bits = self._add_to_bits(torch.zeros_like(x_t), x, x_t, gamma, given, settle)
        return out + bit_logits_to_code_logits(bits, self.config.code_groups)

    def _guess_categories(self, given: Tensor) -> Tensor | None:
        """Logits of semantic codes [B, 2**n_s, h, w] by the feature map alone."""
        if self.category_skip is None:
            return None
        n_estimates = 0 if self.config.self_condition == "none" else self.config.n_bits
        return self.category_skip(given[:, n_estimates:][:, : self.config.fmap_width])

    def _add_to_bits(
        self,
        bits: Tensor,
        x: Tensor,
        x_t: Tensor,
        gamma: Tensor,
        given: Tensor,
        settle: Settle | None = None,
    ) -> Tensor:
        """Logits of bits [B, n, h, w] with what places and evidence say."""
        if self.place is not None:
            bits = bits + self.place(x, settle)
        if self.evidence is None:
            return bits
        past = given[:, given.shape[1] - self.config.past_frames * self.config.n_bits :]
        return self.evidence(x, bits, x_t, gamma, past)

    def predict(
        self,
        x_t: Tensor,
        gamma: Tensor,
        given: Tensor,
        tokens: Tensor | None,
        settle: Settle | None = None,
    ) -> Tensor:
        """x0 in [-b, b] (or eps, v), without ever holding the logits of the whole map.

        Args:
            x_t, gamma, given, tokens: as for `features`.
            settle: makes pixels agree on the middles of segments, where ids are by place.

        Returns:
            [B, n, h, w].
        """
        if self.config.prediction != "x_softmax_xent":
            out = self(x_t, gamma, given, tokens, settle)
            if self.config.prediction == "x_sigmoid_xent":
                out = (2 * out.sigmoid() - 1) * self.config.b
            return out
        x = self.features(x_t, gamma, given, tokens)
        bits = None
        if self.place is not None or self.evidence is not None:
            bits = self._add_to_bits(torch.zeros_like(x_t), x, x_t, gamma, given, settle)
        guess = self._guess_categories(given)
        x0 = torch.empty_like(x_t)
        for rows, logits in self._logits_by_rows(x):
            total = logits if guess is None else _add_to_first(logits, guess[:, :, rows])
            if bits is not None:
                band = bits[:, :, rows]
                total = total + bit_logits_to_code_logits(band, self.config.code_groups)
            x0[:, :, rows] = logits_to_x0(total, self.config.code_groups, self.config.b)
        return x0

    def _logits_by_rows(self, x: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """The head over bands of rows of features [B, C, h, w]."""
        batch, _, height, width = x.shape
        halo = self.config.decoder_out_kernel // 2
        padded = F.pad(x, (halo, halo, halo, halo)) if halo else x
        limit = MAX_CPU_CHUNK_PIXELS if x.device.type == "cpu" else MAX_CHUNK_PIXELS
        n_rows = max(limit // (batch * width), 1)
        for top in range(0, height, n_rows):
            rows = slice(top, min(top + n_rows, height))
            band = padded[:, :, rows.start : rows.stop + 2 * halo]
            yield rows, F.conv2d(band, self.conv_out.weight, self.conv_out.bias)

    def init_weights(self) -> None:
        """Glorot uniform; second convolutions and the head near zero, to start flat."""
        init_glorot(self)
        near_zero = [
            self.conv_out,
            *(m.conv1 for m in self.modules() if isinstance(m, ResBlock)),
        ]
        with torch.no_grad():
            for conv in near_zero:
                conv.weight.mul_(1e-5)
        if self.place is not None:
            self.place.init_weights()
        if self.evidence is not None:
            self.evidence.init_weights()


def _add_to_first(logits: Tensor, more: Tensor) -> Tensor:
    """Add to the first channels, and leave the others as they are."""
    n = more.shape[1]
    return torch.cat([logits[:, :n] + more, logits[:, n:]], 1)
