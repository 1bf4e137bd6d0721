"""Draw the visible part of an image at the screen's resolution; NumPy and OpenCV only.

Only device pixels are ever computed, so the cost depends on the size of the window and not on
that of the image.
"""

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.tone import PLAIN, Tone, ValueRanges, make_curve
from app.viewport import Viewport
from core.images import Rgb, Values
from core.panoptic import Rect

Pixels = NDArray[np.uint32]  # [m, n], 0xAARRGGBB, premultiplied
COARSEST_SIDE: Final = 512
GRID_SCALE: Final = 8.0  # device pixels of an image pixel from which on a grid is drawn
GRID_STEP: Final = 32  # levels of brightness
DRAWABLE: Final = (np.uint8, np.uint16, np.float32, np.float64)


class ImageLayer:
    """An image in halves of its size, of which the one nearest to the zoom is drawn.

    The halves take a third of the values' memory. In all that is 4 bytes a pixel for an image
    of 8 bits, 5.7 for grey of 16 bits and 11 for colours of 16 bits, of which 3 are the image
    that tools and model see; while the file is read, 7, 6 and 15 at most, besides the file.

    Attributes:
        pixels: uint8 [H, W, 3] RGB.
        values: what the file stores, [H, W] or [H, W, 3] of any kind of number.
        size: (height, width).
    """

    def __init__(self, pixels: Rgb, values: Values | None = None) -> None:
        """Keep an image and its values, by default the image's own, and make smaller levels."""
        self.pixels = pixels
        self.values = pixels if values is None else values
        self.size = (int(pixels.shape[0]), int(pixels.shape[1]))
        self._levels = [to_drawable(self.values)]
        while max(self._levels[-1].shape[:2]) > COARSEST_SIDE:
            height, width = self._levels[-1].shape[:2]
            half = (max(width // 2, 1), max(height // 2, 1))
            self._levels.append(
                cv2.resize(self._levels[-1], half, interpolation=cv2.INTER_AREA)
            )
        self._ranges = ValueRanges(self._levels[0])
        self._tone = PLAIN
        self._curve = make_curve(self._tone, self._ranges)

    def render(self, view: Viewport, area: Rect, tone: Tone = PLAIN) -> Pixels:
        """The device pixels of `area`; those outside the image repeat its border.

        A device pixel is the same whatever area it is drawn with.
        """
        if tone != self._tone:
            self._tone, self._curve = tone, make_curve(tone, self._ranges)
        if view.scale < 1:
            return self._to_pixels(self._sample_smooth(view, area))
        # Every image pixel is a sharp square, and so coloured once.
        rows, columns = view.cells(area, self.size, self.size)
        part = self._levels[0][rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        pixels = self._to_pixels(part)
        return pixels.take(rows - rows[0], axis=0).take(columns - columns[0], axis=1)

    def _to_pixels(self, values: Values) -> Pixels:
        seen = self._curve.apply(values)
        way = cv2.COLOR_GRAY2BGRA if seen.ndim == 2 else cv2.COLOR_RGB2BGRA
        pixels: Pixels = cv2.cvtColor(seen, way).view(np.uint32)[..., 0]
        return pixels

    def _sample_smooth(self, view: Viewport, area: Rect) -> NDArray[Any]:
        """The level just finer than the screen, interpolated."""
        halvings = min(int(math.log2(1 / view.scale)), len(self._levels) - 1)
        level = self._levels[halvings]
        n_rows, n_columns = level.shape[:2]
        top, rows = _centres(
            area.top, area.bottom, view.top, self._step(view, level, 0), n_rows
        )
        left, columns = _centres(
            area.left, area.right, view.left, self._step(view, level, 1), n_columns
        )
        part = level[top : top + int(rows[-1]) + 2, left : left + int(columns[-1]) + 2]
        size = len(rows), len(columns)
        # OpenCV interpolates four channels in less than half of the time of three.
        is_padded = part.ndim == 3 and part.dtype != np.float64
        # An affine warp would be no faster, and it rounds places by the corner it begins at.
        shown = cv2.remap(
            cv2.cvtColor(part, cv2.COLOR_RGB2RGBA) if is_padded else part,
            np.ascontiguousarray(np.broadcast_to(columns, size)),
            np.ascontiguousarray(np.broadcast_to(rows[:, None], size)),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return cv2.cvtColor(shown, cv2.COLOR_RGBA2RGB) if is_padded else shown

    def _step(self, view: Viewport, level: Values, axis: int) -> float:
        """Pixels of a level for each device pixel."""
        return level.shape[axis] / self.size[axis] / view.scale


def draw_grid(pixels: Pixels, view: Viewport, area: Rect, size: tuple[int, int]) -> None:
    """Part image pixels by lines, a little brighter than dark ones, darker than bright ones.

    Args:
        pixels: of the area, drawn; changed in place.
        view: at a scale of `GRID_SCALE` or more.
        area: device pixels.
        size: (height, width) of the image.
    """
    before = Rect(area.top - 1, area.left - 1, area.bottom, area.right)
    rows, columns = (np.flatnonzero(np.diff(cells)) for cells in view.cells(before, size, size))
    pixels[rows] = _contrasted(pixels[rows])
    is_crossing = np.zeros(pixels.shape[0], np.bool_)
    is_crossing[rows] = True
    crossed = pixels[:, columns]
    pixels[:, columns] = np.where(is_crossing[:, None], crossed, _contrasted(crossed))


def _contrasted(pixels: Pixels) -> Pixels:
    channels = np.ascontiguousarray(pixels).view(np.uint8).reshape(*pixels.shape, 4)
    is_bright = channels[..., 1:2] >= 128  # green makes most of the brightness
    shifted = channels.astype(np.int16) + np.where(is_bright, -GRID_STEP, GRID_STEP)
    shifted[..., 3] = 255
    return np.clip(shifted, 0, 255).astype(np.uint8).view(np.uint32)[..., 0]


def to_drawable(values: Values) -> Values:
    """Values of a kind that OpenCV scales; no display shows what float32 loses of integers."""
    return values if values.dtype in DRAWABLE else values.astype(np.float32)


def _centres(
    begin: int, end: int, offset: int, step: float, length: int
) -> tuple[int, NDArray[np.float32]]:
    """Centres of device pixels in a level's pixels, whose own centres are whole numbers.

    Returns:
        The first pixel that is needed, and float32 places counted from it, in the 32nds that
        OpenCV rounds to: it finds no pixel beyond the 32,767th of an image.
    """
    places = np.round(((np.arange(begin, end) + 0.5 - offset) * step - 0.5) * 32) / 32
    places = np.clip(places, 0, length - 1)
    first = math.floor(places[0])
    return first, (places - first).astype(np.float32)
