"""The hand carries out gestures: what the mouse does becomes a draft, then an edit."""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.document import Document
from app.layers import Draft
from app.toolbox import ToolBox
from app.tools import GESTURES, Gesture, Pointer
from core.panoptic import Edit


class Hand(QObject):
    """Carries out one gesture at a time and pushes its edit to the document.

    Signals:
        draft_changed(Draft | None): there is more to see of the gesture; None ends it.
    """

    draft_changed = Signal(object)

    def __init__(
        self, document: Document, tools: ToolBox, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._tools = tools
        self._gesture: Gesture | None = None
        self._draft: Draft | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a gesture waits for its release."""
        return self._gesture is not None

    def press(self, tool: str, pointer: Pointer) -> None:
        """Begin a gesture with a tool of `GESTURES`."""
        self._gesture = GESTURES[tool](self._document, self._tools.size, pointer)
        self._advance(None)

    def move(self, pointer: Pointer) -> None:
        if self._gesture is not None:
            self._advance(pointer)

    def release(self, pointer: Pointer) -> None:
        """Let go of the button: the gesture's edit is saved and shown."""
        self.move(replace(pointer, is_released=True))

    def cancel(self) -> None:
        """Drop what has been drawn since the button was pressed."""
        if self._gesture is not None:
            self._gesture.close()
            self._end()

    def _advance(self, pointer: Pointer | None) -> None:
        if self._gesture is None:
            return
        try:
            # Sending None starts a generator.
            self._draft = self._gesture.send(pointer)  # type: ignore[arg-type]
        except StopIteration as end:
            self._finish(end.value)
        else:
            self.draft_changed.emit(self._draft)

    def _finish(self, edit: Edit | None) -> None:
        segment = None if self._draft is None else self._draft.segment
        self._end()
        if edit is not None and self._document.push(edit) and segment is not None:
            self._document.select(segment.id)

    def _end(self) -> None:
        self._gesture = self._draft = None
        self.draft_changed.emit(None)
