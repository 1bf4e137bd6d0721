"""The history of the open image: every edit that is kept, to go back to by a click."""

from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Slot,
)
from PySide6.QtGui import QFont, QShowEvent
from PySide6.QtWidgets import QApplication, QListView, QVBoxLayout, QWidget

from app.document import Document
from core.errors import AnnotateError

Index = QModelIndex | QPersistentModelIndex
START: Final = "Start"
KEPT_START: Final = "Kept start ({} dropped)"


class HistoryModel(QAbstractListModel):
    """A row for the start, then one for each edit; those after the present can be redone."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._labels: list[str] = []
        self._n_dropped = 0
        self.position = 0

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._labels)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = index.row()
        answer: Any = None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                number = row + self._n_dropped
                answer = f"{number}  {self._labels[row]}" if row else self._labels[row]
            case Qt.ItemDataRole.ForegroundRole if row > self.position:
                answer = QApplication.palette().placeholderText()
            case Qt.ItemDataRole.FontRole if row == self.position:
                answer = QFont(QApplication.font())
                answer.setBold(True)
            case Qt.ItemDataRole.AccessibleTextRole:
                answer = f"{self._labels[row]}, {self._say_place(row)}"
        return answer

    def follow(self, labels: list[str], position: int, n_dropped: int) -> None:
        """Show another history, numbered on from what was dropped; the same rows stay."""
        if n_dropped != self._n_dropped:
            self.beginResetModel()
            self._labels, self._n_dropped = [], n_dropped
            self.endResetModel()
        n_same = next(
            (
                row
                for row, (old, new) in enumerate(zip(self._labels, labels, strict=False))
                if old != new
            ),
            min(len(self._labels), len(labels)),
        )
        if n_same < len(self._labels):
            self.beginRemoveRows(QModelIndex(), n_same, len(self._labels) - 1)
            del self._labels[n_same:]
            self.endRemoveRows()
        if n_same < len(labels):
            self.beginInsertRows(QModelIndex(), n_same, len(labels) - 1)
            self._labels.extend(labels[n_same:])
            self.endInsertRows()
        first, last = sorted((self.position, position))
        self.position = position
        last = min(last, len(self._labels) - 1)
        if 0 <= first <= last:
            self.dataChanged.emit(self.index(first), self.index(last))

    def _say_place(self, row: int) -> str:
        if row == self.position:
            return "present state"
        return "done" if row < self.position else "taken back"


class HistoryPanel(QWidget):
    """The edits of the open image in a list; a click, or Enter, goes to one."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._model = HistoryModel(self)
        self._view = QListView(self)
        self._view.setModel(self._model)
        self._view.setUniformItemSizes(True)
        self._view.setAccessibleName("History of the image")
        self._view.clicked.connect(self._on_chosen)
        self._view.activated.connect(self._on_chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._view)
        # One stroke tells of itself several times, and the canvas goes first.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._follow)
        document.history_changed.connect(self._on_history_changed)

    @property
    def view(self) -> QListView:
        """The list itself."""
        return self._view

    def showEvent(self, event: QShowEvent) -> None:
        self._follow()
        super().showEvent(event)

    @Slot()
    def _on_history_changed(self) -> None:
        if self.isVisible():
            self._soon.start()

    @Slot()
    def _follow(self) -> None:
        document = self._document
        labels, position = document.history()
        n_dropped = self._n_dropped()
        steps = "1 earlier step was" if n_dropped == 1 else f"{n_dropped:,} earlier steps were"
        start = KEPT_START.format(steps) if n_dropped else START
        has_history = document.record is not None
        self._model.follow([start, *labels] if has_history else [], position, n_dropped)
        self._view.setCurrentIndex(self._model.index(position))
        self._view.setEnabled(self._document.is_editable)

    def _n_dropped(self) -> int:
        record, store = self._document.record, self._document.store
        try:
            return 0 if record is None else store.n_dropped(record.id)
        except AnnotateError:
            return 0  # whoever tries to undo is told why

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        self._document.travel(index.row())
