"""The dialog that writes the project as COCO panoptic files, or its videos in other ways."""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
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
from core.export import INDEX_NAME, PROVENANCE_KEY
from core.export_formats import ExportFormat, count_steps, export_as
from core.store import AnnotationStore

NAMES: Final = {
    ExportFormat.COCO: "COCO panoptic",
    ExportFormat.STEP: "KITTI-STEP PNGs of videos",
    ExportFormat.VIPSEG: "VIPSeg PNGs of videos",
    ExportFormat.DAVIS: "DAVIS PNGs of videos",
    ExportFormat.OVERLAY: "MP4 videos to show",
}
WRITTEN: Final = {
    ExportFormat.STEP: "panoptic_maps/: a folder of PNGs for each video. Red is the category, "
    "green and blue the segment.",
    ExportFormat.VIPSEG: "panomasks/: a folder of PNGs for each video. A value is a category, "
    "or a hundred times that and the segment.",
    ExportFormat.DAVIS: "Annotations/: a folder of PNGs for each video. Things have the values "
    "1, 2, … of a palette, all else is 0.",
    ExportFormat.OVERLAY: "An MP4 (H.264) for each video, the maps laid over its frames.",
}


class ExportDialog(QDialog):
    """Asks for a folder, says what will be written there, and writes it."""

    def __init__(self, store: AnnotationStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(560)
        self._project = store.path
        self._n_steps = count_steps(store)
        self._n_images = self._n_steps[ExportFormat.COCO]
        self._n_others = store.n_images() - self._n_images
        self._run: ThreadRun | None = None
        self._kind = QComboBox(self)
        self._kind.setAccessibleName("Format")
        for kind, name in NAMES.items():
            self._kind.addItem(name, kind)
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
        return self.folder / INDEX_NAME

    @property
    def folder(self) -> Path:
        """Where files would be written now."""
        return Path(self._folder.text().strip()).expanduser()

    @property
    def kind(self) -> ExportFormat:
        """What would be written now."""
        return ExportFormat(self._kind.currentData())

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
        whole.addWidget(self._kind)
        whole.addWidget(heading)
        whole.addLayout(row)
        whole.addWidget(self._provenance)
        whole.addWidget(self._what)
        whole.addWidget(self._bar)
        whole.addWidget(self._state)
        whole.addStretch()
        whole.addWidget(self._buttons)
        self._bar.hide()
        self._show_button.hide()
        self._export_button.setDefault(True)
        mark_primary(self._export_button)

    def _connect(self) -> None:
        self._kind.currentIndexChanged.connect(self._check)
        self._folder.textChanged.connect(self._check)
        self._browse.clicked.connect(self._ask_folder)
        self._export_button.clicked.connect(self.start)
        self._show_button.clicked.connect(self._show_folder)
        self._close_button.clicked.connect(self.reject)

    @Slot()
    def _check(self) -> None:
        """Say what will be written and whether something is in the way."""
        is_coco, n_steps = self.kind is ExportFormat.COCO, self._n_steps[self.kind]
        self._what.setText(self._describe() if is_coco else WRITTEN[self.kind])
        self._provenance.setVisible(is_coco)
        self._export_button.setEnabled(n_steps > 0 and bool(self._folder.text().strip()))
        self._bar.setMaximum(max(n_steps, 1))
        if n_steps:
            self._state.setText("")
        elif self._n_images:
            self._state.setText("No frame of a video and no numbered image has a segment yet.")
        else:
            self._state.setText("No image of this project has a segment yet.")

    def _describe(self) -> str:
        """What COCO panoptic files would hold."""
        n_images, folder = _count(self._n_images), INDEX_NAME.removesuffix(".json")
        sentences = [f"{INDEX_NAME}: categories and segments. {folder}/: {n_images} as PNG."]
        if self._n_others:
            sentences.append(
                f"{_count(self._n_others)} without any edit, or rejected, are left out."
            )
        if self.json_path.exists():
            sentences.append("The export that is there will be replaced.")
        return " ".join(sentences)

    @Slot()
    def start(self) -> None:
        """Write the files."""
        steps = partial(
            exports,
            self._project,
            self.folder,
            self.kind,
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
        if self.kind is ExportFormat.COCO:
            self._end(f"{_count(self._n_images)} written to {self.json_path}.")
        else:
            self._end(f"{_count(self._n_steps[self.kind])} written to {self.folder}.")
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
        inputs = (
            *(self._kind, self._folder, self._browse),
            *(self._provenance, self._export_button),
        )
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
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder)))


def exports(
    project: Path, out: Path, kind: ExportFormat, *, with_provenance: bool = False
) -> Generator[int, None, None]:
    """In a thread: write a project's maps; closing it leaves an earlier export as it was.

    It reads through a connection of its own: maps of a large project take minutes to replay
    and to compress, and the write-ahead log lets the window write edits meanwhile.

    Yields:
        The number of images written so far.
    """
    with AnnotationStore.open(project, is_read_only=True) as store:
        yield from export_as(store, out, kind, with_provenance=with_provenance)


def _count(n_images: int) -> str:
    return "1 image" if n_images == 1 else f"{n_images:,} images"
