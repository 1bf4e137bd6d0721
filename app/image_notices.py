"""What went wrong with the open image: said, and taken away once it is mended or left."""

from enum import Enum, auto

from PySide6.QtCore import QObject, Slot

from app.document import Document
from app.notices import Notice, Notices


class Cause(Enum):
    """What a notice about an image is due to; with the image's id, what it is about."""

    FILE = auto()  # it cannot be read, or is another one
    STEP = auto()  # something could not be saved


class ImageNotices(QObject):
    """Posts the document's failures, and settles notices that do not hold any more."""

    def __init__(self, document: Document, notices: Notices, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._notices = notices
        self._open: set[tuple[Cause, int]] = set()
        notices.posted.connect(self._on_posted)
        document.failed.connect(self._on_failed)
        document.image_changed.connect(self._on_image_changed)
        document.edited.connect(self._on_edited)

    @Slot(object)
    def _on_posted(self, notice: Notice) -> None:
        match notice.about:
            case (Cause() as cause, int(image_id)):
                self._open.add((cause, image_id))

    @Slot(object)
    def _on_failed(self, sentence: str) -> None:
        record = self._document.record
        cause = Cause.STEP if self._document.has_image else Cause.FILE
        self._notices.fail(sentence, None if record is None else (cause, record.id))

    @Slot()
    def _on_image_changed(self) -> None:
        """Keep only why the open image cannot be shown."""
        record = self._document.record
        kept = set()
        if record is not None and not self._document.has_image:
            kept = {(Cause.FILE, record.id)}
        self._settle(self._open - kept)

    @Slot(int)
    def _on_edited(self, image_id: int) -> None:
        self._settle(self._open & {(Cause.STEP, image_id)})

    def _settle(self, causes: set[tuple[Cause, int]]) -> None:
        for cause in causes:
            self._notices.settle(cause)
        self._open -= causes
