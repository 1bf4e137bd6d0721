"""The pixels of the canvas: a picture and a map over it, drawn anew only where they changed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

import numpy as np
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QImage, QPainter

from app.author_tint import Tint
from app.image_layer import GRID_SCALE, ImageLayer, Pixels, draw_grid
from app.layers import Draft, MapColors, MapLayer, color_map, highlight, sample_map
from app.tone import PLAIN, Tone
from app.viewport import Viewport
from core.panoptic import VOID, Ids, Rect

NOTHING: Final = Rect(0, 0, 0, 0)
KINDS: Final = QImage.Format.Format_RGB32, QImage.Format.Format_ARGB32_Premultiplied
MANY: Final = 100_000  # device pixels of a picture that are worth a second thread
MAX_STALE: Final = 4  # rectangles; more of them are drawn as one

# Draws a picture while the map is drawn: NumPy and OpenCV let go of the interpreter meanwhile.
_HELPER: Final = ThreadPoolExecutor(1, "picture")


@dataclass(slots=True, eq=False)
class Scene:
    """What there is to see.

    Attributes:
        image: the picture; None draws nothing at all.
        map: stretched over the image; None draws the picture alone.
        colors: of the map.
        tint: laid under what is drawn of the map.
        draft: painted over the map.
        highlighted_id: the segment that is marked over the map; 0 for none.
        tone: of the picture.
        has_grid: whether lines part magnified pixels.
        view: where the image lies, in device pixels.
        background: 0xAARRGGBB, around the image.
        line_width: of outlines, in device pixels.
    """

    image: ImageLayer | None = None
    map: MapLayer | None = None
    colors: MapColors | None = None
    tint: Tint | None = None
    draft: Draft | None = None
    highlighted_id: int = VOID
    tone: Tone = PLAIN
    has_grid: bool = True
    view: Viewport = Viewport()
    background: int = 0
    line_width: int = 1


class Screen:
    """Two buffers of the canvas's size in device pixels."""

    def __init__(self) -> None:
        self._ratio = 1.0
        self._highlight: QImage | None = None
        self._highlight_rect = NOTHING
        self._shown: Ids | None = None  # under all device pixels, while they are known
        self._make_buffers(1, 1)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in device pixels."""
        return self._whole.bottom, self._whole.right

    def resize(self, height: int, width: int, ratio: float) -> None:
        """Fit a canvas of that many device pixels, `ratio` of them to one of Qt's."""
        if (height, width) != self.size or ratio != self._ratio:
            self._ratio = ratio
            self._make_buffers(max(height, 1), max(width, 1))

    def spoil_all(self) -> None:
        """Everything has to be drawn anew: another image, or another view of it."""
        self._picture.spoil(self._whole)
        self.spoil_map()

    def spoil_picture(self) -> None:
        """The picture has to be drawn anew: its tone is another."""
        self._picture.spoil(self._whole)

    def spoil_map(self, rect: Rect | None = None) -> None:
        """The map has to be drawn anew in a rectangle of device pixels, or everywhere."""
        self._overlay.spoil(self._whole if rect is None else rect.clipped(*self.size))
        self._shown = None
        self._has_stale_highlight = True

    def scroll(self, x: int, y: int) -> None:
        """The view has moved by device pixels: only what comes into it has to be drawn."""
        self._picture.scroll(x, y)
        self._overlay.scroll(x, y)
        self._shown = None
        self._has_stale_highlight = True

    def draw_highlight(self, scene: Scene) -> Rect:
        """Mark the scene's highlighted segment, or none, where it is in the map now.

        Returns:
            The device pixels that look different then.
        """
        before, self._highlight_rect, self._highlight = self._highlight_rect, NOTHING, None
        self._has_stale_highlight = False
        if scene.highlighted_id and scene.image is not None and scene.map is not None:
            shown = self._shown
            if shown is None:
                shown = sample_map(scene.map, scene.image.size, scene.view, self._whole)
            rect, pixels = highlight(shown, scene.highlighted_id, scene.line_width + 1)
            if not rect.is_empty:
                self._highlight_rect = rect
                self._highlight = _to_image(pixels, self._ratio, KINDS[1])
        return before.united(self._highlight_rect)

    def draw(self, painter: QPainter, scene: Scene, *, with_map: bool) -> None:
        """Bring the buffers up to date and put them on a widget."""
        areas = self._picture.take_stale()
        n_pixels = sum((area.bottom - area.top) * (area.right - area.left) for area in areas)
        other = _HELPER.submit(self._draw_picture, scene, areas) if n_pixels > MANY else None
        for area in self._overlay.take_stale():
            self._draw_map(scene, area)
        if self._has_stale_highlight:
            self.draw_highlight(scene)
        if other is None:
            self._draw_picture(scene, areas)
        else:
            other.result()
        painter.drawImage(QPoint(0, 0), self._picture.image)
        if with_map:
            painter.drawImage(QPoint(0, 0), self._overlay.image)
            if self._highlight is not None:
                rect, ratio = self._highlight_rect, self._ratio
                painter.drawImage(QPointF(rect.left / ratio, rect.top / ratio), self._highlight)

    def _make_buffers(self, height: int, width: int) -> None:
        self._whole = Rect(0, 0, height, width)
        self._picture = _Buffer.of_size(height, width, self._ratio, KINDS[0])
        self._overlay = _Buffer.of_size(height, width, self._ratio, KINDS[1])
        self._shown = None
        self._has_stale_highlight = True

    def _draw_picture(self, scene: Scene, areas: Sequence[Rect]) -> None:
        pixels = self._picture.pixels
        for area in areas:
            pixels[area.slices] = scene.background
            if scene.image is None:
                continue
            inside = _common(scene.view.to_device_rect(Rect(0, 0, *scene.image.size)), area)
            if not inside.is_empty:
                shown = scene.image.render(scene.view, inside, scene.tone)
                if scene.has_grid and scene.view.scale >= GRID_SCALE:
                    draw_grid(shown, scene.view, inside, scene.image.size)
                pixels[inside.slices] = shown

    def _draw_map(self, scene: Scene, area: Rect) -> None:
        pixels = self._overlay.pixels
        if scene.image is None or scene.map is None or scene.colors is None:
            pixels[area.slices] = 0
            return
        reach = scene.line_width + 1
        shown = sample_map(
            scene.map, scene.image.size, scene.view, area, draft=scene.draft, reach=reach
        )
        colored = color_map(shown, scene.colors, scene.line_width)
        if scene.tint is not None:
            tinted = scene.tint.render(scene.image.size, scene.view, area)
            colored = np.where(colored == 0, tinted, colored)
        pixels[area.slices] = colored
        if area == self._whole and scene.draft is None:
            self._shown = shown[reach:-reach, reach:-reach]


@dataclass(slots=True, eq=False)
class _Buffer:
    """An image of the canvas's size, and which parts of it have to be drawn anew."""

    pixels: Pixels
    image: QImage
    _stale: list[Rect] = field(default_factory=list)

    @classmethod
    def of_size(cls, height: int, width: int, ratio: float, kind: QImage.Format) -> "_Buffer":
        """An image that reads its array's memory, whatever is written to it later."""
        pixels: Pixels = np.zeros((height, width), np.uint32)
        return cls(pixels, _to_image(pixels, ratio, kind), [Rect(0, 0, height, width)])

    def spoil(self, rect: Rect) -> None:
        if rect.is_empty:
            return
        self._stale = [old for old in self._stale if _common(old, rect) != old] + [rect]
        if len(self._stale) > MAX_STALE:
            self._stale = [reduce(Rect.united, self._stale)]

    def take_stale(self) -> list[Rect]:
        """What has to be drawn; it is up to date then."""
        stale, self._stale = self._stale, []
        return stale

    def scroll(self, x: int, y: int) -> None:
        height, width = self.pixels.shape
        if abs(y) >= height or abs(x) >= width:
            self.spoil(Rect(0, 0, height, width))
            return
        flat, shift = self.pixels.reshape(-1), y * width + x
        if shift > 0:
            flat[shift:] = flat[:-shift]
        elif shift < 0:
            flat[:shift] = flat[-shift:]
        stale, self._stale = self._stale, []
        for old in stale:
            moved = Rect(old.top + y, old.left + x, old.bottom + y, old.right + x)
            self.spoil(moved.clipped(height, width))
        # What left a row on one side has come into the next on the other; it is drawn over.
        self.spoil(Rect(0, 0, height, x) if x > 0 else Rect(0, width + x, height, width))
        self.spoil(Rect(0, 0, y, width) if y > 0 else Rect(height + y, 0, height, width))


def _to_image(pixels: Pixels, ratio: float, kind: QImage.Format) -> QImage:
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, 4 * width, kind)
    image.setDevicePixelRatio(ratio)
    return image


def _common(first: Rect, second: Rect) -> Rect:
    """What lies in both; empty rectangles need not be equal."""
    return Rect(
        max(first.top, second.top),
        max(first.left, second.left),
        min(first.bottom, second.bottom),
        min(first.right, second.right),
    )
