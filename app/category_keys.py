"""The keys that choose a category, as actions of the window: numbers and letters."""

from functools import partial

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow

from app.category_commands import CategoryCommands
from app.document import Document
from app.menus import Actions
from core.categories import NUMBER_KEYS


class CategoryKeys(QObject):
    """Follows the list of categories: names the numbers, and gives letters their actions."""

    def __init__(
        self,
        document: Document,
        commands: CategoryCommands,
        actions: Actions,
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._document = document
        self._commands = commands
        self._actions = actions
        self._window = window
        self._letters: list[QAction] = []
        document.categories_changed.connect(self._follow)
        document.keys.changed.connect(self._follow)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        for action in self._letters:
            self._window.removeAction(action)
            action.deleteLater()
        self._letters.clear()
        keys = self._commands.keys
        for number in NUMBER_KEYS:
            category = self._document.categories.get(keys.get(number, 0))
            action = self._actions[f"category_{number}"]
            action.setVisible(category is not None)
            if category is not None:
                action.setText(f"Category {number}: {category.name}")
        for key in keys.keys() - set(NUMBER_KEYS):
            action = QAction(self._document.categories[keys[key]].name, self._window)
            action.setShortcut(QKeySequence(key))
            action.setAutoRepeat(False)
            action.triggered.connect(partial(self._commands.choose_key, key))
            self._window.addAction(action)
            self._letters.append(action)
        self._actions.refresh()
