"""The connected part of a map around a pixel: what paint that is poured there would fill."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.panoptic import Ids, Places, Rect, find_changes
from core.parts import connect

Mask = NDArray[np.bool_]
Ints = NDArray[np.intp]

EDGE_TO_EDGE: Final = 4
NEAR: Final = 256  # pixels to each side that are looked at first: most segments end there
FARTHER: Final = 4  # times as far, when that was not enough
MOST: Final = 5  # a window is no use if the image has less than that many times its pixels
MAX_RUNS: Final = 500_000  # more of them are slower to connect than their pixels


def flood(
    segment_ids: Ids, x: int, y: int, find_all: Callable[[], Places] | None = None
) -> tuple[Rect, Mask]:
    """Find the pixels of one id that connect to a pixel, edge to edge.

    Args:
        segment_ids: uint16 [H, W].
        x: column of a pixel.
        y: row of it.
        find_all: gives `find_changes` of all ids, for whoever knows them already.

    Returns:
        The smallest rectangle that holds them, and which pixels [m, n] of it they are.
    """
    height, width = segment_ids.shape
    whole, reach = Rect(0, 0, height, width), NEAR
    while True:
        near = Rect(y - reach, x - reach, y + reach + 1, x + reach + 1).clipped(height, width)
        if reach > NEAR and (2 * reach) ** 2 * MOST > segment_ids.size:
            near = whole
        ids, place = segment_ids[near.slices], (x - near.left, y - near.top)
        if reach == NEAR:
            rect, inside = _flood_pixels(ids, *place)
        else:
            ids = np.ascontiguousarray(ids)
            if near == whole and find_all is not None:
                changes = find_all()
            else:
                changes = find_changes(ids.reshape(-1))
            rect, inside = _flood_runs(ids, changes, *place)
        found = Rect(
            rect.top + near.top,
            rect.left + near.left,
            rect.bottom + near.top,
            rect.right + near.left,
        )
        if not _goes_on(found, near, height, width):
            return found, inside
        reach *= FARTHER


def _goes_on(found: Rect, near: Rect, height: int, width: int) -> bool:
    """Whether a part reaches a side of the window that is no border of the image."""
    return (
        (found.top == near.top > 0)
        or (found.left == near.left > 0)
        or (found.bottom == near.bottom < height)
        or (found.right == near.right < width)
    )


def _flood_pixels(ids: Ids, x: int, y: int) -> tuple[Rect, Mask]:
    """Go from pixel to pixel; cheap where there are few."""
    area = (ids == ids[y, x]).view(np.uint8)
    *_, (left, top, columns, rows) = cv2.floodFill(area, None, (x, y), 2, flags=EDGE_TO_EDGE)
    rect = Rect(top, left, top + rows, left + columns)
    return rect, area[rect.slices] == 2


def _flood_runs(ids: Ids, changes: Places, x: int, y: int) -> tuple[Rect, Mask]:
    """Go from run to run, of which a large area has few: a third of the time, or less."""
    width, flat = ids.shape[1], ids.reshape(-1)
    starts = _with_rows(changes, flat.size, width)
    if len(starts) > MAX_RUNS:
        return _flood_pixels(ids, x, y)
    lengths = np.diff(starts, append=flat.size)
    is_found = flat[starts] == ids[y, x]
    firsts, ends = starts[is_found], (starts + lengths)[is_found]
    parts = _connect(firsts, ends, width)
    is_in = parts == parts[np.searchsorted(firsts, y * width + x, "right") - 1]
    is_found[is_found] = is_in
    inside = np.repeat(is_found, lengths).reshape(ids.shape)
    firsts, lasts = firsts[is_in], ends[is_in] - 1
    rect = Rect(
        int(firsts[0]) // width,
        int((firsts % width).min()),
        int(lasts[-1]) // width + 1,
        int((lasts % width).max()) + 1,
    )
    return rect, inside[rect.slices]


def _with_rows(changes: Ints, size: int, width: int) -> Ints:
    """Where runs begin if every row begins one."""
    rows = np.arange(0, size, width)
    places = np.searchsorted(changes, rows)
    is_there = np.append(changes, size)[places] == rows
    return np.insert(changes, places[~is_there], rows[~is_there])


def _connect(starts: Ints, ends: Ints, width: int) -> Ints:
    """For each run the number of its part; runs of one part touch from row to row."""
    first = np.searchsorted(ends, starts + width, "right")  # of the next row's runs below it
    last = np.searchsorted(starts, ends + width, "left")
    counts = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(starts)), counts)
    below = np.arange(len(above)) + np.repeat(first - (np.cumsum(counts) - counts), counts)
    return connect(len(starts), above, below)
