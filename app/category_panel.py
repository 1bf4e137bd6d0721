"""The categories of the project: which one the next new segment gets."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.theme import swatch
from core.panoptic import Category

N_KEYS: Final = 9
ID_ROLE: Final = Qt.ItemDataRole.UserRole
HINT_THING: Final = "The next stroke makes a new segment of this category."
HINT_STUFF: Final = "The next stroke extends this category's one segment in the image."


class CategoryPanel(QWidget):
    """A list to choose from, and a field that narrows it down."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._search = QLineEdit(self)
        self._search.setClearButtonEnabled(True)
        self._search.setAccessibleName("Search categories")
        self._search.textChanged.connect(self._filter)
        self._search.returnPressed.connect(self._choose_first)
        self._search.installEventFilter(self)
        self._list = QTreeWidget(self)
        self._list.setAccessibleName("Categories")
        self._list.setColumnCount(3)
        self._list.setHeaderHidden(True)
        self._list.setRootIsDecorated(False)
        self._list.setUniformRowHeights(True)
        self._list.setAllColumnsShowFocus(True)
        self._list.header().setStretchLastSection(False)
        self._list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._list.header().setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        self._list.itemClicked.connect(self._on_chosen)
        self._list.itemActivated.connect(self._on_chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(8)
        field = QHBoxLayout()
        field.setContentsMargins(10, 0, 10, 0)
        field.addWidget(self._search)
        column.addLayout(field)
        column.addWidget(self._list)
        document.selection_changed.connect(self._mark_current)
        document.keys.changed.connect(self._write_keys)
        self._fill()
        self._write_keys()

    def begin_search(self) -> None:
        """Put the cursor into the search field."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape:
                self._end_search()
                return True
            if event.key() == Qt.Key.Key_Down:
                self._list.setFocus(Qt.FocusReason.TabFocusReason)
                return True
        return False

    def _fill(self) -> None:
        for category in self._document.categories.values():
            self._list.addTopLevelItem(_item(category))
        self._dye()
        self._mark_current()

    @Slot(str)
    def _filter(self, text: str) -> None:
        wanted = text.strip().casefold()
        for item in self._items():
            item.setHidden(wanted not in item.text(0).casefold())

    @Slot()
    def _choose_first(self) -> None:
        first = next((item for item in self._items() if not item.isHidden()), None)
        if first is not None:
            self._on_chosen(first)
            self._end_search()

    def _end_search(self) -> None:
        self._search.clear()
        self._search.clearFocus()

    @Slot(QTreeWidgetItem, int)
    def _on_chosen(self, item: QTreeWidgetItem, column: int = 0) -> None:
        self._document.begin_segment(item.data(0, ID_ROLE))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._dye()
        super().changeEvent(event)

    def _dye(self) -> None:
        """Write what is beside the names in the muted colour of the theme."""
        for item in self._items():
            for column in (1, 2):
                item.setForeground(column, QApplication.palette().placeholderText())

    @Slot()
    def _write_keys(self) -> None:
        """Write which keys search, and which choose a category."""
        keys = self._document.keys
        names = keys.list_of("search_categories").replace(", ", " or ")
        self._search.setPlaceholderText(f"Search ({names})" if names else "Search")
        for number, item in enumerate(self._items()[:N_KEYS], start=1):
            item.setText(2, keys.list_of(f"category_{number}"))

    @Slot()
    def _mark_current(self) -> None:
        for item in self._items():
            if item.data(0, ID_ROLE) == self._document.category_id:
                self._list.setCurrentItem(item)

    def _items(self) -> list[QTreeWidgetItem]:
        rows = (self._list.topLevelItem(row) for row in range(self._list.topLevelItemCount()))
        return [item for item in rows if item is not None]


def _item(category: Category) -> QTreeWidgetItem:
    """A row: swatch and name, thing or stuff, and room for the key that chooses it."""
    kind = "thing" if category.is_thing else "stuff"
    item = QTreeWidgetItem([category.name, kind, ""])
    item.setIcon(0, swatch(category.color, is_round=category.is_thing))
    item.setData(0, ID_ROLE, category.id)
    item.setToolTip(0, HINT_THING if category.is_thing else HINT_STUFF)
    for column in (1, 2):
        item.setTextAlignment(
            column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
    return item
