"""The list of the model's versions: which is in use, going to another, one as a file."""

from datetime import datetime
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from core.bundled import MODEL_SUFFIX, find_model
from core.errors import AnnotateError
from core.model_versions import ModelVersion
from core.run_files import count_bytes, drop_files, find_spent_files, say_size
from core.store import AnnotationStore
from core.version_files import copy_model

COLUMNS: Final = ("version", "trained", "images", "PQ", "s an image", "goes on from")
IN_USE: Final = " (in use)"
SPENT: Final = (
    "Trainings that were decided on keep {size} of checkpoints and copies. Versions, curves "
    "and comparisons stay without them."
)
NONE_YET: Final = "This project has no version of its own yet: Retrain… in the menu File."


class VersionsDialog(QDialog):
    """Shows the versions, the newest first, and the models that they began with.

    Signals:
        chosen(str): this one is wanted, named as in `AnnotationStore.model`.
    """

    chosen = Signal(object)

    def __init__(self, store: AnnotationStore, parent: QWidget | None = None) -> None:
        """Read the project's list.

        Raises:
            ProjectError: it cannot be read.
        """
        super().__init__(parent)
        self.setWindowTitle("Versions of the model")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(680, 340)
        versions = store.model_versions()
        self._in_use = store.model
        self._rows = list_rows(versions, store.model)
        self._says = QLabel("" if versions else NONE_YET, self)
        self._says.setWordWrap(True)
        self._says.setTextFormat(Qt.TextFormat.PlainText)
        self._says.setVisible(not versions)
        self._table = QTableWidget(len(self._rows), len(COLUMNS), self)
        self._use = QPushButton("Use this version", self)
        self._export = QPushButton("Export file…", self)
        self._project = store.path
        self._free = QPushButton(self)
        self._spent = QLabel(self)
        self._spent.setWordWrap(True)
        self._spent.setTextFormat(Qt.TextFormat.PlainText)
        self._fill()
        self._lay_out()
        self._table.itemSelectionChanged.connect(self._show_state)
        self._use.clicked.connect(self._on_use)
        self._export.clicked.connect(self._ask_file)
        self._free.clicked.connect(self._on_free)
        self._show_spent()
        self._show_state()

    def _fill(self) -> None:
        table = self._table
        table.setAccessibleName("Versions of the model")
        table.setHorizontalHeaderLabels(COLUMNS)
        table.verticalHeader().hide()
        table.setTabKeyNavigation(False)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setStretchLastSection(True)
        for number, (_, texts) in enumerate(self._rows):
            for place, text in enumerate(texts):
                table.setItem(number, place, QTableWidgetItem(text))

    def _lay_out(self) -> None:
        role = QDialogButtonBox.ButtonRole
        buttons = QDialogButtonBox(self)
        buttons.addButton(self._export, role.ActionRole)
        buttons.addButton(self._use, role.ActionRole)
        buttons.addButton("Close", role.RejectRole)
        buttons.rejected.connect(self.reject)
        mark_primary(self._use)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        row = QHBoxLayout()
        row.addWidget(self._spent, 1)
        row.addWidget(self._free)
        for widget in (self._says, self._table):
            column.addWidget(widget)
        column.addLayout(row)
        column.addWidget(buttons)

    @property
    def _selected(self) -> str:
        """The model of the selected row; empty if there is none."""
        rows = self._table.selectionModel().selectedRows()
        return self._rows[rows[0].row()][0] if rows else ""

    @Slot()
    def _show_state(self) -> None:
        is_there = bool(self._selected) and find_model(self._selected).exists()
        self._use.setEnabled(is_there and self._selected != self._in_use)
        self._export.setEnabled(is_there)

    def _show_spent(self) -> None:
        n_bytes = count_bytes(find_spent_files(self._project))
        self._spent.setText(SPENT.format(size=say_size(n_bytes)))
        self._free.setText(f"Free {say_size(n_bytes)}")
        for widget in (self._spent, self._free):
            widget.setVisible(n_bytes > 0)

    @Slot()
    def _on_free(self) -> None:
        try:
            freed = drop_files(find_spent_files(self._project))
        except AnnotateError as error:
            self._says.setText(str(error))
        else:
            self._says.setText(f"{say_size(freed)} are free again.")
        self._says.show()
        self._show_spent()

    @Slot()
    def _on_use(self) -> None:
        self.chosen.emit(self._selected)
        self.accept()

    @Slot()
    def _ask_file(self) -> None:
        model = find_model(self._selected)
        dialog = QFileDialog(self, "Export the model", str(Path.home() / model.name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"Models (*{MODEL_SUFFIX})")
        dialog.setDefaultSuffix(MODEL_SUFFIX.lstrip("."))
        dialog.selectFile(model.name)
        dialog.fileSelected.connect(self.export)
        dialog.open()

    @Slot(str)
    def export(self, target: str) -> None:
        """Copy the selected version's file."""
        try:
            copy_model(find_model(self._selected), Path(target))
        except AnnotateError as error:
            self._says.setText(str(error))
        else:
            self._says.setText(f"The model is in {target}.")
        self._says.show()


def list_rows(versions: list[ModelVersion], in_use: str) -> list[tuple[str, tuple[str, ...]]]:
    """The model of each row and its texts; at the end those that no training here has made."""
    names = {str(version.path): version.name for version in versions}
    others = [str(v.scores["base"]) for v in versions if "base" in v.scores]
    rows = [
        (str(version.path), _texts(version, names, in_use)) for version in reversed(versions)
    ]
    for other in dict.fromkeys([*others, in_use]):
        if other and other not in names:
            mark = IN_USE if other == in_use else ""
            rows.append((other, (f"{Path(other).stem}{mark}", "", "", "", "", "")))
    return rows


def _texts(version: ModelVersion, names: dict[str, str], in_use: str) -> tuple[str, ...]:
    scores = version.scores
    base = str(scores.get("base", ""))
    mark = IN_USE if str(version.path) == in_use else ""
    return (
        f"{version.name}{mark}",
        f"{datetime.fromtimestamp(version.created).astimezone():%Y-%m-%d %H:%M}",
        f"{version.n_images:,}",
        f"{100 * scores['pq']:.1f}" if "pq" in scores else "",
        f"{scores['seconds']:.0f}" if "seconds" in scores else "",
        names.get(base, Path(base).stem),
    )
