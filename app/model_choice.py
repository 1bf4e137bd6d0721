"""The box in which a model is chosen: a starter, a model file, or none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from core.bundled import MODEL_SUFFIX, find_model, starter_models
from core.errors import AnnotateError
from core.model_card import ModelCard, read_card
from core.panoptic import Category
from core.proposals import match_categories

NO_MODEL: Final = "No model yet: label first, train later"
MODEL_FILE: Final = "A model file…"
SPACING: Final = 8
MAX_NAMED: Final = 4


class ModelChoice(QWidget):
    """A list of models, and one line on the chosen one.

    A model is named as in `AnnotationStore.model`: a starter's name, a file's path, or nothing.

    Attributes:
        name: of the chosen model; empty for none.
        card: of the chosen model; None for none.
        refusal: why the model that was asked for last cannot be had; empty when it can.

    Signals:
        changed(): any of the above.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = ""
        self.card: ModelCard | None = None
        self.refusal = ""
        self._box = QComboBox(self)
        self._box.setAccessibleName("Model")
        self._summary = QLabel(self)
        self._summary.setWordWrap(True)
        self._summary.setTextFormat(Qt.TextFormat.PlainText)
        self._summary.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addWidget(self._box)
        column.addWidget(self._summary)
        self.setFocusProxy(self._box)
        self._fill()
        self._box.activated.connect(self._on_activated)

    def choose(self, name: str) -> None:
        """Choose a model; one that cannot be had is refused, and none is chosen."""
        try:
            card = read_card(find_model(name)) if name else None
        except AnnotateError as error:
            self._take("", None, str(error))
            return
        if card is not None and self._box.findData(name) < 0:
            place = self._box.count() - 2
            self._box.insertItem(place, f"{card.name} ({Path(name).name})", name)
        self._take(name, card, "")

    def _fill(self) -> None:
        for name, path in starter_models().items():
            self._box.addItem(_title(name, path), name)
        self._box.addItem(MODEL_FILE, None)
        self._box.addItem(NO_MODEL, "")
        self.choose("")

    def _take(self, name: str, card: ModelCard | None, refusal: str) -> None:
        self.name, self.card, self.refusal = name, card, refusal
        self._box.setCurrentIndex(self._box.findData(name))
        self._summary.setText(card.summary if card else "")
        self._summary.setVisible(card is not None)
        self.changed.emit()

    @Slot(int)
    def _on_activated(self, row: int) -> None:
        name = self._box.itemData(row)
        if name is None:
            self._box.setCurrentIndex(self._box.findData(self.name))  # until a file is chosen
            self._browse()
        else:
            self.choose(name)

    def _browse(self) -> None:
        dialog = QFileDialog(self, "Model file", str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setNameFilter(f"Models (*{MODEL_SUFFIX})")
        dialog.fileSelected.connect(self.choose)
        dialog.open()


def say_differences(card: ModelCard | None, categories: Sequence[Category]) -> str:
    """Say which categories a model and a project do not share; empty when all are."""
    if card is None:
        return ""
    match = match_categories(card.categories, categories)
    sentences = []
    if match.only_project:
        sentences.append(f"The model does not know {name_a_few(match.only_project)}.")
    if match.only_model:
        sentences.append(
            f"Its segments of {name_a_few(match.only_model)} will be left out: the project has "
            "no category of that name and kind."
        )
    return " ".join(sentences)


def name_a_few(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    shown = ", ".join(f"'{name}'" for name in names[:MAX_NAMED])
    more = len(names) - MAX_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _title(name: str, path: Path) -> str:
    """One line on a starter model."""
    try:
        known = ", ".join(category.name for category in read_card(path).categories[:4])
    except AnnotateError:
        return f"{name} (damaged)"
    return f"{name}: knows {known}"
