"""Buttons below the list of segments: what is done to the selected one's border and parts."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.menus import Actions
from app.segment_commands import MAX_ISLAND, MAX_REACH, SegmentCommands

BY_REACH: Final = ("grow", "shrink", "smooth", "snap")
BY_PART: Final = ("fill_holes", "remove_islands", "split_components", "give_to_neighbours")
SHORT: Final = {
    "grow": "Grow",
    "shrink": "Shrink",
    "smooth": "Smooth",
    "snap": "Snap",
    "fill_holes": "Fill holes",
    "remove_islands": "Drop islands",
    "split_components": "Split parts",
    "give_to_neighbours": "Dissolve",
}


class BorderPanel(QWidget):
    """Two numbers and a button for each command that needs no gesture."""

    def __init__(
        self, actions: Actions, commands: SegmentCommands, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._commands = commands
        self._reach = self._field("Pixels that borders move by", MAX_REACH, commands.set_reach)
        self._island = self._field(
            "Fewest pixels of a part", MAX_ISLAND, commands.set_island_area
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 8)
        column.setSpacing(4)
        column.addLayout(_row("Move borders by", self._reach))
        column.addLayout(self._buttons(actions, BY_REACH))
        column.addLayout(_row("Islands are parts under", self._island))
        column.addLayout(self._buttons(actions, BY_PART))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        commands.changed.connect(self._follow)
        self._follow()

    def _field(self, name: str, maximum: int, slot: Callable[[int], None]) -> QSpinBox:
        field = QSpinBox(self)
        field.setRange(1, maximum)
        field.setSuffix(" px")
        field.setAccessibleName(name)
        field.valueChanged.connect(slot)
        return field

    def _buttons(self, actions: Actions, names: tuple[str, ...]) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, name in enumerate(names):
            grid.addWidget(_button(actions, name, self), place // 2, place % 2)
        return grid

    @Slot()
    def _follow(self) -> None:
        for field, value in (
            (self._reach, self._commands.reach),
            (self._island, self._commands.island_area),
        ):
            field.blockSignals(True)
            field.setValue(value)
            field.blockSignals(False)


def _row(text: str, field: QSpinBox) -> QHBoxLayout:
    label = QLabel(text)
    label.setBuddy(field)
    row = QHBoxLayout()
    row.addWidget(label)
    row.addStretch()
    row.addWidget(field)
    return row


def _button(actions: Actions, name: str, parent: QWidget) -> QPushButton:
    """A button that is enabled and explained as its action is."""
    action = actions[name]
    button = QPushButton(SHORT[name], parent)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setToolTip(f"{action.toolTip()}. {action.statusTip()}")

    action.changed.connect(follow)
    follow()
    return button
