"""The help sheet: every key and mouse movement on one page, from the table of actions."""

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QPalette, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.action_spec import (
    EDIT,
    FILE,
    HELP,
    IMAGE,
    SEGMENT,
    TOOLS,
    VIEW,
    is_category_key,
)
from app.actions import ACTIONS, MOUSE
from app.keys import Keys, native

COLUMNS = ((FILE, EDIT, IMAGE, HELP), (SEGMENT, VIEW), (TOOLS,))  # of about the same height
FRAME = QSize(20, 50)  # of a window, and some space around it


class HelpSheet(QDialog):
    """A window beside the work: it does not block anything."""

    def __init__(self, keys: Keys, parent: QWidget) -> None:
        super().__init__(parent)
        self._keys = keys
        self.setWindowTitle("Keys and mouse")
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setAccessibleName("Keys and mouse")
        close = QPushButton("Close", self)
        close.clicked.connect(self.close)
        self._page = QWidget()
        self._whole = QVBoxLayout(self)
        self._whole.setContentsMargins(0, 0, 16, 16)
        self._whole.addWidget(self._area)
        self._whole.addWidget(close, alignment=Qt.AlignmentFlag.AlignRight)
        keys.changed.connect(self._write)
        self._write()

    def showEvent(self, event: QShowEvent) -> None:
        """Open as large as everything on the sheet, or as the screen has room for."""
        self._whole.activate()
        around = self.size() - self._area.size()
        room = self.screen().availableSize() - FRAME
        self.resize((self._page.sizeHint() + around).boundedTo(room))
        super().showEvent(event)

    @Slot()
    def _write(self) -> None:
        """Fill the sheet with the keys in force."""
        self._page = page = QWidget()
        columns = QHBoxLayout(page)
        columns.setContentsMargins(24, 20, 24, 12)
        columns.setSpacing(40)
        for menus in COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(18)
            for menu in menus:
                column.addLayout(_section(menu, rows_of(menu, self._keys), page))
            if TOOLS in menus:
                column.insertLayout(1, _section("Mouse", list(MOUSE), page))
            column.addStretch()
            columns.addLayout(column)
        self._area.setWidget(page)


def rows_of(menu: str, keys: Keys) -> list[tuple[str, str]]:
    """Text and keys of the actions in a menu that have keys; the categories share a row."""
    rows = [
        (spec.text, keys.list_of(spec.name))
        for spec in ACTIONS
        if spec.menu == menu and keys[spec.name] and not is_category_key(spec)
    ]
    numbers = [
        keys[spec.name][0]
        for spec in ACTIONS
        if spec.menu == menu and is_category_key(spec) and keys[spec.name]
    ]
    span = f"{native(numbers[0])} to {native(numbers[-1])}" if numbers else ""
    return [*rows, ("Choose category", span)] if span else rows


def _section(title: str, rows: list[tuple[str, str]], parent: QWidget) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(6)
    heading = QLabel(f"<b>{title}</b>", parent)
    grid.addWidget(heading, 0, 0, 1, 2)
    for row, (text, keys) in enumerate(rows, start=1):
        grid.addWidget(QLabel(text, parent), row, 0)
        label = QLabel(keys, parent)
        label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        grid.addWidget(label, row, 1, Qt.AlignmentFlag.AlignRight)
    return grid
