"""The dialog that writes the project as COCO panoptic files."""

import logging
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Qt, QThreadPool, QUrl, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
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
from core.errors import AnnotateError
from core.export import INDEX_NAME, export_project, list_exported
from core.store import AnnotationStore

_log = logging.getLogger(__name__)


class ExportRun(QObject):
    """Writes a project's maps in a thread of its own.

    The thread reads through a second, read-only connection: maps of a large project take
    minutes to replay and to compress, which slices of a timer in the window's thread would
    make a stutter. SQLite's write-ahead log lets the window write edits meanwhile.

    Signals:
        progressed(int): so many images are written.
        finished(Path): all files are in their places; this is the JSON.
        cancelled(): nothing was changed.
        failed(str): nothing was changed, and why.
    """

    progressed = Signal(int)
    finished = Signal(object)
    cancelled = Signal()
    failed = Signal(object)

    def __init__(self, project: Path, json_path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._json_path = json_path
        self._is_cancelled = Event()
        self._pool = QThreadPool(self)

    def start(self) -> None:
        """Begin; one of `finished`, `cancelled` and `failed` follows."""
        self._pool.start(self._work)

    def cancel(self) -> None:
        """Stop after the image in hand; an earlier export stays as it is."""
        self._is_cancelled.set()

    def _work(self) -> None:
        """In the thread: write, and say how it went."""
        try:
            with AnnotationStore.open(self._project, is_read_only=True) as store:
                is_done = self._export(store)
        except AnnotateError as error:
            self.failed.emit(str(error))
        except Exception as error:  # noqa: BLE001 - the edge of the thread
            _log.error("the export failed", exc_info=error)
            self.failed.emit(f"The export failed ({error}); the log has the details.")
        else:
            if is_done:
                self.finished.emit(self._json_path)
            else:
                self.cancelled.emit()

    def _export(self, store: AnnotationStore) -> bool:
        written = export_project(store, self._json_path)
        for n_written in written:
            self.progressed.emit(n_written)
            if self._is_cancelled.is_set():
                written.close()  # takes away what was written so far
                return False
        return True


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
        self._run: ExportRun | None = None
        self._folder = QLineEdit(str(store.path.parent / "export"), self)
        self._browse = QPushButton("Browse…", self)
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
            sentences.append(f"{_count(self._n_others)} without any edit are left out.")
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
        self._run = ExportRun(self._project, self.json_path, self)
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
    def _on_finished(self, json_path: Path) -> None:
        self._end(f"{_count(self._n_images)} written to {json_path}.")
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
        for widget in (self._folder, self._browse, self._export_button):
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


def _count(n_images: int) -> str:
    return "1 image" if n_images == 1 else f"{n_images:,} images"
