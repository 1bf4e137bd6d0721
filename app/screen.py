"""The pixels of the canvas: a picture and a map over it, drawn anew only where they changed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage, QPainter

from app.layers import Draft, ImageLayer, MapColors, Pixels, render_map
from app.viewport import Viewport
from core.panoptic import Ids, Rect

NOTHING: Final = Rect(0, 0, 0, 0)


@dataclass(slots=True, eq=False)
class Scene:
    """What there is to see.

    Attributes:
        image: the picture; None draws nothing at all.
        ids: uint16 [h, w], stretched over the image; None draws the picture alone.
        colors: of the ids.
        draft: painted over the ids.
        view: where the image lies, in device pixels.
        background: 0xAARRGGBB, around the image.
        line_width: of outlines, in device pixels.
    """

    image: ImageLayer | None = None
    ids: Ids | None = None
    colors: MapColors | None = None
    draft: Draft | None = None
    view: Viewport = Viewport()
    background: int = 0
    line_width: int = 1


class Screen:
    """Two buffers of the canvas's size in device pixels."""

    def __init__(self) -> None:
        self._ratio = 1.0
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
        self._is_picture_stale = True
        self._stale = self._whole

    def spoil_map(self, rect: Rect | None = None) -> None:
        """The map has to be drawn anew in a rectangle of device pixels, or everywhere."""
        rect = self._whole if rect is None else rect.clipped(*self.size)
        self._stale = self._stale.united(rect)

    def draw(self, painter: QPainter, scene: Scene, *, with_map: bool) -> None:
        """Bring the buffers up to date and put them on a widget."""
        if self._is_picture_stale:
            self._draw_picture(scene)
        if not self._stale.is_empty:
            self._draw_map(scene)
        painter.drawImage(QPoint(0, 0), self._picture)
        if with_map:
            painter.drawImage(QPoint(0, 0), self._overlay)

    def _make_buffers(self, height: int, width: int) -> None:
        self._whole = Rect(0, 0, height, width)
        self._picture_pixels = np.zeros((height, width), np.uint32)
        self._overlay_pixels = np.zeros((height, width), np.uint32)
        self._picture = self._to_qimage(self._picture_pixels, QImage.Format.Format_RGB32)
        self._overlay = self._to_qimage(
            self._overlay_pixels, QImage.Format.Format_ARGB32_Premultiplied
        )
        self.spoil_all()

    def _to_qimage(self, pixels: Pixels, kind: QImage.Format) -> QImage:
        """An image that reads the array's memory, whatever is written to it later."""
        height, width = pixels.shape
        image = QImage(pixels.data, width, height, 4 * width, kind)
        image.setDevicePixelRatio(self._ratio)
        return image

    def _draw_picture(self, scene: Scene) -> None:
        self._is_picture_stale = False
        self._picture_pixels[...] = scene.background
        if scene.image is None:
            return
        area = scene.view.to_device_rect(Rect(0, 0, *scene.image.size)).clipped(*self.size)
        if not area.is_empty:
            self._picture_pixels[area.slices] = scene.image.render(scene.view, area)

    def _draw_map(self, scene: Scene) -> None:
        area, self._stale = self._stale, NOTHING
        if scene.image is None or scene.ids is None or scene.colors is None:
            self._overlay_pixels[area.slices] = 0
            return
        self._overlay_pixels[area.slices] = render_map(
            scene.ids,
            scene.image.size,
            scene.view,
            area,
            scene.colors,
            draft=scene.draft,
            line_width=scene.line_width,
        )
