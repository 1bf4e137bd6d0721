"""Blocks that encoder and decoder share: norms, paddings, position codes, attention."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def group_norm(channels: int, groups_of: int | None = None) -> nn.GroupNorm:
    """GroupNorm with min(C // 4, 32) groups; `groups_of` names another C to count by.

    Raises:
        ValueError: the groups do not divide the channels.
    """
    groups = min((groups_of or channels) // 4, 32)
    if groups < 1 or channels % groups:
        raise ValueError(
            f"{channels} channels cannot be normalised in {groups} groups; choose a width that "
            "is a multiple of 32, or of 4 up to 128"
        )
    return nn.GroupNorm(groups, channels, eps=1e-5)


class BatchNorm(nn.BatchNorm2d):
    """BatchNorm2d that remembers the variance by which it normalises, as the authors' does.

    PyTorch's remembers n / (n - 1) times that, for n values a channel.
    """

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__(channels, eps, momentum)

    def forward(self, x: Tensor) -> Tensor:
        """From [B, C, h, w] to the same, normalised by its own statistics while training."""
        if not self.training or self.running_mean is None or self.running_var is None:
            return super().forward(x)
        n = x.numel() // x.shape[1]
        mean, variance = torch.zeros_like(self.running_mean), torch.ones_like(self.running_var)
        y = F.batch_norm(x, mean, variance, self.weight, self.bias, True, 1.0, self.eps)
        self.remember(mean, variance * ((n - 1) / n))
        return y

    @torch.no_grad()
    def remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics [C] towards a batch's."""
        if self.running_mean is None or self.running_var is None or self.momentum is None:
            return
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def pad_same(x: Tensor, kernel: int, stride: int, value: float = 0.0) -> Tensor:
    """Pad as TensorFlow's SAME does: what is odd goes to the bottom and right."""
    height, width = x.shape[-2:]
    down, right = (
        max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in (height, width)
    )
    return F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2), value=value)


class DownConv(nn.Conv2d):
    """3x3 convolution of stride 2 with SAME padding."""

    def __init__(self, channels: int, kernel: int = 3) -> None:
        super().__init__(channels, channels, kernel, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad_same(x, self.kernel_size[0], 2))


def max_pool_same(x: Tensor) -> Tensor:
    """3x3 max pooling of stride 2 with SAME padding; padding never wins."""
    return F.max_pool2d(pad_same(x, 3, 2, value=-math.inf), 3, 2)


def sincos_code(values: Tensor, width: int) -> Tensor:
    """Sines, then cosines, of values at geometric frequencies 10000^(-2k / width).

    Args:
        values: [...] float.

    Returns:
        [..., width].

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5, halves not interleaved.
    """
    k = torch.arange(width // 2, device=values.device, dtype=values.dtype)
    # One over a power, as the authors write it: angles are large and show the last digit.
    frequency = 1 / torch.pow(10000.0, 2 * k / width)
    angle = values.unsqueeze(-1) * frequency
    return torch.cat([angle.sin(), angle.cos()], -1)


def position_code(height: int, width: int, channels: int, like: Tensor) -> Tensor:
    """2-D position code: rows in the first half of the channels, columns in the second.

    Both coordinates run over [0, 2 pi], ends included, whatever the size, so weights carry over
    to other resolutions. A grid of one row or column gets a 1-D code over its positions.

    Returns:
        [height * width, channels] on the device and in the dtype of `like`.
    """

    def code(n: int, d: int) -> Tensor:
        places = torch.arange(n, dtype=torch.float32, device=like.device)
        return sincos_code(places / max(n - 1, 1) * (2 * math.pi), d)

    if height == 1 or width == 1:
        return code(height * width, channels).to(like.dtype)
    rows = code(height, channels // 2).unsqueeze(1).expand(-1, width, -1)
    columns = code(width, channels // 2).unsqueeze(0).expand(height, -1, -1)
    return torch.cat([rows, columns], -1).flatten(0, 1).to(like.dtype)


class Attention(nn.Module):
    """Multi-head attention with separate query, key, value and output projections."""

    def __init__(
        self, width: int, heads: int, context_width: int | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide the width {width}")
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(context_width or width, width)
        self.value = nn.Linear(context_width or width, width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """From x [B, N, C] and context [B, M, D] to [B, N, C]."""
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(
                1, 2
            )  # [B, heads, N or M, head width]
            for part in (self.query(x), self.key(context), self.value(context))
        )
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        return self.output(y.transpose(1, 2).flatten(-2))


class DropPath(nn.Module):
    """Leaves a residual branch out, for whole examples; survivors are scaled up."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        keep = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device) >= self.rate
        return x * keep / (1 - self.rate)


class TransformerLayer(nn.Module):
    """Pre-norm self-attention, optional cross-attention, MLP with exact GELU."""

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        mlp_ratio: float = 4.0,
        context_width: int | None = None,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        hidden = round(width * mlp_ratio)
        self.self_norm = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = Attention(width, heads, dropout=attention_dropout)
        self.has_context = context_width is not None
        if self.has_context:
            self.cross_norm = nn.LayerNorm(width, eps=1e-6)
            self.cross_attention = Attention(width, heads, context_width, attention_dropout)
        self.mlp_norm = nn.LayerNorm(width, eps=1e-6)
        self.mlp_in = nn.Linear(width, hidden)
        self.mlp_out = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """From x [B, N, C] and context [B, M, D], used as it is, to [B, N, C]."""
        y = self.self_norm(x)
        x = x + self.drop_path(self.self_attention(y, y))
        if self.has_context and context is not None:
            x = x + self.drop_path(self.cross_attention(self.cross_norm(x), context))
        y = self.dropout(F.gelu(self.mlp_in(self.mlp_norm(x))))
        return x + self.drop_path(self.mlp_out(y))


def init_glorot(module: nn.Module) -> None:
    """Glorot uniform weights and zero biases for every convolution and linear layer."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
