"""What can be done with the open image as a whole: approve or reject it, and go on."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QInputDialog, QWidget

from app.document import Document
from app.frame_panel import ImageList
from app.image_model import describe
from app.segment_commands import SegmentCommands
from core.errors import AnnotateError
from core.hold_out import MAX_SHARE
from core.review import TO_REVIEW, VERDICTS
from core.store import Order, Review

ALL_APPROVED: Final = "No image is left to review."
AGAIN: Final = "{name} was {review}, and is to be reviewed again."
AS_BEFORE: Final = "{name} is as it was when it was {review}, and so is {review} again."
SHARE: Final = (
    "Of 100 images that are approved from now on, so many are held out from training.\n"
    "What is held out already stays so."
)
REASONS: Final = ("out of focus", "nothing to label", "duplicate", "damaged")


class ImageCommands(QObject):
    """Approves and rejects images, and finds the next one to review.

    Signals:
        told(object): a sentence on what there is left to do.
    """

    told = Signal(object)

    def __init__(
        self,
        document: Document,
        images: ImageList,
        commands: SegmentCommands,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._images = images
        self._commands = commands
        self._window = parent
        self._reasons = list(REASONS)  # the last one given comes first
        self._last_review = Review.EMPTY  # of the open image
        document.image_changed.connect(self._on_image_changed)
        document.edited.connect(self._on_edited)

    @Slot()
    def _on_image_changed(self) -> None:
        record = self._document.record
        if record is not None:
            self._last_review = record.review

    @Slot(int)
    def _on_edited(self, image_id: int) -> None:
        """Say when an edit, or the way back from one, has made a verdict void or valid."""
        try:
            record = self._document.store.image_record(image_id)
        except AnnotateError:
            return  # the edit itself was saved; the list will say what is wrong
        before, self._last_review = self._last_review, record.review
        if before is record.review:
            return
        if before in VERDICTS:
            self.told.emit(AGAIN.format(name=describe(record), review=before.value))
        elif record.review in VERDICTS:
            self.told.emit(AS_BEFORE.format(name=describe(record), review=record.review.value))

    @property
    def has_verdict(self) -> bool:
        """Whether the open image is approved or rejected."""
        return self._document.record is not None and self._last_review in VERDICTS

    def approve(self) -> None:
        """Approve the open image and go on to the next one to review."""
        if self._document.may_edit() and self._review(Review.APPROVED):
            self.next_to_review()

    def reject(self) -> None:
        """Ask why the open image is rejected; then reject it and go on."""
        if not self._document.may_edit():
            return
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle("Reject image")
        dialog.setLabelText("Why is it rejected?")
        dialog.setComboBoxItems(self._reasons)
        dialog.setComboBoxEditable(True)
        dialog.setOkButtonText("Reject")
        dialog.textValueSelected.connect(self._on_reason_given)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def _on_reason_given(self, reason: str) -> None:
        reason = reason.strip()
        self._reasons = [reason, *(other for other in self._reasons if other != reason)]
        if self._review(Review.REJECTED, reason):
            self.next_to_review()

    def ask_share(self) -> None:
        """Ask how many of a hundred approved images are to be held out from now on."""
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle("Share of the hold-out")
        dialog.setLabelText(SHARE)
        dialog.setInputMode(QInputDialog.InputMode.IntInput)
        dialog.setIntRange(0, MAX_SHARE)
        dialog.setIntValue(self._document.store.hold_out_share)
        dialog.intValueSelected.connect(self._on_share_given)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(int)
    def _on_share_given(self, share: int) -> None:
        try:
            self._document.store.set_hold_out_share(share)
        except AnnotateError as error:
            self._document.failed.emit(str(error))

    def reopen(self) -> None:
        """Take back that the open image was approved or rejected."""
        self._review(None)

    def next_to_review(self) -> None:
        """Go to the next image to review, from the last one of the list on to the first."""
        record = self._document.record
        if record is None:
            return
        try:
            found = self._find_next(record.id)
        except AnnotateError as error:
            self._document.failed.emit(str(error))
            return
        if found is None or found == record.id:
            self.told.emit(ALL_APPROVED)
        else:
            self._images.choose(found)

    def _find_next(self, image_id: int) -> int | None:
        store, query = self._document.store, self._images.query
        wanted = replace(query, states=tuple(s for s in TO_REVIEW if s in query.states))
        if not query.states:
            wanted = replace(query, states=TO_REVIEW)
        elif not wanted.states:
            return None
        if query.order is Order.ADDED:
            return store.next_image(image_id, wanted) or store.next_image(0, wanted)
        return self._images.next_of(store.image_ids(wanted), image_id)

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

    def _review(self, review: Review | None, reason: str = "") -> bool:
        record, store = self._document.record, self._document.store
        if record is None:
            return False
        try:
            if review is None:
                store.reopen(record.id)
            else:
                store.set_review(record.id, review, reason)
            self._last_review = store.image_record(record.id).review
        except AnnotateError as error:
            self._document.failed.emit(str(error))
            return False
        self._images.forget(record.id)
        return True
