"""Where the image lies on the canvas: the one place for coordinates.

*Image pixels* are the map's columns and rows, (0, 0) at the outer corner of the first pixel.
*Device pixels* are the screen's own, counted from the canvas's corner, so one image pixel is
one screen pixel at a scale of 1 whatever the display's scaling.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.panoptic import Rect

MIN_SCALE: Final = 1 / 64
MAX_SCALE: Final = 64.0
FIT_SHARE: Final = 0.97  # of the canvas, so that the image's border is seen


@dataclass(frozen=True, slots=True)
class Viewport:
    """device = offset + scale * image, on both axes.

    Attributes:
        scale: device pixels per image pixel.
        left: device x of the image's left edge; whole, so that panning moves whole pixels.
        top: device y of its upper edge.
    """

    scale: float = 1.0
    left: int = 0
    top: int = 0

    @classmethod
    def fitted(cls, image: tuple[int, int], canvas: tuple[int, int]) -> "Viewport":
        """Show a whole image in the middle of a canvas; both sizes are (height, width)."""
        scale = FIT_SHARE * min(canvas[0] / image[0], canvas[1] / image[1])
        return cls._centred(_within_limits(scale), image, canvas)

    @classmethod
    def _centred(
        cls, scale: float, image: tuple[int, int], canvas: tuple[int, int]
    ) -> "Viewport":
        left = round((canvas[1] - scale * image[1]) / 2)
        top = round((canvas[0] - scale * image[0]) / 2)
        return cls(scale, left, top)

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """The image position (x, y) of a device position."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def to_device(self, x: float, y: float) -> tuple[float, float]:
        """The device position (x, y) of an image position."""
        return self.left + self.scale * x, self.top + self.scale * y

    def to_device_rect(self, rect: Rect) -> Rect:
        """The device pixels that a rectangle of image pixels touches."""
        left, top = self.to_device(rect.left, rect.top)
        right, bottom = self.to_device(rect.right, rect.bottom)
        return Rect(math.floor(top), math.floor(left), math.ceil(bottom), math.ceil(right))

    def cells(
        self, area: Rect, size: tuple[int, int], grid: tuple[int, int]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Row and column of the grid cell under the centre of each device pixel of an area.

        Args:
            area: device pixels.
            size: (height, width) of the image.
            grid: (rows, columns) of a grid that is stretched over the image; cells beside it
                are replaced by those at its border.
        """
        rows = (np.arange(area.top, area.bottom) + 0.5 - self.top) / self.scale
        columns = (np.arange(area.left, area.right) + 0.5 - self.left) / self.scale
        return _floor(rows, size[0], grid[0]), _floor(columns, size[1], grid[1])

    def zoomed(self, factor: float, x: float, y: float) -> "Viewport":
        """Magnify around a device position, which stays over the same spot of the image."""
        scale = _within_limits(self.scale * factor)
        image_x, image_y = self.to_image(x, y)
        return Viewport(scale, round(x - scale * image_x), round(y - scale * image_y))

    def moved(self, x: int, y: int) -> "Viewport":
        """Shift the image by device pixels."""
        return replace(self, left=self.left + x, top=self.top + y)

    def kept_in(self, image: tuple[int, int], canvas: tuple[int, int]) -> "Viewport":
        """Move the image so far that its middle or more than a corner can still be seen."""
        height, width = (self.scale * side for side in image)
        slack_y, slack_x = (min(side / 4, 64) for side in canvas)
        left = min(max(self.left, slack_x - width), canvas[1] - slack_x)
        top = min(max(self.top, slack_y - height), canvas[0] - slack_y)
        return Viewport(self.scale, round(left), round(top))


def _within_limits(scale: float) -> float:
    return min(max(scale, MIN_SCALE), MAX_SCALE)


def _floor(places: NDArray[Any], length: int, n_cells: int) -> NDArray[np.intp]:
    cells = np.floor(places * (n_cells / length)).astype(np.intp)
    return np.clip(cells, 0, n_cells - 1)
