"""Superpixels: small patches of like colour, about as large as asked, that keep to the edges.

A grid of cells gives each superpixel a seed, in the flattest place near the middle of its cell.
A watershed grows the seeds over the image, along small colour differences first. The image is
blurred a little and its differences are counted in steps of eight: within a step a watershed
grows at one speed in all directions, so that flat places divide into compact patches.

Only the tiles that somebody asks for are computed, each from its own window of the image. So
the answer takes as long on 100 megapixels as on one, and no order of asking changes it.

Source: Machairas et al. 2015, "Waterpixels", IEEE TIP 24(11), 3707-3716, for one marker in the
flattest place of each cell of a grid; its distance term is replaced by the steps above. Meyer
1992, "Color image segmentation", IET IPA, 303-306, for the watershed that OpenCV has.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from core.giving import Mask, shrink
from core.images import Rgb
from core.panoptic import Rect
from core.spans import NOWHERE

MIN_SIZE: Final = 4
MAX_SIZE: Final = 64
TILE: Final = 128  # pixels on a side
N_KEPT_TILES: Final = 1024  # 64 MB
_BLUR: Final = 1.0  # standard deviation in pixels
_LOST_BITS: Final = 3  # of the colours that the watershed compares
_STEPS: Final = ((0, -1), (0, 1), (-1, 0), (1, 0))  # down and right, to the neighbours

Labels = NDArray[np.int32]  # [m, n] ids of superpixels
Ints = NDArray[np.int64]
Place = tuple[int, int]  # row and column of a tile


class Superpixels:
    """The superpixels of one image, computed where they are needed.

    Attributes:
        image: uint8 [H, W, 3], which must not change.
        size: of a superpixel in pixels, about.
    """

    def __init__(self, image: Rgb, size: int) -> None:
        """Compute nothing yet.

        Raises:
            ValueError: the size is outside MIN_SIZE..MAX_SIZE.
        """
        if not MIN_SIZE <= size <= MAX_SIZE:
            raise ValueError(f"superpixels of {size} pixels, not of {MIN_SIZE}..{MAX_SIZE}")
        self.image = image
        self.size = size
        self._height, self._width = image.shape[:2]
        self._tiles: dict[Place, Labels] = {}

    def area_under(self, points: ArrayLike) -> tuple[Rect, Mask]:
        """The union of the superpixels that a polyline runs through.

        Args:
            points: [N, 2] x and y in image pixels, in or outside the image; (0, 0) is the outer
                corner of the first pixel; one point is a dot.

        Returns:
            The smallest rectangle that holds the superpixels, and which pixels [m, n] of it
            they cover.

        Raises:
            ValueError: a point is no finite number.
        """
        rows, columns = _pixels_along(points, self._height, self._width)
        tile_rows, tile_columns = rows // TILE, columns // TILE
        ids: dict[Place, set[int]] = {}
        for place in dict.fromkeys(zip(tile_rows.tolist(), tile_columns.tolist(), strict=True)):
            is_here = (tile_rows == place[0]) & (tile_columns == place[1])
            touched = self._tile(place)[rows[is_here] % TILE, columns[is_here] % TILE]
            ids[place] = set(touched.tolist())
        self._follow(ids)
        return self._union(ids)

    def labels(self, rect: Rect) -> Labels:
        """The ids of the superpixels of a rectangle inside the image, int32 [m, n]."""
        found = np.empty((rect.bottom - rect.top, rect.right - rect.left), np.int32)
        for row in range(rect.top // TILE, -(-rect.bottom // TILE)):
            for column in range(rect.left // TILE, -(-rect.right // TILE)):
                tile = self._rect_of((row, column))
                part = Rect(
                    max(rect.top, tile.top),
                    max(rect.left, tile.left),
                    min(rect.bottom, tile.bottom),
                    min(rect.right, tile.right),
                )
                inside = part.inside(tile).slices
                found[part.inside(rect).slices] = self._tile((row, column))[inside]
        return found

    def _follow(self, ids: dict[Place, set[int]]) -> None:
        """Add to the ids of each tile those that come in from a tile next door."""
        waiting = list(ids)
        while waiting:
            place = waiting.pop()
            for step in _STEPS:
                beside = (place[0] + step[0], place[1] + step[1])
                entering = self._entering(ids[place], place, beside)
                if entering - ids.get(beside, set()):
                    ids[beside] = ids.get(beside, set()) | entering
                    waiting.append(beside)

    def _entering(self, ids: set[int], place: Place, beside: Place) -> set[int]:
        """Which superpixels of a tile go on in the one beside it."""
        down, right = beside[0] - place[0], beside[1] - place[1]
        here = self._tile(place)[_side(down, right)]
        if ids.isdisjoint(here.ravel().tolist()) or self._rect_of(beside).is_empty:
            return set()
        there = self._tile(beside)[_side(-down, -right)]
        return ids.intersection(here[here == there].tolist())

    def _union(self, ids: dict[Place, set[int]]) -> tuple[Rect, Mask]:
        if not ids:
            return NOWHERE, np.zeros((0, 0), np.bool_)
        parts = []
        for place, wanted in ids.items():
            is_inside = np.isin(self._tile(place), list(wanted))
            parts.append(shrink(self._rect_of(place), is_inside))
        tops, lefts, bottoms, rights = zip(
            *((r.top, r.left, r.bottom, r.right) for r, _ in parts), strict=True
        )
        rect = Rect(min(tops), min(lefts), max(bottoms), max(rights))
        covered = np.zeros((rect.bottom - rect.top, rect.right - rect.left), np.bool_)
        for part, is_inside in parts:
            covered[part.inside(rect).slices] = is_inside
        return rect, covered

    def _rect_of(self, place: Place) -> Rect:
        top, left = place[0] * TILE, place[1] * TILE
        return Rect(top, left, top + TILE, left + TILE).clipped(self._height, self._width)

    def _tile(self, place: Place) -> Labels:
        """The labels of one tile; of those made before, the latest are kept."""
        if place not in self._tiles:
            while len(self._tiles) >= N_KEPT_TILES:
                self._tiles.pop(next(iter(self._tiles)))
            self._tiles[place] = find_superpixels(self.image, self.size, self._rect_of(place))
        return self._tiles[place]


def find_superpixels(image: Rgb, size: int, rect: Rect) -> Labels:
    """Divide a rectangle of an image into superpixels.

    What lies within two cells around it is looked at too, so that a rectangle beside it hardly
    ever sees their common superpixels differently.

    Args:
        image: uint8 [H, W, 3].
        size: of a cell, in pixels.
        rect: inside the image.

    Returns:
        int32 [m, n]; a superpixel's id is the number of its cell, row after row of the image.
    """
    height, width = image.shape[:2]
    window = rect.grown(2 * size).clipped(height, width)
    blurred: Any = cv2.GaussianBlur(image[window.slices], (0, 0), _BLUR)
    ids, rows, columns = _seeds(blurred, size, window, (height, width))
    labels = _grow(blurred, ids, rows, columns)
    return np.ascontiguousarray(labels[rect.inside(window).slices])


def _seeds(
    blurred: Rgb, size: int, window: Rect, image_size: tuple[int, int]
) -> tuple[Ints, Ints, Ints]:
    """Id, row and column in the window of each seed that the window holds.

    The seed is where the gradient is smallest within a fifth of a cell of the middle; of equals
    the nearest to the middle. What is left over at the right and at the bottom of an image has
    no cell of its own.
    """
    reach = size // 5
    all_rows, all_columns = (_middles(side, size) for side in image_size)
    cell_rows = np.arange(*np.searchsorted(all_rows, [window.top, window.bottom]))
    cell_columns = np.arange(*np.searchsorted(all_columns, [window.left, window.right]))
    row, column = (a.ravel() for a in np.meshgrid(cell_rows, cell_columns, indexing="ij"))
    middle_y, middle_x = all_rows[row] - window.top, all_columns[column] - window.left
    steps = np.arange(-reach, reach + 1)
    distance = steps[:, None] ** 2 + steps**2
    steepness = np.pad(_gradient(blurred), reach, constant_values=1 << 15)
    around = sliding_window_view(steepness, distance.shape)[middle_y, middle_x]
    cost = around * (2 * reach**2 + 1) + distance
    best_y, best_x = np.divmod(cost.reshape(len(row), -1).argmin(axis=1), len(steps))
    return (
        row * len(all_columns) + column,
        middle_y + best_y - reach,
        middle_x + best_x - reach,
    )


def _middles(side: int, size: int) -> Ints:
    """The middle row or column of each cell along a side of an image."""
    cells = np.arange(max(side // size, 1), dtype=np.int64)
    return np.minimum(cells * size + size // 2, side - 1)


def _gradient(blurred: Rgb) -> NDArray[np.int32]:
    """How steep the grey value is at each pixel: |dx| + |dy|."""
    gray = cv2.cvtColor(blurred, cv2.COLOR_RGB2GRAY)
    dx, dy = cv2.Sobel(gray, cv2.CV_16S, 1, 0), cv2.Sobel(gray, cv2.CV_16S, 0, 1)
    return np.abs(dx).astype(np.int32) + np.abs(dy)


def _grow(blurred: Rgb, ids: Ints, rows: Ints, columns: Ints) -> Labels:
    """Grow seeds of 3 x 3 pixels until they meet."""
    edge = (1, 1, 1, 1, cv2.BORDER_REPLICATE)  # OpenCV's watershed leaves the outermost pixels
    colors: Any = cv2.copyMakeBorder(blurred, *edge)
    markers = np.zeros(colors.shape[:2], np.int32)
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            markers[rows + down, columns + right] = np.arange(1, len(ids) + 1)
    cv2.watershed(colors >> _LOST_BITS, markers)
    gray: Any = cv2.cvtColor(colors, cv2.COLOR_RGB2GRAY)
    _fill_lines(markers, gray)
    return ids.astype(np.int32)[markers[1:-1, 1:-1] - 1]


def _fill_lines(labels: Labels, gray: NDArray[np.uint8]) -> None:
    """Give the lines that a watershed leaves (-1) to the neighbours most like them.

    The outermost pixels count as a frame and are never filled.
    """
    np.maximum(labels, 0, out=labels)
    inside = np.ones(labels.shape, np.bool_)
    inside[[0, -1]] = inside[:, [0, -1]] = False
    flat, values = labels.reshape(-1), gray.reshape(-1).astype(np.int16)
    empty = np.flatnonzero((labels == 0) & inside)
    while len(empty):
        least = np.full(len(empty), 1 << 14, np.int16)
        found = np.zeros(len(empty), np.int32)
        for step in (-1, 1, -labels.shape[1], labels.shape[1]):
            label, difference = flat[empty + step], np.abs(values[empty + step] - values[empty])
            is_better = (label > 0) & (difference < least)
            np.copyto(least, difference, where=is_better)
            np.copyto(found, label, where=is_better)
        flat[empty] = found
        empty = empty[found == 0]


def _pixels_along(points: ArrayLike, height: int, width: int) -> tuple[Ints, Ints]:
    """Rows and columns of the pixels inside the image at each half pixel of a polyline.

    Raises:
        ValueError: a point is no finite number.
    """
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    if not np.isfinite(corners).all():
        raise ValueError(f"a stroke through {corners.tolist()}")
    places = np.concatenate([corners[:1], *_between(corners)])
    columns, rows = np.floor(places).astype(np.int64).T
    is_inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return rows[is_inside], columns[is_inside]


def _between(corners: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Points half a pixel apart along each piece, its end included."""
    for start, end in pairwise(corners):
        n_steps = max(int(np.ceil(2 * np.abs(end - start).max())), 1)
        share = np.arange(1, n_steps + 1)[:, None] / n_steps
        yield start + share * (end - start)


def _side(down: int, right: int) -> tuple[slice, slice]:
    """The outermost row or column of a tile in the direction of a step."""
    sides = {-1: slice(0, 1), 0: slice(None), 1: slice(-1, None)}
    return sides[down], sides[right]
