"""The help sheet: every key and mouse movement on one page, from the table of actions."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QPalette
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
    ActionSpec,
    is_category_key,
)
from app.actions import ACTIONS, MOUSE

COLUMNS = ((FILE, EDIT, IMAGE, HELP), (SEGMENT,), (TOOLS, VIEW))


class HelpSheet(QDialog):
    """A window beside the work: it does not block anything."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        page = QWidget(self)
        columns = QHBoxLayout(page)
        columns.setContentsMargins(24, 20, 24, 12)
        columns.setSpacing(40)
        for menus in COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(18)
            for menu in menus:
                column.addLayout(_section(menu, rows_of(menu), page))
            if TOOLS in menus:
                column.insertLayout(1, _section("Mouse", list(MOUSE), page))
            column.addStretch()
            columns.addLayout(column)
        area = QScrollArea(self)
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        close = QPushButton("Close", self)
        close.clicked.connect(self.close)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 16, 16)
        whole.addWidget(area)
        whole.addWidget(close, alignment=Qt.AlignmentFlag.AlignRight)
        self.resize(980, 640)


def rows_of(menu: str) -> list[tuple[str, str]]:
    """Text and keys of the actions in a menu that have keys; the categories share a row."""
    rows = [
        (spec.text, keys_of(spec))
        for spec in ACTIONS
        if spec.menu == menu and spec.keys and not is_category_key(spec)
    ]
    n_categories = sum(is_category_key(spec) for spec in ACTIONS if spec.menu == menu)
    return [*rows, ("Choose category", f"1 to {n_categories}")] if n_categories else rows


def keys_of(spec: ActionSpec) -> str:
    """An action's keys as the system writes them."""
    form = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(key).toString(form) for key in spec.keys)


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
