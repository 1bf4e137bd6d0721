"""What a change of categories does to one map: segments get other categories, some join.

All segments of a category are meant, also locked ones: the list of categories is the
project's, and a lock says that a segment's pixels are right, not what they are called.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.giving import N_IDS, make_edit, shrink
from core.panoptic import VOID, Category, Edit, PanopticMap, Rect, Segment, Segments, Source
from core.spans import NOWHERE

Moves = Mapping[int, Category | None]
"""What the segments of a category become, by its id; None gives their pixels to void.

What they become is not moved itself.
"""


@dataclass(frozen=True, slots=True)
class SegmentMoves:
    """What `Moves` do to the segments of one map.

    Attributes:
        moved: the segments that get another category or go.
        joined: ids of segments whose pixels another segment or void gets -> its id or 0.
        segments: all of the map's, as they are afterwards.
    """

    moved: tuple[Segment, ...]
    joined: Mapping[int, int]
    segments: Segments


def move_segments(segments: Segments, moves: Moves) -> SegmentMoves:
    """Find out what becomes of each segment.

    Those that become stuff join the one segment that the stuff has in the image, or become
    one; it is then locked if one of them was, and no crowd: a crowd is a region of things that
    nobody counted, and stuff is not counted. Things stay apart, crowds stay crowds.
    """
    moved = [s for s in segments.values() if s.category_id in moves]
    after, joined, homes = dict(segments), {}, _find_homes(segments, moves)
    for segment in moved:
        del after[segment.id]
        category = moves[segment.category_id]
        if category is None:
            joined[segment.id] = VOID
        elif category.id in homes:
            home_id = joined[segment.id] = homes[category.id]
            after[home_id] = _join(after[home_id], segment)
        else:
            is_crowd = segment.is_crowd and category.is_thing
            after[segment.id] = replace(segment, category_id=category.id, is_crowd=is_crowd)
            if not category.is_thing:
                homes[category.id] = segment.id
    return SegmentMoves(tuple(moved), joined, after)


def move_categories(map: PanopticMap, moves: Moves, label: str) -> Edit:
    """Give the segments of some categories another one; see `move_segments`.

    Args:
        map: is not changed.
        moves: by category id.
        label: of the edit.
    """
    found = move_segments(map.segments, moves)
    segments = (map.segments, found.segments)
    if not found.joined:
        nothing = np.zeros((0, 0), np.uint16)
        return make_edit(NOWHERE, nothing, nothing, segments, label)
    new_id_of = np.arange(N_IDS, dtype=np.uint16)
    new_id_of[list(found.joined)] = list(found.joined.values())
    is_joined = np.zeros(N_IDS, np.bool_)
    is_joined[list(found.joined)] = True
    rect, _ = shrink(Rect(0, 0, map.height, map.width), is_joined[map.segment_ids])
    before = map.segment_ids[rect.slices].copy()
    return make_edit(rect, before, new_id_of[before], segments, label)


def _find_homes(segments: Segments, moves: Moves) -> dict[int, int]:
    """The one segment of each stuff category that others join, if the image has it already.

    Crowds that an import gave to stuff stay for themselves.
    """
    stuff = {category.id for category in moves.values() if category and not category.is_thing}
    found = [s for s in segments.values() if s.category_id in stuff and not s.is_crowd]
    return {segment.category_id: segment.id for segment in reversed(found)}


def _join(home: Segment, other: Segment) -> Segment:
    """The segment that has the pixels of both: a person's if a part of it is."""
    is_human = Source.HUMAN in (home.source, other.source)
    return replace(
        home,
        source=Source.HUMAN if is_human else home.source,
        is_locked=home.is_locked or other.is_locked,
    )
