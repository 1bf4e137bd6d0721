"""What can be done to the selected segment in many frames of its clip at once."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QInputDialog, QMessageBox, QWidget

from app.clip_dialogs import CLIP, FRAME, ONWARDS, ClipProgress, MergeDialog
from app.document import Document
from app.frame_panel import ImageList
from app.thread_run import ThreadRun
from app.timeline_commands import TimelineCommands
from core.clip_edits import (
    FrameEdit,
    copy_in,
    delete_in,
    edit_frames,
    merge_in,
    recategorise_in,
)
from core.panoptic import VOID, Segment
from core.review import Review

STILL_READING: Final = "The clip is still being read; try again in a moment."
ASK: Final = "{n} of the {total} frames that would change are approved. Change them too?"
DONE: Final = "'{label}' changed {frames}; {undo} takes it back."
NOTHING: Final = "'{label}' changed no frame: the segment is locked, or all is so already."
SKIPPED: Final = " The approved ones, {frames}, stayed as they were."
MAX_COPIES: Final = 100_000


class ClipCommands(QObject):
    """Each command is one step of undo over many frames, or a sentence on why it is not.

    Frames that are approved are left as they are unless somebody says otherwise.

    Signals:
        told(object): a sentence on what was done.
        changed(): whether frames are being changed.
    """

    told = Signal(object)
    changed = Signal()

    def __init__(
        self,
        document: Document,
        timeline: TimelineCommands,
        images: ImageList,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._timeline = timeline
        self._images = images
        self._window = parent
        self._run: ThreadRun | None = None
        self._progress: ClipProgress | None = None
        self._changing: _Change | None = None
        self._image_ids: list[int] = []

    @property
    def is_running(self) -> bool:
        """Whether frames are being changed."""
        return self._run is not None

    @property
    def can_edit(self) -> bool:
        """Whether a segment is selected in a frame of a clip, and may be changed now."""
        is_free = self._timeline.has_clip and not self.is_running
        return is_free and self._document.can_edit_selected

    def delete(self, scope: str) -> None:
        """Give the segment's pixels to void in every frame of a scope."""
        segment = self._segment()
        if segment is not None:
            make = partial(delete_in, segment_id=segment.id)
            self._change(segment, scope, make, f"delete {self._document.name(segment)}")

    def recategorise(self, scope: str) -> None:
        """Give the segment the current category in every frame of a scope."""
        segment, category = self._segment(), self._document.category
        if segment is not None and category is not None:
            make = partial(recategorise_in, segment_id=segment.id, category=category)
            label = f"make {self._document.name(segment)} {category.name}"
            self._change(segment, scope, make, label)

    def merge(self) -> None:
        """Ask of which segment of the clip the selected one is a part, and in which frames."""
        segment = self._segment()
        if segment is None:
            return
        dialog = MergeDialog(
            self._document.name(segment),
            segment,
            self._timeline.index.presence,
            self._document.categories,
            self._window,
        )
        dialog.chosen.connect(partial(self._merge, segment))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _merge(self, segment: Segment, into_id: int, scope: str) -> None:
        category_id = self._timeline.index.presence.category_id(into_id)
        category = self._document.categories.get(category_id)
        if category is None:
            return
        make = partial(
            merge_in,
            segment_id=segment.id,
            into=Segment(into_id, category_id),
            category=category,
        )
        label = f"merge segment {segment.id} into {into_id}"
        self._change(segment, scope, make, label, select=into_id)

    def copy_onwards(self) -> None:
        """Ask to how many of the next frames the selected segment is copied."""
        frame, segment = self._timeline.frame, self._segment()
        n_later = 0 if frame is None else len(self._timeline.index.states) - 1 - frame
        if segment is None or n_later == 0:
            return
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle("Copy the segment")
        dialog.setLabelText("To how many of the next frames?")
        dialog.setInputMode(QInputDialog.InputMode.IntInput)
        dialog.setIntRange(1, min(n_later, MAX_COPIES))
        dialog.setIntValue(min(5, n_later))
        dialog.intValueSelected.connect(partial(self._copy, segment))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _copy(self, segment: Segment, n_frames: int) -> None:
        frame, map = self._timeline.frame, self._document.map
        category = self._document.categories.get(segment.category_id)
        if frame is None or map is None or category is None:
            return
        source = map.copy()
        make = partial(copy_in, source=source, segment_id=segment.id, category=category)
        frames = range(frame + 1, frame + 1 + n_frames)
        self._ask(_Change(tuple(frames), make, f"copy {self._document.name(segment)}"))

    def stop(self) -> None:
        """End what is being done; what has been saved stays."""
        if self._run is not None:
            self._run.cancel()

    # How it is done.

    def _segment(self) -> Segment | None:
        if not self.can_edit:
            return None
        if not self._timeline.index.is_complete:
            self.told.emit(STILL_READING)
            return None
        return self._document.selected

    def _change(
        self, segment: Segment, scope: str, make: FrameEdit, label: str, select: int = VOID
    ) -> None:
        frames = self._timeline.index.presence.frames_of(segment.id)
        here = self._timeline.frame or 0
        is_wanted = {FRAME: frames == here, ONWARDS: frames >= here, CLIP: frames >= 0}
        self._ask(_Change(tuple(frames[is_wanted[scope]].tolist()), make, label, select))

    def _ask(self, change: "_Change") -> None:
        """Begin a change, after asking about frames that are approved."""
        states = self._timeline.index.states
        approved = {f for f in change.frames if states[f].review is Review.APPROVED}
        if not approved:
            self._start(change)
            return
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Approved frames")
        box.setText(ASK.format(n=len(approved), total=len(change.frames)))
        leave = box.addButton("Leave them as they are", QMessageBox.ButtonRole.AcceptRole)
        all_of_them = box.addButton("Change them too", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(leave)
        others = tuple(frame for frame in change.frames if frame not in approved)
        rest = replace(change, frames=others, n_skipped=len(approved))
        leave.clicked.connect(lambda: self._start(rest))
        all_of_them.clicked.connect(lambda: self._start(change))
        box.finished.connect(box.deleteLater)
        box.open()

    def _start(self, change: "_Change") -> None:
        clip, store = self._timeline.index.clip, self._document.store
        if clip is None or self.is_running:
            return
        image_ids = [clip.image_ids[frame] for frame in change.frames]

        def steps() -> Generator[int, None, None]:
            with store.open_again() as own:
                yield from edit_frames(own, image_ids, change.make, change.label)

        self._changing, self._image_ids = change, image_ids
        run = self._run = ThreadRun(steps, change.label, self)
        progress = self._progress = ClipProgress(change.label, len(image_ids), self._window)
        run.progressed.connect(progress.show_progress)
        run.finished.connect(self._on_finished)
        run.cancelled.connect(self._on_ended)
        run.failed.connect(self._on_failed)
        progress.cancelled.connect(run.cancel)
        self.changed.emit()
        run.start()

    @Slot(object)
    def _on_finished(self, n_changed: int | None) -> None:
        change = self._changing
        self._on_ended()
        if change is None:
            return
        if not n_changed:
            self.told.emit(NOTHING.format(label=change.label) + change.skipped)
            return
        undo = self._document.keys.hint("undo")
        frames = say_frames(n_changed)
        said = DONE.format(label=change.label, frames=frames, undo=undo)
        self.told.emit(said + change.skipped)
        if change.select:
            self._document.select(change.select)

    @Slot(object)
    def _on_failed(self, sentence: str) -> None:
        self._on_ended()
        self._document.failed.emit(sentence)

    @Slot()
    def _on_ended(self) -> None:
        """Show what has been saved, also of a change that ended early."""
        if self._progress is not None:
            self._progress.end()
        self._run = self._progress = self._changing = None
        record = self._document.record
        if record is not None and record.id in self._image_ids:
            self._document.follow_store(has_new_map=True)
            self._document.edited.emit(record.id)
        self._images.forget_all(self._image_ids)
        self.changed.emit()


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to be done to which frames.

    Attributes:
        make: the edit of each frame.
        label: of the step.
        select: the segment that is worked on afterwards; 0 for the same.
        n_skipped: how many approved frames are left as they are.
    """

    frames: tuple[int, ...]
    make: FrameEdit
    label: str
    select: int = VOID
    n_skipped: int = 0

    @property
    def skipped(self) -> str:
        """A sentence on approved frames, if there are such."""
        return SKIPPED.format(frames=say_frames(self.n_skipped)) if self.n_skipped else ""


def say_frames(n: int) -> str:
    """So many frames, in words."""
    return "1 frame" if n == 1 else f"{n:,} frames"
