"""Tools that go by the segments there are: fill, merge and split."""

import math
from collections.abc import Sequence
from typing import Final

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
    empty_draft,
    find_takeable,
    is_over,
    keep_takeable,
    subtracts,
)
from app.toolbox import ToolBox
from core.panoptic import VOID, Edit, PanopticMap, Segment
from core.segment_edits import cut_segment, flood_area, merge_segments, split_by_line
from core.spans import NOWHERE
from core.strokes import cover_stroke

PEN: Final = 0.5  # a line is so thin that it touches only the pixels that it runs through


def fill(document: Document, tools: ToolBox, pointer: Pointer) -> Gesture:
    """Take the connected part of a segment or of void where the button is let go."""
    map, is_subtracting = document.map, subtracts(tools, pointer)
    draft = begin_area(document, is_subtracting=is_subtracting)
    if map is None or draft is None:
        return None
    can_lose = find_takeable(document, is_subtracting=is_subtracting)
    area: Area | None = None
    while pointer.act is not Act.RELEASE:
        draft.dirty = NOWHERE
        if is_over(map, pointer.place) and not (area and _is_in(area, pointer)):
            area = flood_area(map, *pointer.cell)
            draft.show(area[0], keep_takeable(map, area, can_lose))
        pointer = yield draft
    if area is None:
        return None
    return edit_area(document, draft, area, "fill", is_subtracting=is_subtracting)


def merge(document: Document, _tools: ToolBox, pointer: Pointer) -> Gesture:
    """Make the segments that are dragged over part of the selected one, or of the first."""
    map = document.map
    if map is None or not document.may_edit():
        return None
    home = document.selected or document.segment_at(*pointer.place)
    if home is None:
        document.refused.emit("Nothing was merged: begin on a segment, or select one.")
        return None
    if home.is_locked:
        document.refuse_locked(home, "merge others into it")
        return None
    draft, points = empty_draft(map, home), [pointer.place]
    met: dict[int, Segment] = {}
    while pointer.act is not Act.RELEASE:
        draft.dirty, draft.line = NOWHERE, points
        new = _ids_along(map, points[-2:]).keys() - met.keys() - {home.id}
        if new:
            met |= {segment_id: map.segments[segment_id] for segment_id in new}
            draft.joined = frozenset(i for i in met if not met[i].is_locked)
            draft.dirty = draft.whole
        pointer = yield draft
        points.append(pointer.place)
    for segment in met.values():
        if segment.is_locked:
            document.refuse_locked(segment, f"merge it into {document.name(home)}")
    return merge_segments(map, met, home.id)


def split(document: Document, _tools: ToolBox, pointer: Pointer) -> Gesture:
    """Part the selected segment, or the one that is drawn over most, along a line."""
    map = document.map
    if map is None or not document.may_edit():
        return None
    draft, points, is_straight = empty_draft(map, None), [pointer.place], False
    while pointer.act is not Act.RELEASE:
        is_straight = pointer.is_straight
        draft.line = [points[0], points[-1]] if is_straight else points
        pointer = yield draft
        points.append(pointer.place)
    line = [points[0], points[-1]] if is_straight or pointer.is_straight else points
    lengths = _ids_along(map, line)
    most = max(lengths, key=lengths.__getitem__, default=VOID)
    segment = document.selected or map.segments.get(most)
    if segment is None or max(math.dist(line[0], point) for point in line) == 0:
        return None
    return _split(document, map, segment, line)


def _split(
    document: Document, map: PanopticMap, segment: Segment, line: Sequence[Point]
) -> Edit | None:
    category = document.categories.get(segment.category_id)
    if segment.is_locked:
        document.refuse_locked(segment, "split it")
        return None
    if category is not None and not category.is_thing and not segment.is_crowd:
        document.refused.emit(
            f"{document.name(segment)} is stuff, which has one segment an image: it cannot be "
            "split."
        )
        return None
    stuff = [c.id for c in document.categories.values() if not c.is_thing]
    if len(line) == 2:
        edit = cut_segment(map, segment.id, line[0], line[1], stuff)
    else:
        edit = split_by_line(map, segment.id, line, stuff)
    if edit.is_empty:
        name = document.name(segment)
        document.refused.emit(f"Nothing was split: draw the line right across {name}.")
    return edit


def _is_in(area: Area, pointer: Pointer) -> bool:
    rect, covered = area
    column, row = pointer.cell
    is_inside = rect.top <= row < rect.bottom and rect.left <= column < rect.right
    return is_inside and bool(covered[row - rect.top, column - rect.left])


def _ids_along(map: PanopticMap, points: Sequence[Point]) -> dict[int, int]:
    """The segments under a line, each with how many pixels of it the line runs through."""
    rect, covered = cover_stroke(points, PEN, map.height, map.width)
    ids, counts = np.unique(map.segment_ids[rect.slices][covered], return_counts=True)
    found = zip(ids.tolist(), counts.tolist(), strict=True)
    return {segment_id: count for segment_id, count in found if segment_id != VOID}
