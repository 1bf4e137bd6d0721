"""The loop of the command line over a clip: each map is saved as soon as it is made."""

from collections.abc import Iterator

from core.errors import ImageError
from core.model.session import ModelSession
from core.model_card import ModelCard
from core.pre_annotation import read_ground
from core.propagation import FrameProposal, FrameStep
from core.propagation_plan import RunPlan, author_of_run, propagated_edit
from core.store import AnnotationStore


def propagate_project(
    session: ModelSession, card: ModelCard, store: AnnotationStore, plan: RunPlan
) -> Iterator[FrameStep | FrameProposal]:
    """Follow segments through a clip; all that is done is one step of undo.

    Args:
        card: of the model that the session has loaded.
        store: open for writing.

    Yields:
        Each step, and each frame's map once it is saved.

    Raises:
        AnnotateError: the model is none for video, a frame cannot be read, or the project
            cannot be written; the frames before have their maps.
    """
    step = store.new_joint_step()
    for outcome in session.propagate(plan.job):
        if isinstance(outcome, FrameProposal):
            image_id = plan.image_of(outcome.number)
            ground = read_ground(store, image_id)
            if outcome.segment_ids.shape != ground.map.segment_ids.shape:
                path = store.image_record(image_id).path
                raise ImageError(
                    f"{path} has another size than the project knows; put the image back that "
                    "belongs to its map."
                )
            edit = propagated_edit(ground, outcome, store.categories)
            author = author_of_run(outcome, card.name, plan.job.options.seed)
            store.append_joint({image_id: edit}, step, author)
        yield outcome
