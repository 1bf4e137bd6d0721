"""A table whose rows are chosen as a whole, and whose letter keys are left to the window."""

from PySide6.QtCore import QEvent
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.theme import scaled


class RowTable(QTableView):
    """Rows of one height, one of them selected; the cost does not grow with their number.

    The height grows with the text. A QListView would ask its model for every row whenever it
    lays them out.
    """

    def __init__(self, row_height: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self._row_height = row_height
        self._fit_text()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fit_text()
        super().changeEvent(event)

    def _fit_text(self) -> None:
        self.verticalHeader().setDefaultSectionSize(scaled(self._row_height))

    def keyboardSearch(self, search: str) -> None:
        """Letters are shortcuts here, not a search."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text() and not event.text().isspace():
            event.ignore()
        else:
            super().keyPressEvent(event)
