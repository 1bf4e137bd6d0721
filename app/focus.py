"""Whether keys are wanted as text: bare keys are then no shortcuts."""

from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QTabBar,
)

_COMMANDS: Final = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
_ARROWS: Final = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down})
_MOVES: Final = _ARROWS | {
    *(Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End),
}
_MOVING: Final = (QAbstractItemView, QAbstractSlider, QComboBox, QTabBar)


def is_typing() -> bool:
    """Whether a text field has the focus."""
    field = QApplication.focusWidget()
    if isinstance(field, QComboBox):
        return field.isEditable()
    return isinstance(field, QLineEdit | QAbstractSpinBox)


def keeps(event: QKeyEvent) -> bool:
    """Whether the widget with the focus wants a key for itself, whatever command it is for.

    Bare keys are text where somebody types; arrows move in lists, sliders and tabs.
    """
    if not is_bare(event):
        return False
    return is_typing() or (
        event.key() in _ARROWS and isinstance(QApplication.focusWidget(), _MOVING)
    )


def is_bare(event: QKeyEvent) -> bool:
    """Whether a key was pressed alone or with Shift, and is no function key."""
    is_function_key = Qt.Key.Key_F1 <= event.key() <= Qt.Key.Key_F35
    return not event.modifiers() & _COMMANDS and not is_function_key


def claims_move(event: QEvent) -> bool:
    """Whether a key that moves something is offered to the focus before it is a command.

    A control that such keys set accepts the event, and the key is not taken from it.
    """
    return (
        isinstance(event, QKeyEvent)
        and event.type() == QEvent.Type.ShortcutOverride
        and event.key() in _MOVES
        and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    )
