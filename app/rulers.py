"""Rulers: the columns and rows of the image along two edges of the canvas."""

import math
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.canvas import CanvasView
from app.theme import current_tones

GAP: Final = 12.0  # between a number and the next line, in the widget's pixels
WIDEST: Final = "000000"  # an image has no more columns
LEAST_MINOR: Final = 5.0
LINE_SHARE: Final = 0.35  # of the thickness, that the line of a small step has
FONT_SHARE: Final = 0.8


def find_step(scale: float, spacing: float) -> int:
    """The least step of 1, 2 or 5 times a power of ten that leaves room for its numbers.

    Args:
        scale: widget's pixels for each image pixel.
        spacing: widget's pixels that a number needs.
    """
    least = spacing / scale
    power = 10 ** max(math.floor(math.log10(least)), 0)
    return next((factor * power for factor in (1, 2, 5) if factor * power >= least), 10 * power)


def find_minor(step: int, scale: float) -> int:
    """The least whole part of a step whose lines can be told apart."""
    parts = (part for part in (10, 5, 4, 2) if step % part == 0)
    return next((step // part for part in parts if step // part * scale >= LEAST_MINOR), step)


class Ruler(QWidget):
    """One of the two rulers; a mark on it follows the mouse."""

    def __init__(
        self, canvas: CanvasView, orientation: Qt.Orientation, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._is_across = orientation == Qt.Orientation.Horizontal
        self._mark: float | None = None  # image position
        fixed, free = QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Ignored
        policies = (free, fixed) if self._is_across else (fixed, free)
        self.setSizePolicy(*policies)
        self.setAccessibleName("Columns" if self._is_across else "Rows")
        canvas.view_changed.connect(self.update)
        canvas.hovered.connect(self._on_hovered)

    def sizeHint(self) -> QSize:
        thickness = QFontMetrics(self._small_font()).height() + 4
        return QSize(thickness, thickness)

    def _small_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * FONT_SHARE)
        return font

    @Slot(object)
    def _on_hovered(self, point: tuple[float, float] | None) -> None:
        mark = None if point is None else point[0 if self._is_across else 1]
        if mark != self._mark:
            self._mark = mark
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._small_font())
        tones = current_tones()
        painter.fillRect(self.rect(), QColor(tones.window))
        if self._canvas.scene.image is None:
            return
        if not self._is_across:
            # Along the left edge it is the same ruler, turned: numbers are read downwards.
            painter.translate(self.width(), 0)
            painter.rotate(90)
        self._paint_lines(painter, QColor(tones.muted))
        if self._mark is not None:
            painter.setPen(QColor(tones.accent))
            place = self._to_place(self._mark)
            painter.drawLine(QPointF(place, 0), QPointF(place, self._thickness))

    @property
    def _thickness(self) -> float:
        return self.height() if self._is_across else self.width()

    def _to_place(self, position: float) -> float:
        """Where along the ruler an image position is."""
        x, y = self._canvas.view.to_device(position, position)
        return (x if self._is_across else y) / self.devicePixelRatioF()

    def _paint_lines(self, painter: QPainter, color: QColor) -> None:
        scale = self._canvas.scale / self.devicePixelRatioF()
        painter.setFont(self._small_font())
        spacing = painter.fontMetrics().horizontalAdvance(WIDEST) + GAP
        step = find_step(scale, spacing)
        minor = find_minor(step, scale)
        first, last = self._range()
        length = self._thickness
        painter.setPen(color)
        for position in range(first - first % step, last + 1, minor):
            place = self._to_place(position)
            share = 1.0 if position % step == 0 else LINE_SHARE
            # From the canvas outwards: that is below the one and, turned, above the other.
            near, far = (
                (length, length * (1 - share)) if self._is_across else (0, length * share)
            )
            painter.drawLine(QPointF(place, near), QPointF(place, far))
            if position % step == 0:
                box = QRectF(place + 3, 0, spacing, length)
                painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, f"{position}")

    def _range(self) -> tuple[int, int]:
        """The image positions at the ruler's ends, as far as the image goes."""
        seen = self._canvas.seen_rect()
        ends = (seen.left(), seen.right()) if self._is_across else (seen.top(), seen.bottom())
        return math.floor(ends[0]), math.ceil(ends[1])
