"""EfficientNet-lite0: a small trunk whose ImageNet weights can be had.

Inverted bottlenecks with depthwise convolutions; the lite variant has ReLU6 for swish and no
squeeze-and-excitation. Its head and classifier are left out.

Source: Tan and Le 2019, arXiv:1905.11946, table 1; the variants `lite` of tensorflow/tpu.
"""

from typing import Final, NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from core.model.layers import pad_same

STEM_WIDTH: Final = 32
MAP_WIDTHS: Final = (16, 24, 40, 112, 320)  # at strides 2, 4, 8, 16 and 32
PIXEL_MIDDLE, PIXEL_RANGE = 127.0, 128.0  # of 0..255, as the published weights want them


class Stage(NamedTuple):
    """Blocks of one width; the first of them has the stride."""

    n_blocks: int
    kernel: int
    stride: int
    expansion: int
    width: int


STAGES: Final = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class SameConv(nn.Conv2d):
    """Convolution without bias, padded as TensorFlow's SAME."""

    def __init__(
        self, in_width: int, width: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(in_width, width, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad_same(x, self.kernel_size[0], self.stride[0]))


class FixedNorm(nn.BatchNorm2d):
    """Batch norm whose statistics stay those it was given: a CPU's batches are too small."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-3)

    def train(self, mode: bool = True) -> "FixedNorm":
        """Stay in evaluation mode, whatever is asked for."""
        del mode
        return super().train(False)


class InvertedBottleneck(nn.Module):
    """1x1 up, depthwise and 1x1 down convolution, each with norm; added to an equal input."""

    def __init__(self, in_width: int, stage: Stage, stride: int) -> None:
        super().__init__()
        hidden = in_width * stage.expansion
        self.expand = SameConv(in_width, hidden, 1) if stage.expansion > 1 else None
        self.expand_norm = FixedNorm(hidden) if stage.expansion > 1 else None
        self.depthwise = SameConv(hidden, hidden, stage.kernel, stride, groups=hidden)
        self.depthwise_norm = FixedNorm(hidden)
        self.project = SameConv(hidden, stage.width, 1)
        self.project_norm = FixedNorm(stage.width)
        self.is_added = stride == 1 and in_width == stage.width

    def forward(self, x: Tensor) -> Tensor:
        y = x
        if self.expand is not None and self.expand_norm is not None:
            y = F.relu6(self.expand_norm(self.expand(y)))
        y = F.relu6(self.depthwise_norm(self.depthwise(y)))
        y = self.project_norm(self.project(y))
        return x + y if self.is_added else y


class EfficientNetLite0(nn.Module):
    """Maps at strides 2, 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem_conv = SameConv(3, STEM_WIDTH, 3, 2)
        self.stem_norm = FixedNorm(STEM_WIDTH)
        self.blocks = nn.ModuleList()
        self._ends: list[int] = []  # blocks whose map is the last of its stride
        width = STEM_WIDTH
        for stage in STAGES:
            for block in range(stage.n_blocks):
                stride = stage.stride if block == 0 else 1
                if stride > 1:
                    self._ends.append(len(self.blocks) - 1)
                self.blocks.append(InvertedBottleneck(width, stage, stride))
                width = stage.width
        self._ends.append(len(self.blocks) - 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """From [B, 3, H, W] in [0, 1] to maps of MAP_WIDTHS channels."""
        x = (image * 255 - PIXEL_MIDDLE) / PIXEL_RANGE
        x = F.relu6(self.stem_norm(self.stem_conv(x)))
        maps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self._ends:
                maps.append(x)
        return maps

    def init_weights(self) -> None:
        """Normal by fan-in, which keeps the variance where the norms have no statistics."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
