"""What the program wears, light or dark and at what size, and the colours of segments."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontDatabase,
    QFontInfo,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtWidgets import QApplication

from app.image_layer import Pixels
from app.layers import MapColors
from app.style_sheet import DARK, LIGHT, Tones, style_sheet
from core.palette import segment_color
from core.panoptic import MAX_SEGMENT_ID, Category, Segment

LINE_ALPHA: Final = 235
SELECTED_LINE: Final = 0xFFFFFFFF
UNKNOWN: Final = Category(0, "unknown", is_thing=False, color=(128, 128, 128))
SWATCH_SHARE: Final = 0.75  # of the icon
SWATCH_ROUNDING: Final = 0.2  # radius of a square's corners, in sides
HALF: Final = 128  # of the lightest


def current_tones() -> Tones:
    """The tones that the program wears now."""
    window = QApplication.palette().color(QPalette.ColorRole.Window)
    return DARK if window.lightness() < HALF else LIGHT


def system_tones() -> Tones:
    """The tones that fit the system's colour scheme; light where it names none."""
    is_dark = QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return DARK if is_dark else LIGHT


def dress(app: QApplication, tones: Tones, font_percent: int = 100) -> None:
    """Give the program its colours and the size of its text; what is open changes at once."""
    app.setStyle("Fusion")
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPointSizeF(QFontInfo(font).pointSizeF() * font_percent / 100)
    app.setFont(font)
    app.setPalette(_palette(tones))
    app.setStyleSheet(style_sheet(tones, scaled))


def finest_ratio() -> float:
    """Device pixels in one of Qt's on the display that has most of them."""
    return max((screen.devicePixelRatio() for screen in QApplication.screens()), default=1.0)


def scaled(length: int) -> int:
    """A length that suits the system's text, as it suits the size of the program's text."""
    system = QFontInfo(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont))
    return round(length * QFontInfo(QApplication.font()).pointSizeF() / system.pointSizeF())


def _palette(tones: Tones) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    colors = {
        role.Window: tones.window,
        role.WindowText: tones.text,
        role.Base: tones.base,
        role.AlternateBase: tones.window,
        role.Text: tones.text,
        role.Button: tones.raised,
        role.ButtonText: tones.text,
        role.ToolTipBase: tones.raised,
        role.ToolTipText: tones.text,
        role.PlaceholderText: tones.muted,
        role.Highlight: tones.selection,
        role.HighlightedText: tones.text,
        role.Link: tones.accent,
        role.Mid: tones.line,
        role.Dark: tones.line,
        role.Accent: tones.accent,
    }
    for color_role, color in colors.items():
        palette.setColor(color_role, QColor(color))
    for color_role in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, color_role, QColor(tones.muted))
    return palette


def map_colors(
    segments: Iterable[Segment],
    categories: Mapping[int, Category],
    *,
    opacity: float,
    hidden: frozenset[int] = frozenset(),
    selected_id: int = 0,
    is_outlined: bool = False,
    is_by_category: bool = False,
) -> MapColors:
    """Colour tables for a map.

    Args:
        segments: those to be seen; one of an unknown category is grey.
        opacity: of the inside, 0 to 1.
        hidden: ids of segments that are not drawn.
        is_outlined: whether only outlines are drawn.
        is_by_category: whether all segments of a category have its colour.
    """
    seen = [segment for segment in segments if segment.id not in hidden]
    ids = np.array([segment.id for segment in seen], np.intp)
    colors = np.array(
        [
            category.color if is_by_category else segment_color(category, segment.id)
            for segment in seen
            for category in [categories.get(segment.category_id, UNKNOWN)]
        ],
        np.uint32,
    ).reshape(-1, 3)
    fill = np.zeros(MAX_SEGMENT_ID + 1, np.uint32)
    line = np.zeros(MAX_SEGMENT_ID + 1, np.uint32)
    fill[ids] = premultiplied(colors, 0 if is_outlined else round(255 * opacity))
    line[ids] = premultiplied(colors, LINE_ALPHA)
    if line[selected_id]:
        line[selected_id] = SELECTED_LINE
    return MapColors(fill, line, selected_id)


def premultiplied(colors: NDArray[np.uint32], alpha: int) -> Pixels:
    """0xAARRGGBB of colours [N, 3], each scaled by alpha, as Qt blends fastest."""
    red, green, blue = ((colors * alpha + 127) // 255).astype(np.uint32).T
    return np.uint32(alpha << 24) | red << 16 | green << 8 | blue


def swatch(color: tuple[int, int, int], *, is_round: bool) -> QIcon:
    """A small patch of a colour: round for things, square for stuff."""
    return QIcon(Swatch(color, is_round=is_round))


class Swatch(QIconEngine):
    """Paints a patch of colour in the pixels of whatever display it is on."""

    def __init__(self, color: tuple[int, int, int], *, is_round: bool) -> None:
        super().__init__()
        self._color = color
        self._is_round = is_round

    def clone(self) -> QIconEngine:
        return Swatch(self._color, is_round=self._is_round)

    def paint(
        self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State
    ) -> None:
        side = min(rect.width(), rect.height()) * SWATCH_SHARE
        patch = QRectF(0, 0, side, side)
        patch.moveCenter(QRectF(rect).center())
        radius = side / 2 if self._is_round else side * SWATCH_ROUNDING
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*self._color))
        painter.drawRoundedRect(patch, radius, radius)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(), size), mode, state)
        painter.end()
        return pixmap
