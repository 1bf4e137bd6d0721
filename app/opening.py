"""From a path to an open project: found, or made after asking for what cannot be guessed.

The project of a folder opens at once; what else lies in the folder by now comes in later.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QProgressDialog, QWidget

from app.intake import Intake, Look, find_new, find_sources, is_video
from core.errors import AnnotateError, DamagedProjectError
from core.salvage import can_be_salvaged
from core.store import PROJECT_NAME, PROJECT_SUFFIX, AnnotationStore

if TYPE_CHECKING:  # dialogs are imported late: a project opens without waiting for them
    from app.new_project import NewProject, NewProjectDialog
    from app.recover_dialog import RecoverDialog

PATIENCE_MS: Final = 700  # before a progress bar shows
MAX_NAMED: Final = 3


class Opening(QObject):
    """Opens one path; may take a dialog and a while.

    Signals:
        opened(AnnotationStore): the project is ready; perhaps it is the current one.
        grown(): images that are new in the folder came into a project that is open already.
        told(str): something that the user should know although the project opens.
        warned(str): something of that kind that must not fade before it is read.
        failed(str): it does not open, and why.
        abandoned(): the user wanted no project after all.
    """

    opened = Signal(object)
    grown = Signal()
    told = Signal(object)
    warned = Signal(object)
    failed = Signal(object)
    abandoned = Signal()

    def __init__(
        self,
        path: Path,
        current: AnnotationStore | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """Prepare to open a path; `current` is the project that is open already."""
        super().__init__(parent)
        self._path = path
        self._current = current
        self._sources: list[Path] = []
        self._store: AnnotationStore | None = None
        self._intake: Intake | None = None
        self._look: Look | None = None
        self._dialog: NewProjectDialog | None = None
        self._project = path  # its file
        self._recovery: RecoverDialog | None = None
        self._progress: QProgressDialog | None = None
        self._window = parent

    def start(self) -> None:
        """Open the path, or ask how."""
        try:
            self._open()
        except DamagedProjectError as error:
            if can_be_salvaged(self._project):
                self._offer_recovery(str(error), partial(self._fail, str(error)))
            else:
                self._fail(str(error))
        except AnnotateError as error:
            self._fail(str(error))

    def start_recovery(self) -> None:
        """Recover the path's project, which is found damaged and closed now; then open it."""
        self._project = self._path
        self._offer_recovery(f"Is the project {self._path} damaged?", self._open_as_it_is)

    def start_new(self) -> None:
        """Ask for a new project, even where the path has one."""
        try:
            self._sources = find_sources(self._path)
        except AnnotateError as error:
            self._fail(str(error))
        else:
            self._ask()

    def _open(self) -> None:
        if self._path.suffix == PROJECT_SUFFIX:
            self._store = self._open_store(self._path)
            self._finish()
            return
        project = find_project(self._path)
        if not project.exists():
            self._sources = find_sources(self._path)
            self._ask()
            return
        self._store = store = self._open_store(project)
        if self._path.is_dir() and store.n_images():
            self._finish()
            self._look_for_more(store)
        else:
            self._sources = find_sources(self._path)
            self._take_in(store)

    def _offer_recovery(self, sentence: str, leave: Callable[[], None]) -> None:
        from app.recover_dialog import RecoverDialog  # noqa: PLC0415 - only here

        self._dismiss()
        dialog = RecoverDialog(self._project, sentence, self._window)
        dialog.recovered.connect(self._on_recovered)
        dialog.rejected.connect(leave)
        dialog.open()
        self._recovery = dialog

    def _open_as_it_is(self) -> None:
        try:
            self._open()
        except AnnotateError as error:
            self._fail(str(error))

    @Slot(object)
    def _on_recovered(self, report: str) -> None:
        self._recovery = None
        self.warned.emit(report)
        self.start()

    def _open_store(self, project: Path) -> AnnotationStore:
        """The project, which can be open only once."""
        self._project = project
        if self._current is not None and self._current.path == project.resolve():
            return self._current
        return AnnotationStore.open(project)

    def _look_for_more(self, store: AnnotationStore) -> None:
        """Add the folder's new images to its project, without keeping anybody waiting."""
        self._intake = Intake(store, self)
        self._intake.finished.connect(self._on_grown)
        self._intake.failed.connect(self.told)
        self._look = Look(self)
        self._look.found.connect(self._on_found)
        self._look.failed.connect(self.told)
        self._look.start(store.path, self._path)

    def stop(self) -> None:
        """Add nothing more: the project is about to be closed."""
        if self._intake is not None:
            self._intake.abandon()
            self._intake = None

    @Slot(object)
    def _on_found(self, new: list[Path]) -> None:
        self._sources = new
        if new and self._intake is not None:
            self._intake.start(new)

    @Slot(object)
    def _on_grown(self, refused: list[str]) -> None:
        if len(refused) < len(self._sources):
            self.grown.emit()
        self._tell_refused(refused)

    def _ask(self) -> None:
        from app.new_project import NewProjectDialog  # noqa: PLC0415 - only here

        dialog = NewProjectDialog(self._sources, find_free_name(self._path), self._window)
        dialog.chosen.connect(self._on_chosen)
        dialog.rejected.connect(self.abandoned)
        dialog.open()
        self._dialog = dialog  # without a parent, nobody else keeps it

    @Slot(object)
    def _on_chosen(self, project: "NewProject") -> None:
        if self._dialog is None:
            return
        try:
            self._store = AnnotationStore.create(
                project.path, project.categories, project.model
            )
        except AnnotateError as error:
            self._dialog.refuse(str(error))
            return
        self._dialog.leave()
        self._dialog = None
        try:
            self._take_in(self._store)
        except AnnotateError as error:
            self._fail(str(error))

    def _take_in(self, store: AnnotationStore) -> None:
        """Add what the project does not have yet."""
        new = find_new(store, self._sources)
        if not new:
            self._finish()
            return
        self._intake = Intake(store, self)
        self._intake.finished.connect(self._on_taken_in)
        self._intake.failed.connect(self._fail)
        self._show_progress(self._intake, len(new))
        self._intake.start(new)

    def _show_progress(self, intake: Intake, n_files: int) -> None:
        progress = QProgressDialog("Reading image sizes…", "Stop", 0, n_files, self._window)
        progress.setWindowTitle("Opening")
        progress.setWindowModality(Qt.WindowModality.WindowModal)
        progress.setMinimumDuration(PATIENCE_MS)
        progress.canceled.connect(intake.cancel)
        intake.progressed.connect(progress.setValue)
        intake.counted.connect(self._on_frames_counted)
        intake.finished.connect(progress.deleteLater)
        intake.failed.connect(progress.deleteLater)
        self._progress = progress

    @Slot(int)
    def _on_frames_counted(self, n_frames: int) -> None:
        if self._progress is not None:
            self._progress.setLabelText(f"Counting the frames of the video: {n_frames:,}")

    @Slot(object)
    def _on_taken_in(self, refused: list[str]) -> None:
        self._tell_refused(refused)
        self._finish()

    def _tell_refused(self, refused: list[str]) -> None:
        if refused:
            more = len(refused) - MAX_NAMED
            self.told.emit(
                f"{len(refused)} of {len(self._sources)} files were left out. "
                + " ".join(refused[:MAX_NAMED])
                + (f" And {more} more." if more > 0 else "")
            )

    def _finish(self) -> None:
        store, self._store = self._store, None
        if store is None:
            return
        if not self._path.is_dir() and self._path.suffix != PROJECT_SUFFIX:
            _show_first(store, self._path)
        self.opened.emit(store)

    @Slot(object)
    def _fail(self, sentence: str) -> None:
        self._dismiss()
        self.failed.emit(sentence)

    def _dismiss(self) -> None:
        """Close a project that will not be handed over."""
        store, self._store = self._store, None
        if store is not None and store is not self._current:
            store.close()


def find_project(path: Path) -> Path:
    """The project file that belongs to a folder, an image or a video."""
    if is_video(path):
        return path.with_suffix(PROJECT_SUFFIX)
    return (path if path.is_dir() else path.parent) / PROJECT_NAME


def find_free_name(path: Path) -> Path:
    """The path's project file, or one with a number where that exists already."""
    project = find_project(path)
    candidate, number = project, 2
    while candidate.exists():
        candidate = project.with_stem(f"{project.stem}-{number}")
        number += 1
    return candidate


def _show_first(store: AnnotationStore, path: Path) -> None:
    """Open the project on this file, or on the first frame of this video."""
    (image_id,) = store.find_images([path])
    if image_id is not None:
        store.set_last_image(image_id)
