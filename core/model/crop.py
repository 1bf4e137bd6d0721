"""The cells of a map that are drawn when the model is asked for a region of the picture.

Far from a region nothing is asked for, so where a picture keeps its own scale, only the cells
around the region are denoised. The encoder's tokens stay those of the whole picture.
"""

from math import ceil, floor
from typing import Final

from torch import Tensor

from core.model.config import ModelConfig
from core.model.encoder import Encoding
from core.model.prepare import Frame, input_multiple
from core.panoptic import Rect

MARGIN: Final = 32  # cells around a region; 16 gave worse maps of nuclei, 64 none better


def cells_to_draw(config: ModelConfig, frame: Frame, region: Rect | None) -> Rect:
    """Which cells of the map to denoise for a region of the picture; all of them for None.

    A network that scales every picture to one size is given all, since it has never seen less.
    """
    height, width = frame.mask
    if region is None or config.resize != "native":
        return Rect(0, 0, height, width)
    down, along = (
        content / (side * frame.stride)
        for content, side in zip(frame.content, frame.image, strict=True)
    )
    seen = Rect(
        floor(region.top * down),
        floor(region.left * along),
        ceil(region.bottom * down),
        ceil(region.right * along),
    )
    seen = seen.grown(MARGIN).clipped(height, width)
    k = input_multiple(config) // frame.stride
    return Rect(
        seen.top // k * k, seen.left // k * k, -(-seen.bottom // k) * k, -(-seen.right // k) * k
    )


def cut_encoding(encoding: Encoding, cells: Rect) -> Encoding:
    """The feature map of some cells, with all tokens."""
    return Encoding(encoding.tokens, encoding.fmap[:, :, *cells.slices])


def put_back(x0: Tensor, cells: Rect, config: ModelConfig, frame: Frame) -> Tensor:
    """Analog bits of the whole map, void where nothing was drawn.

    The map that is known there could be laid down instead. But the network has not seen its
    ids, may have given one of them to another segment, and the two would vote as one.

    Args:
        x0: [B, n, h, w] of the cells.

    Returns:
        [B, n, *frame.mask].
    """
    whole = x0.new_full((*x0.shape[:2], *frame.mask), -config.b)
    whole[:, :, *cells.slices] = x0
    return whole
