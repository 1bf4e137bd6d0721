"""Draw the visible part of an image at the screen's resolution; NumPy and OpenCV only.

Only device pixels are ever computed, so the cost depends on the size of the window and not on
that of the image.
"""

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.viewport import Viewport
from core.images import Rgb
from core.panoptic import Rect

Pixels = NDArray[np.uint32]  # [m, n], 0xAARRGGBB, premultiplied
COARSEST_SIDE: Final = 512


class ImageLayer:
    """An image in halves of its size, of which the one nearest to the zoom is drawn.

    The halves take a third of the image's memory: 4 bytes a pixel for the whole of an RGB one.
    """

    def __init__(self, image: Rgb) -> None:
        """Keep the image, uint8 [H, W, 3] RGB, and make its smaller levels."""
        self.size = (int(image.shape[0]), int(image.shape[1]))
        self._levels: list[Rgb] = [image]
        while max(self._levels[-1].shape[:2]) > COARSEST_SIDE:
            height, width = self._levels[-1].shape[:2]
            half = (max(width // 2, 1), max(height // 2, 1))
            self._levels.append(
                np.asarray(
                    cv2.resize(self._levels[-1], half, interpolation=cv2.INTER_AREA), np.uint8
                )
            )

    @property
    def pixels(self) -> Rgb:
        """The image in its own size."""
        return self._levels[0]

    def render(self, view: Viewport, area: Rect) -> Pixels:
        """The device pixels of `area`; those outside the image repeat its border.

        A device pixel is the same whatever area it is drawn with.
        """
        sample = self._sample_blocks if view.scale >= 1 else self._sample_smooth
        colors = cv2.cvtColor(sample(view, area), cv2.COLOR_RGB2BGRA)
        pixels: Pixels = colors.view(np.uint32)[..., 0]
        return pixels

    def _sample_blocks(self, view: Viewport, area: Rect) -> NDArray[Any]:
        """Every image pixel as a sharp square."""
        rows, columns = view.cells(area, self.size, self.size)
        part = self._levels[0][rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return part.take(rows - rows[0], axis=0).take(columns - columns[0], axis=1)

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
        # An affine warp would be as fast, but it rounds places by the corner that it begins at.
        return cv2.remap(
            part,
            np.ascontiguousarray(np.broadcast_to(columns, size)),
            np.ascontiguousarray(np.broadcast_to(rows[:, None], size)),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _step(self, view: Viewport, level: Rgb, axis: int) -> float:
        """Pixels of a level for each device pixel."""
        return level.shape[axis] / self.size[axis] / view.scale


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
