"""The table in which a project's categories are named."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon
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

from app.theme import scaled, swatch
from core.panoptic import Category

COLOR, NAME, KIND = range(3)
THING, STUFF = range(2)
CATEGORY_ROLE: Final = Qt.ItemDataRole.UserRole
ROW_HEIGHT: Final = 32
COLOR_WIDTH: Final = 40
FRESH_COLORS: Final = (  # CARTO's palette Vivid
    (229, 134, 6),
    (93, 105, 177),
    (82, 188, 163),
    (153, 201, 69),
    (204, 97, 176),
    (36, 121, 108),
    (218, 165, 27),
    (47, 138, 196),
    (118, 78, 159),
    (237, 100, 90),
)


class CategoryTable(QTableWidget):
    """Colour, name and kind of each category; ids stay with their rows.

    Signals:
        edited(): somebody changed something by hand.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 3, parent)
        self.setHorizontalHeaderLabels(["", "Name", "Kind"])
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(scaled(ROW_HEIGHT))
        header = self.horizontalHeader()
        header.setSectionResizeMode(COLOR, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(KIND, QHeaderView.ResizeMode.ResizeToContents)
        self.setColumnWidth(COLOR, scaled(COLOR_WIDTH))
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAccessibleName("Categories of the project")
        self.itemChanged.connect(self._on_item_changed)

    def set_categories(self, categories: Sequence[Category]) -> None:
        """Show these instead; nobody is told."""
        self.setRowCount(0)
        for category in categories:
            self._append(category)

    def categories(self) -> tuple[Category, ...]:
        """The rows as categories, names without blanks around them."""
        return tuple(self._read(row) for row in range(self.rowCount()))

    @Slot()
    def add_category(self) -> None:
        """Add a row and begin to write its name."""
        rows = self.categories()
        new_id = max((category.id for category in rows), default=0) + 1
        color = FRESH_COLORS[len(rows) % len(FRESH_COLORS)]
        self._append(Category(new_id, "", is_thing=True, color=color))
        self.edited.emit()
        index = self.model().index(self.rowCount() - 1, NAME)
        self.setCurrentIndex(index)
        self.edit(index)

    @Slot()
    def remove_selected(self) -> None:
        """Remove the rows that are selected."""
        rows = {index.row() for index in self.selectedIndexes()}
        for row in sorted(rows, reverse=True):
            self.removeRow(row)
        self.edited.emit()

    def _append(self, category: Category) -> None:
        row = self.rowCount()
        self.blockSignals(True)
        self.insertRow(row)
        item = QTableWidgetItem(category.name)
        item.setData(CATEGORY_ROLE, category)
        self.setItem(row, NAME, item)
        self.blockSignals(False)
        kind = QComboBox(self)
        kind.addItems(["thing", "stuff"])
        kind.setFrame(False)
        kind.setToolTip("A thing can be counted (cell, car); stuff cannot (sky, background).")
        kind.setCurrentIndex(THING if category.is_thing else STUFF)
        kind.currentIndexChanged.connect(lambda chosen: self._set_kind(item, chosen == THING))
        self.setCellWidget(row, KIND, kind)
        self.setCellWidget(row, COLOR, self._color_button(item))

    def _read(self, row: int) -> Category:
        index = self.model().index(row, NAME)
        old: Category = index.data(CATEGORY_ROLE)
        return replace(old, name=str(index.data()).strip())

    def _color_button(self, item: QTableWidgetItem) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setIcon(_icon(item))
        button.setToolTip("Choose the colour")
        button.setAccessibleName("Colour")
        button.clicked.connect(lambda: self._ask_color(item, button))
        return button

    def _ask_color(self, item: QTableWidgetItem, button: QToolButton) -> None:
        dialog = QColorDialog(QColor(*item.data(CATEGORY_ROLE).color), self)

        def take(color: QColor) -> None:
            rgb = (color.red(), color.green(), color.blue())
            item.setData(CATEGORY_ROLE, replace(item.data(CATEGORY_ROLE), color=rgb))
            button.setIcon(_icon(item))

        dialog.colorSelected.connect(take)
        dialog.open()

    @Slot()
    def _on_item_changed(self) -> None:
        self.edited.emit()

    def _set_kind(self, item: QTableWidgetItem, is_thing: bool) -> None:
        item.setData(CATEGORY_ROLE, replace(item.data(CATEGORY_ROLE), is_thing=is_thing))
        button = self.cellWidget(item.row(), COLOR)
        if isinstance(button, QToolButton):
            button.setIcon(_icon(item))


def find_fault(categories: Sequence[Category]) -> str:
    """Say what is wrong with a list of categories; empty when nothing is."""
    if not categories:
        return "Add at least one category."
    seen: set[str] = set()
    for number, category in enumerate(categories, start=1):
        name = category.name.casefold()
        if not name:
            return f"Give category {number} a name."
        if name in seen:
            return f"Two categories are called '{category.name}'; rename one of them."
        seen.add(name)
    return ""


def _icon(item: QTableWidgetItem) -> QIcon:
    category: Category = item.data(CATEGORY_ROLE)
    return swatch(category.color, is_round=category.is_thing)
