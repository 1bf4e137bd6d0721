"""Pre-annotation as the window has it: asked for, shown, paused, stopped, and told of."""

from typing import Final

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QStatusBar, QWidget

from app.batch_bar import BatchBar
from app.batch_run import BatchRun
from app.batch_steps import BatchRequest
from app.batch_words import say_end
from app.document import Document
from app.frame_panel import ImageList
from app.last_word import LastWord
from app.notices import Notices
from core.authors import author_of_options
from core.errors import AnnotateError

UNDER_WAY: Final = "Pre-annotation is under way; stop it before you begin another one."
CLOSING: Final = (
    "Pre-annotation is under way: {n_done:,} of {n_images:,} images are done and saved. Do "
    "this once more to stop it; it goes on with the others when you ask for it again."
)
MAX_NAMED: Final = 3


class BatchCommands(QObject):
    """The commands of the menu about batches.

    Attributes:
        run: the batch itself.
    """

    def __init__(
        self,
        document: Document,
        run: BatchRun,
        images: ImageList,
        notices: Notices,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._images = images
        self._notices = notices
        self._window = parent
        self._is_closing_said = False
        self.run = run
        self.run.saved.connect(images.forget)
        self.run.left_out.connect(notices.warn)
        self.run.held_up.connect(notices.fail)
        self.run.ended.connect(self._on_ended)

    def join(self, status_bar: QStatusBar, last_word: LastWord) -> None:
        """Show in a status bar how far a batch is, and ask before it is closed with it."""
        bar = BatchBar(self.run, status_bar)
        bar.pause_requested.connect(self.run.toggle_pause)
        bar.stop_requested.connect(self.run.stop)
        status_bar.insertPermanentWidget(1, bar)  # after the hint
        bar.setVisible(self.run.is_active)  # Qt shows what it is given
        last_word.also_ask(self.may_close)

    def ask(self) -> None:
        """Ask which images are to be segmented."""
        card, store = self.run.model_run.card, self._document.store
        if self.run.is_active:
            self._notices.warn(UNDER_WAY)
            return
        if card is None or self.run.model_run.model_state:
            self._notices.warn(self.run.model_run.model_state)
            return
        options = self.run.model_run.options()
        author = author_of_options(card.name, options)
        try:
            reviews, done = store.reviews(), store.proposed_by(author)
        except AnnotateError as error:
            self._notices.fail(str(error))
            return
        from app.batch_dialog import BatchDialog  # noqa: PLC0415 - only here

        choices = {
            "All images": tuple(reviews),
            "Those that the list shows": self._images.listed_ids,
            "Those selected in the list": self._images.selected_ids,
        }
        dialog = BatchDialog(choices, reviews, done, card.name, options, self._window)
        dialog.chosen.connect(self._on_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(object)
    def _on_chosen(self, request: BatchRequest) -> None:
        self._is_closing_said = False
        self.run.begin(request)

    def may_close(self) -> bool:
        """Whether no batch is under way, or somebody knows that it will be stopped."""
        if not self.run.is_active or self._is_closing_said:
            return True
        self._is_closing_said = True
        run = self.run
        self._notices.fail(CLOSING.format(n_done=run.n_done, n_images=run.n_images), about=self)
        return False

    @Slot(str)
    def _on_ended(self, reason: str) -> None:
        run = self.run
        self._notices.settle(self)
        end = say_end(run.n_saved, run.n_same, len(run.failures))
        sentence = " ".join([reason, end, *run.failures[:MAX_NAMED]]).strip()
        if run.failures:
            self._notices.warn(sentence)
        else:
            self._notices.tell(sentence)
