"""What can be found out about an area of a map: its parts, its holes, and what lies nearest."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.giving import Mask
from core.panoptic import Ids
from core.spans import Ints

Parts = NDArray[np.int32]  # [m, n] number of the part that a pixel belongs to, 0 for none

# Pixels that touch at a corner belong together; what surrounds them leaks through no corner.
WITH_CORNERS: Final = 8
EDGE_TO_EDGE: Final = 4


def find_parts(inside: Mask) -> tuple[Parts, Ints]:
    """Number the connected parts of an area.

    Returns:
        The parts [m, n], and how many pixels each of them has, from number 0 on, which is what
        lies outside the area.
    """
    area = np.ascontiguousarray(inside).view(np.uint8)
    parts: Any = cv2.connectedComponents(area, connectivity=WITH_CORNERS)[1]
    return parts, np.bincount(parts.ravel(), minlength=1)


def find_holes(inside: Mask) -> Mask:
    """Which pixels outside an area it encloses: no way leads from them around the area."""
    height, width = inside.shape
    padded = np.zeros((height + 2, width + 2), np.uint8)
    padded[1:-1, 1:-1] = inside
    cv2.floodFill(padded, None, (0, 0), 1, flags=EDGE_TO_EDGE)
    return padded[1:-1, 1:-1] == 0


def nearest_ids(segment_ids: Ids, is_source: Mask) -> Ids:
    """For each pixel the id of the nearest source pixel; void if there is none.

    Distances are OpenCV's, and right to two percent.
    """
    if not is_source.any():
        return np.zeros_like(segment_ids)
    _, numbers = cv2.distanceTransformWithLabels(
        (~is_source).view(np.uint8),
        cv2.DIST_L2,
        cv2.DIST_MASK_5,
        labelType=cv2.DIST_LABEL_PIXEL,
    )
    id_of = np.zeros(int(numbers.max()) + 1, np.uint16)
    id_of[numbers[is_source]] = segment_ids[is_source]
    return id_of[numbers]


def distance_from(area: Mask) -> NDArray[np.float32]:
    """How far [m, n] each pixel's centre is from the nearest one in an area."""
    outside: Any = (~area).view(np.uint8)
    distances: Any = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return distances
