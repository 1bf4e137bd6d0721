"""What can be done with the project as a whole: export, import, relink, compact, checkpoint.

A dialog is imported when somebody asks for it: the window opens without waiting for it.
"""

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from app.document import Document
from core.errors import AnnotateError

SAVED = (
    "All is saved, as after every edit. {path} now holds all of it in one file, so a copy of "
    "it is a copy of the project."
)


class ProjectCommands(QObject):
    """Opens the dialog of each command over the window, and lets the document follow.

    Signals:
        images_moved(): images have other files.
        imported(): images have other maps.
        told(object): a sentence on what was done.
    """

    images_moved = Signal()
    imported = Signal()
    told = Signal(object)

    def __init__(self, document: Document, window: QWidget) -> None:
        super().__init__(window)
        self._document = document
        self._window = window

    def export(self) -> None:
        """Write the project as COCO panoptic files, or its videos in other ways."""
        from app.export import ExportDialog  # noqa: PLC0415 - only here

        ExportDialog(self._document.store, self._window).open()

    def import_maps(self) -> None:
        """Take COCO panoptic maps into the project."""
        from app.import_dialog import ImportDialog  # noqa: PLC0415 - only here

        dialog = ImportDialog(self._document.store, self._window)
        dialog.imported.connect(self._on_imported)
        dialog.open()

    def relink(self) -> None:
        """Find image files again that were moved."""
        from app.relink_dialog import RelinkDialog  # noqa: PLC0415 - only here

        dialog = RelinkDialog(self._document.store, self._window)
        dialog.relinked.connect(self.images_moved)
        dialog.open()

    def compact(self) -> None:
        """Ask how many steps of undo to keep."""
        from app.compact_dialog import CompactDialog  # noqa: PLC0415 - only here

        dialog = CompactDialog(self._document.store, self._window)
        dialog.compacted.connect(self._document.history_changed)
        dialog.open()

    def show_corrections(self) -> None:
        """Show what correcting proposals took."""
        from app.correction_dashboard import CorrectionDashboard  # noqa: PLC0415 - only here

        store = self._document.store
        try:
            corrections = store.corrections()
        except AnnotateError as error:
            self._document.failed.emit(str(error))
        else:
            CorrectionDashboard(corrections, store.path, self._window).open()

    def checkpoint(self) -> None:
        """Bring the project into its one file, and say that nothing was at risk before."""
        store = self._document.store
        try:
            store.checkpoint()
        except AnnotateError as error:
            self._document.failed.emit(str(error))
        else:
            self.told.emit(SAVED.format(path=store.path))

    @Slot()
    def _on_imported(self) -> None:
        self._document.follow_store(has_new_map=True)
        self.imported.emit()
