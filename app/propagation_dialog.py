"""The dialog that asks how far to propagate and in how many steps."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from app.propagation_steps import PropagationWish

MAX_FRAMES: Final = 1_000_000
MAX_STEPS: Final = 1000
WHAT: Final = (
    "The segments of the open frame are followed into the next frames. A run ends before a "
    "frame that is approved or rejected; locked segments and what people drew stay as they "
    "are. All of a run is one step of undo."
)


class PropagationDialog(QDialog):
    """Asks for the ways of the next runs, and may begin one.

    Signals:
        chosen(PropagationWish, int): how, and the way to go at once: 1, -1, or 0 for none.
    """

    chosen = Signal(object, int)

    def __init__(self, wish: PropagationWish, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Propagate")
        self._before = wish
        options = wish.options
        what = QLabel(WHAT, self)
        what.setWordWrap(True)
        what.setMinimumWidth(440)
        self._frames = self._spin(0, MAX_FRAMES, wish.n_frames or 0)
        self._frames.setSpecialValueText("All to the end of the clip")
        self._first = self._spin(1, MAX_STEPS, options.first_steps)
        self._later = self._spin(1, MAX_STEPS, options.later_steps)
        self._settled = QDoubleSpinBox(self)
        self._settled.setRange(0, 10)
        self._settled.setDecimals(2)
        self._settled.setSingleStep(0.1)
        self._settled.setSuffix(" %")
        self._settled.setSpecialValueText("Never: take all steps")
        self._settled.setValue(100 * options.settled_share)
        self._watched = QCheckBox("&Open each frame and show its steps", self)
        self._watched.setChecked(wish.is_watched)
        form = QFormLayout()
        form.addRow("&Frames", self._frames)
        form.addRow("Steps of a frame without a map &before it", self._first)
        form.addRow("&Steps of every other frame", self._later)
        form.addRow("&Enough once a step changes less than", self._settled)
        form.addRow("", self._watched)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        column.addWidget(what)
        column.addLayout(form)
        column.addWidget(self._make_buttons())

    def _make_buttons(self) -> QDialogButtonBox:
        buttons, role = QDialogButtonBox(self), QDialogButtonBox.ButtonRole
        forward = buttons.addButton("Forward", role.AcceptRole)
        back = buttons.addButton("Back", role.ActionRole)
        keep = buttons.addButton("Only keep this", role.ActionRole)
        buttons.addButton("Cancel", role.RejectRole)
        mark_primary(forward)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        back.clicked.connect(self._on_back)
        keep.clicked.connect(self._on_keep)
        return buttons

    def _spin(self, least: int, most: int, value: int) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setRange(least, most)
        spin.setValue(value)
        return spin

    @property
    def wish(self) -> PropagationWish:
        """What is set now."""
        options = replace(
            self._before.options,
            first_steps=self._first.value(),
            later_steps=self._later.value(),
            settled_share=self._settled.value() / 100,
        )
        return PropagationWish(self._frames.value() or None, options, self._watched.isChecked())

    @Slot()
    def accept(self) -> None:
        """Close, and go forward."""
        self._close_with(1)

    @Slot()
    def _on_back(self) -> None:
        self._close_with(-1)

    @Slot()
    def _on_keep(self) -> None:
        self._close_with(0)

    def _close_with(self, way: int) -> None:
        wish = self.wish
        super().accept()
        self.chosen.emit(wish, way)
