"""PropagationRun: has the model follow segments through a clip, beside all other work."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication

from app.canvas import CanvasView
from app.document import Document
from app.model_run import ModelRun
from app.propagation_steps import SettledFrame, answer_with, plan, settle
from app.segmenter import Segmenter
from app.thread_run import ThreadRun
from core.errors import AnnotateError
from core.propagation import FrameProposal, FrameStep
from core.propagation_plan import RunPlan, RunRequest, author_of_run
from core.review import VERDICTS

POLL_MS: Final = 100  # before asking again whether a stroke, dialog or reading has ended
STOPPED: Final = "Propagation was stopped."
GIVING_WAY: Final = "Propagation was stopped, as the model was asked for something else."


class PropagationRun(QObject):
    """Saves each frame's map when it is made; all of them are one step of undo.

    Attributes:
        plan: of the run under way or of the last one; None before.
        n_saved: frames that got a map.
        n_steps: denoising steps of these together.

    Signals:
        changed(): any of these, or whether a run is under way.
        begun(int): the model has begun with the image of this id.
        saved(int): the image of this id has another map.
        noted(str): a sentence on what could not be followed.
        ended(str): the run is over, and why before its end; empty at its end.
    """

    changed = Signal()
    begun = Signal(int)
    saved = Signal(int)
    noted = Signal(object)
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
        self._model_run = model_run
        self._segmenter = segmenter
        self._canvas = canvas
        self.plan: RunPlan | None = None
        self.n_saved = self.n_steps = 0
        self.is_active = False
        self._is_planning = False
        self._has_previews = False
        self._reason = ""  # why it ends before its end
        self._ticket = 0
        self._joint_step: int | None = None
        self._current: int | None = None  # number of the frame that is denoised
        self._arrived: deque[FrameProposal] = deque()
        self._settled: SettledFrame | None = None  # is to be saved
        self._thread: ThreadRun | None = None
        self._clock = QElapsedTimer()
        self._later = QTimer(self, singleShot=True, interval=POLL_MS)
        self._later.timeout.connect(self._save)
        model_run.changed.connect(self._on_model_changed)
        segmenter.frame_stepped.connect(self._on_frame_stepped)
        segmenter.frame_done.connect(self._on_frame_done)
        segmenter.propagated.connect(self._on_propagated)
        segmenter.cancelled.connect(self._on_cancelled)
        segmenter.failed.connect(self._on_failed)

    @property
    def n_frames(self) -> int:
        """How many frames are to get a map; 0 until that is known."""
        return 0 if self.plan is None else len(self.plan.image_ids)

    @property
    def worked_s(self) -> float:
        """Seconds since the model was asked."""
        return self._clock.elapsed() / 1e3 if self._clock.isValid() else 0.0

    def begin(self, request: RunRequest, *, has_previews: bool = False) -> None:
        """Start with the model in use; `ended` follows, after as many `saved` as there are."""
        self.plan, self._joint_step, self._current = None, None, None
        self.n_saved = self.n_steps = 0
        self.is_active, self._reason = True, ""
        self._has_previews = has_previews
        self._clock.invalidate()
        self._arrived.clear()
        self._is_planning = True
        path = self._document.store.path
        self._start(partial(plan, path, request, has_previews=has_previews))
        self.changed.emit()

    @Slot()
    def stop(self, reason: str = STOPPED) -> None:
        """Stop within one denoising step; the frames that are done keep their maps."""
        if not self.is_active:
            return
        self._reason = self._reason or reason
        ticket, self._ticket = self._ticket, 0
        if ticket:
            self._segmenter.cancel(ticket)
        self._show_preview(None)
        self._go_on()

    def give_up(self) -> None:
        """Stop, and drop what has arrived: the step has been taken back meanwhile."""
        self._arrived.clear()
        self._settled = None
        self._later.stop()
        self.stop()

    def abandon(self) -> None:
        """End at once, as the window is closed."""
        self._arrived.clear()
        self._settled = None
        self.is_active = False
        self._later.stop()

    # The thread.

    def _start(self, find: Callable[[], RunPlan | SettledFrame]) -> None:
        self._thread = ThreadRun(partial(answer_with, find), "propagation", self)
        self._thread.finished.connect(self._on_found)
        self._thread.failed.connect(self._on_thread_failed)
        self._thread.start()

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._thread.deleteLater()
        self._thread = None

    @Slot(object)
    def _on_found(self, found: RunPlan | SettledFrame | AnnotateError) -> None:
        self._end_thread()
        if not self.is_active:
            return
        if isinstance(found, AnnotateError):
            self._is_planning = False
            self.stop(str(found))
        elif isinstance(found, SettledFrame):
            self._settled = found
            self._save()
        else:
            self._is_planning = False
            self._ask_model(found)

    @Slot(object)
    def _on_thread_failed(self, sentence: str) -> None:
        self._end_thread()
        self._is_planning = False
        self.stop(sentence)

    def _ask_model(self, found: RunPlan) -> None:
        """Send the job, unless the run was stopped meanwhile."""
        if not self._reason:
            try:
                self._joint_step = self._document.store.new_joint_step()
            except AnnotateError as error:
                self.stop(str(error))
                return
            self.plan = found
            self._clock.start()
            self._ticket = self._segmenter.submit(found.job)
        self._go_on()

    # The model.

    @Slot(int, object)
    def _on_frame_stepped(self, ticket: int, step: FrameStep) -> None:
        if ticket != self._ticket or self.plan is None:
            return
        if step.number != self._current:
            self._current = step.number
            self.begun.emit(self.plan.image_of(step.number))
        self._show_preview(step)

    def _show_preview(self, step: FrameStep | None) -> None:
        """Show a step in the open image, if it is of that; None shows its map again."""
        if not self._has_previews or self.plan is None or self._canvas.is_gesturing:
            return
        if step is None:
            if self._document.preview is not None and not self._model_run.is_running:
                self._document.show_preview(None)
        elif self._is_open(self.plan.image_of(step.number)) and step.preview is not None:
            ids = {i: i for i in self._document.categories}
            self._document.show_preview(step.preview, ids)

    @Slot(int, object)
    def _on_frame_done(self, ticket: int, proposal: FrameProposal) -> None:
        if ticket == self._ticket:
            self._arrived.append(proposal)
            self._show_preview(None)
            self._go_on()

    @Slot(int)
    def _on_propagated(self, ticket: int) -> None:
        if ticket == self._ticket:
            self._ticket = 0
            self._go_on()

    @Slot(int)
    def _on_cancelled(self, ticket: int) -> None:
        if ticket == self._ticket:
            self._ticket = 0
            self._reason = self._reason or STOPPED
            self._go_on()

    @Slot(int, object)
    def _on_failed(self, ticket: int, sentence: str) -> None:
        if ticket == self._ticket and ticket:
            self._ticket = 0
            self.stop(sentence)

    @Slot()
    def _on_model_changed(self) -> None:
        if self.is_active and self._model_run.is_running:
            self.stop(GIVING_WAY)

    # One frame after the other.

    def _go_on(self) -> None:
        """Take the next map that has arrived, or end when there can be no more."""
        if not self.is_active or self._thread is not None or self._settled is not None:
            return
        if self._arrived and self.plan is not None:
            proposal = self._arrived.popleft()
            self._settle(self.plan.image_of(proposal.number), proposal)
        elif not self._ticket and not self._is_planning:
            self.is_active = False
            self.changed.emit()
            self.ended.emit(self._reason)

    def _settle(self, image_id: int, proposal: FrameProposal) -> None:
        categories = tuple(self._document.categories.values())
        path = self._document.store.path
        self._start(partial(settle, path, image_id, proposal, categories))

    @Slot()
    def _save(self) -> None:
        """Save a map, once nobody draws in that frame and no dialog is open."""
        settled, store = self._settled, self._document.store
        if settled is None:
            return
        if self._is_in_use(settled.image_id) or QGuiApplication.modalWindow() is not None:
            self._later.start()
            return
        self._settled = None
        try:
            if store.mark(settled.image_id) != settled.mark:
                self._settle(settled.image_id, settled.proposal)
                return
            if store.image_record(settled.image_id).review not in VERDICTS:
                self._put(settled)
        except AnnotateError as error:
            self.stop(str(error))
        self._go_on()

    def _put(self, settled: SettledFrame) -> None:
        card, plan, step = self._model_run.card, self.plan, self._joint_step
        if plan is None:
            return
        proposal, document = settled.proposal, self._document
        seed = plan.job.options.seed
        author = author_of_run(proposal, "" if card is None else card.name, seed)
        if self._is_open(settled.image_id) and document.map is not None:
            document.push(settled.edit, author, step)
        else:
            document.store.append_joint({settled.image_id: settled.edit}, step, author)
        self.n_saved += 1
        self.n_steps += proposal.steps
        for note in proposal.notes:
            self.noted.emit(note)
        self.saved.emit(settled.image_id)
        self.changed.emit()

    def _is_open(self, image_id: int) -> bool:
        record = self._document.record
        return record is not None and record.id == image_id

    def _is_in_use(self, image_id: int) -> bool:
        """Whether somebody draws in a frame, has to decide on something, or opens it."""
        document = self._document
        if not self._is_open(image_id):
            return False
        if document.reader.is_reading:
            return True
        is_free = document.map is None or document.is_editable
        return self._canvas.is_gesturing or not is_free
