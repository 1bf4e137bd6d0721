"""The table of actions as Qt's: in the menus of a window, with their keys."""

from functools import cache, partial
from operator import attrgetter

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow

from app.action_spec import MENUS, ActionSpec
from app.actions import ACTIONS, ENDING, LEAVING
from app.keys import Keys


class Actions(QObject):
    """The table's actions in the menus of a window, found by name, with the keys in force."""

    def __init__(self, window: QMainWindow, keys: Keys) -> None:
        super().__init__(window)
        self._window = window
        self._keys = keys
        menus = {name: window.menuBar().addMenu(f"&{name}") for name in MENUS}
        self._by_name = {spec.name: self._build(spec) for spec in ACTIONS}
        for spec in ACTIONS:
            if spec.has_line_above:
                menus[spec.menu].addSeparator()
            menus[spec.menu].addAction(self._by_name[spec.name])
        keys.changed.connect(self._give_keys)
        self._give_keys()

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def refresh(self) -> None:
        """Enable what can be done now, and tick what is on."""
        # Many actions ask the same, and this is done at every edit.
        ask = cache(lambda path: attrgetter(path)(self._window))
        for spec in ACTIONS:
            action = self._by_name[spec.name]
            if spec.when:
                action.setEnabled(bool(ask(spec.when)))
            if spec.checked:
                value = ask(spec.checked)
                action.setChecked(value is True or value == spec.argument)

    def _build(self, spec: ActionSpec) -> QAction:
        action = QAction(spec.text, self._window)
        action.setAutoRepeat(spec.repeats)
        action.setCheckable(bool(spec.checked))
        action.setStatusTip(spec.tip)
        action.triggered.connect(partial(self._trigger, spec))
        return action

    @Slot()
    def _give_keys(self) -> None:
        # All are taken away first: in between, two actions could share a key.
        for action in self._by_name.values():
            action.setShortcuts([])
        for name, action in self._by_name.items():
            action.setShortcuts([QKeySequence(key) for key in self._keys[name]])
            action.setToolTip(self._keys.title(name))

    def _may_end(self, spec: ActionSpec) -> bool:
        """Whether the project may be closed for another; a question about it triggers anew."""
        may_drop = attrgetter("last_word.may_drop_proposals")(self._window)
        may_open = attrgetter("training.leave_question.may_open_another")(self._window)
        return bool(may_drop() and may_open(partial(self._trigger, spec)))

    def _trigger(self, spec: ActionSpec, *_checked: bool) -> None:
        if spec.name in LEAVING and not attrgetter("may_leave")(self._window)():
            return
        if spec.name in ENDING and not self._may_end(spec):
            return
        slot = attrgetter(spec.slot)(self._window)
        if spec.argument is None:
            slot()
        else:
            slot(spec.argument)
        self.refresh()  # Qt has ticked a checkable action, whatever the slot did
