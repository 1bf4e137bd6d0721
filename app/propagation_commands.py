"""Propagation as the window has it: asked for, shown, stopped, and told of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QStatusBar,
    QToolButton,
    QWidget,
)

from app.batch_words import say_time
from app.canvas import CanvasView
from app.document import Document
from app.last_word import LastWord
from app.model_run import ModelRun
from app.notices import Notices
from app.propagation_run import STOPPED, PropagationRun
from app.propagation_steps import PropagationWish
from app.theme import scaled
from core.errors import AnnotateError
from core.propagation import options_for
from core.propagation_plan import RunRequest

UNDER_WAY: Final = "Propagation is under way; stop it with {key} before you begin another run."
CLOSING: Final = (
    "Propagation is under way: {n_saved:,} of {n_frames:,} frames are done and saved. Do this "
    "once more to stop it."
)
BAR_WIDTH: Final = 120
TICK_MS: Final = 1000


class PropagationCommands(QObject):
    """The commands of the menu about propagation.

    Attributes:
        run: the run itself.

    Signals:
        image_wanted(int): the image of this id is to be opened.
    """

    image_wanted = Signal(int)

    def __init__(
        self,
        document: Document,
        run: PropagationRun,
        model_run: ModelRun,
        canvas: CanvasView,
        notices: Notices,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._model_run = model_run
        self._canvas = canvas
        self._notices = notices
        self._window = parent
        self._is_closing_said = False
        self.run = run
        self._wish: PropagationWish | None = None
        document.others_edited.connect(self._on_others_edited)
        run.begun.connect(self._on_begun)
        run.noted.connect(notices.warn)
        run.ended.connect(self._on_ended)

    @property
    def wish(self) -> PropagationWish:
        """How the next run is to be: as the model's card has it until somebody says."""
        card = self._model_run.card
        if self._wish is not None or card is None:
            return self._wish or PropagationWish()
        return PropagationWish(options=options_for(card.sampling))

    @wish.setter
    def wish(self, wish: PropagationWish) -> None:
        self._wish = wish

    def join(self, status_bar: QStatusBar, last_word: LastWord) -> None:
        """Show in a status bar how far a run is, and ask before it is closed with it."""
        bar = PropagationBar(self.run, status_bar)
        bar.stop_requested.connect(self.run.stop)
        status_bar.insertPermanentWidget(1, bar)  # after the hint
        bar.setVisible(self.run.is_active)  # Qt shows what it is given
        last_word.also_ask(self.may_close)

    def forward(self) -> None:
        """Follow the segments of the open frame into those after it."""
        self._begin(is_forward=True)

    def back(self) -> None:
        """Follow the segments of the open frame into those before it."""
        self._begin(is_forward=False)

    def ask(self) -> None:
        """Ask how to propagate."""
        from app.propagation_dialog import PropagationDialog  # noqa: PLC0415 - only here

        dialog = PropagationDialog(self.wish, self._window)
        dialog.chosen.connect(self._on_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(object, int)
    def _on_chosen(self, wish: PropagationWish, way: int) -> None:
        self.wish = wish
        if way:
            self._begin(is_forward=way > 0)

    def _begin(self, *, is_forward: bool) -> None:
        record, wish = self._document.record, self.wish
        if self.run.is_active:
            key = self._document.keys.hint("escape")
            self._notices.warn(UNDER_WAY.format(key=key))
        elif self._model_run.model_state:
            self._notices.warn(self._model_run.model_state)
        elif record is not None and self._document.may_edit():
            self._is_closing_said = False
            least = self._model_run.options().min_area
            options = replace(wish.options, min_area=least)
            request = RunRequest(record.id, is_forward, wish.n_frames, options)
            self.run.begin(request, has_previews=wish.is_watched)

    @Slot(object)
    def _on_others_edited(self, image_ids: Sequence[int]) -> None:
        """Say what undo or redo has done where nobody sees it."""
        if self.run.is_active:
            self.run.give_up()
        if image_ids:
            others = "1 other frame" if len(image_ids) == 1 else f"{len(image_ids):,} others"
            self._notices.tell(f"The step was taken in this frame and {others} together.")

    @Slot(int)
    def _on_begun(self, image_id: int) -> None:
        if self.wish.is_watched and not self._canvas.is_gesturing:
            self.image_wanted.emit(image_id)

    def may_close(self) -> bool:
        """Whether no run is under way, or somebody knows that it will be stopped."""
        run = self.run
        if not run.is_active or self._is_closing_said:
            return True
        self._is_closing_said = True
        sentence = CLOSING.format(n_saved=run.n_saved, n_frames=run.n_frames)
        self._notices.fail(sentence, about=self)
        return False

    @Slot(object)
    def _on_ended(self, reason: str) -> None:
        self._notices.settle(self)
        done = self._say_done()
        if reason in {"", STOPPED}:
            self._notices.tell(" ".join(filter(None, [reason, done])))
        elif self.run.n_saved:
            self._notices.warn(f"{reason} {done}")
        else:
            self._notices.warn(reason)

    def _say_done(self) -> str:
        run, n = self.run, self.run.n_saved
        if not n or run.plan is None:
            return "No frame got a map."
        undo = self._document.keys.hint("undo")
        frames = "1 frame" if n == 1 else f"{n:,} frames"
        pace = f"{run.n_steps / n:.1f} steps each, {n / max(run.worked_s, 1e-3):.2g} a second"
        sentence = f"{frames} got a map ({pace}); {undo} in one of them takes all back."
        if run.plan.stopped_by is None or n < run.n_frames:
            return sentence
        try:
            record = self._document.store.image_record(run.plan.stopped_by)
        except AnnotateError:
            return sentence
        name = record.path.name if record.frame is None else f"frame {record.frame + 1}"
        return f"{sentence} The run ends before {name}, which is {record.review}."


class PropagationBar(QWidget):
    """How far a run is, with a button that stops it; hidden without one.

    Signals:
        stop_requested(): the end of the run.
    """

    stop_requested = Signal()

    def __init__(self, run: PropagationRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run = run
        self._text = QLabel(self)
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(scaled(BAR_WIDTH))
        self._bar.setAccessibleName("Frames that are propagated to")
        stop = QToolButton(self)
        stop.setText("Stop")
        stop.setAutoRaise(True)
        stop.setToolTip("Stop within one denoising step; frames that are done keep their maps")
        stop.clicked.connect(self.stop_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self._text, self._bar, stop):
            row.addWidget(widget)
        self._ticks = QTimer(self, interval=TICK_MS)
        self._ticks.timeout.connect(self._show_state)
        run.changed.connect(self._show_state)
        self._show_state()

    @Slot()
    def _show_state(self) -> None:
        run = self._run
        self.setVisible(run.is_active)
        if not run.is_active:
            self._ticks.stop()
            return
        self._ticks.start()
        self._text.setText(say_progress(run.n_saved, run.n_frames, run.worked_s))
        self._bar.setRange(0, run.n_frames)
        self._bar.setValue(run.n_saved)


def say_progress(n_saved: int, n_frames: int, worked_s: float) -> str:
    """How far a run is, at which pace, and how long it will take."""
    if not n_frames:
        return "Propagating"
    place = f"Propagating: {n_saved:,} of {n_frames:,}"
    if not n_saved or worked_s <= 0:
        return place
    left = say_time(worked_s / n_saved * (n_frames - n_saved))
    return f"{place} · {n_saved / worked_s:.2g} frames a second · {left} left"
