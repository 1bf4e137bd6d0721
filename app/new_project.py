"""The dialog for a new project: its model, its categories, and where its file is kept."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
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
from app.category_sources import CategorySources
from app.category_table import GROUP, KEY, CategoryTable
from app.model_choice import ModelChoice, say_differences
from app.theme import scaled
from core.bundled import DEFAULT_MODEL, starter_models
from core.categories import add_missing, find_fault
from core.palette import default_color
from core.panoptic import Category
from core.store import PROJECT_SUFFIX

FIRST_CATEGORIES: Final = (
    Category(1, "object", is_thing=True, color=default_color(1)),
    Category(2, "background", is_thing=False, color=default_color(2)),
)
SIZE: Final = (620, 560)
TABLE_HEIGHT: Final = 180  # at least: whatever is said below it, some rows are in sight


@dataclass(frozen=True, slots=True)
class NewProject:
    """What a new project is made of; `model` as `AnnotationStore.model` has it."""

    path: Path
    categories: tuple[Category, ...]
    model: str


class NewProjectDialog(QDialog):
    """Asks what a new project is made of, and lets nothing impossible through.

    Attributes:
        models: the choice of its model.

    Signals:
        chosen(NewProject): the user wants this one; `leave` or `refuse` is the answer.
    """

    chosen = Signal(object)

    def __init__(
        self, sources: Sequence[Path], project: Path, parent: QWidget | None = None
    ) -> None:
        """Ask about a project for these images, to be kept in this file unless changed."""
        super().__init__(parent)
        self.setWindowTitle("New project")
        self.resize(*SIZE)
        self._has_own_categories = False
        self.models = ModelChoice(self)
        self._table = CategoryTable(self)
        self._table.setMinimumHeight(scaled(TABLE_HEIGHT))
        for column in (KEY, GROUP):
            self._table.setColumnHidden(column, True)  # for the editor, later
        self._sources = CategorySources(self)
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
        self.models.choose(DEFAULT_MODEL if DEFAULT_MODEL in starter_models() else "")

    def new_project(self) -> NewProject:
        """What is chosen now."""
        path = Path(self._path_edit.text().strip()).expanduser()
        if path.suffix != PROJECT_SUFFIX:
            path = path.with_name(path.name + PROJECT_SUFFIX)
        return NewProject(path, self._table.categories(), self.models.name)

    def refuse(self, sentence: str) -> None:
        """Say why the project that was chosen cannot be made, and go on asking."""
        self._say_fault(sentence)

    def leave(self) -> None:
        """Close: the project that was chosen is made."""
        self.hide()
        self.deleteLater()

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
        self._from_model = button
        for button in self._sources.buttons:
            table_buttons.addWidget(button)
        table_buttons.addStretch()
        for label in (self._remarks, self._fault):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._remarks.setProperty("ink", "warning")
        self._fault.setProperty("ink", "error")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.setSpacing(8)
        whole.addWidget(QLabel(sources, self))
        _add_section(whole, "Model", self.models)
        _add_section(whole, "Categories", self._table)
        whole.addLayout(table_buttons)
        whole.addWidget(self._remarks)
        _add_section(whole, "Project file", self._path_edit, path_row)
        whole.addWidget(self._fault)
        whole.addWidget(self._buttons)

    def _connect(self) -> None:
        self.models.changed.connect(self._on_model_chosen)
        self._table.edited.connect(self._on_categories_edited)
        self._sources.chosen.connect(self._on_list_chosen)
        self._sources.failed.connect(self._say_fault)
        self._path_edit.textChanged.connect(self._check)
        self._buttons.accepted.connect(self._on_accepted)
        self._buttons.rejected.connect(self.reject)

    @Slot()
    def _on_model_chosen(self) -> None:
        self._from_model.setEnabled(self.models.card is not None)
        if not self._has_own_categories:
            self._take_from_model()
        self._check()

    @Slot()
    def _take_from_model(self) -> None:
        """Replace the categories by what the model knows."""
        card = self.models.card
        self._table.set_categories(card.categories if card else FIRST_CATEGORIES)
        self._has_own_categories = False
        self._check()

    @Slot(object)
    def _on_list_chosen(self, categories: tuple[Category, ...]) -> None:
        """Add a template's or file's categories; what nobody has changed gives way to them."""
        if self._has_own_categories:
            before = self._table.categories()
            self._table.set_categories(add_missing(before, categories, ()))
            self._table.scrollToBottom()
        else:
            self._table.set_categories(categories)
        self._on_categories_edited()

    @Slot()
    def _on_categories_edited(self) -> None:
        self._has_own_categories = True
        self._check()

    @Slot()
    def _check(self) -> None:
        """Say what is wrong, and what the model does not know."""
        project = self.new_project()
        differences = say_differences(self.models.card, project.categories)
        self._remarks.setText(self.models.refusal or differences)
        self._remarks.setVisible(bool(self._remarks.text()))
        fault = find_fault(project.categories) or _find_path_fault(project.path)
        self._say_fault(fault)
        self._create.setEnabled(not fault)

    @Slot(object)
    def _say_fault(self, sentence: str) -> None:
        self._fault.setText(sentence)
        self._fault.setVisible(bool(sentence))

    @Slot()
    def _on_accepted(self) -> None:
        self.chosen.emit(self.new_project())

    @Slot()
    def _browse_project(self) -> None:
        dialog = QFileDialog(self, "Project file", self._path_edit.text())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"Projects (*{PROJECT_SUFFIX})")
        dialog.fileSelected.connect(self._path_edit.setText)
        dialog.open()


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


def _say_sources(sources: Sequence[Path]) -> str:
    folder = escape(str(sources[0].parent))
    if len(sources) == 1:
        return f"For <b>{escape(sources[0].name)}</b> in {folder}"
    return f"For <b>{len(sources):,} images</b> in {folder}"


def _find_path_fault(path: Path) -> str:
    if not path.parent.is_dir():
        return f"The folder {path.parent} does not exist; choose another one."
    try:
        is_taken = path.exists()
    except OSError as error:
        return f"{path.name} cannot be a file's name ({error.strerror}); choose another one."
    if is_taken:
        return f"{path.name} exists already; choose another name, or open that project."
    if not os.access(path.parent, os.W_OK):
        return f"The folder {path.parent} cannot be written to; choose another one."
    return ""
