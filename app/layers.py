"""Draw the visible part of an image and of a map at the screen's resolution; NumPy only.

Only device pixels are ever computed, so the cost depends on the size of the window and not on
that of the image, and outlines are one device pixel wide at every zoom.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.viewport import Viewport
from core.images import Rgb
from core.panoptic import VOID, Ids, Rect, Segment

Pixels = NDArray[np.uint32]  # [m, n], 0xAARRGGBB, premultiplied
COARSEST_SIDE: Final = 512


class ImageLayer:
    """An image in halves of its size, of which the one nearest to the zoom is drawn."""

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
        """The device pixels of `area`; those outside the image repeat its border."""
        if view.scale >= 1:
            return self._render_blocks(view, area)
        return self._render_smooth(view, area)

    def _render_blocks(self, view: Viewport, area: Rect) -> Pixels:
        """Every image pixel as a sharp square."""
        rows, columns = _cells(view, area, self.size, self.size)
        part = self._levels[0][rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        colors = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2BGRA)
        pixels: Pixels = colors.view(np.uint32)[..., 0]
        return pixels.take(rows - rows[0], axis=0).take(columns - columns[0], axis=1)

    def _render_smooth(self, view: Viewport, area: Rect) -> Pixels:
        """The level just finer than the screen, interpolated."""
        halvings = min(int(math.log2(1 / view.scale)), len(self._levels) - 1)
        level = self._levels[halvings]
        step_y = level.shape[0] / self.size[0] / view.scale
        step_x = level.shape[1] / self.size[1] / view.scale
        # Device pixel centres, written in the level's pixels whose centres are whole numbers.
        from_device = np.array(
            [
                [step_x, 0, (area.left + 0.5 - view.left) * step_x - 0.5],
                [0, step_y, (area.top + 0.5 - view.top) * step_y - 0.5],
            ]
        )
        shown = cv2.warpAffine(
            level,
            from_device,
            (area.right - area.left, area.bottom - area.top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return cv2.cvtColor(shown, cv2.COLOR_RGB2BGRA).view(np.uint32)[..., 0]


@dataclass(slots=True, eq=False)
class Draft:
    """What a gesture has painted so far and not yet made an edit of.

    Attributes:
        segment: what the painted pixels will belong to; None for void.
        where: bool [H, W], the painted pixels.
        dirty: the part of `where` that the last step may have changed.
        line: (x, y) in image pixels, drawn over the map.
        is_area: whether the line goes back to its start and what it encloses is meant.
        is_dashed: whether the line is drawn as of something taken away.
    """

    segment: Segment | None
    where: NDArray[np.bool_]
    dirty: Rect = Rect(0, 0, 0, 0)
    line: Sequence[tuple[float, float]] = ()
    is_area: bool = False
    is_dashed: bool = False
    _shown: Rect = Rect(0, 0, 0, 0)

    def show(self, rect: Rect, covered: NDArray[np.bool_]) -> None:
        """Have these pixels [m, n] of a rectangle painted, in place of those shown before."""
        self.where[self._shown.slices] = False
        self.where[rect.slices] = covered
        self.dirty = rect.united(self._shown)
        self._shown = rect


@dataclass(frozen=True, slots=True, eq=False)
class MapColors:
    """Colour tables of a map.

    Attributes:
        fill: [65536] premultiplied colour of the inside of each segment id.
        line: [65536] premultiplied colour of its outline.
        selected_id: the segment whose outline is drawn twice as wide; 0 for none.
    """

    fill: Pixels
    line: Pixels
    selected_id: int = VOID


def render_map(
    ids: Ids,
    size: tuple[int, int],
    view: Viewport,
    area: Rect,
    colors: MapColors,
    *,
    draft: Draft | None = None,
    line_width: int = 1,
) -> Pixels:
    """Colour the device pixels of `area` by the segments under them.

    Args:
        ids: uint16 [h, w], stretched over the image.
        size: (height, width) of the image.
        draft: painted over the ids; of the image's size.
        line_width: device pixels of an outline, on the inner side of each border.

    Returns:
        uint32 [m, n] of the area's size, transparent outside the image.
    """
    reach = line_width + 1
    wide = Rect(area.top - reach, area.left - reach, area.bottom + reach, area.right + reach)
    shown = _sample(ids, size, view, wide)
    if draft is not None:
        is_painted = _sample(draft.where, size, view, wide)
        shown[is_painted] = VOID if draft.segment is None else draft.segment.id
    _clear_outside(shown, size, view, wide)
    pixels = colors.fill.take(shown)
    edge = _edges(shown, line_width)
    pixels[edge] = colors.line.take(shown[edge])
    if colors.selected_id:
        is_selected = shown == colors.selected_id
        frame = is_selected & _edges(is_selected, line_width + 1)
        pixels[frame] = colors.line[colors.selected_id]
    return pixels[reach:-reach, reach:-reach]


def _cells(
    view: Viewport, area: Rect, size: tuple[int, int], grid: tuple[int, int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of the grid cell under the centre of each device pixel, kept inside."""
    rows = (np.arange(area.top, area.bottom) + 0.5 - view.top) / view.scale
    columns = (np.arange(area.left, area.right) + 0.5 - view.left) / view.scale
    return _floor(rows, size[0], grid[0]), _floor(columns, size[1], grid[1])


def _floor(places: NDArray[Any], length: int, n_cells: int) -> NDArray[np.intp]:
    cells = np.floor(places * (n_cells / length)).astype(np.intp)
    return np.clip(cells, 0, n_cells - 1)


def _sample(
    grid: NDArray[Any], size: tuple[int, int], view: Viewport, area: Rect
) -> NDArray[Any]:
    rows, columns = _cells(view, area, size, (grid.shape[0], grid.shape[1]))
    part = grid[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return part.take(rows - rows[0], axis=0).take(columns - columns[0], axis=1)


def _clear_outside(shown: Ids, size: tuple[int, int], view: Viewport, area: Rect) -> None:
    """Make device pixels beyond the image void."""
    whole = view.to_device_rect(Rect(0, 0, *size))
    top, left = max(whole.top - area.top, 0), max(whole.left - area.left, 0)
    bottom, right = max(whole.bottom - area.top, 0), max(whole.right - area.left, 0)
    shown[:top] = VOID
    shown[bottom:] = VOID
    shown[:, :left] = VOID
    shown[:, right:] = VOID


def _edges(labels: NDArray[Any], width: int) -> NDArray[np.bool_]:
    """Pixels with another label at most `width` pixels up, down, left or right."""
    edge = np.zeros(labels.shape, np.bool_)
    for step in range(1, width + 1):
        across = labels[step:] != labels[:-step]
        edge[step:] |= across
        edge[:-step] |= across
        along = labels[:, step:] != labels[:, :-step]
        edge[:, step:] |= along
        edge[:, :-step] |= along
    return edge
