"""From a project to a run through one of its clips, and from the run's maps back to edits.

A run begins after a frame that has a map, whoever made it, or at an empty one. It ends before
a frame that somebody has approved or rejected. In the frames on its way, pixels that people
made or another program brought in stay as they are, and so do locked segments.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.authors import Author, AuthorKind
from core.clips import clip_of
from core.errors import ProjectError
from core.giving import N_IDS, checked_id, is_any_of, look_up, make_edit, shrink
from core.panoptic import (
    VOID,
    Category,
    Edit,
    Ids,
    PanopticMap,
    Rect,
    Segment,
    Source,
    count_pixels,
)
from core.pre_annotation import Ground, known_of, lock_vouched, read_ground
from core.propagation import FrameProposal, FrameSource, PropagationJob, Start, VideoOptions
from core.proposals import Known
from core.review import VERDICTS, Review
from core.store import AnnotationStore

LABEL: Final = "propagate"
PAST: Final = 2  # maps that a run is told of
_SURENESS: Final = (
    Review.EMPTY,
    Review.REJECTED,
    Review.PROPOSED,
    Review.IN_WORK,
    Review.APPROVED,
)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What somebody wants followed.

    Attributes:
        image_id: of the frame to begin from.
        is_forward: whether to go on in time, or back.
        n_frames: that are to get a map; None goes on to the end of the clip.
        options: how maps are drawn.
    """

    image_id: int
    is_forward: bool
    n_frames: int | None
    options: VideoOptions


@dataclass(frozen=True, slots=True, eq=False)
class RunPlan:
    """A run that can begin.

    Attributes:
        image_ids: of the frames that are to get a map, in the order of travel.
        job: for the model; its frames are these, known by their places in the clip.
        stopped_by: the approved or rejected frame that the run ends before, if any.
    """

    image_ids: tuple[int, ...]
    job: PropagationJob
    stopped_by: int | None = None

    def image_of(self, number: int) -> int:
        """The image of a frame, by its place in the clip."""
        first = self.job.frames[0].number
        return self.image_ids[abs(number - first)]


def plan_run(
    store: AnnotationStore, request: RunRequest, *, has_previews: bool = False
) -> RunPlan:
    """Find out which frames a run is for, and all that the model is told.

    Raises:
        ProjectError: the image is no frame of a clip, or there is no frame to go to; or the
            project cannot be read.
    """
    clip = clip_of(store, request.image_id)
    if clip is None:
        name = store.image_record(request.image_id).path.name
        raise ProjectError(
            f"{name} is a single image; open a frame of a video, or one of several files that "
            "are numbered at the end of their names."
        )
    reviews, way = store.reviews(), 1 if request.is_forward else -1
    here = clip.image_ids.index(request.image_id)
    map = store.load_map(request.image_id)
    is_begun = bool(map.segments)
    if not is_begun and reviews[request.image_id] in VERDICTS:
        is_begun = True  # that there is nothing is what somebody has said
    first = here + way if is_begun else here
    numbers: Sequence[int] = range(first, len(clip) if way > 0 else -1, way)
    numbers = numbers if request.n_frames is None else numbers[: request.n_frames]
    held = [k for k, n in enumerate(numbers) if reviews[clip.image_ids[n]] in VERDICTS]
    stopped_by = clip.image_ids[numbers[held[0]]] if held else None
    numbers = numbers[: held[0]] if held else numbers
    if not numbers:
        raise ProjectError(_say_why_none(store, stopped_by, is_forward=request.is_forward))
    image_ids = tuple(clip.image_ids[n] for n in numbers)
    past = [map] if is_begun else []
    before = here - way
    if is_begun and 0 <= before < len(clip):
        past = _map_before(store, reviews, clip.image_ids[before], request.image_id) + past
    start = Start(tuple(past), store.categories, store.next_id_of(clip.image_ids))
    records = store.image_records(image_ids)
    by_id = {record.id: record for record in records}
    frames = tuple(
        FrameSource(n, by_id[i].path, by_id[i].frame)
        for n, i in zip(numbers, image_ids, strict=True)
    )
    known: dict[int, Known] = {}
    for number, image_id in zip(numbers, image_ids, strict=True):
        if reviews[image_id] is Review.IN_WORK:
            found = known_of(read_ground(store, image_id), store.categories)
            known |= {number: found} if found else {}
    job = PropagationJob(frames, start, request.options, known, has_previews)
    return RunPlan(image_ids, job, stopped_by)


def _map_before(
    store: AnnotationStore, reviews: dict[int, Review], before: int, here: int
) -> list[PanopticMap]:
    """The map of the frame before the first one's, unless it is less sure than that one.

    Where somebody has corrected a frame, the one before still has what was wrong.
    """
    if _SURENESS.index(reviews[before]) < _SURENESS.index(reviews[here]):
        return []
    map = store.load_map(before)
    return [map] if map.segments else []


def _say_why_none(store: AnnotationStore, stopped_by: int | None, *, is_forward: bool) -> str:
    if stopped_by is None:
        return f"This is the {'last' if is_forward else 'first'} frame of the clip."
    record = store.image_record(stopped_by)
    name = record.path.name if record.frame is None else f"frame {record.frame + 1}"
    return f"The next frame, {name}, is {record.review} and stays as it is."


def author_of_run(proposal: FrameProposal, model: str, seed: int) -> Author:
    """Who made the map of a frame."""
    return Author(AuthorKind.PROPAGATED, model, seed, proposal.steps)


def propagated_edit(
    ground: Ground, proposal: FrameProposal, categories: Sequence[Category]
) -> Edit:
    """The edit that lays a frame's map over all that nobody vouches for.

    Segments keep the proposal's ids, as one id is one thing in the whole clip.

    Args:
        ground: the frame as it is.
        proposal: of the same size.

    Raises:
        ValueError: the proposal has another size than the map.
        ProjectError: the image has used every id there is.
    """
    map, proposed = ground.map, proposal.segment_ids
    if proposed.shape != map.segment_ids.shape:
        raise ValueError(f"a map {proposed.shape} for a frame {map.segment_ids.shape}")
    stuff = {category.id for category in categories if not category.is_thing}
    locked = [s for s in lock_vouched(ground, stuff).values() if s.is_locked]
    stays = ground.is_vouched | is_any_of(locked, map.segment_ids)
    staying = {i: map.segments[i] for i in count_pixels(np.where(stays, map.segment_ids, VOID))}
    free = np.where(stays, np.uint16(VOID), proposed)
    table, segments = _adopt(map, proposal, free, staying, stuff)
    after = np.where(stays, map.segment_ids, look_up(table, free))
    rect, _ = shrink(Rect(0, 0, map.height, map.width), after != map.segment_ids)
    before, after = map.segment_ids[rect.slices].copy(), after[rect.slices].copy()
    return make_edit(rect, before, after, (map.segments, staying | segments), LABEL)


def _adopt(
    map: PanopticMap,
    proposal: FrameProposal,
    free: Ids,
    staying: dict[int, Segment],
    stuff: Collection[int],
) -> tuple[Ids, dict[int, Segment]]:
    """Which segment of the frame each proposed one becomes, by its id, and the new segments.

    A thing that stays has its shape, and one that lies mostly on such things is one of them,
    seen again; what is left of either becomes void.
    """
    areas, free_areas = count_pixels(proposal.segment_ids), count_pixels(free)
    homes = {s.category_id: i for i, s in staying.items() if s.category_id in stuff}
    next_id = max([map.next_id - 1, *proposal.category_ids]) + 1
    table, segments = np.zeros(N_IDS, np.uint16), {}
    for proposed_id, area in free_areas.items():
        category_id = proposal.category_ids[proposed_id]
        is_stuff, new_id = category_id in stuff, proposed_id
        stayed = staying.get(proposed_id)
        if is_stuff and category_id in homes:
            table[proposed_id] = homes[category_id]
            continue
        if stayed is not None and stayed.category_id == category_id:
            continue
        if not is_stuff and area * 2 < areas[proposed_id]:
            continue
        if stayed is not None:  # another thing had this id before
            new_id, next_id = checked_id(next_id), next_id + 1
        table[proposed_id] = new_id
        segments[new_id] = Segment(new_id, category_id, Source.MODEL)
    return table, segments
