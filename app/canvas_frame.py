"""CanvasFrame: the canvas with its rulers and its navigator."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QWidget

from app.activity import ActivityMeter
from app.canvas import CanvasView
from app.document import Document
from app.navigator import Navigator
from app.rulers import Ruler


class CanvasFrame(QWidget):
    """Shows around and on the canvas what its look asks for.

    Attributes:
        canvas: in the middle.
    """

    def __init__(
        self, document: Document, canvas: CanvasView, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.canvas = canvas
        self._look = canvas.look
        self.activity = ActivityMeter(document, canvas)
        self.navigator = Navigator(document, canvas)
        self.rulers = tuple(
            Ruler(canvas, orientation, self)
            for orientation in (Qt.Orientation.Horizontal, Qt.Orientation.Vertical)
        )
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self.rulers[0], 0, 1)
        grid.addWidget(self.rulers[1], 1, 0)
        grid.addWidget(canvas, 1, 1)
        grid.setRowStretch(1, 1)
        self._look.changed.connect(self._follow)
        self._follow()

    def add_below(self, widget: QWidget) -> None:
        """Show something under the canvas, as wide as this."""
        self._grid.addWidget(widget, 2, 0, 1, 2)

    @Slot()
    def _follow(self) -> None:
        for ruler in self.rulers:
            ruler.setVisible(self._look.has_rulers)
