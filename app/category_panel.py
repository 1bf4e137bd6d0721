"""The categories of the project: which one the next new segment gets."""

from collections import Counter
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.category_commands import CategoryCommands
from app.document import Document
from app.keys import native
from app.theme import swatch
from core.categories import NUMBER_KEYS, find_matches
from core.panoptic import Category

NAME, COUNT, KIND, KEY = range(4)
ID_ROLE: Final = Qt.ItemDataRole.UserRole
MOVING_KEYS: Final = {
    Qt.Key.Key_Down,
    Qt.Key.Key_Up,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_PageUp,
}
ENTER_KEYS: Final = {Qt.Key.Key_Return, Qt.Key.Key_Enter}
HINT_THING: Final = "The next stroke makes a new segment of this category."
HINT_STUFF: Final = "The next stroke extends this category's one segment in the image."


class CategoryPanel(QWidget):
    """A list to choose from, and a field that narrows it down.

    Signals:
        edit_requested(): somebody wants to change the list.
    """

    edit_requested = Signal()

    def __init__(
        self, document: Document, commands: CategoryCommands, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._commands = commands
        self._counts: Counter[int] = Counter()
        self._search = QLineEdit(self)
        self._search.setClearButtonEnabled(True)
        self._search.setAccessibleName("Search categories")
        self._search.installEventFilter(self)
        self._edit = QToolButton(self)
        self._edit.setText("Edit…")
        self._edit.setToolTip("Add, rename, recolour, merge or delete categories")
        self._edit.setAccessibleName("Edit categories")
        self._list = self._build_list()
        self._nothing = QLabel("No category is called so.", self)
        self._nothing.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._nothing.setContentsMargins(10, 0, 10, 0)
        self._nothing.hide()
        self._lay_out()
        self._connect()
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
            if event.key() in MOVING_KEYS:
                QApplication.sendEvent(self._list, event)
                return True
            if event.key() in ENTER_KEYS:  # with nothing found, go on typing
                return self._found is None
        return False

    def _build_list(self) -> QTreeWidget:
        tree = QTreeWidget(self)
        tree.setAccessibleName("Categories")
        tree.setColumnCount(4)
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setAllColumnsShowFocus(True)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        return tree

    def _lay_out(self) -> None:
        field = QHBoxLayout()
        field.setContentsMargins(10, 0, 10, 0)
        field.addWidget(self._search)
        field.addWidget(self._edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(8)
        column.addLayout(field)
        column.addWidget(self._nothing)
        column.addWidget(self._list)

    def _connect(self) -> None:
        document = self._document
        self._search.textChanged.connect(self._filter)
        self._search.returnPressed.connect(self._choose_found)
        self._edit.clicked.connect(self.edit_requested)
        self._list.itemClicked.connect(self._on_chosen)
        self._list.itemActivated.connect(self._on_chosen)
        document.selection_changed.connect(self._mark_current)
        document.segments_changed.connect(self._write_counts)
        document.categories_changed.connect(self._fill)
        document.keys.changed.connect(self._write_keys)

    @Slot()
    def _fill(self) -> None:
        self._list.clear()
        self._counts.clear()
        for category in self._document.categories.values():
            self._list.addTopLevelItem(_item(category))
        self._dye()
        self._write_keys()
        self._write_counts()
        self._filter(self._search.text())

    @Slot(str)
    def _filter(self, text: str) -> None:
        """Show what is looked for and mark the best of it; without text, mark the current."""
        found = find_matches(tuple(self._document.categories.values()), text)
        for item in self._items():
            item.setHidden(item.data(0, ID_ROLE) not in found)
        self._nothing.setVisible(not found)
        if text.strip() and found:
            self._mark(found[0])
        else:
            self._mark_current()

    @property
    def _found(self) -> QTreeWidgetItem | None:
        item = self._list.currentItem()
        return None if item is None or item.isHidden() else item

    @Slot()
    def _choose_found(self) -> None:
        if self._found is not None:
            self._on_chosen(self._found)
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
            for column in (COUNT, KIND, KEY):
                item.setForeground(column, QApplication.palette().placeholderText())

    @Slot()
    def _write_keys(self) -> None:
        """Write which keys search, and which choose a category."""
        keys = self._document.keys
        names = keys.list_of("search_categories").replace(", ", " or ")
        self._search.setPlaceholderText(f"Search ({names})" if names else "Search")
        key_of = {category_id: key for key, category_id in self._commands.keys.items()}
        for item in self._items():
            key = key_of.get(item.data(0, ID_ROLE), "")
            is_number = key != "" and key in NUMBER_KEYS
            item.setText(KEY, keys.list_of(f"category_{key}") if is_number else native(key))

    @Slot()
    def _write_counts(self) -> None:
        """Write how many segments of each category the image has."""
        counts = Counter(s.category_id for s in self._document.shown_segments.values())
        if counts == self._counts:
            return
        self._counts = counts
        for item in self._items():
            n_segments = counts[item.data(0, ID_ROLE)]
            item.setText(COUNT, f"{n_segments:,}" if n_segments else "")

    @Slot()
    def _mark_current(self) -> None:
        if not self._search.text().strip():
            self._mark(self._document.category_id)

    def _mark(self, category_id: int) -> None:
        for item in self._items():
            if item.data(0, ID_ROLE) == category_id:
                self._list.setCurrentItem(item)
                self._list.scrollToItem(item)

    def _items(self) -> list[QTreeWidgetItem]:
        rows = (self._list.topLevelItem(row) for row in range(self._list.topLevelItemCount()))
        return [item for item in rows if item is not None]


def _item(category: Category) -> QTreeWidgetItem:
    """A row: swatch and name, count, thing or stuff, and room for the key that chooses it."""
    item = QTreeWidgetItem([category.name, "", "thing" if category.is_thing else "stuff", ""])
    item.setIcon(NAME, swatch(category.color, is_round=category.is_thing))
    item.setData(NAME, ID_ROLE, category.id)
    item.setToolTip(NAME, HINT_THING if category.is_thing else HINT_STUFF)
    item.setToolTip(COUNT, "Segments in this image")
    for column in (COUNT, KIND, KEY):
        item.setTextAlignment(
            column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
    return item
