"""Retraining: begins, leads and takes up the training of the project's model."""

import shutil
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from app.document import Document
from app.last_word import LastWord
from app.model_run import ModelRun
from app.model_versions import ModelVersions
from app.notices import Notices
from app.retrain_ask import find_material
from app.retrain_gate_run import GateRun
from app.retrain_leave import LeaveQuestion
from app.retrain_sheet import RetrainSheet
from app.retrain_watch import RetrainWatch
from app.thread_run import ThreadRun
from core.errors import AnnotateError, TrainingError
from core.image_query import ImageQuery
from core.retraining import (
    Outcome,
    RetrainPlan,
    close_run,
    find_open_run,
    new_run,
    read_plan,
    write_plan,
)
from core.review import Review
from core.run_folder import Wish
from core.training_progress import Phase
from core.training_snapshot import snapshot_project

UNTOUCHED: Final = (Review.EMPTY, Review.PROPOSED)
UNTOUCHED_YET: Final = (
    "{model} is in use. Nobody has touched {images}: let it segment these anew?"
)
LEFT: Final = "Training {name} goes on from when the project was closed."
LOST: Final = "The training of {name} is not done: its process is gone, as after a restart."
HALTED: Final = "The training of {name} was stopped, and can go on."
FAILED: Final = "The training of {name} ended before it was done; the sheet says why."
NOT_BEGUN: Final = "The images could not be copied for the training: {reason}"
DONE: Final = "{name} is trained and measured: decide whether it is to be used."
USED: Final = (
    "{name} is in use. Going back is possible in Versions of the model, in the menu File."
)
KEPT: Final = "{name} is in the list of versions; the model in use stays."


class Retraining(QObject):
    """Stands between the sheet, the run in its folder and the project.

    Attributes:
        watch: of the run that is open; None if there is none.
        versions: of the project's model.
        leave_question: what is asked before the project is closed.

    Signals:
        changed(): the run, or what is known of it.
        batch_wanted(): the model in use shall segment again what nobody has touched.
        image_wanted(int): the image of this id is to be opened.
    """

    changed = Signal()
    batch_wanted = Signal()
    image_wanted = Signal(int)

    def __init__(
        self,
        document: Document,
        notices: Notices,
        last_word: LastWord,
        model_run: ModelRun,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self.leave_question = LeaveQuestion(self._is_training, window)
        self.leave_question.stop_wanted.connect(self._stop_run)
        last_word.ask_last(self.leave_question.may_close)
        self._document = document
        self._notices = notices
        self._window = window
        self.watch: RetrainWatch | None = None
        self.versions = ModelVersions(document, model_run, self)
        self.versions.kept.connect(self._on_kept)
        self.versions.failed.connect(self._fail)
        self.versions.swapped.connect(self._offer_batch)
        self._gate: GateRun | None = None
        self._plan = RetrainPlan("", "")
        self._sheet: RetrainSheet | None = None
        self._preparation: ThreadRun | None = None
        self._folder = Path()  # of the run that is being prepared

    def _is_training(self) -> bool:
        return self.watch is not None and self.watch.is_alive

    @property
    def plan(self) -> RetrainPlan:
        """What the open run was asked for."""
        return self._plan

    def show(self) -> None:
        """Show the sheet: how far the open run is, or what a new one would need."""
        self._attach()
        if self._sheet is None:
            self._sheet = self._make_sheet()
        self._notices.settle(self)
        self._refresh(anew=True)
        self._sheet.show()
        self._sheet.activateWindow()

    def _make_sheet(self) -> RetrainSheet:
        sheet = RetrainSheet(self._window)
        sheet.ask.wanted.connect(self.begin)
        sheet.live.asked.connect(self.ask)
        sheet.live.resume_wanted.connect(self.resume)
        sheet.live.again_wanted.connect(self._on_again)
        sheet.live.discard_wanted.connect(self.discard)
        sheet.gate.decided.connect(self.decide)
        sheet.gate.again_wanted.connect(self._measure)
        sheet.gate.image_wanted.connect(self._open_image)
        return sheet

    def show_versions(self) -> None:
        """Show the list of the model's versions."""
        from app.versions_dialog import VersionsDialog  # noqa: PLC0415 - only here

        try:
            dialog = VersionsDialog(self._document.store, self._window)
        except AnnotateError as error:
            self._notices.fail(str(error))
        else:
            dialog.chosen.connect(self.versions.use)
            dialog.open()

    # Beginning.

    @Slot(object)
    def begin(self, plan: RetrainPlan) -> None:
        """Copy what is trained on in a thread, then start the run."""
        project = self._document.store.path
        try:
            material = find_material(self._document.store)
        except AnnotateError as error:
            self._fail(str(error))
            return
        if material.obstacle:
            self._fail(material.obstacle)
            return
        self._plan = replace(plan, name=material.name, renamed=material.renamed)
        self._folder = new_run(project)
        copying = partial(_prepare, project, self._folder, self._plan)
        ids = material.training, material.hold_out
        self._preparation = ThreadRun(partial(copying, *ids), "the copy for the training", self)
        self._preparation.finished.connect(self._on_prepared)
        self._preparation.failed.connect(self._fail)
        self._preparation.start()

    @Slot()
    def _on_prepared(self) -> None:
        self._follow(self._folder)
        self.resume()

    @Slot()
    def resume(self) -> None:
        """Let a run that was stopped or has died go on from its last checkpoint."""
        if self.watch is None or self.watch.is_alive:
            return
        try:
            self.watch.start(self._plan.arguments(self.watch.folder))
        except AnnotateError as error:
            self._fail(str(error))
        self._refresh()

    @Slot()
    def _on_again(self) -> None:
        """Begin anew with the settings that would need less memory."""
        if self.watch is not None:
            changes = {**self._plan.changes, **self.watch.progress.change}
            plan = replace(self._plan, changes=changes)
            self._close(Outcome.DISCARDED)
            self.begin(plan)

    @Slot(object)
    def ask(self, wish: Wish) -> None:
        """Have the run pause, go on, stop or finish."""
        if self.watch is not None:
            try:
                self.watch.ask(wish)
            except AnnotateError as error:
                self._fail(str(error))
            self._refresh()

    @Slot()
    def discard(self) -> None:
        """Forget the run."""
        self._close(Outcome.DISCARDED)
        self._refresh(anew=True)

    def _close(self, outcome: Outcome) -> None:
        if self.watch is None:
            return
        try:
            close_run(self.watch.folder, outcome)
        except AnnotateError as error:
            self._fail(str(error))
            return
        self._unfollow()

    # The gate.

    @property
    def _is_done(self) -> bool:
        """Whether the open run has made a model."""
        watch = self.watch
        return watch is not None and not watch.is_alive and watch.progress.model is not None

    @Slot()
    def _measure(self) -> None:
        """Have both models measured, unless that is done or under way."""
        watch = self.watch
        if watch is None or watch.progress.model is None:
            return
        if self._gate is None:
            self._gate = GateRun(watch.folder, self)
            self._gate.changed.connect(self._on_measured)
        elif not self._gate.failure:
            return
        self._gate.begin(self._plan, watch.progress.model)
        self._refresh()

    @Slot()
    def _on_measured(self) -> None:
        gate, sheet = self._gate, self._sheet
        is_seen = sheet is not None and sheet.isVisible()
        if gate is not None and not is_seen and (gate.report is not None or gate.failure):
            name = self._plan.name
            self._notices.offer(DONE.format(name=name), "Look at it…", self.show, about=self)
        self._refresh()

    @Slot(object)
    def decide(self, outcome: Outcome) -> None:
        """Use the new model, keep it in the list only, or forget it."""
        watch, gate = self.watch, self._gate
        if outcome is Outcome.DISCARDED or watch is None or gate is None:
            self.discard()
        elif gate.report is not None and watch.progress.model is not None:
            self.versions.keep(self._plan, watch.progress.model, gate.report, outcome)

    @Slot(object)
    def _open_image(self, path: Path) -> None:
        """Open an image of the gallery, if the project still has it."""
        try:
            (image_id,) = self._document.store.find_images([path])
        except AnnotateError as error:
            self._notices.fail(str(error))
            return
        if image_id is None:
            self._notices.warn(f"The project has no image {path} any more.")
        else:
            self._window.activateWindow()
            self.image_wanted.emit(image_id)

    @Slot(object)
    def _on_kept(self, outcome: Outcome) -> None:
        self._notices.tell(
            (USED if outcome is Outcome.USED else KEPT).format(name=self._plan.name)
        )
        self._close(outcome)
        if self._sheet is not None:
            self._sheet.close()
        self.changed.emit()

    @Slot(object)
    def _offer_batch(self, model: str) -> None:
        """Offer to segment again what nobody has touched."""
        try:
            n_images = self._document.store.n_images(ImageQuery(states=UNTOUCHED))
        except AnnotateError as error:
            self._notices.fail(str(error))
            return
        if n_images:
            images = "1 image" if n_images == 1 else f"{n_images:,} images"
            sentence = UNTOUCHED_YET.format(images=images, model=model)
            self._notices.offer(sentence, "Pre-annotate…", self.batch_wanted.emit)

    # Taking up what goes on.

    def attach(self) -> None:
        """Follow the project's open run again, and say how it is."""
        self._attach()
        watch, name = self.watch, self._plan.name
        if watch is None:
            return
        if watch.is_alive:
            self._notices.tell(LEFT.format(name=name))
        elif watch.phase is Phase.FAILED:
            self._notices.offer(FAILED.format(name=name), "Look at it…", self.show, about=self)
        elif watch.phase is not Phase.FINISHED:  # else both models are measured now
            said = LOST if watch.is_lost else HALTED
            self._notices.offer(said.format(name=name), "Resume", self._resume_seen, about=self)

    def _resume_seen(self) -> None:
        self.resume()
        self.show()

    def _attach(self) -> None:
        folder = find_open_run(self._document.store.path)
        if folder is None or (self.watch is not None and self.watch.folder == folder):
            return
        try:
            self._plan = read_plan(folder)
        except AnnotateError as error:
            self._fail(str(error))
            return
        self._follow(folder)

    def _follow(self, folder: Path) -> None:
        self._unfollow()
        self.watch = RetrainWatch(folder, self)
        self.watch.changed.connect(self._on_watched)
        self.watch.watch()
        self._on_watched()

    def _unfollow(self) -> None:
        watch, self.watch = self.watch, None
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.stop()
            gate.deleteLater()
        if watch is not None:
            watch.stop()
            watch.deleteLater()

    @Slot()
    def _on_watched(self) -> None:
        if self._is_done and self._gate is None:
            self._measure()
        self._refresh()
        self.changed.emit()

    def _refresh(self, *, anew: bool = False) -> None:
        """Show what is known now.

        Args:
            anew: whether the project is looked through again for a new run.
        """
        if self._sheet is None:
            return
        if self.watch is not None and self._is_done and self._gate is not None:
            self._sheet.show_gate(self._gate, self._plan)
        elif self.watch is not None:
            self._notices.settle(self)
            self._sheet.live.show_run(self.watch, self._plan.name)
            self._sheet.turn_to(self._sheet.live)
        elif anew:
            try:
                self._sheet.ask.show_material(find_material(self._document.store))
            except AnnotateError as error:
                self._notices.fail(str(error))
            self._sheet.turn_to(self._sheet.ask)

    @Slot(object)
    def _fail(self, sentence: str) -> None:
        self._notices.fail(sentence)
        self._refresh(anew=True)

    @Slot()
    def _stop_run(self) -> None:
        self.ask(Wish.STOP)

    def stop(self) -> None:
        """Follow nothing more; a run goes on."""
        self._unfollow()


def _prepare(
    project: Path,
    folder: Path,
    plan: RetrainPlan,
    training: tuple[int, ...],
    hold_out: tuple[int, ...],
) -> Generator[None, None, None]:
    """In a thread: copy the project; the run is there once its plan is."""
    try:
        snapshot_project(project, folder, training, hold_out)
        write_plan(folder, plan)
    except AnnotateError as error:
        shutil.rmtree(folder, ignore_errors=True)  # what is there is of no use
        raise TrainingError(NOT_BEGUN.format(reason=error)) from error
    yield
