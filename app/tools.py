"""Gestures as generators: press -> moves -> release -> Edit.

A gesture starts with the pointer that was pressed. It yields a draft of what it has painted so
far, is sent the next pointer, and returns its edit after the release. Closing it cancels it:
nothing is changed before the edit is made.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QElapsedTimer, QObject, Signal

from app.document import Document
from app.layers import Draft
from core.edits import brush_stroke, erase_stroke
from core.panoptic import MAX_SEGMENT_ID, VOID, Edit, PanopticMap
from core.strokes import cover_stroke

BRUSH: Final = "brush"
ERASER: Final = "eraser"
PICK: Final = "pick"
PAN: Final = "pan"  # moves the view and never touches the document, so the canvas does it
MIN_SIZE: Final = 1
MAX_SIZE: Final = 1000
HOLD_MS: Final = 300


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the mouse is, in image pixels, and whether its button has been let go."""

    x: float
    y: float
    is_released: bool = False


Point = tuple[float, float]
Flags = NDArray[np.bool_]
Gesture = Generator[Draft | None, Pointer, Edit | None]


class ToolBox(QObject):
    """The tool in hand and the size of the brush.

    Attributes:
        name: of the tool in hand.
        size: diameter of brush and eraser in image pixels.

    Signals:
        changed(): another tool or another size.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.name = BRUSH
        self.size = 20
        self._before_hold = ""
        self._held_for = QElapsedTimer()

    @property
    def has_brush(self) -> bool:
        """Whether the tool in hand paints with a round tip."""
        return self.name in {BRUSH, ERASER}

    def take(self, name: str) -> None:
        """Put another tool in hand: `BRUSH`, `ERASER`, `PICK` or `PAN`."""
        self._before_hold = ""
        self.name = name
        self.changed.emit()

    def hold(self, name: str) -> None:
        """Take a tool with a key that `let_go` ends; a short press keeps it in hand."""
        before = self.name
        self.take(name)
        self._before_hold = before
        self._held_for.start()

    def let_go(self) -> None:
        """Go back to the tool before `hold`, if the key was held for long."""
        if self._before_hold and self._held_for.elapsed() >= HOLD_MS:
            self.take(self._before_hold)

    def set_size(self, size: int) -> None:
        """Make brush and eraser that wide, within limits."""
        self.size = min(max(size, MIN_SIZE), MAX_SIZE)
        self.changed.emit()

    def grow(self, steps: int) -> None:
        """Make the brush wider, or narrower for negative steps; a wide one changes faster."""
        size = self.size
        for _ in range(abs(steps)):
            size += max(1, size // 10) if steps > 0 else -max(1, size // 11)
        self.set_size(size)


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


def brush(document: Document, size: int, pointer: Pointer) -> Gesture:
    """Give the pixels under a stroke to the selected segment, or to a new one."""
    segment = document.segment_to_paint()
    if segment is None or document.map is None:
        return None
    draft = Draft(segment, np.zeros(document.map.segment_ids.shape, np.bool_))
    points = yield from _follow(document.map, draft, _unlocked(document.map), size / 2, pointer)
    if not draft.where.any() and _is_over(document.map, points):
        document.refused.emit("Nothing was painted: the stroke met only locked segments.")
    return brush_stroke(document.map, points, size / 2, segment)


def erase(document: Document, size: int, pointer: Pointer) -> Gesture:
    """Make the pixels under a stroke void: the selected segment's, or with none everybody's."""
    selected = document.selected
    if document.map is None or not document.may_edit():
        return None
    if selected is not None and selected.is_locked:
        document.refuse_locked(selected, "erase from it")
        return None
    can_take = _unlocked(document.map)
    if selected is not None:
        can_take[np.arange(len(can_take)) != selected.id] = False
    draft = Draft(None, np.zeros(document.map.segment_ids.shape, np.bool_))
    points = yield from _follow(document.map, draft, can_take, size / 2, pointer)
    if selected is not None and not draft.where.any() and _is_over(document.map, points):
        document.refused.emit(
            f"Nothing was erased: while {document.name(selected)} is selected, only it is "
            "erased; M lets go of it."
        )
    only = None if selected is None else selected.id
    return erase_stroke(document.map, points, size / 2, only)


def pick(document: Document, _size: int, pointer: Pointer) -> Gesture:
    """Select the segment under the pointer, as long as the button is held."""
    while not pointer.is_released:
        segment = document.segment_at(pointer.x, pointer.y)
        if document.preview is None:  # whose ids are its own
            document.select(VOID if segment is None else segment.id)
        pointer = yield None
    return None


GESTURES: Final[dict[str, Callable[[Document, int, Pointer], Gesture]]] = {
    BRUSH: brush,
    ERASER: erase,
    PICK: pick,
}


def _follow(
    map: PanopticMap, draft: Draft, can_take: Flags, radius: float, pointer: Pointer
) -> Generator[Draft | None, Pointer, list[Point]]:
    """Draft a stroke until the button is let go; its points are returned.

    Args:
        can_take: bool [65536], which segment ids may lose pixels.
    """
    points = [(pointer.x, pointer.y)]
    while not pointer.is_released:
        rect, covered = cover_stroke(points[-2:], radius, map.height, map.width)
        draft.where[rect.slices] |= covered & can_take[map.segment_ids[rect.slices]]
        draft.dirty = rect
        pointer = yield draft
        points.append((pointer.x, pointer.y))
    return points


def _is_over(map: PanopticMap, points: list[Point]) -> bool:
    """Whether a stroke began on the image and not beside it."""
    x, y = points[0]
    return 0 <= x < map.width and 0 <= y < map.height


def _unlocked(map: PanopticMap) -> Flags:
    """bool [65536]: void and every id but those of locked segments."""
    can_take = np.ones(MAX_SEGMENT_ID + 1, np.bool_)
    can_take[[segment.id for segment in map.segments.values() if segment.is_locked]] = False
    return can_take
