"""The panels around the canvas: where they are, and how wide they begin."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QWidget

from app.theme import scaled

SIDE_WIDTHS: Final = (220, 280)
NARROWING: Final = 20  # what the sides may lose at most
CATEGORIES_SHARE: Final = (260, 420)
AREA: Final = Qt.DockWidgetArea


class Docks:
    """Panels that stay where they are.

    Attributes:
        segments: the panel of segments, which says how many there are.
    """

    def __init__(
        self,
        window: QMainWindow,
        *,
        images: QWidget,
        categories: QWidget,
        segments: QWidget,
        history: QWidget,
        model: QWidget,
    ) -> None:
        self._window = window
        for corner in (Qt.Corner.TopLeftCorner, Qt.Corner.BottomLeftCorner):
            window.setCorner(corner, AREA.LeftDockWidgetArea)
        for corner in (Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner):
            window.setCorner(corner, AREA.RightDockWidgetArea)
        left = self._dock("Images", images, AREA.LeftDockWidgetArea)
        right = self._dock("Categories", categories, AREA.RightDockWidgetArea)
        self.segments = self._dock("Segments", segments, AREA.RightDockWidgetArea)
        other = self._dock("History", history, AREA.RightDockWidgetArea)
        window.tabifyDockWidget(self.segments, other)
        self.segments.raise_()
        for tabs in window.findChildren(QTabBar):
            tabs.setAccessibleName("Segments or history")
        self._dock("Model", model, AREA.BottomDockWidgetArea)
        self._sides = (left, right)
        self.fit_text()
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        window.resizeDocks(list(self._sides), list(SIDE_WIDTHS), across)
        window.resizeDocks([right, self.segments], list(CATEGORIES_SHARE), down)

    def fit_text(self) -> None:
        """Let the sides be no narrower than their text wants."""
        for dock, width in zip(self._sides, SIDE_WIDTHS, strict=True):
            dock.setMinimumWidth(scaled(width - NARROWING))

    def _dock(self, title: str, content: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self._window)
        dock.setObjectName(title)
        dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        dock.setWidget(content)
        self._window.addDockWidget(area, dock)
        return dock
