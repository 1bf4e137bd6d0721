"""What the model suggests, in the project's terms: the map as it would be, step by step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.panoptic import Category, Edit, PanopticMap, Rect, Segment, Segments
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
