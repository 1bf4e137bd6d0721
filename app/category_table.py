"""The table in which a project's categories are named."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QKeyCombination, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QComboBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QWidget,
)

from app.theme import swatch
from core.categories import fresh_color
from core.panoptic import Category

COLOR, NAME, KIND, KEY, GROUP, COUNT = range(6)
TITLES: Final = ("", "Name", "Kind", "Key", "Supercategory", "Segments")
TIPS: Final = {
    KEY: "A letter A-Z or a digit 1-9 that chooses this category",
    COUNT: "In all images of the project",
}
KIND_TIP: Final = (
    "A thing can be counted (cell, car); stuff cannot (sky, background). Space: the other kind."
)
THING, STUFF = range(2)
CATEGORY_ROLE: Final = Qt.ItemDataRole.UserRole
COLOR_KEY: Final = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_L)
ROW_HEIGHT: Final = 32


class CategoryTable(QTableWidget):
    """Colour, name, kind, key and supercategory of each; ids stay with their rows.

    Attributes:
        next_id: of the next category that is added, unless a row has it or a higher one.

    Signals:
        edited(): somebody changed something by hand.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(TITLES), parent)
        self.next_id = 1
        self._coloring = 0  # id of the category whose colour is asked for
        self.setHorizontalHeaderLabels(TITLES)
        for column, tip in TIPS.items():
            self.model().setHeaderData(
                column, Qt.Orientation.Horizontal, tip, Qt.ItemDataRole.ToolTipRole
            )
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(COLOR, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self.setColumnWidth(COLOR, 40)
        self.setColumnHidden(COUNT, True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAccessibleName("Categories of the project")
        self.itemChanged.connect(self._on_item_changed)

    def set_categories(self, categories: Sequence[Category]) -> None:
        """Show these instead; nobody is told."""
        self.setRowCount(0)
        for category in categories:
            self._append(category)

    def categories(self) -> tuple[Category, ...]:
        """The rows as categories, texts without blanks around them."""
        return tuple(self._read(row) for row in range(self.rowCount()))

    def selected_rows(self) -> list[int]:
        """In their order."""
        return sorted({index.row() for index in self.selectedIndexes()})

    def show_counts(self, counts: Mapping[int, int]) -> None:
        """Write beside each category how many segments it has."""
        self.setColumnHidden(COUNT, False)
        self.blockSignals(True)
        for row, category in enumerate(self.categories()):
            n_segments = counts.get(category.id, 0)
            text = f"{n_segments:,}" if n_segments else ""
            self.model().setData(self.model().index(row, COUNT), text)
        self.blockSignals(False)
        self.viewport().update()

    @Slot()
    def add_category(self) -> None:
        """Add a row and begin to write its name."""
        rows = self.categories()
        new_id = max([self.next_id, *(category.id + 1 for category in rows)])
        self._append(Category(new_id, "", is_thing=True, color=fresh_color(rows)))
        self.edited.emit()
        index = self.model().index(self.rowCount() - 1, NAME)
        self.setCurrentIndex(index)
        self.edit(index)

    @Slot()
    def remove_selected(self) -> None:
        """Remove the rows that are selected."""
        for row in reversed(self.selected_rows()):
            self.removeRow(row)
        self.edited.emit()

    def move_selected(self, step: int) -> None:
        """Move the selected rows up (-1) or down (1), unless one of them is there already."""
        rows = self.selected_rows()
        categories = list(self.categories())
        moved = {row: row + step for row in rows}
        if not rows or not 0 <= min(moved.values()) <= max(moved.values()) < len(categories):
            return
        for row in rows if step < 0 else reversed(rows):
            categories.insert(row + step, categories.pop(row))
        for row in range(min(*rows, *moved.values()), max(*rows, *moved.values()) + 1):
            self._write(row, categories[row])
        self.clearSelection()
        for row in moved.values():
            self.selectionModel().select(
                self.model().index(row, NAME),
                self.selectionModel().SelectionFlag.Select
                | self.selectionModel().SelectionFlag.Rows,
            )
        self.scrollTo(self.model().index(moved[rows[0 if step < 0 else -1]], NAME))
        self.edited.emit()

    @Slot()
    def toggle_kind(self) -> None:
        """Turn the selected things into stuff, or the selected stuff into things."""
        for row in self.selected_rows():
            box = self.cellWidget(row, KIND)
            if isinstance(box, QComboBox):
                box.setCurrentIndex(STUFF if box.currentIndex() == THING else THING)

    @Slot()
    def choose_color(self) -> None:
        """Ask for another colour of the first row that is selected."""
        for row in self.selected_rows()[:1]:
            self._ask_color(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do by keys what the buttons in the cells do, which Tab does not stop at."""
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            self.toggle_kind()
        elif event.keyCombination() == COLOR_KEY:
            self.choose_color()
        else:
            super().keyPressEvent(event)

    def _append(self, category: Category) -> None:
        self.insertRow(self.rowCount())
        self._write(self.rowCount() - 1, category)

    def _write(self, row: int, category: Category) -> None:
        """Fill a row anew."""
        self.blockSignals(True)
        texts = {KEY: category.hotkey, GROUP: category.supercategory}
        old_count = self.item(row, COUNT)
        for column, text in texts.items():
            self.setItem(row, column, QTableWidgetItem(text))
        item = QTableWidgetItem(category.name)
        item.setData(CATEGORY_ROLE, category)
        self.setItem(row, NAME, item)
        if old_count is None:
            count = QTableWidgetItem("")
            count.setFlags(count.flags() & ~Qt.ItemFlag.ItemIsEditable)
            self.setItem(row, COUNT, count)
        self.blockSignals(False)
        kind = QComboBox(self)
        kind.addItems(["thing", "stuff"])
        kind.setFrame(False)
        kind.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        kind.setToolTip(KIND_TIP)
        kind.setAccessibleName(f"Kind of {category.name}")
        kind.setCurrentIndex(THING if category.is_thing else STUFF)
        kind.currentIndexChanged.connect(lambda chosen: self._set_kind(item, chosen == THING))
        self.setCellWidget(row, KIND, kind)
        self.setCellWidget(row, COLOR, self._color_button(item))

    def _read(self, row: int) -> Category:
        cells = [self.model().index(row, column) for column in (NAME, KEY, GROUP)]
        old: Category = cells[0].data(CATEGORY_ROLE)
        name, key, group = (str(cell.data()).strip() for cell in cells)
        return replace(old, name=name, hotkey=key.upper(), supercategory=group)

    def _color_button(self, item: QTableWidgetItem) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setIcon(_icon(item))
        button.setToolTip("Choose the colour (Ctrl+L)")
        button.setAccessibleName(f"Colour of {item.text()}")
        button.clicked.connect(lambda: self._ask_color(item.row()))
        return button

    def _ask_color(self, row: int) -> None:
        self._coloring = self._read(row).id
        dialog = QColorDialog(QColor(*self._read(row).color), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(self._on_color_chosen)
        dialog.open()

    @Slot(QColor)
    def _on_color_chosen(self, color: QColor) -> None:
        rgb = (color.red(), color.green(), color.blue())
        for row, category in enumerate(self.categories()):
            if category.id == self._coloring:
                self._write(row, replace(category, color=rgb))
        self.edited.emit()

    @Slot()
    def _on_item_changed(self) -> None:
        self.edited.emit()

    def _set_kind(self, item: QTableWidgetItem, is_thing: bool) -> None:
        item.setData(CATEGORY_ROLE, replace(item.data(CATEGORY_ROLE), is_thing=is_thing))
        button = self.cellWidget(item.row(), COLOR)
        if isinstance(button, QToolButton):
            button.setIcon(_icon(item))


def _icon(item: QTableWidgetItem) -> QIcon:
    category: Category = item.data(CATEGORY_ROLE)
    return swatch(category.color, is_round=category.is_thing)
