"""What the model suggests, in the project's terms: the map as it would be, step by step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.panoptic import MAX_SEGMENT_ID, Category, Edit, PanopticMap, Rect, Segment, Segments
from core.proposals import Preview, Proposal
from core.region import accept_in_region
from core.whole_maps import accept_proposal


@dataclass(frozen=True, slots=True, eq=False)
class Suggestion:
    """A proposal that nobody has decided on.

    Attributes:
        proposal: as the model made it.
        edit: what accepting it does.
        map: the image's map after that edit.
        to_project: the model's category ids -> the project's.
        region: what the model was asked for; None for the whole image.
    """

    proposal: Proposal
    edit: Edit
    map: PanopticMap
    to_project: Mapping[int, int]
    region: Rect | None = None


def suggest(
    map: PanopticMap,
    proposal: Proposal,
    to_project: Mapping[int, int],
    categories: Iterable[Category],
    region: Rect | None = None,
) -> Suggestion:
    """Work out what accepting a proposal would do to a map.

    Args:
        map: is not changed.
        proposal: at the size of the map.
        to_project: the model's category ids -> the project's.
        categories: the project's.
        region: what the model was asked for; None for the whole image.

    Raises:
        ProjectError: the image has used every segment id there is.
    """
    stuff = {category.id for category in categories if not category.is_thing}
    if region is None:
        edit = accept_proposal(map, proposal, to_project, stuff)
    else:
        edit = accept_in_region(map, proposal, to_project, stuff, region)
    suggested = map.copy()
    suggested.apply(edit)
    return Suggestion(proposal, edit, suggested, to_project, region)


def preview_segments(preview: Preview, to_project: Mapping[int, int]) -> Segments:
    """The segments of a step in the project's categories; others are left out."""
    return {
        segment_id: Segment(segment_id, to_project[category_id])
        for segment_id, category_id in preview.category_ids.items()
        if category_id in to_project
    }


def cut_preview(preview: Preview, region: Rect, size: tuple[int, int]) -> Preview:
    """A step of a run on a region, void outside of it.

    Args:
        preview: of the whole image, on the model's grid.
        region: of the image.
        size: of the image, (height, width).
    """
    is_inside = _is_inside(preview.segment_ids.shape, region, size)
    return replace(preview, segment_ids=np.where(is_inside, preview.segment_ids, np.uint16(0)))


def lay_over_map(
    preview: Preview, segments: Segments, map: PanopticMap, region: Rect
) -> tuple[Preview, Segments]:
    """A step of a run on a region as it is seen: outside of it is the map, as it stays.

    Args:
        preview: on the model's grid.
        segments: its, in the project's categories.
        map: of the image.
        region: of the image.

    Returns:
        The step with the map's ids outside and ids that the map never used inside, and the
        segments of both.
    """
    grid = preview.segment_ids.shape
    size = (map.height, map.width)
    rows, columns = (_centres(cells, side) for cells, side in zip(grid, size, strict=True))
    outside = map.segment_ids[np.ix_(rows, columns)]
    first = min(map.next_id, MAX_SEGMENT_ID - max(segments, default=0))
    inside = np.where(preview.segment_ids > 0, preview.segment_ids + np.uint16(first), 0)
    ids = np.where(_is_inside(grid, region, size), inside, outside).astype(np.uint16)
    moved = {i + first: replace(segment, id=i + first) for i, segment in segments.items()}
    return replace(preview, segment_ids=ids), {**map.segments, **moved}


def _centres(n_cells: int, side: int) -> NDArray[np.intp]:
    """The row or column of the image under the middle of each cell."""
    return ((np.arange(n_cells) + 0.5) * side / n_cells).astype(np.intp)


def _is_inside(grid: tuple[int, ...], region: Rect, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which cells of a grid over the image lie in a region of it."""
    rows, columns = (_centres(cells, side) for cells, side in zip(grid, size, strict=True))
    is_row = (rows >= region.top) & (rows < region.bottom)
    is_column = (columns >= region.left) & (columns < region.right)
    return is_row[:, None] & is_column[None, :]
