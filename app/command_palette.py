"""The command palette: type a few letters, press Enter, and the command is carried out."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Slot
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.actions import ACTIONS
from app.menus import Actions
from app.theme import scaled

WIDTH = 520
HEIGHT = 380
TOP = 72
MOVING_KEYS = {Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp}
NAME_ROLE = Qt.ItemDataRole.UserRole


class CommandPalette(QFrame):
    """Finds commands by any part of their menu and text.

    It lies inside its window, where no window manager has a say on place and focus.
    """

    def __init__(self, actions: Actions, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("palette")
        self.setAccessibleName("Command palette")
        self._actions = actions
        self._focus_before: QWidget | None = None
        self._field = QLineEdit(self)
        self._field.setPlaceholderText("Find a command")
        self._field.setAccessibleName("Find a command")
        self._field.textChanged.connect(self._filter)
        self._field.installEventFilter(self)
        self._list = QTreeWidget(self)
        self._list.setColumnCount(2)
        self._list.setHeaderHidden(True)
        self._list.setRootIsDecorated(False)
        self._list.setUniformRowHeights(True)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.header().setStretchLastSection(False)
        self._list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._list.itemClicked.connect(self._run)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        self._nothing = QLabel("No command is called so.", self)
        self._nothing.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        column.addWidget(self._field)
        column.addWidget(self._nothing)
        column.addWidget(self._list)
        self.hide()

    def open_palette(self) -> None:
        """Show every command in the upper middle of the window; what cannot be done is grey."""
        self._focus_before = QApplication.focusWidget()
        self._list.clear()
        for spec in sorted(ACTIONS, key=lambda spec: not self._actions[spec.name].isEnabled()):
            action = self._actions[spec.name]
            if action.isVisible():
                self._list.addTopLevelItem(_row(spec.name, spec.menu, action))
        self._field.clear()
        self._filter("")
        self.setFixedSize(QSize(scaled(WIDTH), scaled(HEIGHT)).boundedTo(self.window().size()))
        self.move((self.window().width() - self.width()) // 2, TOP)
        self.show()
        self.raise_()
        self._field.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_palette(self) -> None:
        """Give the keys back to whoever had them."""
        self.hide()
        if self._focus_before is not None:
            self._focus_before.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._run(next(iter(self._list.selectedItems()), None))
            return True
        if event.key() == Qt.Key.Key_Escape:
            self.close_palette()
            return True
        if event.key() in MOVING_KEYS:
            QApplication.sendEvent(self._list, event)
            return True
        return False

    @Slot(str)
    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        first: QTreeWidgetItem | None = None
        n_found = 0
        for row in range(self._list.topLevelItemCount()):
            item = self._list.topLevelItem(row)
            if item is None:
                continue
            is_found = all(word in item.text(0).casefold() for word in words)
            item.setHidden(not is_found)
            n_found += is_found
            if first is None and is_found and not item.isDisabled():
                first = item
        self._nothing.setVisible(not n_found)
        if first is None:
            self._list.clearSelection()
        else:
            self._list.setCurrentItem(first)

    @Slot(QTreeWidgetItem, int)
    def _run(self, item: QTreeWidgetItem | None, column: int = 0) -> None:
        if item is not None and not item.isDisabled():
            self.close_palette()
            self._actions[item.data(0, NAME_ROLE)].trigger()


def _row(name: str, menu: str, action: QAction) -> QTreeWidgetItem:
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    item = QTreeWidgetItem([f"{menu}: {action.text()}", keys])
    item.setData(0, NAME_ROLE, name)
    item.setDisabled(not action.isEnabled())
    if item.isDisabled():
        item.setToolTip(0, f"Not now. {action.statusTip()}")
    item.setForeground(1, QApplication.palette().placeholderText())
    item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
