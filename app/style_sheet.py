"""The colours of the light and the dark theme, and the style sheet that uses them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.bundled import ASSETS

ICONS: Final = ASSETS / "icons"


@dataclass(frozen=True, slots=True)
class Tones:
    """The name of a theme and its colours, as #rrggbb."""

    name: str
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

    @property
    def check(self) -> str:
        """The file with the mark of a ticked box."""
        return (ICONS / f"check-{self.name}.svg").as_posix()


DARK: Final = Tones(
    name="dark",
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
    name="light",
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


def style_sheet(tones: Tones, scaled: Callable[[int], int]) -> str:
    """The style sheet of the program.

    Widgets say by a property what they are: `ink` of a label is "warning" or "error", a button
    is `primary`, and a notice has a `severity`.

    Args:
        scaled: a length that grows with the text.
    """
    return f"""
    QMainWindow::separator {{ background: {tones.line}; width: 1px; height: 1px; }}
    QMainWindow::separator:hover {{ background: {tones.accent}; }}
    QDockWidget {{ font-weight: 600; }}
    QDockWidget::title {{
        background: {tones.window}; border-bottom: 1px solid {tones.line};
        padding: 7px 10px 5px 10px; /* Qt takes the border from the lower padding */
    }}
    QToolBar {{
        background: {tones.window}; border: none; border-bottom: 1px solid {tones.line};
        padding: 4px 8px; spacing: 2px;
    }}
    QToolBar QToolButton {{ padding: 5px; border-radius: 5px; }}
    #timeline QToolButton {{ padding: 3px; border-radius: 5px; border: none; }}
    QToolBar QToolButton:hover, #timeline QToolButton:hover {{ background: {tones.raised}; }}
    QToolBar QToolButton:checked, #timeline QToolButton:checked {{
        background: {tones.accent}; color: {tones.on_accent};
    }}
    QToolBar QToolButton:focus, #timeline QToolButton:focus {{
        border: 1px solid {tones.accent};
    }}
    #qt_toolbar_ext_button {{ padding: 0; background: {tones.raised}; }}
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
    QTreeView::item {{ height: {scaled(26)}px; padding: 0 4px; }}
    QHeaderView::section {{
        background: {tones.base}; color: {tones.muted}; border: none; padding: 4px 6px;
    }}
    #tag {{
        background: {tones.raised}; color: {tones.text}; border: 1px solid {tones.line};
        border-radius: 4px; padding: 1px 6px;
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
    QCheckBox {{ spacing: {scaled(6)}px; }}
    QCheckBox::indicator {{
        width: {scaled(14)}px; height: {scaled(14)}px; border-radius: 4px;
        border: 1px solid {tones.muted}; background: {tones.base};
    }}
    QCheckBox::indicator:focus {{ border: 2px solid {tones.accent}; }}
    QCheckBox::indicator:disabled {{ border-color: {tones.line}; }}
    QCheckBox::indicator:checked {{
        border-color: {tones.accent}; background: {tones.accent}; image: url("{tones.check}");
    }}
    QLineEdit {{
        background: {tones.base}; border: 1px solid {tones.line}; border-radius: 5px;
        padding: 4px 8px;
    }}
    QLineEdit:focus {{ border-color: {tones.accent}; }}
    QLabel[ink="warning"] {{ color: {tones.warning}; }}
    QLabel[ink="error"] {{ color: {tones.error}; }}
    QPushButton[primary="true"] {{
        border: none; border-radius: 5px; padding: 5px 14px; font-weight: 600;
        background: {tones.accent}; color: {tones.on_accent};
    }}
    QPushButton[primary="true"]:disabled {{ background: {tones.raised}; color: {tones.muted}; }}
    QPushButton[primary="true"]:focus {{ border: 2px solid {tones.text}; padding: 3px 12px; }}
    #notice {{
        background: {tones.raised}; border: 1px solid {tones.line};
        border-left: 4px solid {tones.accent}; border-radius: 6px;
    }}
    #notice[severity="warning"] {{ border-left-color: {tones.warning}; }}
    #notice[severity="error"] {{ border-left-color: {tones.error}; }}
    #notice QLabel {{ color: {tones.text}; }}
    QToolTip {{
        background: {tones.raised}; color: {tones.text}; border: 1px solid {tones.line};
        padding: 4px;
    }}
    """
