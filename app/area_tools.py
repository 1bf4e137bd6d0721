"""Tools that enclose an area: polygon, lasso, and the region that the model is asked for."""

import math
from collections.abc import Sequence
from typing import Final

from app.document import Document
from app.gesture import (
    Act,
    Gesture,
    Point,
    Pointer,
    begin_area,
    edit_area,
    empty_draft,
    subtracts,
)
from app.layers import Draft
from app.toolbox import ToolBox
from core.panoptic import Edit, Rect
from core.shapes import cover_polygon

CATCH: Final = (
    6  # screen pixels around the first corner within which a click closes the polygon
)
TOO_FEW: Final = "A polygon needs three corners; {} drops it."

NO_REGION: Final = "Drag over the part of the image that the model is to segment again."


def polygon(document: Document, tools: ToolBox, pointer: Pointer) -> Gesture:
    """Enclose an area by its corners; a double click, Enter or the first one closes it.

    The area goes to the segment that is selected when it is closed.
    """
    draft = begin_area(document, is_subtracting=subtracts(tools, pointer))
    if draft is None:
        return None
    corners = [pointer.place]
    while True:
        _outline(tools, draft, [*corners, pointer.place], pointer)
        pointer = yield draft
        is_closed = pointer.act is Act.CLOSE
        if pointer.act is Act.PRESS:
            is_closed = len(corners) > 2 and _is_near(pointer, corners[0])
            corners += [] if is_closed else [pointer.place]
        elif pointer.act is Act.BACK:
            corners.pop()
            if not corners:
                return None
        if is_closed and len(corners) > 2:
            edit = _enclose(document, tools, draft, corners, pointer, "polygon")
            if edit is not None:  # else it goes on, and why has been said
                return edit
        elif is_closed:
            document.refused.emit(TOO_FEW.format(document.keys.hint("escape")))


def lasso(document: Document, tools: ToolBox, pointer: Pointer) -> Gesture:
    """Enclose an area by hand, from the press to the release."""
    draft = begin_area(document, is_subtracting=subtracts(tools, pointer))
    if draft is None:
        return None
    points = [pointer.place]
    while pointer.act is not Act.RELEASE:
        _outline(tools, draft, points, pointer)
        pointer = yield draft
        if pointer.place != points[-1]:
            points.append(pointer.place)
    return _enclose(document, tools, draft, points, pointer, "lasso")


def region(document: Document, _tools: ToolBox, pointer: Pointer) -> Gesture:
    """Choose the pixels that a rectangle touches, dragged from corner to corner."""
    map = document.map
    if map is None:
        return None
    draft, start = empty_draft(map, None), pointer
    draft.is_area = True
    while pointer.act is not Act.RELEASE:
        (left, top), (right, bottom) = start.place, pointer.place
        draft.line = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        pointer = yield draft
    columns, rows = zip(start.cell, pointer.cell, strict=True)
    rect = Rect(min(rows), min(columns), max(rows) + 1, max(columns) + 1)
    rect = rect.clipped(map.height, map.width)
    way = max(abs(pointer.x - start.x), abs(pointer.y - start.y)) / pointer.pixel
    if rect.is_empty or way < CATCH:
        document.refused.emit(NO_REGION)
        return None
    return rect


def _outline(tools: ToolBox, draft: Draft, points: Sequence[Point], pointer: Pointer) -> None:
    draft.line = points
    draft.is_area = True
    draft.is_dashed = subtracts(tools, pointer)


def _enclose(
    document: Document,
    tools: ToolBox,
    draft: Draft,
    points: Sequence[Point],
    pointer: Pointer,
    label: str,
) -> Edit | None:
    """The edit that takes what the points enclose."""
    if document.map is None:
        return None
    area = cover_polygon(points, document.map.height, document.map.width)
    return edit_area(document, draft, area, label, is_subtracting=subtracts(tools, pointer))


def _is_near(pointer: Pointer, corner: Point) -> bool:
    return math.dist(pointer.place, corner) <= CATCH * pointer.pixel
