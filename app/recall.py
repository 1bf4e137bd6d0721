"""From run to run: the window and the tools begin as the last run left them."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow

from app.look import Look
from app.settings import Settings
from app.toolbox import ToolBox

ARRANGEMENT_VERSION: Final = 1  # another one when docks or tool bars are others


def recall(settings: Settings, window: QMainWindow, tools: ToolBox, look: Look) -> None:
    """Arrange a window by what is remembered; Qt keeps it on a display that exists."""
    tools.set_size(settings.brush_size)
    tools.set_tip(settings.brush_tip)
    tools.set_tolerance(settings.wand_tolerance)
    tools.set_contiguous(settings.is_wand_contiguous)
    tools.set_superpixel_size(settings.superpixel_size)
    look.set_opacity(settings.opacity_percent / 100)
    look.set_aids(
        is_by_category=settings.is_by_category,
        is_highlighting=settings.is_highlighting,
        has_grid=settings.has_grid,
        has_rulers=settings.has_rulers,
        has_navigator=settings.has_navigator,
    )
    if settings.geometry:
        window.restoreGeometry(QByteArray(settings.geometry))
    if settings.arrangement:
        window.restoreState(QByteArray(settings.arrangement), ARRANGEMENT_VERSION)


def remember(settings: Settings, window: QMainWindow, tools: ToolBox, look: Look) -> Settings:
    """The settings with what `recall` needs to arrange the next window like this one."""
    return replace(
        settings,
        brush_size=tools.size,
        brush_tip=tools.tip,
        wand_tolerance=tools.tolerance,
        is_wand_contiguous=tools.is_contiguous,
        superpixel_size=tools.superpixel_size,
        opacity_percent=round(100 * look.opacity),
        is_by_category=look.is_by_category,
        is_highlighting=look.is_highlighting,
        has_grid=look.has_grid,
        has_rulers=look.has_rulers,
        has_navigator=look.has_navigator,
        geometry=bytes(window.saveGeometry().data()),
        arrangement=bytes(window.saveState(ARRANGEMENT_VERSION).data()),
    )
