"""Image files that went or changed since they were labelled: said, with what would mend it."""

from collections.abc import Generator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from app.document import Document
from app.image_model import describe
from app.image_notices import Cause
from app.notices import Notices
from app.thread_run import ThreadRun
from core.errors import AnnotateError
from core.store import AnnotationStore, SourceState

CHANGED = (
    "{name} is not the file that it was when it was labelled; its map may not fit it. Put the "
    "first file back, or keep the map for this one."
)
MISSING = "missing files"  # what the notice is about


class SourceWatch(QObject):
    """Looks at the file of each image that is opened, and once for those that are missing.

    Signals:
        relink_requested(): somebody wants the missing files found.
        looked(int): so many files are missing.
    """

    relink_requested = Signal()
    looked = Signal(int)

    def __init__(
        self, document: Document, notices: Notices, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._notices = notices
        self._run: ThreadRun | None = None
        document.image_changed.connect(self._on_image_changed)

    def look_for_missing(self) -> None:
        """Say, when a thread has looked at all of them, which files are not there."""
        self._notices.settle(MISSING)
        steps = partial(missing_names, self._document.store.path)
        self._run = ThreadRun(steps, "looking for the images", self)
        self._run.finished.connect(self._on_looked)
        self._run.failed.connect(self._notices.fail)
        self._run.start()

    def stop(self) -> None:
        """Let the thread end."""
        if self._run is not None:
            self._run.cancel()

    @Slot(object)
    def _on_looked(self, names: list[str]) -> None:
        self.looked.emit(len(names))
        if names:
            find = self.relink_requested.emit
            self._notices.offer(say_missing(names), "Find them…", find, MISSING)

    @Slot()
    def _on_image_changed(self) -> None:
        record, store = self._document.record, self._document.store
        if record is None or not self._document.has_image:
            return
        try:
            state = store.check_source(record.id)
        except AnnotateError as error:
            self._notices.fail(str(error))
            return
        if state is SourceState.CHANGED and record.n_edits:
            text = CHANGED.format(name=describe(record))
            keep = partial(self._accept, record.id)
            self._notices.offer(text, "Keep the map", keep, (Cause.FILE, record.id))
        elif state is SourceState.CHANGED:
            self._accept(record.id)

    def _accept(self, image_id: int) -> None:
        try:
            self._document.store.accept_source(image_id)
        except AnnotateError as error:
            self._notices.fail(str(error))


def missing_names(project: Path) -> Generator[list[str], None, None]:
    """In a thread: the names of images whose files are not there."""
    with AnnotationStore.open(project, is_read_only=True) as store:
        yield [describe(record) for record in store.image_records(store.find_missing())]


def say_missing(names: list[str]) -> str:
    """How many files are missing, and of which image the first."""
    if len(names) == 1:
        return f"The file of {names[0]} is not where it was; its map is kept."
    return (
        f"The files of {len(names):,} images are not where they were, {names[0]} among them; "
        "their maps are kept."
    )
