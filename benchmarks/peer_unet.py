"""The peer of the nuclei model: a U-Net for foreground, boundary and distance, and a watershed.

What a user would train today for nuclei, as the winners of the 2018 Data Science Bowl did.

Source: Ronneberger et al. 2015, arXiv:1505.04597; boundaries as in Caicedo et al. 2019,
doi:10.1038/s41592-019-0612-7; distances as in Naylor et al. 2019, doi:10.1109/TMI.2018.2865709.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (16, 32, 64, 128, 288)  # channels at strides 1, 2, 4, 8, 16
STRIDE = 2 ** (len(WIDTHS) - 1)
N_LEVELS = 24  # of the watershed's water
DISTANCE_WEIGHT = 2.0  # in the loss, beside two cross entropies
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))

Ids = NDArray[np.int32]  # [H, W] segment numbers, 0 is background
Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cutting:
    """How maps of the network become segments; tuned on training pictures.

    Attributes:
        foreground: least probability of a pixel of a segment.
        seed: least height of a marker, the height being distance - `boundary` x boundary.
        min_area: of a segment, in pixels.
    """

    foreground: float = 0.5
    seed: float = 0.4
    boundary: float = 0.5
    min_area: int = 24


class UNet(nn.Module):
    """Foreground, boundary and distance of every pixel, 2.2 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            _block(i, o) for i, o in zip((3, *WIDTHS[:-1]), WIDTHS, strict=True)
        )
        self.up = nn.ModuleList(
            _block(fine + coarse, fine)
            for fine, coarse in zip(WIDTHS[-2::-1], WIDTHS[:0:-1], strict=True)
        )
        self.head = nn.Conv2d(WIDTHS[0], 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """From [B, 3, H, W] in [0, 1], multiples of 16, to logits [B, 3, H, W]."""
        skips = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        x = skips.pop()
        for block in self.up:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, skips.pop()], 1))
        return self.head(x)


def _block(in_width: int, width: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for before in (in_width, width):
        conv = nn.Conv2d(before, width, 3, padding=1, bias=False)
        parts += [conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    return nn.Sequential(*parts)


def make_targets(ids: Ids) -> Image:
    """What the network is to say of a view: float32 [3, H, W] in [0, 1].

    Foreground; the outermost pixels of each segment; and the distance to these, 1 in the
    middle of each segment whatever its size.
    """
    is_inside = ids > 0
    is_border = is_inside & (cv2.erode(ids.astype(np.float32), np.ones((3, 3))) != ids)
    is_border |= is_inside & (cv2.dilate(ids.astype(np.float32), np.ones((3, 3))) != ids)
    depth = cv2.distanceTransform((is_inside & ~is_border).astype(np.uint8), cv2.DIST_L2, 5) + 1
    deepest = np.zeros(int(ids.max()) + 1, np.float32)
    np.maximum.at(deepest, ids.ravel(), depth.ravel())
    distance = np.where(is_inside, depth / deepest[ids], 0)
    return np.stack([is_inside, is_border, distance]).astype(np.float32)


def peer_loss(out: Tensor, targets: Tensor, is_known: Tensor) -> Tensor:
    """Cross entropy of foreground and boundary, and the squared error of the distance.

    Args:
        out: [B, 3, H, W] logits; targets: [B, 3, H, W].
        is_known: [B, 1, H, W], False in the padding of views.
    """
    entropy = F.binary_cross_entropy_with_logits(out[:, :2], targets[:, :2], reduction="none")
    error = (out[:, 2:].sigmoid() - targets[:, 2:]).square()
    total = entropy.sum(1, keepdim=True) + DISTANCE_WEIGHT * error
    return (total * is_known).sum() / is_known.sum().clamp(min=1)


@torch.inference_mode()
def predict(net: UNet, pixels: Image) -> Image:
    """Foreground, boundary and distance [3, H, W] of a picture [H, W, 3] in [0, 1]."""
    height, width = pixels.shape[:2]
    below, right = -height % STRIDE, -width % STRIDE
    padded = cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REFLECT_101)
    x = torch.from_numpy(padded).permute(2, 0, 1).unsqueeze(0)
    x = x.contiguous(memory_format=torch.channels_last)
    return net(x).sigmoid()[0, :, :height, :width].contiguous().numpy()


def cut_segments(maps: Image, cutting: Cutting) -> Ids:
    """Segments of the maps that `predict` gives: a watershed from markers in their middles.

    Foreground without a marker makes segments of its connected parts.
    """
    foreground, boundary, distance = maps
    is_inside = foreground > cutting.foreground
    height = distance - cutting.boundary * boundary
    _, markers = cv2.connectedComponents(
        (is_inside & (height > cutting.seed)).astype(np.uint8), connectivity=4
    )
    ids = flood(markers, height, is_inside)
    _, rest = cv2.connectedComponents((is_inside & (ids == 0)).astype(np.uint8), connectivity=4)
    ids = np.where(rest > 0, rest + ids.max(), ids)
    is_small = np.bincount(ids.ravel()) < cutting.min_area
    return np.where(is_small[ids], 0, ids).astype(np.int32)


def flood(markers: NDArray[Any], height: Image, is_inside: NDArray[np.bool_]) -> Ids:
    """Grow markers [H, W] downhill over the inside, all at the same level at a time."""
    ids = np.where(is_inside, markers, 0).astype(np.uint16)
    if not ids.any():
        return ids.astype(np.int32)
    heights = height[is_inside]
    for level in np.linspace(heights.max(), heights.min(), N_LEVELS):
        is_wet = is_inside & (height >= level)
        while True:
            grown = np.where(is_wet & (ids == 0), cv2.dilate(ids, CROSS), 0)
            if not grown.any():
                break
            ids = ids + grown
    return ids.astype(np.int32)
