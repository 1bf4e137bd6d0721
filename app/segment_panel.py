"""The segments of the open image: a table with one row each, however many there are."""

from bisect import bisect_left
from contextlib import suppress
from operator import attrgetter
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    Qt,
    QTimer,
    Slot,
)
from PySide6.QtGui import QIcon, QPalette
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QStackedLayout,
    QWidget,
)

from app.document import Document
from app.icons import line_icon
from app.look import Look
from app.row_table import RowTable
from app.theme import scaled, swatch
from core.errors import AnnotateError
from core.palette import segment_color
from core.panoptic import Segment

Index = QModelIndex | QPersistentModelIndex
NAME, AREA, LOCK, HIDE = range(4)
TITLES: Final = ("Segment", "Area", "", "")
ROW_HEIGHT: Final = 26
ICON_PX: Final = 16
ICON_WIDTH: Final = 30
PAINT_AFTER_MS: Final = 30
AREA_WIDTH: Final = 84
EMPTY: Final = "No segments yet.\nPaint with the brush ({})"
OR_MODEL: Final = ", or let the model propose a map ({})"
NOT_SHOWN: Final = (
    "This image cannot be shown. Its map and its history are kept, and come back with its file."
)


class SegmentModel(QAbstractTableModel):
    """Segments by id: name, area in pixels, lock and visibility."""

    def __init__(self, document: Document, look: Look, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._look = look
        self._segments: list[Segment] = []
        self._areas: dict[int, int] = {}
        self._swatches: dict[tuple[bool, tuple[int, int, int]], QIcon] = {}
        self._icons = {
            name: line_icon(name) for name in ("locked", "unlocked", "shown", "hidden")
        }

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._segments)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(TITLES)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        if section == AREA and role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        segment = self._segments[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(segment, index.column())
            case Qt.ItemDataRole.DecorationRole:
                return self._icon(segment, index.column())
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._description(segment, index.column())
            case Qt.ItemDataRole.TextAlignmentRole if index.column() == AREA:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def drop_icons(self) -> None:
        """Let all icons go, for a window that closes.

        An icon whose window goes as one of many objects that refer to each other may be deleted
        after what it is drawn by, which ends the process.
        """
        self._icons.clear()
        self._swatches.clear()

    def segment(self, row: int) -> Segment:
        """The segment in a row."""
        return self._segments[row]

    def row_of(self, segment_id: int) -> int:
        """The row of a segment; -1 when there is none."""
        row = bisect_left(self._segments, segment_id, key=attrgetter("id"))
        is_there = row < len(self._segments) and self._segments[row].id == segment_id
        return row if is_there else -1

    def refresh(self) -> None:
        """Follow the document: the same rows with new contents, or other rows."""
        map = self._document.shown_map
        segments = sorted(map.segments.values(), key=attrgetter("id")) if map else []
        old_ids = [segment.id for segment in self._segments]
        has_same_rows = old_ids == [segment.id for segment in segments]
        if not has_same_rows:
            self.beginResetModel()
        self._segments, self._areas = segments, map.areas() if map else {}
        if not has_same_rows:
            self.endResetModel()
        elif segments:
            last = self.index(len(segments) - 1, len(TITLES) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def _text(self, segment: Segment, column: int) -> str | None:
        if column == NAME:
            return self._document.name(segment)
        return f"{self._areas.get(segment.id, 0):,}" if column == AREA else None

    def _icon(self, segment: Segment, column: int) -> Any:
        if column == NAME:
            return self._swatch(segment)
        if column == LOCK:
            return self._icons.get("locked" if segment.is_locked else "unlocked")
        if column == HIDE:
            is_hidden = segment.id in self._document.hidden
            return self._icons.get("hidden" if is_hidden else "shown")
        return None

    def _swatch(self, segment: Segment) -> QIcon | None:
        category = self._document.categories.get(segment.category_id)
        if category is None:
            return None
        is_by_category = self._look.is_by_category
        color = category.color if is_by_category else segment_color(category, segment.id)
        key = category.is_thing, color
        if key not in self._swatches:
            self._swatches[key] = swatch(color, is_round=category.is_thing)
        return self._swatches[key]

    def _description(self, segment: Segment, column: int) -> str | None:
        if column == LOCK:
            key = self._document.keys.hint("lock")
            return (
                f"Locked ({key} unlocks)" if segment.is_locked else f"Not locked ({key} locks)"
            )
        if column == HIDE:
            is_hidden = segment.id in self._document.hidden
            key = self._document.keys.hint("hide")
            return f"Hidden ({key} shows)" if is_hidden else f"Shown ({key} hides)"
        if column == AREA:
            return f"{self._areas.get(segment.id, 0):,} pixels"
        return f"{self._document.name(segment)}, made by: {segment.source}"


class SegmentTable(RowTable):
    """The table, which is painted after the canvas."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(ROW_HEIGHT, parent)
        self._patience = QTimer(self, singleShot=True, interval=PAINT_AFTER_MS)
        self._patience.timeout.connect(self._paint_again)

    def paint_later(self) -> None:
        """Leave the next moment to the canvas: rows take longer to paint than an edit."""
        self.setUpdatesEnabled(False)
        if not self._patience.isActive():
            self._patience.start()

    @Slot()
    def _paint_again(self) -> None:
        self.setUpdatesEnabled(True)


class SegmentPanel(QWidget):
    """Shows the segments, and selects, locks and hides them."""

    def __init__(self, document: Document, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._model = SegmentModel(document, look, self)
        self._table = self._build_table()
        self._empty = QLabel(self)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._empty.setBackgroundRole(QPalette.ColorRole.Base)
        self._empty.setAutoFillBackground(True)
        self._empty.setMargin(16)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._table)
        document.segments_changed.connect(self._refresh)
        look.recolored.connect(self._table.viewport().update)
        document.selection_changed.connect(self._follow_selection)
        document.keys.changed.connect(self._write_keys)
        self._fit_text()
        self._write_keys()
        self._refresh()

    def stop(self) -> None:
        """Get ready to go with a window that closes."""
        self._model.drop_icons()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fit_text()
        super().changeEvent(event)

    def _fit_text(self) -> None:
        """Make rows, columns and icons as large as the text wants them."""
        table, icon = self._table, scaled(ICON_PX)
        table.setIconSize(QSize(icon, icon))
        table.horizontalHeader().setMinimumSectionSize(scaled(ICON_WIDTH))
        for column, width in ((AREA, AREA_WIDTH), (LOCK, ICON_WIDTH), (HIDE, ICON_WIDTH)):
            table.setColumnWidth(column, scaled(width))

    def _build_table(self) -> SegmentTable:
        table = SegmentTable(self)
        table.setModel(self._model)
        table.setAccessibleName("Segments")
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        table.clicked.connect(self._on_clicked)
        table.selectionModel().currentRowChanged.connect(self._on_row_chosen)
        return table

    @Slot()
    def _write_keys(self) -> None:
        self._say_empty()

    def _say_empty(self) -> None:
        """Say why there is no row, and what makes some."""
        document = self._document
        is_lost = document.record is not None and not document.has_image
        if is_lost and not document.reader.is_reading:
            self._empty.setText(NOT_SHOWN)
            return
        ways = EMPTY.format(document.keys.hint("brush"))
        with suppress(AnnotateError):
            if document.store.model:
                ways += OR_MODEL.format(document.keys.hint("segment_image"))
        self._empty.setText(f"{ways}.")

    @Slot()
    def _refresh(self) -> None:
        self._table.paint_later()
        self._model.refresh()
        has_rows = self._model.rowCount() > 0
        if not has_rows:
            self._say_empty()
        self._stack.setCurrentWidget(self._table if has_rows else self._empty)
        self._follow_selection()

    @Slot()
    def _follow_selection(self) -> None:
        """Mark the document's selected segment without telling it back."""
        row = self._model.row_of(self._document.selected_id)
        selection = self._table.selectionModel()
        selection.blockSignals(True)
        if row < 0:
            selection.clear()
        elif row != self._table.currentIndex().row() or not selection.hasSelection():
            how = QItemSelectionModel.SelectionFlag.ClearAndSelect
            index = self._model.index(row, NAME)
            selection.setCurrentIndex(index, how | QItemSelectionModel.SelectionFlag.Rows)
            self._table.scrollTo(index)
        selection.blockSignals(False)
        self._table.viewport().update()

    @Slot(QModelIndex, QModelIndex)
    def _on_row_chosen(self, current: QModelIndex, _: QModelIndex) -> None:
        if current.isValid():
            self._document.select(self._model.segment(current.row()).id)

    @Slot(QModelIndex)
    def _on_clicked(self, index: QModelIndex) -> None:
        segment_id = self._model.segment(index.row()).id
        if index.column() == LOCK:
            self._document.toggle_lock(segment_id)
        elif index.column() == HIDE:
            self._document.toggle_hidden(segment_id)
