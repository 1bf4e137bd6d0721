"""The connected part of a map around a pixel: what paint that is poured there would fill."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.panoptic import Ids, Rect, find_changes
from core.parts import connect

Mask = NDArray[np.bool_]
Ints = NDArray[np.intp]

EDGE_TO_EDGE: Final = 4
NEAR: Final = 256  # pixels to each side that are looked at first: most segments end there
MAX_RUNS: Final = 500_000  # more of them are slower to connect than their pixels


def flood(segment_ids: Ids, x: int, y: int) -> tuple[Rect, Mask]:
    """Find the pixels of one id that connect to a pixel, edge to edge.

    Args:
        segment_ids: uint16 [H, W].
        x: column of a pixel.
        y: row of it.

    Returns:
        The smallest rectangle that holds them, and which pixels [m, n] of it they are.
    """
    height, width = segment_ids.shape
    reach = NEAR
    while True:
        near = Rect(y - reach, x - reach, y + reach + 1, x + reach + 1).clipped(height, width)
        same = segment_ids[near.slices] == segment_ids[y, x]
        if near == Rect(0, 0, height, width):
            return _flood_large(same, x, y)
        rect, inside = _flood_pixels(same, x - near.left, y - near.top)
        found = Rect(
            rect.top + near.top,
            rect.left + near.left,
            rect.bottom + near.top,
            rect.right + near.left,
        )
        if not _goes_on(found, near, height, width):
            return found, inside
        reach *= 4


def _goes_on(found: Rect, near: Rect, height: int, width: int) -> bool:
    """Whether a part reaches a side of the window that is no border of the image."""
    return (
        (found.top == near.top > 0)
        or (found.left == near.left > 0)
        or (found.bottom == near.bottom < height)
        or (found.right == near.right < width)
    )


def _flood_pixels(same: Mask, x: int, y: int) -> tuple[Rect, Mask]:
    """Go from pixel to pixel; cheap where there are few."""
    area = same.view(np.uint8)
    *_, (left, top, columns, rows) = cv2.floodFill(area, None, (x, y), 2, flags=EDGE_TO_EDGE)
    rect = Rect(top, left, top + rows, left + columns)
    return rect, area[rect.slices] == 2


def _flood_large(same: Mask, x: int, y: int) -> tuple[Rect, Mask]:
    """Go from run to run, of which a large area has few: half the time, or a third."""
    # A column that is not meant parts the rows, so that a run never goes on in the next.
    width = same.shape[1] + 1
    parted = np.zeros((same.shape[0], width), np.bool_)
    parted[:, 1:] = same
    flat = parted.reshape(-1)
    borders = find_changes(flat)
    if len(borders) > 2 * MAX_RUNS:
        return _flood_pixels(same, x, y)
    starts, ends = borders[0::2], np.append(borders, flat.size)[1::2][: (len(borders) + 1) // 2]
    seed = np.searchsorted(starts, y * width + x + 1, "right") - 1
    parts = _connect(starts, ends, width)
    is_in = parts == parts[seed]
    flags = np.zeros(len(borders) + 1, np.bool_)
    flags[1::2] = is_in
    lengths = np.diff(borders, prepend=0, append=flat.size)
    inside = np.repeat(flags, lengths).reshape(parted.shape)[:, 1:]
    starts, ends = starts[is_in], ends[is_in]
    rect = Rect(
        int(starts[0]) // width,
        int((starts % width).min()) - 1,
        int(ends[-1] - 1) // width + 1,
        int(((ends - 1) % width).max()),
    )
    return rect, inside[rect.slices]


def _connect(starts: Ints, ends: Ints, width: int) -> Ints:
    """For each run the number of its part; runs of one part touch from row to row."""
    first = np.searchsorted(ends, starts + width, "right")  # of the next row's runs below it
    last = np.searchsorted(starts, ends + width, "left")
    counts = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(starts)), counts)
    below = np.arange(len(above)) + np.repeat(first - (np.cumsum(counts) - counts), counts)
    return connect(len(starts), above, below)
