"""Tools that go by the colours of the image: magic wand and superpixels."""

from typing import Final

import cv2
import numpy as np

from app.document import Document
from app.gesture import (
    Act,
    Area,
    Gesture,
    Point,
    Pointer,
    begin_area,
    edit_area,
    find_takeable,
    is_over,
    keep_takeable,
    subtracts,
)
from app.toolbox import ToolBox
from core.spans import NOWHERE
from core.wand import MAX_TOLERANCE, wand_area

WAND_PX: Final = 3  # of the screen, that the mouse goes for one more level of tolerance
FINE: Final = 4  # parts of a pixel that an outline is drawn to


def wand(document: Document, tools: ToolBox, pointer: Pointer) -> Gesture:
    """Take the pixels of a colour like the one pressed on; to the right takes more."""
    image, map = document.image, document.map
    if image is None or map is None or not is_over(map, pointer.place):
        return None
    is_subtracting = subtracts(tools, pointer)
    draft = begin_area(document, is_subtracting=is_subtracting)
    if draft is None:
        return None
    can_lose = find_takeable(document, is_subtracting=is_subtracting)
    start, first = pointer, tools.tolerance

    def find() -> Area:
        is_contiguous = tools.is_contiguous
        area = wand_area(image, *start.cell, tools.tolerance, is_contiguous=is_contiguous)
        draft.show(area[0], keep_takeable(map, area, can_lose))
        return area

    area = find()
    try:
        while pointer.act is not Act.RELEASE:
            pointer = yield draft
            draft.dirty = NOWHERE
            levels = int((pointer.x - start.x) / (WAND_PX * pointer.pixel))
            wanted = min(max(first + levels, 0), MAX_TOLERANCE)
            if wanted != tools.tolerance:
                tools.set_tolerance(wanted)
                area = find()
    except GeneratorExit:
        tools.set_tolerance(first)
        raise
    return edit_area(document, draft, area, "wand", is_subtracting=is_subtracting)


def superpixel(document: Document, tools: ToolBox, pointer: Pointer) -> Gesture:
    """Take every superpixel that is dragged over."""
    image, map = document.image, document.map
    is_subtracting = subtracts(tools, pointer)
    draft = begin_area(document, is_subtracting=is_subtracting)
    if draft is None or image is None or map is None:
        return None
    can_lose = find_takeable(document, is_subtracting=is_subtracting)
    superpixels = tools.superpixels_of(image)
    points = [pointer.place]
    while pointer.act is not Act.RELEASE:
        area = superpixels.area_under(points[-2:])
        draft.where[area[0].slices] |= keep_takeable(map, area, can_lose)
        draft.dirty = area[0]
        pointer = yield draft
        points.append(pointer.place)
    area = superpixels.area_under(points)
    return edit_area(document, draft, area, "superpixels", is_subtracting=is_subtracting)


def outline_superpixel(document: Document, tools: ToolBox, point: Point) -> list[Point]:
    """The outline of the superpixel under a point, in image pixels; none beside it."""
    if document.image is None or document.map is None or not is_over(document.map, point):
        return []
    rect, covered = tools.superpixels_of(document.image).area_under([point])
    fine = covered.astype(np.uint8).repeat(FINE, axis=0).repeat(FINE, axis=1)
    outlines, _ = cv2.findContours(fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    corners = (max(outlines, key=len)[:, 0] + 0.5) / FINE + (rect.left, rect.top)
    return [(float(x), float(y)) for x, y in corners]
