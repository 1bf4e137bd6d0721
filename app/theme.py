"""Palettes of the light and the dark theme, the style sheet, and the colours of segments."""

import colorsys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from app.image_layer import Pixels
from app.layers import MapColors
from core.panoptic import MAX_SEGMENT_ID, Category, Segment

LINE_ALPHA: Final = 235
SELECTED_LINE: Final = 0xFFFFFFFF
UNKNOWN: Final = Category(0, "unknown", is_thing=False, color=(128, 128, 128))
SWATCH_PX: Final = 14


@dataclass(frozen=True, slots=True)
class Tones:
    """The colours of one theme, as #rrggbb."""

    window: str
    base: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    selection: str
    canvas: str
    warning: str
    error: str


DARK: Final = Tones(
    window="#212327",
    base="#1a1c1f",
    raised="#2c2f34",
    line="#383c42",
    text="#e3e5e8",
    muted="#9aa0a8",
    accent="#5aa2d6",
    on_accent="#0d1a24",
    selection="#2c5271",
    canvas="#141517",
    warning="#d9a441",
    error="#e0685f",
)
LIGHT: Final = Tones(
    window="#f3f4f5",
    base="#ffffff",
    raised="#ffffff",
    line="#d3d6da",
    text="#1d2126",
    muted="#636b75",
    accent="#1f78b4",
    on_accent="#ffffff",
    selection="#b9d8ee",
    canvas="#d9dbde",
    warning="#a86f00",
    error="#bf3b30",
)


def current_tones() -> Tones:
    """The tones that fit the system's colour scheme, or its palette where it names none."""
    scheme = QApplication.styleHints().colorScheme()
    is_dark = scheme == Qt.ColorScheme.Dark
    if scheme == Qt.ColorScheme.Unknown:
        is_dark = QApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128
    return DARK if is_dark else LIGHT


def apply_theme(app: QApplication) -> None:
    """Dress the program in the theme of the system's colour scheme."""
    tones = current_tones()
    app.setStyle("Fusion")
    app.setPalette(_palette(tones))
    app.setStyleSheet(_style_sheet(tones))


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


def _style_sheet(tones: Tones) -> str:
    return f"""
    QMainWindow::separator {{ background: {tones.line}; width: 1px; height: 1px; }}
    QMainWindow::separator:hover {{ background: {tones.accent}; }}
    QDockWidget {{ font-weight: 600; }}
    QDockWidget::title {{
        background: {tones.window}; padding: 7px 10px; border-bottom: 1px solid {tones.line};
    }}
    QToolBar {{
        background: {tones.window}; border: none; border-bottom: 1px solid {tones.line};
        padding: 4px 8px; spacing: 4px;
    }}
    QToolBar QToolButton {{ padding: 5px 8px; border-radius: 5px; }}
    QToolBar QToolButton:hover {{ background: {tones.raised}; }}
    QToolBar QToolButton:checked {{ background: {tones.accent}; color: {tones.on_accent}; }}
    QToolBar QToolButton:focus {{ border: 1px solid {tones.accent}; }}
    QToolBar::separator {{ background: {tones.line}; width: 1px; margin: 5px 6px; }}
    QStatusBar {{ background: {tones.window}; border-top: 1px solid {tones.line}; }}
    QStatusBar::item {{ border: none; }}
    QStatusBar QLabel {{ color: {tones.muted}; padding: 2px 8px; }}
    QMenuBar {{ background: {tones.window}; border-bottom: 1px solid {tones.line}; }}
    QMenuBar::item {{ padding: 5px 10px; background: transparent; }}
    QMenuBar::item:selected {{ background: {tones.raised}; border-radius: 4px; }}
    QAbstractItemView {{
        background: {tones.base}; border: none; outline: none;
        selection-background-color: {tones.selection}; selection-color: {tones.text};
    }}
    QTreeView::item {{ height: 26px; padding: 0 4px; }}
    QHeaderView::section {{
        background: {tones.base}; color: {tones.muted}; border: none; padding: 4px 6px;
    }}
    #palette {{
        background: {tones.window}; border: 1px solid {tones.line}; border-radius: 8px;
    }}
    QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {tones.line}; }}
    QSlider::sub-page:horizontal {{ border-radius: 2px; background: {tones.accent}; }}
    QSlider::sub-page:horizontal:disabled {{ background: {tones.line}; }}
    QSlider::handle:horizontal {{
        width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: {tones.text};
    }}
    QSlider::handle:horizontal:disabled {{ background: {tones.muted}; }}
    QSlider::handle:horizontal:focus {{ background: {tones.accent}; }}
    QScrollBar {{ background: {tones.base}; border: none; width: 10px; height: 10px; }}
    QScrollBar::handle {{ background: {tones.line}; border-radius: 4px; margin: 1px; }}
    QScrollBar::handle:vertical {{ min-height: 28px; }}
    QScrollBar::handle:horizontal {{ min-width: 28px; }}
    QScrollBar::handle:hover {{ background: {tones.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
    QLineEdit {{
        background: {tones.base}; border: 1px solid {tones.line}; border-radius: 5px;
        padding: 4px 8px;
    }}
    QLineEdit:focus {{ border-color: {tones.accent}; }}
    QToolTip {{
        background: {tones.raised}; color: {tones.text}; border: 1px solid {tones.line};
        padding: 4px;
    }}
    """


@cache
def segment_color(category: Category, segment_id: int) -> tuple[int, int, int]:
    """The RGB colour of a segment: its category's, varied so that neighbours differ.

    Hue and lightness walk along the two-dimensional golden ratio sequence, which keeps any
    run of ids far apart from each other.
    """
    if not category.is_thing:
        return category.color
    hue, lightness, saturation = colorsys.rgb_to_hls(*(c / 255 for c in category.color))
    hue += 0.22 * ((segment_id * 0.7548777) % 1 - 0.5)
    lightness += 0.3 * ((segment_id * 0.5698403) % 1 - 0.5)
    rgb = colorsys.hls_to_rgb(hue % 1, min(max(lightness, 0.38), 0.74), max(saturation, 0.5))
    red, green, blue = (round(255 * c) for c in rgb)
    return red, green, blue


def map_colors(
    segments: Iterable[Segment],
    categories: Mapping[int, Category],
    *,
    opacity: float,
    hidden: frozenset[int] = frozenset(),
    selected_id: int = 0,
    is_outlined: bool = False,
) -> MapColors:
    """Colour tables for a map.

    Args:
        segments: those to be seen; one of an unknown category is grey.
        opacity: of the inside, 0 to 1.
        hidden: ids of segments that are not drawn.
        is_outlined: whether only outlines are drawn.
    """
    seen = [segment for segment in segments if segment.id not in hidden]
    ids = np.array([segment.id for segment in seen], np.intp)
    colors = np.array(
        [
            segment_color(categories.get(segment.category_id, UNKNOWN), segment.id)
            for segment in seen
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
    ratio = 2
    pixmap = QPixmap(SWATCH_PX * ratio, SWATCH_PX * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*color))
    radius = SWATCH_PX / 2 if is_round else 3
    painter.drawRoundedRect(1, 1, SWATCH_PX - 2, SWATCH_PX - 2, radius, radius)
    painter.end()
    return QIcon(pixmap)
