"""Gestures as generators: press -> moves -> release -> Edit.

A gesture starts with the pointer that was pressed. It yields a draft of what it has painted so
far, is sent the next pointer, and returns its edit after the release. Closing it cancels it:
nothing is changed before the edit is made.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.document import Document
from app.layers import Draft
from app.toolbox import BRUSH, ERASER, PICK
from core.edits import brush_stroke, erase_stroke
from core.panoptic import MAX_SEGMENT_ID, VOID, Edit, PanopticMap
from core.strokes import cover_stroke


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the mouse is, in image pixels, and whether its button has been let go."""

    x: float
    y: float
    is_released: bool = False


Point = tuple[float, float]
Flags = NDArray[np.bool_]
Gesture = Generator[Draft | None, Pointer, Edit | None]


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
            f"erased; {document.keys.hint('new_segment')} lets go of it."
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
