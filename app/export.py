"""The dialog that writes the project as COCO panoptic files."""

from collections.abc import Generator
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from app.thread_run import ThreadRun
from core.export import INDEX_NAME, PROVENANCE_KEY, export_project, list_exported
from core.store import AnnotationStore


class ExportDialog(QDialog):
    """Asks for a folder, says what will be written there, and writes it."""

    def __init__(self, store: AnnotationStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export COCO panoptic")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(560)
        self._project = store.path
        self._n_images = len(list_exported(store))
        self._n_others = store.n_images() - self._n_images
        self._run: ThreadRun | None = None
        self._folder = QLineEdit(str(store.path.parent / "export"), self)
        self._browse = QPushButton("Browse…", self)
        self._provenance = QCheckBox("Say who made each segment: people or which model", self)
        self._provenance.setToolTip(f"As shares in segments_info, under {PROVENANCE_KEY}.")
        self._what = QLabel(self)
        self._state = QLabel(self)
        self._bar = QProgressBar(self)
        self._buttons = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        self._export_button = self._buttons.addButton("Export", role.ActionRole)
        self._show_button = self._buttons.addButton("Open folder", role.ActionRole)
        self._close_button = self._buttons.addButton("Close", role.RejectRole)
        self._lay_out()
        self._connect()
        self._check()

    @property
    def json_path(self) -> Path:
        """The JSON that would be written now."""
        return Path(self._folder.text().strip()).expanduser() / INDEX_NAME

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self._folder)
        row.addWidget(self._browse)
        for label in (self._what, self._state):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        heading = QLabel("<b>Folder</b>", self)
        heading.setBuddy(self._folder)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.setSpacing(10)
        whole.addWidget(heading)
        whole.addLayout(row)
        whole.addWidget(self._provenance)
        whole.addWidget(self._what)
        whole.addWidget(self._bar)
        whole.addWidget(self._state)
        whole.addStretch()
        whole.addWidget(self._buttons)
        self._bar.setMaximum(max(self._n_images, 1))
        self._bar.hide()
        self._show_button.hide()
        self._export_button.setDefault(True)
        mark_primary(self._export_button)

    def _connect(self) -> None:
        self._folder.textChanged.connect(self._check)
        self._browse.clicked.connect(self._ask_folder)
        self._export_button.clicked.connect(self.start)
        self._show_button.clicked.connect(self._show_folder)
        self._close_button.clicked.connect(self.reject)

    @Slot()
    def _check(self) -> None:
        """Say what will be written and whether something is in the way."""
        n_images, folder = _count(self._n_images), INDEX_NAME.removesuffix(".json")
        sentences = [f"{INDEX_NAME}: categories and segments. {folder}/: {n_images} as PNG."]
        if self._n_others:
            sentences.append(
                f"{_count(self._n_others)} without any edit, or rejected, are left out."
            )
        if self.json_path.exists():
            sentences.append("The export that is there will be replaced.")
        self._what.setText(" ".join(sentences))
        is_possible = self._n_images > 0 and bool(self._folder.text().strip())
        self._export_button.setEnabled(is_possible)
        if not self._n_images:
            self._state.setText("No image of this project has a segment yet.")

    @Slot()
    def start(self) -> None:
        """Write the files."""
        steps = partial(
            exports,
            self._project,
            self.json_path,
            with_provenance=self._provenance.isChecked(),
        )
        self._run = ThreadRun(steps, "the export", self)
        self._run.progressed.connect(self._on_progressed)
        self._run.finished.connect(self._on_finished)
        self._run.cancelled.connect(self._on_cancelled)
        self._run.failed.connect(self._end)
        self._show_running(is_running=True)
        self._state.setText("")
        self._run.start()

    def reject(self) -> None:
        """Close; while files are written, cancel that first."""
        if self._run is None:
            super().reject()
        else:
            self._state.setText("Stopping…")
            self._run.cancel()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._run is not None:
            event.ignore()
            self.reject()

    @Slot(int)
    def _on_progressed(self, n_written: int) -> None:
        self._bar.setValue(n_written)

    @Slot(object)
    def _on_finished(self, _n_written: int) -> None:
        self._end(f"{_count(self._n_images)} written to {self.json_path}.")
        self._show_button.show()

    @Slot()
    def _on_cancelled(self) -> None:
        self._end("Cancelled; nothing was written.")

    @Slot(object)
    def _end(self, sentence: str) -> None:
        self._run = None
        self._show_running(is_running=False)
        self._state.setText(sentence)

    def _show_running(self, *, is_running: bool) -> None:
        self._bar.setVisible(is_running)
        self._bar.setValue(0)
        self._close_button.setText("Cancel" if is_running else "Close")
        inputs = self._folder, self._browse, self._provenance, self._export_button
        for widget in inputs:
            widget.setEnabled(not is_running)

    @Slot()
    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, "Folder for the export", self._folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._folder.setText)
        dialog.open()

    @Slot()
    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.json_path.parent)))


def exports(
    project: Path, json_path: Path, *, with_provenance: bool = False
) -> Generator[int, None, None]:
    """In a thread: write a project's maps; closing it leaves an earlier export as it was.

    It reads through a connection of its own: maps of a large project take minutes to replay
    and to compress, and the write-ahead log lets the window write edits meanwhile.

    Yields:
        The number of images written so far.
    """
    with AnnotationStore.open(project, is_read_only=True) as store:
        yield from export_project(store, json_path, with_provenance=with_provenance)


def _count(n_images: int) -> str:
    return "1 image" if n_images == 1 else f"{n_images:,} images"
