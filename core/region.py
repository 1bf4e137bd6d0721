"""A proposal for a part of the image: laid over the map inside, nothing changes outside."""

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np

from core.giving import N_IDS, checked_id, is_any_of, make_edit, shrink
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

RIM: Final = 4  # pixels around the region in which a segment is seen to go on


def accept_in_region(
    map: PanopticMap,
    proposal: Proposal,
    to_project: Mapping[int, int],
    stuff: Collection[int],
    region: Rect,
) -> Edit:
    """Take over what a proposal says about a region, but for locked and drawn segments.

    A proposed segment that goes on beyond the region, where the map has a segment of its
    category, is that segment; all others are new.

    Args:
        map: is not changed.
        proposal: at the size of the map.
        to_project: the model's category ids -> the project's; segments of others become void.
        stuff: ids of the project's stuff categories.
        region: of the map.

    Raises:
        ValueError: the proposal has another size than the map.
        ProjectError: the image has used every id there is.
    """
    if proposal.segment_ids.shape != map.segment_ids.shape:
        raise ValueError(
            f"a map {proposal.segment_ids.shape} for an image {map.segment_ids.shape}"
        )
    kept = [
        segment
        for segment in map.segments.values()
        if segment.is_locked
        or (segment.source is Source.HUMAN and segment.category_id not in stuff)
    ]
    before = map.segment_ids[region.slices]
    is_free = ~is_any_of(kept, before)
    foreign = np.where(is_free, proposal.segment_ids[region.slices], VOID)
    ours, theirs = _rim(map, proposal, region)
    stuff_homes = {category_id: map.find_stuff(category_id) for category_id in stuff}
    new_id_of, adopted = np.zeros(N_IDS, np.uint16), dict[int, Segment]()
    next_id = map.next_id
    for foreign_id in count_pixels(foreign):
        category_id = to_project.get(proposal.category_ids.get(foreign_id, VOID))
        if category_id is None:
            continue
        if category_id in stuff:
            home = stuff_homes[category_id]
        else:
            home = _most_of(map, ours[theirs == foreign_id], category_id)
        if home is None:
            home = Segment(checked_id(next_id), category_id, Source.MODEL)
            next_id += 1
        if category_id in stuff:
            stuff_homes[category_id] = home
        new_id_of[foreign_id] = home.id
        adopted[home.id] = home
    after = np.where(is_free, new_id_of[foreign], before)
    return _edit_of(map, region, after, adopted)


def _rim(map: PanopticMap, proposal: Proposal, region: Rect) -> tuple[Ids, Ids]:
    """Ids [n] of the map and of the proposal in the pixels just outside the region."""
    around = Rect(
        region.top - RIM, region.left - RIM, region.bottom + RIM, region.right + RIM
    ).clipped(map.height, map.width)
    is_rim = np.ones((around.bottom - around.top, around.right - around.left), np.bool_)
    top, left = region.top - around.top, region.left - around.left
    is_rim[top : top + region.bottom - region.top, left : left + region.right - region.left] = (
        False
    )
    return map.segment_ids[around.slices][is_rim], proposal.segment_ids[around.slices][is_rim]


def _most_of(map: PanopticMap, ids: Ids, category_id: int) -> Segment | None:
    """The free segment that has most of some pixels, if it is of that category."""
    counts = count_pixels(ids)
    if not counts:
        return None
    segment = map.segments[max(counts, key=lambda i: counts[i])]
    return segment if segment.category_id == category_id and not segment.is_locked else None


def _edit_of(map: PanopticMap, region: Rect, after: Ids, adopted: Segments) -> Edit:
    """The edit that puts new ids into a region; who loses its last pixel goes."""
    rect, _ = shrink(region, after != map.segment_ids[region.slices])
    top, left = rect.top - region.top, rect.left - region.left
    inner = Rect(top, left, top + rect.bottom - rect.top, left + rect.right - rect.left)
    before, after = map.segment_ids[rect.slices].copy(), after[inner.slices].copy()
    lost, gained, areas = count_pixels(before), count_pixels(after), map.areas()
    gone = {i for i in lost if areas[i] == lost[i] and i not in gained}
    segments = {i: s for i, s in map.segments.items() if i not in gone}
    segments |= {i: adopted[i] for i in adopted.keys() & gained.keys()}
    return make_edit(rect, before, after, (map.segments, segments), "accept proposal")
