"""The dialog that asks which images the model is to segment, and says what that means."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from app.batch_steps import BatchRequest
from app.batch_words import count, say_plan
from app.buttons import mark_primary
from core.doubt import N_SAMPLES
from core.pre_annotation import BatchPlan, plan_batch
from core.proposals import SamplingOptions
from core.review import Review

WHAT: Final = (
    "The model {model} gives each image a map, in {steps} steps and with seed {seed} as set in "
    "the panel Model: one step of undo each. Locked segments and what people drew stay as they "
    "are. You can go on labelling meanwhile."
)


class BatchDialog(QDialog):
    """Asks for images, in three choices, and for two ways to segment them.

    Signals:
        chosen(BatchRequest): the batch is to begin.
    """

    chosen = Signal(object)

    def __init__(
        self,
        choices: Mapping[str, Sequence[int]],
        reviews: Mapping[int, Review],
        done: Collection[int],
        model: str,
        options: SamplingOptions,
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog.

        Args:
            choices: ids of images by what they are called; the first is chosen.
            reviews: how far each image is.
            done: images that have a map of that model and these options.
            model: its name.
            options: how maps are drawn.
            parent: the window that it is modal to.
        """
        super().__init__(parent)
        self.setWindowTitle("Pre-annotate")
        self._reviews, self._done, self._options = reviews, done, options
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        what = WHAT.format(model=model, steps=options.steps, seed=options.seed)
        column.addWidget(self._label(what))
        self._choices = list(choices.values())
        self._images = QComboBox(self)
        self._images.setAccessibleName("Which images")
        self._images.addItems([f"{name} ({len(ids):,})" for name, ids in choices.items()])
        column.addWidget(self._images)
        self._fills_in = QCheckBox(
            "Also fill in &around what people drew, in images in work", self
        )
        self._samples = QCheckBox(
            f"Draw {N_SAMPLES} maps of each, to sort by expected &work; as much slower", self
        )
        self._plan_text = self._label("")
        for widget in (self._fills_in, self._samples, self._plan_text):
            column.addWidget(widget)
        self._buttons = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        self._begin = self._buttons.addButton("Pre-annotate", role.AcceptRole)
        self._buttons.addButton("Cancel", role.RejectRole)
        mark_primary(self._begin)
        column.addWidget(self._buttons)
        self._images.currentIndexChanged.connect(self._show_plan)
        self._fills_in.toggled.connect(self._show_plan)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._show_plan()

    @property
    def plan(self) -> BatchPlan:
        """What would be done now."""
        wanted = self._choices[self._images.currentIndex()]
        fills_in = self._fills_in.isChecked()
        return plan_batch(wanted, self._reviews, self._done, fills_in=fills_in)

    @Slot()
    def accept(self) -> None:
        """Close, and let the batch begin."""
        n_samples = N_SAMPLES if self._samples.isChecked() else 1
        fills_in = self._fills_in.isChecked()
        request = BatchRequest(self.plan.waiting, self._options, n_samples, fills_in)
        super().accept()
        self.chosen.emit(request)

    def _label(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setWordWrap(True)
        label.setMinimumWidth(440)
        return label

    @Slot()
    def _show_plan(self) -> None:
        plan = self.plan
        n_waiting = len(plan.waiting)
        begins = f"{count(n_waiting)} will be segmented." if n_waiting else "No image is left."
        self._plan_text.setText(f"{begins} {say_plan(plan)}".strip())
        self._plan_text.setForegroundRole(
            QPalette.ColorRole.WindowText if n_waiting else QPalette.ColorRole.PlaceholderText
        )
        self._begin.setEnabled(n_waiting > 0)
