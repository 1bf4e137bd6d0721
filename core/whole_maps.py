"""Edits that lay a whole map over another: an accepted proposal, an import, a copy."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from core.giving import N_IDS, checked_id, is_any_of, locked, look_up, make_edit, shrink
from core.panoptic import (
    VOID,
    Edit,
    Ids,
    PanopticMap,
    Rect,
    Segment,
    Segments,
    Source,
    count_pixels,
)
from core.proposals import Proposal


def accept_proposal(
    map: PanopticMap,
    proposal: Proposal,
    to_project: Mapping[int, int],
    stuff: Collection[int],
) -> Edit:
    """Take over a proposal, except where a person has vouched for a segment or drawn a thing.

    Args:
        map: is not changed.
        proposal: at the size of the map.
        to_project: the model's category ids -> the project's; segments of others become void.
        stuff: ids of the project's stuff categories.

    Raises:
        ValueError: the proposal has another size than the map.
        ProjectError: the image has used every id there is.
    """
    suggested = {
        segment_id: Segment(segment_id, to_project[category_id], Source.MODEL)
        for segment_id, category_id in proposal.category_ids.items()
        if category_id in to_project
    }
    kept = [
        segment
        for segment in map.segments.values()
        if segment.is_locked
        or (segment.source is Source.HUMAN and segment.category_id not in stuff)
    ]
    ids = _IdGiver(map, stuff, has_own_ids=False)
    return _replace_map(
        map, proposal.segment_ids, suggested, kept=kept, ids=ids, label="accept proposal"
    )


def import_map(map: PanopticMap, imported: PanopticMap, stuff: Collection[int]) -> Edit:
    """Put a whole map in place of another, except where a segment is locked.

    Ids stay as they are if the image has used none so high yet; otherwise they are renumbered.

    Args:
        map: is not changed.
        imported: of the same size, in the project's categories.
        stuff: ids of the project's stuff categories.

    Raises:
        ValueError: the maps differ in size.
        ProjectError: the image has used every id there is.
    """
    has_own_ids = min(imported.segments, default=0) >= map.next_id
    ids = _IdGiver(map, stuff, has_own_ids=has_own_ids)
    return _replace_map(
        map,
        imported.segment_ids,
        imported.segments,
        kept=locked(map),
        ids=ids,
        label="import",
    )


def copy_segments(
    map: PanopticMap,
    source: PanopticMap,
    segment_ids: Collection[int] | None,
    stuff: Collection[int],
) -> Edit:
    """Copy segments of another image or frame to where this map is void.

    Nothing that is here already is changed: a thing that would lie mostly on it is taken for
    the same thing and left out; stuff extends the segment that there is. Copies are a person's
    work, and unlocked.

    Args:
        map: is not changed.
        source: of the same size, in the same project's categories.
        segment_ids: which segments of the source; None for all.
        stuff: ids of the project's stuff categories.

    Raises:
        ValueError: the maps differ in size.
        ProjectError: the image has used every id there is.
    """
    copied = {
        segment.id: replace(segment, source=Source.HUMAN, is_locked=False)
        for segment in source.segments.values()
        if segment_ids is None or segment.id in segment_ids
    }
    ids = _IdGiver(map, stuff, has_own_ids=False)
    kept = map.segments.values()
    return _replace_map(
        map, source.segment_ids, copied, kept=kept, ids=ids, label="copy segments"
    )


class _IdGiver:
    """Says which segment of the map a foreign segment becomes.

    Args:
        has_own_ids: foreign things keep their ids instead of getting the next ones.
    """

    def __init__(self, map: PanopticMap, stuff: Collection[int], *, has_own_ids: bool) -> None:
        self._stuff = stuff
        self._has_own_ids = has_own_ids
        self._next_id = map.next_id
        self._homes = {category_id: map.find_stuff(category_id) for category_id in stuff}

    def is_stuff(self, segment: Segment) -> bool:
        return segment.category_id in self._stuff and not segment.is_crowd

    def adopt(self, foreign: Segment) -> Segment:
        home = self._homes.get(foreign.category_id) if self.is_stuff(foreign) else None
        if home is not None:
            return home if home.is_locked else replace(foreign, id=home.id)
        adopted = foreign
        if not self._has_own_ids:
            adopted = replace(foreign, id=checked_id(self._next_id))
            self._next_id += 1
        if self.is_stuff(foreign):
            self._homes[foreign.category_id] = adopted
        return adopted


def _replace_map(
    map: PanopticMap,
    foreign_ids: Ids,
    foreign: Segments,
    *,
    kept: Iterable[Segment],
    ids: _IdGiver,
    label: str,
) -> Edit:
    """Lay foreign segments everywhere but on the kept ones.

    A thing that lies mostly on kept segments is one of them, seen again: its rim becomes void.
    """
    if foreign_ids.shape != map.segment_ids.shape:
        raise ValueError(f"a map {foreign_ids.shape} for an image {map.segment_ids.shape}")
    segments = {segment.id: segment for segment in kept}
    is_free = ~is_any_of(segments.values(), map.segment_ids)
    free_ids = np.where(is_free, foreign_ids, np.uint16(VOID))
    areas, free_areas = count_pixels(foreign_ids), count_pixels(free_ids)
    new_id_of = np.zeros(N_IDS, np.uint16)
    for foreign_id, area in free_areas.items():
        segment = foreign.get(foreign_id)
        if segment is None or (not ids.is_stuff(segment) and area * 2 < areas[foreign_id]):
            continue
        adopted = ids.adopt(segment)
        segments[adopted.id] = adopted
        new_id_of[foreign_id] = adopted.id
    after = np.where(is_free, look_up(new_id_of, free_ids), map.segment_ids)
    rect, _ = shrink(Rect(0, 0, map.height, map.width), after != map.segment_ids)
    before, after = map.segment_ids[rect.slices].copy(), after[rect.slices].copy()
    return make_edit(rect, before, after, (map.segments, segments), label)
