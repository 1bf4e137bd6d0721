"""The dialog that gives a project another model."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from app.buttons import mark_primary
from app.model_choice import ModelChoice, say_differences
from core.panoptic import Category

WIDTH: Final = 560


class ModelDialog(QDialog):
    """Asks for a model, and says what it and the project's categories do not share.

    Attributes:
        models: the choice.

    Signals:
        chosen(str): the model is wanted, named as in `AnnotationStore.model`.
    """

    chosen = Signal(object)

    def __init__(
        self, model: str, categories: Sequence[Category], parent: QWidget | None = None
    ) -> None:
        """Begin with the model that a project of these categories has now."""
        super().__init__(parent)
        self.setWindowTitle("Choose model")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(WIDTH)
        self._categories = categories
        self.models = ModelChoice(self)
        self._remarks = QLabel(self)
        self._remarks.setWordWrap(True)
        self._remarks.setTextFormat(Qt.TextFormat.PlainText)
        self._remarks.setProperty("ink", "warning")
        self._lay_out()
        self.models.changed.connect(self._say_remarks)
        self.models.choose(model)

    def _lay_out(self) -> None:
        heading = QLabel("<b>Model</b>", self)
        heading.setBuddy(self.models)
        role = QDialogButtonBox.ButtonRole
        buttons = QDialogButtonBox(self)
        mark_primary(buttons.addButton("Choose", role.AcceptRole))
        buttons.addButton("Cancel", role.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.setSpacing(10)
        whole.addWidget(heading)
        whole.addWidget(self.models)
        whole.addWidget(self._remarks)
        whole.addStretch()
        whole.addWidget(buttons)

    @Slot()
    def _say_remarks(self) -> None:
        models = self.models
        self._remarks.setText(models.refusal or say_differences(models.card, self._categories))
        self._remarks.setVisible(bool(self._remarks.text()))

    def accept(self) -> None:
        """Use what is chosen."""
        self.chosen.emit(self.models.name)
        super().accept()
