"""What is wished of a run through a clip, and what a thread finds out for it."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from core.errors import AnnotateError, ImageError
from core.panoptic import Category, Edit
from core.pre_annotation import read_ground
from core.propagation import ENOUGH, FrameProposal, VideoOptions
from core.propagation_plan import RunPlan, RunRequest, plan_run, propagated_edit
from core.store import AnnotationStore


@dataclass(frozen=True, slots=True)
class PropagationWish:
    """How the next run is to be.

    Attributes:
        n_frames: None goes on to the end of the clip.
        is_watched: whether the window opens each frame and shows its steps.
    """

    n_frames: int | None = None
    options: VideoOptions = VideoOptions(settled_share=ENOUGH)
    is_watched: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SettledFrame:
    """What a frame is to become.

    Attributes:
        mark: of the map that the edit was made for.
    """

    image_id: int
    proposal: FrameProposal
    mark: tuple[int, int]
    edit: Edit


Found = RunPlan | SettledFrame | AnnotateError


def answer_with(
    find: Callable[[], RunPlan | SettledFrame],
) -> Generator[Found, None, None]:
    """In a thread: what there is to be found, or why it cannot be."""
    try:
        yield find()
    except AnnotateError as error:
        yield error


def plan(path: Path, request: RunRequest, *, has_previews: bool) -> RunPlan:
    """Which frames a run is for, and what the model is told."""
    with AnnotationStore.open(path, is_read_only=True) as store:
        return plan_run(store, request, has_previews=has_previews)


def settle(
    path: Path, image_id: int, proposal: FrameProposal, categories: tuple[Category, ...]
) -> SettledFrame:
    """What the model's map means to a frame as it is now."""
    with AnnotationStore.open(path, is_read_only=True) as store:
        ground = read_ground(store, image_id)
        if proposal.segment_ids.shape != ground.map.segment_ids.shape:
            raise ImageError(
                f"{store.image_record(image_id).path} has another size than the project "
                "knows; put the file back that belongs to its map."
            )
    edit = propagated_edit(ground, proposal, categories)
    return SettledFrame(image_id, proposal, ground.mark, edit)
