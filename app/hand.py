"""The hand carries out gestures: what the mouse does becomes a draft, then an edit."""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from app.document import Document
from app.gesture import Act, Gesture, Point, Pointer
from app.image_tools import outline_superpixel
from app.layers import Draft
from app.toolbox import SUPERPIXEL, ToolBox
from app.tools import GESTURES
from core.errors import AnnotateError
from core.panoptic import Edit, Rect

GONE = "What was being drawn is gone: what it was drawn on changed before it was finished."

TOO_SHORT = 3  # a line to as many points encloses nothing: the last is the mouse

KEPT = "What you drew is kept: Enter or a click tries again to save it, {} drops it."


class Hand(QObject):
    """Carries out one gesture at a time and pushes its edit to the document.

    A gesture is made for the map as it was pressed on, so any other edit of the map ends it.

    Attributes:
        hint: the outline, in image pixels, of what a press would take; empty for no hint.
        is_pressed: whether the button is held.
        has_unsaved: whether what was drawn could not be saved and waits for another try.

    Signals:
        began(): something is being drawn from now on.
        ended(): no longer: it was saved, dropped or came to nothing.
        hint_changed(): another outline, or none.
        region_chosen(Rect): the model is asked for this part of the image.
        draft_changed(Draft | None): there is more to see of the gesture; None ends it.
    """

    began = Signal()
    ended = Signal()
    draft_changed = Signal(object)
    hint_changed = Signal()
    region_chosen = Signal(object)

    def __init__(
        self, document: Document, tools: ToolBox, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._tools = tools
        self._gesture: Gesture | None = None
        self._map = document.map  # that it began on
        self._draft: Draft | None = None
        self._last = Pointer(0, 0)
        self._is_advancing = False
        self.hint: list[Point] = []
        self._hinted: Point | None = None
        self.is_pressed = False
        self.has_unsaved = False
        document.image_changed.connect(self.leave)
        tools.changed.connect(self._update_hint)
        document.edited.connect(self._on_map_changed)
        document.image_changed.connect(self._drop)
        document.proposal_changed.connect(self._on_proposal_changed)

    @property
    def is_busy(self) -> bool:
        """Whether a gesture has begun and not ended."""
        return self._gesture is not None

    @property
    def is_waiting(self) -> bool:
        """Whether a gesture goes on although no button is held: a polygon does."""
        return self.is_busy and not self.is_pressed

    def press(self, tool: str, pointer: Pointer) -> None:
        """Press the button: go on with the gesture that waits, or begin one of `GESTURES`."""
        self.is_pressed = True
        pointer = replace(pointer, act=Act.PRESS)
        if self.is_busy:
            self._advance(pointer)
            return
        self.leave()
        self._last = pointer
        self._map = self._document.map
        self._gesture = GESTURES[tool](self._document, self._tools, pointer)
        self.began.emit()
        self._advance(None)

    def move(self, pointer: Pointer) -> None:
        """Go on with the gesture; with none, hint at what a press would take."""
        if self.is_busy:
            self._advance(pointer)
        else:
            self._hint_at(pointer.place)

    @Slot()
    def leave(self) -> None:
        """Stop hinting: the mouse is elsewhere, or another image under it."""
        self._hint_at(None)

    def _hint_at(self, point: Point | None) -> None:
        self._hinted = point
        self._update_hint()

    @Slot()
    def _update_hint(self) -> None:
        hint: list[Point] = []
        if self._tools.name == SUPERPIXEL and self._hinted is not None:
            hint = outline_superpixel(self._document, self._tools, self._hinted)
        if hint != self.hint:
            self.hint = hint
            self.hint_changed.emit()

    def release(self, pointer: Pointer) -> None:
        """Let go of the button: the edit of most gestures is saved and shown."""
        self.is_pressed = False
        self._advance(replace(pointer, act=Act.RELEASE))

    def let_go(self) -> None:
        """Make up for a release that nobody was told of, where the mouse was last seen."""
        self.release(self._last)

    def close(self, *, is_other: bool) -> None:
        """End a gesture that waits; `is_other` as of `Pointer`."""
        if self.is_waiting:
            self._advance(replace(self._last, act=Act.CLOSE, is_other=is_other))

    def take_back(self) -> bool:
        """Take back the last corner of a gesture that waits.

        Returns:
            Whether there is a gesture; one with the button held goes on as it was.
        """
        if self.is_waiting:
            self._advance(replace(self._last, act=Act.BACK))
            return True
        return self.is_busy

    def finish(self) -> bool:
        """End the gesture as if its button were let go or its outline closed.

        Returns:
            Whether all that was drawn is saved; an outline that encloses nothing is dropped,
            one that nobody may fill, such as for a locked segment, is not.
        """
        if self.is_pressed:
            self.let_go()
        self.close(is_other=False)
        if self.has_unsaved or (self._draft is not None and len(self._draft.line) > TOO_SHORT):
            return False
        self.cancel()
        return True

    def cancel(self) -> None:
        """Drop what has been drawn since the gesture began."""
        if self._gesture is not None:
            self._gesture.close()
            self._end()
            self.ended.emit()

    @Slot()
    def _on_proposal_changed(self) -> None:
        """A proposal lies over what is drawn on; the map without one is as it was, or new."""
        if not self._document.is_editable:
            self._drop()
        elif self._document.map is not self._map:
            self._on_map_changed()

    @Slot()
    def _on_map_changed(self) -> None:
        """An outline encloses the same whatever the map has become; all else is drawn on it."""
        if self._draft is None or not self._draft.is_area:
            self._drop()

    @Slot()
    def _drop(self) -> None:
        """End a gesture whose ground has gone, with a word."""
        if self.is_busy and not self._is_advancing:
            has_draft = self._draft is not None
            self.cancel()
            if has_draft:
                self._document.refused.emit(GONE)

    def _advance(self, pointer: Pointer | None) -> None:
        if self._gesture is None:
            return
        self._last = pointer or self._last
        self._is_advancing = (
            True  # what a gesture does itself, such as to show a hidden segment
        )
        try:
            # Sending None starts a generator.
            self._draft = self._gesture.send(pointer)  # type: ignore[arg-type]
        except StopIteration as end:
            self._finish(end.value)
        except AnnotateError as error:
            self._end()
            self._document.failed.emit(str(error))
        else:
            self.draft_changed.emit(self._draft)
        finally:
            self._is_advancing = False
        if self._gesture is None:
            self.ended.emit()

    def _finish(self, edit: Edit | Rect | None) -> None:
        draft = self._draft
        self._end()
        if isinstance(edit, Rect):
            self.region_chosen.emit(edit)
        elif edit is None or edit.is_empty:
            return
        elif not self._document.push(edit):
            self._document.refused.emit(KEPT.format(self._document.keys.hint("escape")))
            if draft is not None:
                draft.is_area = False  # the edit is right only on the map as it is now
            self._gesture = _wait_to_save(draft, edit)
            self.has_unsaved = True
            self._advance(None)
        elif draft is not None and draft.segment is not None:
            self._document.select(draft.segment.id)

    def _end(self) -> None:
        self._gesture = self._draft = None
        self.has_unsaved = False
        self.draft_changed.emit(None)


def _wait_to_save(draft: Draft | None, edit: Edit) -> Gesture:
    """Show what could not be saved until somebody has it tried again."""
    pointer = yield draft
    while pointer.act not in {Act.PRESS, Act.CLOSE}:
        pointer = yield draft
    return edit
