"""Document: the open image, its map and everything else in the window that changes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from PySide6.QtCore import QObject, QRect, Signal, Slot

from app.image_layer import ImageLayer
from app.keys import Keys
from app.picture_reader import PictureReader, Reading
from app.shown_map import ShownMap
from app.suggestion import lay_over_map, preview_segments, suggest
from app.waiting_proposals import DROPPED, TOO_MANY, WaitingProposals
from core import edits
from core.authors import A_PERSON, Author, author_of_proposal
from core.errors import AnnotateError
from core.images import Rgb
from core.panoptic import VOID, Category, Edit, Rect, Segment
from core.proposals import Preview, Proposal
from core.store import AnnotationStore, ImageRecord

PENDING: Final = "Accept the proposal with {} or reject it with {} before you edit the map."
OUTDATED: Final = "The map was changed, so the proposal that was made for it is gone."
WAITING: Final = "The proposal for {name} waits there until you accept or reject it."
PREVIEWED: Final = "A step of the model is shown in place of the map; {} shows the map again."


class Document(ShownMap):
    """The only state of the window; views read it and never change a map.

    An edit is committed to the project file before it is applied here, so what is seen is
    what is saved.

    Attributes:
        store: the open project.
        keys: the keys in force, for sentences that name one.
        reader: reads image and map.
        image: uint8 [H, W, 3] RGB; None when there is none, or it is not read or cannot be.
        picture: the image as it is drawn; None when `image` is.
        category_id: the category of the next new segment; 0 for none.

    Signals:
        image_changed(): another image is open, or none.
        selection_changed(): selected segment or current category.
        proposal_changed(): preview or proposal.
        history_changed(): what undo and redo would do.
        categories_changed(): the project's list of categories.
        edited(int): the image of this id has other edits in effect than before.
        others_edited(object): so have the images of these ids, none of which is open.
        refused(object): a sentence on why something was not done.
        failed(object): a sentence on what went wrong outside the program.
    """

    image_changed = Signal()
    selection_changed = Signal()
    proposal_changed = Signal()
    history_changed = Signal()
    categories_changed = Signal()
    edited = Signal(int)
    others_edited = Signal(object)
    refused = Signal(object)
    failed = Signal(object)

    def __init__(
        self, store: AnnotationStore, parent: QObject | None = None, keys: Keys | None = None
    ) -> None:
        super().__init__(store.categories, parent)
        self.store = store
        self.keys = keys or Keys(self)
        self.image: Rgb | None = None
        self.picture: ImageLayer | None = None
        self._waiting = WaitingProposals()
        self.reader = PictureReader(store, self)
        self.reader.done.connect(self._on_read)
        self.category_id = next(iter(self.categories), 0)

    @property
    def category(self) -> Category | None:
        """The category of the next new segment."""
        return self.categories.get(self.category_id)

    @property
    def selected(self) -> Segment | None:
        return None if self.map is None else self.map.segments.get(self.selected_id)

    # Images.

    @property
    def has_image(self) -> bool:
        return self.image is not None

    def open_image(self, record: ImageRecord) -> None:
        """Show an image and its map, as soon as it is read; `failed` says if it cannot be."""
        if self.suggestion is not None and self.record is not None:
            self.refused.emit(WAITING.format(name=self.record.path.name))
            if gone := self._waiting.keep(self.record, self.suggestion):
                self.refused.emit(TOO_MANY.format(name=gone))
        self.image = self.picture = self.map = None
        self.selected_id = VOID
        self.preview = self.suggestion = None
        self.record = record
        self.reader.read(record)
        if self.reader.is_reading:
            self._tell_all()

    @Slot(object)
    def _on_read(self, reading: Reading) -> None:
        if self.record is None:
            return
        try:
            picture, map = reading.result()
            self.image, self.picture, self.map = picture.pixels, picture, map
            self.store.set_last_image(self.record.id)  # not without a disk; the image is shown
        except AnnotateError as error:
            self.failed.emit(str(error))
        self._tell_all()
        waiting = self._waiting.take(self.record.id) if self.has_image else None
        if waiting is not None:
            self.propose(waiting.proposal, waiting.to_project, waiting.region)

    def _tell_all(self) -> None:
        self.image_changed.emit()
        self.segments_changed.emit()
        self.selection_changed.emit()
        self.proposal_changed.emit()
        self.history_changed.emit()

    # What is worked on.

    def select(self, segment_id: int) -> None:
        """Work on a segment of the map; 0 selects none."""
        if self.map is None or segment_id not in self.map.segments:
            segment_id = VOID
        if segment_id != self.selected_id:
            self.selected_id = segment_id
            self.selection_changed.emit()

    def begin_segment(self, category_id: int = 0) -> None:
        """Let the next stroke make a new segment, by default of the current category.

        A stuff category has one segment an image, which the stroke extends.
        """
        self.category_id = category_id or self.category_id
        self.selected_id = VOID
        self.selection_changed.emit()

    def follow_store(self, *, has_new_map: bool = False) -> None:
        """Read the categories from the project again, and the map if others edited it."""
        try:
            categories = self.store.categories
            if has_new_map and self.map is not None and self.record is not None:
                self.map = self.store.load_map(self.record.id)
                if self.has_proposal:
                    self.refused.emit(OUTDATED)
                self.preview = self.suggestion = None
        except AnnotateError as error:
            self.failed.emit(str(error))
            return
        self.categories = {category.id: category for category in categories}
        if self._waiting.clear():
            self.refused.emit(DROPPED)
        if self.category_id not in self.categories:
            self.category_id = next(iter(self.categories), VOID)
        self.select(self.selected_id)
        self.categories_changed.emit()
        self.selection_changed.emit()
        self._tell_proposal()

    def segment_to_paint(self) -> Segment | None:
        """The segment that a stroke extends or makes; None is explained by `refused`."""
        if self.map is None or not self.may_edit():
            return None
        segment = self.selected or self._new_segment()
        if segment is not None and segment.is_locked:
            key = self.keys.hint("new_segment")
            self.refuse_locked(segment, f"paint it, or begin a new segment with {key}")
            return None
        if segment is not None and segment.id in self.hidden:
            self.toggle_hidden(segment.id)
        return segment

    def _new_segment(self) -> Segment | None:
        if self.map is None or self.category is None:
            self.refused.emit("The project has no category to paint; add one first.")
            return None
        try:
            return edits.new_segment(self.map, self.category)
        except AnnotateError as error:
            self.failed.emit(str(error))
            return None

    def refuse_locked(self, segment: Segment, purpose: str) -> None:
        """Say that a segment is locked, and what would unlock it."""
        key = self.keys.hint("lock")
        self.refused.emit(f"{self.name(segment)} is locked; unlock it with {key} to {purpose}.")

    # Edits.

    @property
    def is_editable(self) -> bool:
        """Whether the map itself is shown, and so may be edited."""
        return self.map is not None and self.preview is None and not self.has_proposal

    @property
    def has_selection(self) -> bool:
        return self.selected is not None

    @property
    def can_edit_selected(self) -> bool:
        return self.is_editable and self.selected is not None

    @property
    def can_undo(self) -> bool:
        return self._can(self.store.can_undo)

    @property
    def can_redo(self) -> bool:
        return self._can(self.store.can_redo)

    def push(self, edit: Edit, author: Author = A_PERSON, step: int | None = None) -> bool:
        """Save an edit, then show it; False when there was nothing to do or it failed.

        Args:
            step: over several images, of which the edit is a part.
        """
        if self.map is None or self.record is None or edit.is_empty:
            return False
        try:
            if step is None:
                self.store.append_edit(self.record.id, edit, author)
            else:
                self.store.append_joint({self.record.id: edit}, step, author)
        except AnnotateError as error:
            self.failed.emit(str(error))
            return False
        self.carry_out([edit])
        return True

    def undo(self) -> None:
        """Take the last edit of this image back, with all that were one step with it."""
        self._travel(lambda image_id: self._take_step(image_id, forwards=False))

    def redo(self) -> None:
        """Do the edit again that was taken back last."""
        self._travel(lambda image_id: self._take_step(image_id, forwards=True))

    def travel(self, position: int) -> None:
        """Go back or forth to where that many steps of `history` are in effect."""
        self._travel(lambda image_id: self.store.travel(image_id, position))

    def history(self) -> tuple[list[str], int]:
        """Labels of this image's steps, oldest first, and how many of them are in effect."""
        try:
            return ([], 0) if self.record is None else self.store.history(self.record.id)
        except AnnotateError:
            return [], 0  # whoever tries to undo is told why

    def toggle_lock(self, segment_id: int = VOID) -> None:
        """Lock or unlock a segment, by default the selected one."""
        segment = self._segment(segment_id)
        if segment is not None and self.map is not None and self.may_edit():
            self.push(edits.set_segment(self.map, segment.id, is_locked=not segment.is_locked))

    def free_selected(self, purpose: str) -> Segment | None:
        """The selected segment if it may be changed; if it is locked, a sentence says so."""
        segment = self.selected
        if segment is None or not self.may_edit():
            return None
        if segment.is_locked:
            self.refuse_locked(segment, purpose)
            return None
        return segment

    def _segment(self, segment_id: int) -> Segment | None:
        if self.map is None:
            return None
        return self.map.segments.get(segment_id or self.selected_id)

    def may_edit(self) -> bool:
        """Whether the map may be edited now; if not, a sentence says why."""
        if self.preview is not None:
            self.refused.emit(PREVIEWED.format(self.keys.hint("escape")))
        elif self.has_proposal:
            accept, reject = (self.keys.hint(name) for name in ("accept", "escape"))
            self.refused.emit(PENDING.format(accept, reject))
        return self.is_editable

    def _can(self, ask: Callable[[int], bool]) -> bool:
        try:
            return self.is_editable and self.record is not None and ask(self.record.id)
        except AnnotateError:
            return False  # whoever tries it will be told why

    def _take_step(self, image_id: int, *, forwards: bool) -> list[Edit]:
        if self.store.joint_step(image_id, forwards=forwards) is None:
            return _listed((self.store.redo if forwards else self.store.undo)(image_id))
        step, edit = self.store.take_joint_step(image_id, forwards=forwards)
        self.others_edited.emit([other for other in step.image_ids if other != image_id])
        return [edit]

    def _travel(self, step: Callable[[int], list[Edit]]) -> None:
        """Let the store go through the history, then follow it."""
        if self.record is None or not self.is_editable:
            return
        try:
            made = step(self.record.id)
        except AnnotateError as error:
            self.failed.emit(str(error))
            return
        if made:
            self.carry_out(made)

    def carry_out(self, made: Sequence[Edit]) -> None:
        """Carry out edits that the store has committed."""
        if self.map is None or self.record is None:
            return
        rects = [self.map.apply(edit) for edit in made]
        if self.selected_id not in self.map.segments:
            self.select(VOID)
        if any(edit.segments_before or edit.segments_after for edit in made):
            self.segments_changed.emit()
        for rect in rects:
            size = rect.right - rect.left, rect.bottom - rect.top
            self.map_changed.emit(QRect(rect.left, rect.top, *size))
        self.history_changed.emit()
        self.edited.emit(self.record.id)

    # The model's help.

    def show_preview(
        self,
        preview: Preview | None,
        to_project: Mapping[int, int] | None = None,
        region: Rect | None = None,
    ) -> None:
        """Show one step of a run over the image; None shows the proposal or map again.

        Args:
            preview: of the whole image.
            to_project: the model's category ids -> the project's.
            region: what the model was asked for; outside of it the map is shown.
        """
        segments = preview_segments(preview, to_project or {}) if preview else {}
        if preview is not None and self.map is not None and region is not None:
            preview, segments = lay_over_map(preview, segments, self.map, region)
        self.preview = None if self.map is None else preview
        self._preview_segments = segments
        self._tell_proposal()

    def propose(
        self, proposal: Proposal, to_project: Mapping[int, int], region: Rect | None = None
    ) -> None:
        """Show what the map would be if the proposal were accepted.

        Args:
            proposal: at the size of the open image.
            to_project: the model's category ids -> the project's.
            region: what the model was asked for; None for the whole image.
        """
        if self.map is None:
            return
        self.preview = self.suggestion = None
        try:
            self.suggestion = suggest(
                self.map, proposal, to_project, self.categories.values(), region
            )
        except AnnotateError as error:
            self.failed.emit(str(error))
        self._tell_proposal()

    @property
    def undecided(self) -> list[str]:
        """Names of the images whose proposals wait for a decision, the open one last."""
        here = [] if self.record is None or not self.has_proposal else [self.record.path.name]
        return self._waiting.names + here

    def accept(self) -> None:
        """Make the proposal part of the map, as one edit; it stays if it cannot be saved."""
        if self.suggestion is not None:
            edit, proposal = self.suggestion.edit, self.suggestion.proposal
            if edit.is_empty or self.push(edit, author_of_proposal(proposal)):
                self.reject()

    def reject(self) -> None:
        """Take the proposal and any step of the model away."""
        self.preview = self.suggestion = None
        self._tell_proposal()

    def _tell_proposal(self) -> None:
        self.proposal_changed.emit()
        self.segments_changed.emit()
        self.history_changed.emit()
        self._tell_everywhere()


def _listed(edit: Edit | None) -> list[Edit]:
    return [] if edit is None else [edit]
