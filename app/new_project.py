"""The dialog for a new project: its model, its categories, and where its file is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from app.category_table import CategoryTable, find_fault
from app.theme import current_tones
from core.bundled import MODEL_SUFFIX, find_model, starter_models
from core.errors import AnnotateError
from core.model_card import ModelCard, read_card
from core.panoptic import Category
from core.proposals import match_categories
from core.store import PROJECT_SUFFIX

NO_MODEL: Final = "No model yet: label first, train later"
MODEL_FILE: Final = "A model file…"
FIRST_CATEGORIES: Final = (
    Category(1, "object", is_thing=True, color=(229, 134, 6)),
    Category(2, "background", is_thing=False, color=(93, 105, 177)),
)
SIZE: Final = (620, 560)


@dataclass(frozen=True, slots=True)
class NewProject:
    """What a new project is made of; `model` as `AnnotationStore.model` has it."""

    path: Path
    categories: tuple[Category, ...]
    model: str


class NewProjectDialog(QDialog):
    """Asks what a new project is made of, and lets nothing impossible through.

    Signals:
        chosen(NewProject): the user wants this one.
    """

    chosen = Signal(object)

    def __init__(
        self, sources: Sequence[Path], project: Path, parent: QWidget | None = None
    ) -> None:
        """Ask about a project for these images, to be kept in this file unless changed."""
        super().__init__(parent)
        self.setWindowTitle("New project")
        self.resize(*SIZE)
        self._card: ModelCard | None = None
        self._refusal = ""
        self._has_own_categories = False
        self._model_box = QComboBox(self)
        self._summary = _muted(QLabel(self))
        self._table = CategoryTable(self)
        self._remarks = QLabel(self)
        self._path_edit = QLineEdit(str(project), self)
        self._fault = QLabel(self)
        self._buttons = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        self._create = self._buttons.addButton("Create project", role.AcceptRole)
        self._buttons.addButton("Cancel", role.RejectRole)
        mark_primary(self._create)
        self._lay_out(_say_sources(sources))
        self._connect()
        self._fill_models()

    def new_project(self) -> NewProject:
        """What is chosen now."""
        path = Path(self._path_edit.text().strip()).expanduser()
        if path.suffix != PROJECT_SUFFIX:
            path = path.with_name(path.name + PROJECT_SUFFIX)
        return NewProject(path, self._table.categories(), self._model_box.currentData() or "")

    def choose_model_file(self, path: Path) -> None:
        """Offer a model file among the models, and choose it."""
        try:
            card = read_card(path)
        except AnnotateError as error:
            self._choose_model("")
            self._refuse(str(error))
            return
        place = self._model_box.count() - 2
        self._model_box.insertItem(place, f"{card.name} ({path.name})", str(path))
        self._model_box.setCurrentIndex(place)
        self._on_model_chosen()

    def _lay_out(self, sources: str) -> None:
        browse_button = QPushButton("Browse…", self)
        browse_button.clicked.connect(self._browse_project)
        path_row = QHBoxLayout()
        path_row.addWidget(self._path_edit)
        path_row.addWidget(browse_button)
        table_buttons = QHBoxLayout()
        for text, slot in (
            ("Add", self._table.add_category),
            ("Remove", self._table.remove_selected),
            ("Take the model's", self._take_from_model),
        ):
            button = QPushButton(text, self)
            button.setAutoDefault(False)
            button.clicked.connect(slot)
            table_buttons.addWidget(button)
        table_buttons.addStretch()
        self._from_model = button
        for label in (self._remarks, self._fault, self._summary):
            label.setWordWrap(True)
        tones = current_tones()
        self._remarks.setStyleSheet(f"color: {tones.warning};")
        self._fault.setStyleSheet(f"color: {tones.error};")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.setSpacing(8)
        whole.addWidget(QLabel(sources, self))
        _add_section(whole, "Model", self._model_box)
        whole.addWidget(self._summary)
        _add_section(whole, "Categories", self._table)
        whole.addLayout(table_buttons)
        whole.addWidget(self._remarks)
        _add_section(whole, "Project file", self._path_edit, path_row)
        whole.addWidget(self._fault)
        whole.addWidget(self._buttons)

    def _connect(self) -> None:
        self._model_box.activated.connect(self._on_model_chosen)
        self._table.edited.connect(self._on_categories_edited)
        self._path_edit.textChanged.connect(self._check)
        self._buttons.accepted.connect(self._on_accepted)
        self._buttons.rejected.connect(self.reject)

    def _fill_models(self) -> None:
        for name, path in starter_models().items():
            self._model_box.addItem(_title(name, path), name)
        self._model_box.addItem(MODEL_FILE, None)
        self._model_box.addItem(NO_MODEL, "")
        self._choose_model(self._model_box.itemData(0) or "")

    def _choose_model(self, reference: str) -> None:
        self._model_box.setCurrentIndex(self._model_box.findData(reference))
        self._on_model_chosen()

    @Slot()
    def _on_model_chosen(self) -> None:
        reference = self._model_box.currentData()
        if reference is None:
            self._browse_model()
            return
        self._refusal = ""
        try:
            self._card = read_card(find_model(reference)) if reference else None
        except AnnotateError as error:
            self._choose_model("")
            self._refuse(str(error))
            return
        self._summary.setText(self._card.summary if self._card else "")
        self._summary.setVisible(self._card is not None)
        self._from_model.setEnabled(self._card is not None)
        if not self._has_own_categories:
            self._take_from_model()
        self._check()

    def _refuse(self, sentence: str) -> None:
        """Say why a model cannot be had."""
        self._refusal = sentence
        self._check()

    @Slot()
    def _take_from_model(self) -> None:
        """Replace the categories by what the model knows."""
        self._table.set_categories(self._card.categories if self._card else FIRST_CATEGORIES)
        self._has_own_categories = False
        self._check()

    @Slot()
    def _on_categories_edited(self) -> None:
        self._has_own_categories = True
        self._check()

    @Slot()
    def _check(self) -> None:
        """Say what is wrong, and what the model does not know."""
        project = self.new_project()
        self._remarks.setText(self._refusal or _compare(self._card, project.categories))
        self._remarks.setVisible(bool(self._remarks.text()))
        fault = find_fault(project.categories) or _find_path_fault(project.path)
        self._fault.setText(fault)
        self._fault.setVisible(bool(fault))
        self._create.setEnabled(not fault)

    @Slot()
    def _on_accepted(self) -> None:
        self.hide()
        self.chosen.emit(self.new_project())
        self.deleteLater()

    @Slot()
    def _browse_project(self) -> None:
        dialog = QFileDialog(self, "Project file", self._path_edit.text())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"Projects (*{PROJECT_SUFFIX})")
        dialog.fileSelected.connect(self._path_edit.setText)
        dialog.open()

    @Slot()
    def _browse_model(self) -> None:
        dialog = QFileDialog(self, "Model file", str(Path.home()))
        dialog.setNameFilter(f"Models (*{MODEL_SUFFIX})")
        dialog.fileSelected.connect(self._on_model_file_chosen)
        dialog.rejected.connect(self._on_no_model_file_chosen)
        dialog.open()

    @Slot(str)
    def _on_model_file_chosen(self, path: str) -> None:
        self.choose_model_file(Path(path))

    @Slot()
    def _on_no_model_file_chosen(self) -> None:
        self._choose_model("")


def _add_section(
    layout: QVBoxLayout, title: str, widget: QWidget, row: QHBoxLayout | None = None
) -> None:
    """Add a heading and a widget, which may stand in a row with others."""
    label = QLabel(f"<b>{title}</b>")
    label.setBuddy(widget)
    layout.addSpacing(6)
    layout.addWidget(label)
    if row is None:
        layout.addWidget(widget)
    else:
        layout.addLayout(row)


def _muted(label: QLabel) -> QLabel:
    label.setStyleSheet(f"color: {current_tones().muted};")
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    return label


def _title(name: str, path: Path) -> str:
    """One line on a starter model."""
    try:
        known = ", ".join(category.name for category in read_card(path).categories[:4])
    except AnnotateError:
        return f"{name} (damaged)"
    return f"{name}: knows {known}"


def _say_sources(sources: Sequence[Path]) -> str:
    if len(sources) == 1:
        return f"For <b>{sources[0].name}</b> in {sources[0].parent}"
    return f"For <b>{len(sources):,} images</b> in {sources[0].parent}"


def _find_path_fault(path: Path) -> str:
    if not path.parent.is_dir():
        return f"The folder {path.parent} does not exist; choose another one."
    if path.exists():
        return f"{path.name} exists already; choose another name, or open that project."
    return ""


def _compare(card: ModelCard | None, categories: Sequence[Category]) -> str:
    """Say which categories the model and the project do not share."""
    if card is None:
        return ""
    match = match_categories(card.categories, categories)
    sentences = []
    if match.only_project:
        sentences.append(f"The model does not know {_listed(match.only_project)}.")
    if match.only_model:
        sentences.append(
            f"Its segments of {_listed(match.only_model)} will be left out: the project has no "
            "category of that name and kind."
        )
    return " ".join(sentences)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
