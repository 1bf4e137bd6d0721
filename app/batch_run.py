"""BatchRun: has the model segment many images, one after another, beside all other work."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication

from app.batch_steps import (
    Answer,
    BatchRequest,
    InHand,
    Settled,
    answer_with,
    read,
    settle_image,
)
from app.canvas import CanvasView
from app.document import Document
from app.model_run import ModelRun
from app.segmenter import Segmenter
from app.thread_run import ThreadRun
from core.authors import author_of_proposal
from core.errors import AnnotateError
from core.jobs import SegmentJob
from core.pre_annotation import Outcome
from core.proposals import Proposal, match_categories, name_as_model
from core.review import VERDICTS, Review

POLL_MS: Final = 100  # before asking again whether a dialog or a reading has ended
MAX_FAILURES: Final = 3  # one after another, before somebody has to look


class BatchRun(QObject):
    """Segments images by the window's inference process, saving each map as one edit.

    What is done is in the project: a batch that was stopped or killed is begun again without
    those images. A run that a person asks for interrupts it within one denoising step.

    Attributes:
        model_run: runs that a person asks for, with the model in use.
        n_images: that were asked for.
        n_saved: that got a map.
        n_same: in which the model found nothing to change.
        failures: a sentence for each image that could not be segmented, or was in use.
        is_paused: by a person, or after failures.

    Signals:
        changed(): any of these, or whether the batch is under way.
        saved(int): the image of this id has another map.
        left_out(str): why an image did not get the map that was made for it.
        held_up(str): why the batch is paused.
        ended(str): why it stopped before its end; empty at its end.
    """

    changed = Signal()
    saved = Signal(int)
    left_out = Signal(object)
    held_up = Signal(object)
    ended = Signal(object)

    def __init__(
        self,
        document: Document,
        model_run: ModelRun,
        segmenter: Segmenter,
        canvas: CanvasView,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self.model_run = model_run
        self._segmenter = segmenter
        self._canvas = canvas
        self._request: BatchRequest | None = None
        self._queue: deque[int] = deque()
        self._wanted = ""  # the model that it was begun with
        self._in_hand: InHand | None = None
        self._step: ThreadRun | None = None
        self._settled: Settled | None = None  # is to be saved
        self._serial = 0
        self._ticket = 0
        self._n_failed_in_a_row = 0
        self._clock = QElapsedTimer()
        self._worked_ms = 0  # before the clock was started last
        self.n_images = self.n_saved = self.n_same = 0
        self.failures: list[str] = []
        self.is_paused = False
        self._later = QTimer(self, singleShot=True, interval=POLL_MS)
        self._later.timeout.connect(self._save)
        model_run.changed.connect(self._on_model_changed)
        segmenter.finished.connect(self._on_finished)
        segmenter.cancelled.connect(self._on_cancelled)
        segmenter.failed.connect(self._on_failed)

    @property
    def is_active(self) -> bool:
        """Whether a batch is under way, paused or not."""
        return self._request is not None

    @property
    def n_done(self) -> int:
        """Images that need no more work, for whatever reason."""
        return self.n_images - len(self._queue)

    @property
    def worked_s(self) -> float:
        """Seconds of work so far, without pauses."""
        return (self._worked_ms + (self._clock.elapsed() if self._clock.isValid() else 0)) / 1e3

    def begin(self, request: BatchRequest) -> None:
        """Start with the model in use; `ended` follows, after as many `saved` as there are."""
        self._request, self._queue = request, deque(request.image_ids)
        self._wanted = self.model_run.wanted
        self.n_images, self.n_saved, self.n_same = len(self._queue), 0, 0
        self._worked_ms = self._n_failed_in_a_row = 0
        self._serial += 1
        self.failures = []
        self.is_paused = False
        self._clock.start()
        self._go_on()

    def toggle_pause(self) -> None:
        """Stop within one denoising step, or go on with that image."""
        if self.is_active:
            self._set_paused(is_paused=not self.is_paused)

    def _set_paused(self, *, is_paused: bool) -> None:
        self.is_paused = is_paused
        if is_paused:
            self._worked_ms = round(self.worked_s * 1e3)
            self._clock.invalidate()
            self._interrupt()
        else:
            self._n_failed_in_a_row = 0
            self._clock.start()
            self._go_on()
        self.changed.emit()

    @Slot()
    def stop(self, reason: str = "") -> None:
        """Give up what is not done; what is stays."""
        if self.is_active:
            self._queue.clear()
            self._end(reason or "Pre-annotation was stopped.")

    def _end(self, reason: str) -> None:
        self._interrupt()
        self._request = self._in_hand = self._settled = None
        self._later.stop()
        self.changed.emit()
        self.ended.emit(reason)

    def _interrupt(self) -> None:
        """Drop the maps that are being made; the image is begun anew when the batch goes on."""
        ticket, self._ticket = self._ticket, 0
        if ticket:
            self._in_hand = None
            self._segmenter.cancel(ticket)

    # One image after the other.

    @property
    def _may_work(self) -> bool:
        run = self.model_run
        is_asked_for = run.is_running or run.is_waiting
        return self.is_active and not self.is_paused and not is_asked_for

    @Slot()
    def _go_on(self) -> None:
        """Begin with the next image, if nothing is in the way and none is in hand."""
        if not self._may_work or self._in_hand is not None or self._step is not None:
            return
        try:
            while self._queue and not self._is_wanted(self._queue[0]):
                self._queue.popleft()
        except AnnotateError as error:
            self._hold_up(str(error))
            return
        self.changed.emit()
        if not self._queue:
            self._end("")
            return
        run, project = self.model_run, tuple(self._document.categories.values())
        categories = name_as_model(project, run.known_categories, run.renamed)
        self._start(partial(read, self._document.store.path, self._queue[0], categories))

    def _is_wanted(self, image_id: int) -> bool:
        """Whether an image still is what was asked for; people work on meanwhile."""
        found = self._document.store.image_records([image_id])
        request = self._request
        if not found or request is None:
            return False
        if found[0].review is Review.IN_WORK and not request.fills_in:
            return False
        if self._is_in_use(image_id):
            self._leave_out(image_id)
            return False
        return found[0].review not in VERDICTS

    def _start(self, find: Callable[[], InHand | Settled]) -> None:
        steps = partial(answer_with, self._serial, find)
        self._step = ThreadRun(steps, "pre-annotation", self)
        self._step.finished.connect(self._on_answer)
        self._step.failed.connect(self._on_step_failed)
        self._step.start()

    def _end_step(self) -> None:
        if self._step is not None:
            self._step.deleteLater()
        self._step = None

    @Slot(object)
    def _on_answer(self, answer: Answer) -> None:
        self._end_step()
        if answer.serial != self._serial or not self.is_active:
            self._go_on()  # with what has been asked for since
        elif isinstance(answer.found, AnnotateError):
            self._fail(str(answer.found))
        elif isinstance(answer.found, Settled):
            self._settled = answer.found
            self._save()
        elif self._may_work:
            self._in_hand = answer.found
            self._submit()

    def _submit(self) -> None:
        """Ask for the next map of the image in hand."""
        hand, request = self._in_hand, self._request
        if hand is None or request is None:
            return
        record = hand.record
        seed = request.options.seed + len(hand.proposals)
        options = replace(request.options, seed=seed)
        job = SegmentJob(record.path, options, record.frame, hand.known, has_previews=False)
        self._ticket = self._segmenter.submit(job)

    @Slot(int, object)
    def _on_finished(self, ticket: int, proposal: Proposal) -> None:
        hand, request = self._in_hand, self._request
        if ticket != self._ticket or hand is None or request is None:
            return
        self._ticket = 0
        self._in_hand = replace(hand, proposals=(*hand.proposals, proposal))
        if len(self._in_hand.proposals) < request.n_samples:
            self._submit()
        else:
            self._settle()

    def _settle(self) -> None:
        """Find out, in a thread, what the maps in hand mean to the image."""
        hand, card = self._in_hand, self.model_run.card
        if hand is None or card is None:
            return
        categories = tuple(self._document.categories.values())
        renamed = self.model_run.renamed
        to_project = match_categories(card.categories, categories, renamed).to_project
        self._start(
            partial(settle_image, self._document.store.path, hand, to_project, categories)
        )

    @Slot()
    def _save(self) -> None:
        """Save the map, once no dialog that edits the project is open."""
        hand, settled = self._in_hand, self._settled
        if hand is None or settled is None:
            return
        is_reading = self._is_open(hand.record.id) and self._document.reader.is_reading
        if is_reading or QGuiApplication.modalWindow() is not None:
            self._later.start()
            return
        self._settled = None
        try:
            self._save_now(hand, settled)
        except AnnotateError as error:
            self._hold_up(str(error))

    def _save_now(self, hand: InHand, settled: Settled) -> None:
        store, outcome = self._document.store, settled.outcome
        if settled.categories != tuple(self._document.categories.values()):
            self._settle()
            return
        is_as_it_was = store.mark(hand.record.id) == hand.mark == outcome.mark
        if self._is_in_use(hand.record.id) or not is_as_it_was:
            self._leave_out(hand.record.id)
        elif store.image_record(hand.record.id).review in VERDICTS:
            self._next()  # somebody has decided on it meanwhile, which is no edit
            return
        elif not self._put(hand, outcome):
            return
        self._n_failed_in_a_row = 0
        self._next()

    def _put(self, hand: InHand, outcome: Outcome) -> bool:
        """Save the map of the image in hand; False, after a sentence, if it cannot be."""
        document, store = self._document, self._document.store
        if outcome.edit.is_empty:
            store.note_nothing_found(hand.record.id, hand.proposals[0].model)
            self.n_same += 1
            return True
        author = author_of_proposal(hand.proposals[0])
        if self._is_open(hand.record.id) and document.map is not None:
            if not document.push(outcome.edit, author):
                self._hold_up("")
                return False
        else:
            store.append_edit(hand.record.id, outcome.edit, author)
        store.set_expected_work(hand.record.id, outcome.expected_seconds)
        self.n_saved += 1
        self.saved.emit(hand.record.id)
        return True

    def _next(self) -> None:
        """Have done with the image in hand."""
        self._in_hand = None
        if self._queue:
            self._queue.popleft()
        self._go_on()

    def _is_open(self, image_id: int) -> bool:
        record = self._document.record
        return record is not None and record.id == image_id

    def _is_in_use(self, image_id: int) -> bool:
        """Whether somebody draws in the image, or has to decide on something there."""
        document = self._document
        if not self._is_open(image_id) or document.map is None:
            return False
        is_asked_for = self.model_run.is_running
        return self._canvas.is_gesturing or is_asked_for or not document.is_editable

    def _leave_out(self, image_id: int) -> None:
        name = self._document.store.image_record(image_id).path.name
        sentence = f"{name} is being edited, so it was left out of pre-annotation."
        self.failures.append(sentence)
        self.left_out.emit(sentence)

    # What comes between.

    def _hold_up(self, reason: str) -> None:
        """Pause: going on would fail in the same way. The image is begun anew afterwards."""
        self._in_hand = None
        self._set_paused(is_paused=True)
        self.held_up.emit(f"{reason} Pre-annotation waits until you let it go on.".strip())

    def _fail(self, sentence: str) -> None:
        self.failures.append(sentence)
        self._in_hand = None
        if self._queue:
            self._queue.popleft()
        self._n_failed_in_a_row += 1
        if self._n_failed_in_a_row >= MAX_FAILURES and self._queue:
            self._hold_up(sentence)
        else:
            self._go_on()

    @Slot(object)
    def _on_step_failed(self, sentence: str) -> None:
        self._end_step()
        if self.is_active:
            self._hold_up(sentence)

    @Slot(int)
    def _on_cancelled(self, _ticket: int) -> None:
        self._go_on()

    @Slot(int, object)
    def _on_failed(self, ticket: int, sentence: str) -> None:
        if ticket != self._ticket:
            return
        self._ticket = 0
        if self.model_run.wanted == self._wanted:
            self._fail(sentence)

    @Slot()
    def _on_model_changed(self) -> None:
        """Make way for a run that somebody asked for; end with the model."""
        if not self.is_active:
            return
        if self.model_run.wanted != self._wanted:
            self.stop("Pre-annotation was stopped, as another model was chosen.")
        elif not self._may_work:
            self._interrupt()
        else:
            self._go_on()
