"""Maps by a model for many images at once: which of them wait, and what in them stays.

What people drew or another program brought in is vouched for: a thing with such a pixel stays
whole, other pixels stay as they are, also those that somebody left void.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.authors import AuthorKind
from core.doubt import find_doubt
from core.errors import ImageError
from core.giving import checked_id, is_any_of, make_edit, shrink
from core.panoptic import (
    VOID,
    Category,
    Edit,
    PanopticMap,
    Rect,
    Segment,
    Source,
    count_pixels,
)
from core.proposals import Known, Proposal
from core.review import VERDICTS, Review
from core.store import AnnotationStore
from core.whole_maps import accept_proposal

LABEL: Final = "pre-annotate"
VOUCHED_BY: Final = (AuthorKind.HUMAN, AuthorKind.IMPORTED)

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Which images are to be segmented, and how many are left out for which reason.

    Attributes:
        waiting: ids, in the order asked for.
        n_done: have a map of the same model, steps and seed.
        n_in_work: somebody has worked on.
    """

    waiting: tuple[int, ...]
    n_approved: int
    n_rejected: int
    n_in_work: int
    n_done: int


def plan_batch(
    image_ids: Iterable[int],
    reviews: Mapping[int, Review],
    done: Collection[int],
    *,
    fills_in: bool,
) -> BatchPlan:
    """Sort out the images that wait for a map.

    Args:
        image_ids: those that are asked for.
        reviews: how far each image of the project is; others are not of the project.
        done: images that have their map already, or in which nothing was found.
        fills_in: whether images that somebody has worked on wait as well.
    """
    waiting, left_out = list[int](), Counter[str]()
    for image_id in image_ids:
        review = reviews.get(image_id)
        is_left = review in VERDICTS or (review is Review.IN_WORK and not fills_in)
        if review is not None and is_left:
            left_out[review] += 1
        elif image_id in done:
            left_out["done"] += 1
        elif review is not None:
            waiting.append(image_id)
    return BatchPlan(
        tuple(waiting),
        left_out[Review.APPROVED],
        left_out[Review.REJECTED],
        left_out[Review.IN_WORK],
        left_out["done"],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """An image as it is before the model has a part in it.

    Attributes:
        mark: of the map, as of `AnnotationStore.mark`.
        is_vouched: bool [H, W], pixels that the model may not change.
    """

    mark: tuple[int, int]
    map: PanopticMap
    is_vouched: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a model's maps mean to an image.

    Attributes:
        mark: of the map that the edit was made for.
        edit: that lays the first of them over the image's map.
        expected_seconds: of work that is likely to be left; None if only one map was drawn.
    """

    mark: tuple[int, int]
    edit: Edit
    expected_seconds: float | None


def read_ground(store: AnnotationStore, image_id: int) -> Ground:
    """Read an image's map, and which of its pixels are vouched for.

    Raises:
        ProjectError: the map cannot be read.
    """
    mark = store.mark(image_id)
    map = store.load_map(image_id)
    if store.image_record(image_id).review is not Review.IN_WORK:  # nobody has drawn in it
        return Ground(mark, map, np.zeros(map.segment_ids.shape, np.bool_))
    return Ground(mark, map, store.provenance(image_id).of_kinds(VOUCHED_BY))


def known_of(ground: Ground, categories: Sequence[Category]) -> Known | None:
    """What the model is told of an image beforehand; None for nothing.

    Stuff of which only a part is vouched for is known in that part.
    """
    map, stuff = ground.map.copy(), {c.id for c in categories if not c.is_thing}
    segments = lock_vouched(ground, stuff)
    for segment in list(segments.values()):
        is_part = ground.is_vouched & (map.segment_ids == segment.id)
        if not segment.is_locked and is_part.any():
            known_id = checked_id(max(map.next_id, max(segments) + 1))
            segments[known_id] = replace(segment, id=known_id, is_locked=True)
            map.segment_ids[is_part] = known_id
    if not any(segment.is_locked for segment in segments.values()):
        return None
    next_id = max(map.next_id, max(segments) + 1)
    return Known(PanopticMap(map.segment_ids, segments, next_id), tuple(categories))


def settle(
    store: AnnotationStore,
    image_id: int,
    proposals: Sequence[Proposal],
    to_project: Mapping[int, int],
    stuff: Collection[int],
) -> Outcome:
    """Work out what a model's maps of an image mean to it as it is now.

    Args:
        proposals: the map that the image gets, then any others that were drawn of it.
        to_project: the model's category ids -> the project's.
        stuff: ids of the project's stuff categories.

    Raises:
        ProjectError: the map cannot be read, or the image has used every id there is.
        ImageError: the file has another size than the project knows.
    """
    ground = read_ground(store, image_id)
    if proposals[0].segment_ids.shape != ground.map.segment_ids.shape:
        raise ImageError(
            f"{store.image_record(image_id).path} has another size than the project knows; "
            "put the image back that belongs to its map."
        )
    edit = pre_annotate(ground, proposals[0], to_project, stuff)
    seconds = None
    if len(proposals) > 1:
        seconds = find_doubt([(p.segment_ids, p.category_ids) for p in proposals]).seconds
    return Outcome(ground.mark, edit, seconds)


def pre_annotate(
    ground: Ground, proposal: Proposal, to_project: Mapping[int, int], stuff: Collection[int]
) -> Edit:
    """The edit that lays a proposal over all that nobody vouches for.

    Args:
        proposal: at the size of the map.
        to_project: the model's category ids -> the project's.
        stuff: ids of the project's stuff categories.

    Raises:
        ProjectError: the image has used every id there is.
    """
    map = ground.map
    kept = lock_vouched(ground, stuff)
    suggested = PanopticMap(map.segment_ids.copy(), kept, map.next_id)
    suggested.apply(accept_proposal(suggested, proposal, to_project, stuff))
    stays = ground.is_vouched | is_any_of(
        [segment for segment in kept.values() if segment.is_locked], map.segment_ids
    )
    after = np.where(stays, map.segment_ids, suggested.segment_ids)
    staying = count_pixels(np.where(stays, map.segment_ids, np.uint16(VOID)))
    segments = {
        i: map.segments[i] if i in staying else suggested.segments[i]
        for i in count_pixels(after)
    }
    rect, _ = shrink(Rect(0, 0, map.height, map.width), after != map.segment_ids)
    before, after = map.segment_ids[rect.slices].copy(), after[rect.slices].copy()
    return make_edit(rect, before, after, (map.segments, segments), LABEL)


def lock_vouched(ground: Ground, stuff: Collection[int]) -> dict[int, Segment]:
    """The map's segments, with those locked that stay as a whole."""
    touched = count_pixels(ground.map.segment_ids[ground.is_vouched])
    return {
        i: replace(segment, is_locked=segment.is_locked or _stays(segment, touched, stuff))
        for i, segment in ground.map.segments.items()
    }


def _stays(segment: Segment, touched: Collection[int], stuff: Collection[int]) -> bool:
    """Whether somebody has drawn or named a thing, or a part of it."""
    is_thing = segment.is_crowd or segment.category_id not in stuff
    return is_thing and (segment.source is Source.HUMAN or segment.id in touched)
