"""Maps as the PNGs that data sets have: colours, numbers, or a palette.

- COCO panoptic: the segment's id is R + 256 G + 65536 B.
- KITTI-STEP: R is the category's number, 255 for void; G and B are the high and the low byte of
  the segment's id, 0 for stuff.
- VIPSeg: one channel of 16 bits. 0 is void, a number below 125 a stuff category, and any other
  100 times the number of a thing category plus the number of the segment in it.
- DAVIS: a palette; 0 is background, and objects have 1, 2, ...

Sources: Kirillov et al. 2019, arXiv:1801.00868. Weber et al. 2021, arXiv:2102.11859, and
google-research/deeplab2, data/utils/create_step_panoptic_maps.py. Miao et al. 2022, CVPR,
"Large-scale Video Panoptic Segmentation in the Wild: A Benchmark", and the script of
VIPSeg-Dataset/VIPSeg-Dataset that makes COCO files of its PNGs. Pont-Tuset et al. 2017,
arXiv:1704.00675; its colours are those of PASCAL VOC.
"""

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import CocoError
from core.panoptic import Ids

STEP_VOID = 255
STEP_MAX = 254  # numbers of categories
VIPSEG_MAX = 124  # numbers of categories
VIPSEG_EACH = 100  # segments of one category
DAVIS_MAX = 254  # objects; 255 is void there


def coco_png(ids: Ids) -> bytes:
    """Segment ids [H, W] as colours."""
    return _encode(np.stack([ids & 255, ids >> 8, np.zeros_like(ids)], -1).astype(np.uint8))


def step_png(ids: Ids, numbers: NDArray[np.uint8], tracks: NDArray[np.uint16]) -> bytes:
    """Write a map as KITTI-STEP does.

    Args:
        ids: segment ids [H, W].
        numbers: of the category, by segment id; `STEP_VOID` for void.
        tracks: number of the segment, by segment id; 0 for stuff and void.
    """
    track = tracks[ids]
    return _encode(np.stack([numbers[ids], track >> 8, track & 255], -1).astype(np.uint8))


def vipseg_png(ids: Ids, values: NDArray[np.uint16]) -> bytes:
    """Write a map as VIPSeg does; `values` are by segment id."""
    return _encode(values[ids])


def davis_png(ids: Ids, values: NDArray[np.uint8]) -> bytes:
    """Write a map as DAVIS does; `values` are by segment id."""
    image = Image.fromarray(values[ids], "P")
    image.putpalette(davis_palette())
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def davis_palette() -> bytes:
    """256 colours: a number's bits, three by three, from the highest of each colour down."""
    numbers = np.arange(256)
    colors = np.zeros((256, 3), np.uint8)
    for place in range(8):
        for channel in range(3):
            bit = numbers >> (3 * place + channel) & 1
            colors[:, channel] |= (bit << (7 - place)).astype(np.uint8)
    return colors.tobytes()


def _encode(pixels: NDArray[Any]) -> bytes:
    """A PNG of [H, W] uint16, or of [H, W, 3] uint8 RGB."""
    stored = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1])
    is_encoded, data = cv2.imencode(".png", stored)
    if not is_encoded:
        height, width = pixels.shape[:2]
        raise CocoError(f"A map of {width} x {height} cannot be written as PNG.")
    return data.tobytes()
