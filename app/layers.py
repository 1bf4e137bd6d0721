"""Draw the visible part of a map at the screen's resolution; NumPy only.

Only device pixels are ever computed, so the cost depends on the size of the window and not on
that of the image, and outlines are one device pixel wide at every zoom.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.image_layer import Pixels
from app.viewport import Viewport
from core.panoptic import VOID, Ids, Rect, Segment

SHIFT: Final = 2  # a coarse copy has every fourth row and column of the next finer one,
HALF: Final = 1 << (SHIFT - 1)  # beginning here, so that it holds the middles of squares
N_COARSE: Final = 2
HIGHLIGHT: Final = 0xD2D2D2D2  # white, premultiplied


@dataclass(slots=True, eq=False)
class MapLayer:
    """A map's ids, and for small scales copies of every fourth and every sixteenth of them.

    At 1/16 a screen of device pixels lies on ids that are far apart in the memory; a copy of
    those alone is read ten times as fast. It takes an eighth of a byte for each id and is made
    when such a scale is first drawn.

    Attributes:
        ids: uint16 [h, w]; whoever changes it calls `follow`.
    """

    ids: Ids
    _coarse: list[Ids] = field(default_factory=list, init=False, repr=False)

    def follow(self, rect: Rect) -> None:
        """Bring the copies up to date where the ids have changed."""
        finer = self.ids
        for level in self._coarse:
            rect = Rect(
                rect.top >> SHIFT,
                rect.left >> SHIFT,
                (rect.bottom >> SHIFT) + 1,
                (rect.right >> SHIFT) + 1,
            )
            level[rect.slices] = _every_fourth(finer)[rect.slices]
            finer = level

    def sample(
        self, size: tuple[int, int], view: Viewport, area: Rect, draft: "Draft | None" = None
    ) -> Ids:
        """The id under the centre of each device pixel; at small scales, of one close to it.

        Args:
            size: (height, width) of the image that the ids are stretched over.
            draft: painted over the ids; of their size.
        """
        grid = self.ids.shape[0], self.ids.shape[1]
        places = view.cells(area, size, grid)
        step = min(grid[0] / size[0], grid[1] / size[1]) / view.scale
        n_levels = min(int(math.log2(max(step, 1))) // SHIFT, N_COARSE)
        level, n_levels = self._level(n_levels)
        shift, middle = SHIFT * n_levels, sum(HALF << SHIFT * i for i in range(n_levels))
        rows, columns = (
            np.minimum(cells >> shift, length - 1)
            for cells, length in zip(places, level.shape, strict=True)
        )
        shown: Ids = _take(level, rows, columns)
        if draft is not None:
            painted = VOID if draft.segment is None else draft.segment.id
            for segment_id in draft.joined:
                shown[shown == segment_id] = painted
            draft.paint(shown, painted, (rows << shift) + middle, (columns << shift) + middle)
        return shown

    def _level(self, number: int) -> tuple[Ids, int]:
        """Every 4**number-th row and column; a small map has fewer levels."""
        while len(self._coarse) < number:
            finer = self._coarse[-1] if self._coarse else self.ids
            if min(finer.shape) <= HALF:
                break
            self._coarse.append(_every_fourth(finer).copy())
        number = min(number, len(self._coarse))
        return (self._coarse[number - 1] if number else self.ids), number


def _every_fourth(ids: Ids) -> Ids:
    return ids[HALF :: 1 << SHIFT, HALF :: 1 << SHIFT]


@dataclass(slots=True, eq=False)
class Draft:
    """What a gesture has painted so far and not yet made an edit of.

    Attributes:
        segment: what the painted pixels will belong to; None for void.
        where: bool [H, W], the painted pixels.
        joined: ids of segments of which all pixels are painted.
        dirty: the part of the image that the last step may have changed.
        reached: what holds all painted pixels, the whole image until somebody knows better;
            nothing else of `where` is read, so that a large one takes no memory.
        line: (x, y) in image pixels, drawn over the map.
        is_area: whether the line goes back to its start and what it encloses is meant.
        is_dashed: whether the line is drawn as of something taken away.
    """

    segment: Segment | None
    where: NDArray[np.bool_]
    joined: frozenset[int] = frozenset()
    dirty: Rect = Rect(0, 0, 0, 0)
    reached: Rect | None = None
    line: Sequence[tuple[float, float]] = ()
    is_area: bool = False
    is_dashed: bool = False
    _shown: Rect = Rect(0, 0, 0, 0)

    @property
    def whole(self) -> Rect:
        """All of the image."""
        height, width = self.where.shape
        return Rect(0, 0, height, width)

    def show(self, rect: Rect, covered: NDArray[np.bool_]) -> None:
        """Have these pixels [m, n] of a rectangle painted, in place of those shown before."""
        self.where[self._shown.slices] = False
        self.where[rect.slices] = covered
        self.dirty = rect.united(self._shown)
        self._shown = rect

    def paint(
        self, shown: Ids, segment_id: int, rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> None:
        """Write an id over those that are shown, where the draft has painted.

        Args:
            shown: uint16 [m, n], is changed.
            segment_id: of the painted pixels.
            rows: [m] of the draft, ascending.
            columns: [n] of it, ascending.
        """
        reached = self.whole if self.reached is None else self.reached
        inside = (
            slice(*np.searchsorted(rows, (reached.top, reached.bottom))),
            slice(*np.searchsorted(columns, (reached.left, reached.right))),
        )
        if shown[inside].size:
            is_painted = _take(self.where, rows[inside[0]], columns[inside[1]])
            shown[inside][is_painted] = segment_id


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

    def recolors_any_of(self, before: "MapColors") -> bool:
        """Whether a segment that was drawn before, and still is, looks different now."""
        is_different = (self.line != before.line) | (self.fill != before.fill)
        return bool((is_different & (self.line != 0) & (before.line != 0)).any())


def sample_map(
    layer: MapLayer,
    size: tuple[int, int],
    view: Viewport,
    area: Rect,
    *,
    draft: Draft | None = None,
    reach: int = 0,
) -> Ids:
    """The segment under each device pixel of `area` and of a border around it.

    Args:
        layer: stretched over the image.
        size: (height, width) of the image.
        draft: painted over the ids; of their size.
        reach: device pixels that the border is wide.

    Returns:
        uint16 [m, n], void outside the image.
    """
    wide = Rect(area.top - reach, area.left - reach, area.bottom + reach, area.right + reach)
    shown = layer.sample(size, view, wide, draft)
    _clear_outside(shown, size, view, wide)
    return shown


def color_map(shown: Ids, colors: MapColors, line_width: int = 1) -> Pixels:
    """Colour device pixels by their segments.

    Args:
        shown: uint16 [m, n], with a border of `line_width + 1` around what is wanted.
        line_width: device pixels of an outline, on the inner side of each border.

    Returns:
        uint32, without the border.
    """
    reach = line_width + 1
    pixels = colors.fill.take(shown)
    edge = _edges(shown, line_width)
    pixels[edge] = colors.line.take(shown[edge])
    if colors.selected_id:
        box, frame = _frame(shown, colors.selected_id, line_width + 1)
        pixels[box.slices][frame] = colors.line[colors.selected_id]
    return pixels[reach:-reach, reach:-reach]


def highlight(shown: Ids, segment_id: int, width: int) -> tuple[Rect, Pixels]:
    """Mark a segment by a line; a tint would make its pixels hard to judge.

    Args:
        shown: uint16 [m, n], the ids under device pixels.
        segment_id: of the segment.
        width: device pixels of the line, on the inner side of the border.

    Returns:
        The rectangle of device pixels around what is seen of it, and their colours, to be
        drawn over the map.
    """
    box, frame = _frame(shown, segment_id, width)
    return box, frame * np.uint32(HIGHLIGHT)


def _frame(shown: Ids, segment_id: int, width: int) -> tuple[Rect, NDArray[np.bool_]]:
    """Where a segment is seen, and which pixels of that rectangle are at its border."""
    is_there = shown == segment_id
    rows, columns = (np.flatnonzero(is_there.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_)
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    box = Rect(int(top) - width, int(left) - width, int(bottom) + width, int(right) + width)
    box = box.clipped(*is_there.shape)
    is_there = is_there[box.slices]
    return box, is_there & _edges(is_there, width)


def _take(
    grid: NDArray[Any], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[Any]:
    part = grid[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    # `take` along the first axis would copy all of a part that is not contiguous.
    return part[rows - rows[0]].take(columns - columns[0], axis=1)


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
