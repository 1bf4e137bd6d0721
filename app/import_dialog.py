"""The dialog that takes COCO panoptic maps into the project, after saying what that does."""

from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from app.thread_run import ThreadRun
from core.map_import import ImportPlan, ImportReport, import_maps, plan_import, say_plan
from core.store import AnnotationStore

ASK = (
    "Choose the JSON of COCO panoptic maps; their PNGs are in the folder beside it. Maps are "
    "given to the images of the same names, one step of undo each. Locked segments stay."
)
MAX_LISTED = 200


class ImportDialog(QDialog):
    """Asks for a file, says which maps are of the project, and takes them in.

    It is modal to its window, so that nothing else edits the project meanwhile.

    Signals:
        imported(): maps and perhaps categories of the project have changed.
    """

    imported = Signal()

    def __init__(self, store: AnnotationStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import COCO panoptic maps")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(600, 400)
        self._store = store
        self._plan: ImportPlan | None = None
        self._run: ThreadRun | None = None
        self._what = QLabel(ASK, self)
        self._what.setWordWrap(True)
        self._what.setTextFormat(Qt.TextFormat.PlainText)
        self._notes = QPlainTextEdit(self)
        self._notes.setReadOnly(True)
        self._notes.setTabChangesFocus(True)
        self._notes.setAccessibleName("What is left out, and why")
        self._replaces = QCheckBox("Also replace the maps of images with &edits", self)
        self._bar = QProgressBar(self)
        self._bar.hide()
        self._choose = QPushButton("Choose file…", self)
        self._buttons = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        self._buttons.addButton(self._choose, role.ActionRole)
        self._import = self._buttons.addButton("Import", role.ActionRole)
        self._close = self._buttons.addButton("Close", role.RejectRole)
        mark_primary(self._import)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        for widget in (self._what, self._notes, self._replaces, self._bar, self._buttons):
            column.addWidget(widget)
        self._choose.clicked.connect(self._ask_file)
        self._import.clicked.connect(self.start)
        self._replaces.toggled.connect(self._show_state)
        self._buttons.rejected.connect(self.reject)
        self._show_state()

    def read(self, json_path: Path) -> None:
        """Find out what a file has for the project; nothing is changed yet."""
        self._plan = None
        self._what.setText(f"Reading {json_path}…")
        self._begin(partial(_plans, self._store, json_path), self._on_planned)

    @Slot()
    def start(self) -> None:
        """Take the maps in."""
        if self._plan is not None:
            self._bar.setMaximum(max(len(self._plan.matches), 1))
            maps = partial(_imports, self._store, self._plan, self._replaces.isChecked())
            self._begin(maps, self._on_imported)

    def reject(self) -> None:
        """Close; while maps are taken in, stop after the one in hand."""
        if self._run is None:
            super().reject()
        else:
            self._run.cancel()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._run is not None:
            event.ignore()
            self.reject()

    def _begin(
        self, steps: Callable[[], Generator[Any, None, None]], done: Callable[[Any], None]
    ) -> None:
        self._run = ThreadRun(steps, "the import", self)
        self._run.progressed.connect(self._bar.setValue)
        self._run.finished.connect(done)
        self._run.cancelled.connect(self._on_cancelled)
        self._run.failed.connect(self._on_failed)
        self._show_state()
        self._run.start()

    @Slot(object)
    def _on_planned(self, plan: ImportPlan) -> None:
        self._run, self._plan = None, plan
        self._what.setText(" ".join(say_plan(plan)))
        left_out = [f"{name}: the project has no such image" for name in plan.unmatched]
        self._list(left_out)
        self._show_state()

    @Slot(object)
    def _on_imported(self, report: ImportReport | None) -> None:
        self._run, self._plan = None, None
        done = report or ImportReport()
        images = "1 image" if done.n_images == 1 else f"{done.n_images:,} images"
        same = f" {done.n_same:,} had it already." if done.n_same else ""
        self._what.setText(f"{images} got a map.{same}")
        self._list(done.failures)
        self._show_state()
        self.imported.emit()

    @Slot()
    def _on_cancelled(self) -> None:
        self._run = None
        self._what.setText("Stopped; the maps that were taken in are there.")
        self._show_state()
        self.imported.emit()

    @Slot(object)
    def _on_failed(self, sentence: str) -> None:
        self._run = None
        self._what.setText(sentence)
        self._show_state()

    def _list(self, sentences: list[str]) -> None:
        more = len(sentences) - MAX_LISTED
        ending = [f"and {more:,} more"] if more > 0 else []
        self._notes.setPlainText("\n".join([*sentences[:MAX_LISTED], *ending]))

    @Slot()
    def _show_state(self) -> None:
        plan, is_running = self._plan, self._run is not None
        n_images = 0
        if plan is not None:
            worked_on = 0 if self._replaces.isChecked() else len(plan.worked_on)
            n_images = len(plan.matches) - worked_on
        self._import.setEnabled(n_images > 0 and not is_running)
        self._choose.setEnabled(not is_running)
        self._replaces.setVisible(plan is not None and bool(plan.worked_on))
        self._replaces.setEnabled(not is_running)
        self._bar.setVisible(is_running)
        self._close.setText("Stop" if is_running else "Close")

    @Slot()
    def _ask_file(self) -> None:
        dialog = QFileDialog(self, "COCO panoptic JSON", str(self._store.path.parent))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["COCO panoptic (*.json)", "All files (*)"])
        dialog.fileSelected.connect(self._on_file_chosen)
        dialog.open()

    @Slot(str)
    def _on_file_chosen(self, path: str) -> None:
        self.read(Path(path))


def _plans(store: AnnotationStore, json_path: Path) -> Generator[ImportPlan, None, None]:
    """In a thread: the plan."""
    with AnnotationStore.open(store.path, is_read_only=True) as reading:
        yield plan_import(reading, json_path)


def _imports(
    store: AnnotationStore, plan: ImportPlan, with_worked_on: bool
) -> Generator[ImportReport, None, None]:
    """In a thread: the import, through a connection of its own."""
    with store.open_again() as writing:
        yield from import_maps(writing, plan, with_worked_on=with_worked_on)
