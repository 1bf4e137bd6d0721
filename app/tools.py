"""The tools by name, and the simplest of them: brush, eraser and pick."""

from collections.abc import Callable, Generator
from typing import Final

from app.area_tools import lasso, polygon, region
from app.document import Document
from app.gesture import (
    Act,
    Gesture,
    Point,
    Pointer,
    empty_draft,
    find_takeable,
    is_over,
    may_subtract,
)
from app.image_tools import superpixel, wand
from app.layers import Draft
from app.segment_tools import fill, merge, split
from app.toolbox import (
    BRUSH,
    ERASER,
    FILL,
    LASSO,
    MERGE,
    PICK,
    POLYGON,
    REGION,
    SPLIT,
    SUPERPIXEL,
    WAND,
    ToolBox,
)
from core.edits import brush_stroke, erase_stroke
from core.giving import Mask, keep_those_of
from core.panoptic import VOID, PanopticMap
from core.strokes import Tip, cover_stroke


def brush(document: Document, tools: ToolBox, pointer: Pointer) -> Gesture:
    """Give the pixels under a stroke to the selected segment, or to a new one."""
    segment = document.segment_to_paint()
    if segment is None or document.map is None:
        return None
    draft = empty_draft(document.map, segment)
    can_take = find_takeable(document, is_subtracting=False)
    radius, tip = tools.size / 2, tools.tip
    points, is_any = yield from _follow(document.map, draft, can_take, pointer, radius, tip)
    if not is_any and is_over(document.map, points[0]):
        document.refused.emit("Nothing was painted: the stroke met only locked segments.")
    return brush_stroke(document.map, points, radius, segment, tip=tip)


def erase(document: Document, tools: ToolBox, pointer: Pointer) -> Gesture:
    """Make the pixels under a stroke void: the selected segment's, or with none everybody's."""
    selected = document.selected
    if document.map is None or not may_subtract(document, "erase from it"):
        return None
    draft = empty_draft(document.map, None)
    can_take = find_takeable(document, is_subtracting=True)
    radius, tip = tools.size / 2, tools.tip
    points, is_any = yield from _follow(document.map, draft, can_take, pointer, radius, tip)
    if selected is not None and not is_any and is_over(document.map, points[0]):
        document.refused.emit(
            f"Nothing was erased: while {document.name(selected)} is selected, only it is "
            f"erased; {document.keys.hint('new_segment')} lets go of it."
        )
    only = None if selected is None else selected.id
    return erase_stroke(document.map, points, radius, only, tip=tip)


def pick(document: Document, _tools: ToolBox, pointer: Pointer) -> Gesture:
    """Select the segment under the pointer, as long as the button is held."""
    while pointer.act is not Act.RELEASE:
        segment = document.segment_at(pointer.x, pointer.y)
        if document.preview is None:  # whose ids are its own
            document.select(VOID if segment is None else segment.id)
        pointer = yield None
    return None


GESTURES: Final[dict[str, Callable[[Document, ToolBox, Pointer], Gesture]]] = {
    BRUSH: brush,
    ERASER: erase,
    POLYGON: polygon,
    LASSO: lasso,
    WAND: wand,
    SUPERPIXEL: superpixel,
    FILL: fill,
    MERGE: merge,
    SPLIT: split,
    REGION: region,
    PICK: pick,
}


def _follow(
    map: PanopticMap,
    draft: Draft,
    can_take: Mask,
    pointer: Pointer,
    radius: float,
    tip: Tip,
) -> Generator[Draft | None, Pointer, tuple[list[Point], bool]]:
    """Draft a stroke until the button is let go.

    Args:
        can_take: bool [65536], which segment ids may lose pixels.

    Returns:
        The stroke's points, and whether it has met a pixel that it may take.
    """
    points, is_any = [pointer.place], False
    while pointer.act is not Act.RELEASE:
        rect, covered = cover_stroke(points[-2:], radius, map.height, map.width, tip)
        taken = keep_those_of(can_take, covered, map.segment_ids[rect.slices])
        draft.where[rect.slices] |= taken
        is_any |= bool(taken.any())
        draft.dirty = rect
        pointer = yield draft
        points.append(pointer.place)
    return points, is_any
