"""What a gesture is made of: pointers in, drafts out, and an edit at its end.

A gesture starts with the pointer that was pressed. It yields a draft of what it has drawn so
far, is sent the next pointer, and returns its edit. Closing it cancels it: nothing is changed
before the edit is made.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from app.document import Document
from app.layers import Draft
from app.toolbox import ToolBox
from core.edits import erase_area, paint_area
from core.giving import N_IDS, Mask, keep_those_of, unlocked
from core.panoptic import Edit, PanopticMap, Rect, Segment

Point = tuple[float, float]
UNFINISHED = "Finish what you are drawing, or drop it with {}, and do it then."

Area = tuple[Rect, Mask]  # a rectangle of the map, and which pixels [m, n] of it are meant


class Act(Enum):
    """What the mouse or a key has just done."""

    PRESS = auto()
    MOVE = auto()
    RELEASE = auto()
    CLOSE = auto()  # a double click, or Enter
    BACK = auto()  # Backspace, or undo


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the mouse is, and what has just been done.

    Attributes:
        x: in image pixels.
        y: in image pixels.
        is_other: whether Ctrl is held, for the opposite of what the tool does.
        is_straight: whether Shift is held.
        pixel: image pixels that a pixel of the screen is wide.
    """

    x: float
    y: float
    act: Act = Act.MOVE
    is_other: bool = False
    is_straight: bool = False
    pixel: float = 1.0

    @property
    def place(self) -> Point:
        return self.x, self.y

    @property
    def cell(self) -> tuple[int, int]:
        """Column and row of the image pixel under it."""
        return int(self.x // 1), int(self.y // 1)


# Ends with an edit, or with the rectangle that the model is asked for.
Gesture = Generator[Draft | None, Pointer, Edit | Rect | None]


def is_over(map: PanopticMap, point: Point) -> bool:
    """Whether a point lies on the image and not beside it."""
    x, y = point
    return 0 <= x < map.width and 0 <= y < map.height


def subtracts(tools: ToolBox, pointer: Pointer) -> bool:
    """Whether an area is to be made void: Ctrl turns into the other what is set."""
    return tools.is_subtracting != pointer.is_other


def empty_draft(map: PanopticMap, segment: Segment | None) -> Draft:
    """A draft that shows nothing yet."""
    return Draft(segment, np.zeros(map.segment_ids.shape, np.bool_))


def begin_area(document: Document, *, is_subtracting: bool) -> Draft | None:
    """An empty draft of an area; None if nothing can be done, which has been said."""
    if document.map is None:
        return None
    if is_subtracting:
        may = may_subtract(document, "take pixels from it")
        return empty_draft(document.map, None) if may else None
    segment = document.segment_to_paint()
    return None if segment is None else empty_draft(document.map, segment)


def may_subtract(document: Document, purpose: str) -> bool:
    """Whether pixels can be made void now; if not, a sentence says why."""
    selected = document.selected
    if document.map is None or not document.may_edit():
        return False
    if selected is not None and selected.is_locked:
        document.refuse_locked(selected, purpose)
        return False
    return True


def find_takeable(document: Document, *, is_subtracting: bool) -> Mask:
    """[65536], which segments lose pixels: all unlocked, or in subtracting the selected one."""
    if document.map is None:
        return np.zeros(N_IDS, np.bool_)
    can_lose = unlocked(document.map)
    if is_subtracting and document.selected is not None:
        can_lose[np.arange(N_IDS) != document.selected.id] = False
    return can_lose


def keep_takeable(map: PanopticMap, area: Area, can_lose: Mask) -> Mask:
    """Which pixels of an area an edit would take, for segments that `can_lose` [65536]."""
    rect, covered = area
    return keep_those_of(can_lose, covered, map.segment_ids[rect.slices])


def edit_area(
    document: Document, draft: Draft, area: Area, label: str, *, is_subtracting: bool
) -> Edit | None:
    """Give an area to the selected segment or a new one, or make the selected one's part void.

    The draft is told which segment it was, and the annotator why nothing was done.
    """
    map, selected = document.map, document.selected
    if map is None:
        return None
    if is_subtracting:
        draft.segment = None
        if not may_subtract(document, "take pixels from it"):
            return None
        edit = erase_area(map, *area, None if selected is None else selected.id, label)
    else:
        draft.segment = document.segment_to_paint()
        if draft.segment is None:
            return None
        edit = paint_area(map, *area, draft.segment, label)
    if edit.is_empty and area[1].any():
        document.refused.emit(_say_why_empty(document, is_subtracting=is_subtracting))
    return edit


def _say_why_empty(document: Document, *, is_subtracting: bool) -> str:
    selected = document.selected
    if not is_subtracting:
        return "Nothing was painted: all of the area is the segment's already, or locked."
    if selected is None:
        return "Nothing was erased: there is no unlocked segment in the area."
    return (
        f"Nothing was erased: while {document.name(selected)} is selected, only it is erased; "
        f"{document.keys.hint('new_segment')} lets go of it."
    )
