"""What can be done with the open image as a whole: approve it, and go where work is left."""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from app.document import Document
from app.frame_panel import ImageList
from app.image_model import describe
from app.segment_commands import SegmentCommands
from core.errors import AnnotateError
from core.store import Review

ALL_APPROVED = "No image is left to review."


class ImageCommands(QObject):
    """Approves images and finds the next one to review.

    Signals:
        told(object): a sentence on what there is left to do.
    """

    told = Signal(object)

    def __init__(
        self,
        document: Document,
        images: ImageList,
        commands: SegmentCommands,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._images = images
        self._commands = commands
        document.edited.connect(self._on_edited)

    @Slot(int)
    def _on_edited(self, image_id: int) -> None:
        """An approval is for the map that was seen: another one is to be seen again."""
        try:
            record = self._document.store.image_record(image_id)
        except AnnotateError:
            return  # the edit itself was saved; the list will say what is wrong
        if record.review is Review.APPROVED and self._review(Review.OPEN):
            self.told.emit(f"{describe(record)} was approved, and is to be reviewed again.")

    def approve(self) -> None:
        """Approve the open image and go on to the next one that nobody has approved."""
        if self._document.may_edit() and self._review(Review.APPROVED):
            self.next_to_review()

    def reopen(self) -> None:
        """Take the approval of the open image back."""
        self._review(Review.OPEN)

    def next_to_review(self) -> None:
        """Go to the next image that is not approved, from the last one on to the first."""
        record = self._document.record
        if record is None:
            return
        wanted = replace(self._images.query, review=Review.OPEN)
        store = self._document.store
        try:
            found = store.next_image(record.id, wanted) or store.next_image(0, wanted)
        except AnnotateError as error:
            self._document.failed.emit(str(error))
            return
        if found is None or found == record.id:
            self.told.emit(ALL_APPROVED)
        else:
            self._images.choose(found)

    @property
    def is_in_video(self) -> bool:
        """Whether the open image is a frame of a video."""
        record = self._document.record
        return record is not None and record.frame is not None

    def step_frame(self, by: int) -> None:
        """Go to the next frame of the same video, or for -1 to the one before."""
        record = self._document.record
        if record is None:
            return
        try:
            found = self._document.store.next_frame(record.id, is_backward=by < 0)
        except AnnotateError as error:
            self._document.failed.emit(str(error))
            return
        if found is not None:
            self._images.choose(found)

    def copy_from_previous(self) -> None:
        """Lay the segments of the image or frame before this one over what is void here."""
        record, store = self._document.record, self._document.store
        if record is None:
            return
        try:
            previous = store.next_image(record.id, is_backward=True)
            if previous is None:
                self._document.refused.emit("This is the first image: none is before it.")
                return
            name = describe(store.image_record(previous))
            self._commands.copy_from(store.load_map(previous), name)
        except AnnotateError as error:
            self._document.failed.emit(str(error))

    def _review(self, review: Review) -> bool:
        record = self._document.record
        if record is None:
            return False
        try:
            self._document.store.set_review(record.id, review)
        except AnnotateError as error:
            self._document.failed.emit(str(error))
            return False
        self._images.forget(record.id)
        return True
