"""The loop of the command line over a project: a proposal for each image that waits for one."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.authors import author_of_proposal
from core.errors import ImageError, ProjectError, ProjectInUseError
from core.image_query import Condition
from core.jobs import SegmentJob
from core.model.samples import doubt_of, draw_samples
from core.model.session import ModelSession
from core.model_card import ModelCard
from core.panoptic import Category
from core.proposals import (
    Known,
    Preview,
    Proposal,
    SamplingOptions,
    match_categories,
    name_as_model,
)
from core.store import AnnotationStore, ImageQuery, ImageRecord, Review
from core.whole_maps import accept_proposal
from core.work_list import claim_each

PATIENCE_S: Final = 60.0  # for others that write to the project, image by image
POLL_S: Final = 0.05
UNTOUCHED: Final = ImageQuery(states=(Review.EMPTY, Review.PROPOSED))

Outcome = tuple[ImageRecord, Preview | Proposal | ImageError]


def find_waiting(
    store: AnnotationStore, model: str, where: tuple[Condition, ...] = ()
) -> list[int]:
    """The images that nobody has worked on, and that do not show a proposal of that model.

    Args:
        where: what must hold for an image as well.
    """
    ids = store.image_ids(replace(UNTOUCHED, conditions=where))
    return [record.id for record in store.image_records(ids) if is_waiting(record, model)]


def is_waiting(record: ImageRecord, model: str) -> bool:
    """Whether an image is to be segmented by that model, which has not done so yet."""
    return record.review in UNTOUCHED.states and record.model != model


def segment_project(
    session: ModelSession,
    card: ModelCard,
    project: Path,
    options: SamplingOptions,
    n_samples: int = 1,
    where: tuple[Condition, ...] = (),
) -> Iterator[Outcome]:
    """Segment the images that wait for it; each gets its proposal as one step of undo.

    A proposal takes no pixel from a locked segment or a thing that a person drew. The project
    is open for writing only while a proposal is saved, so that several processes can share the
    images; it must not be open in a window. An image in which nothing is found stays empty,
    and waits for another model.

    Args:
        card: of the model that the session has loaded.
        n_samples: maps drawn of each image; if there are more than one, the project keeps how
            much they differ as the work that is expected.
        where: what must hold for an image when the run begins.

    Yields:
        The image and: a preview after each step, then the proposal once it is saved; or
        instead of these why the image cannot be read.

    Raises:
        ProjectError: the project cannot be read or written, or is open in a window.
    """
    claims = project.with_name(f".{project.name}.claims")
    with AnnotationStore.open(project, is_read_only=True) as store:
        waiting = find_waiting(store, card.name, where)
        try:
            for image_id in claim_each(
                waiting,
                lambda i: claims / f"{i}.lock",
                lambda i: not is_waiting(store.image_record(i), card.name),
            ):
                yield from _segment(session, card, store, image_id, options, n_samples)
        except OSError as error:
            raise ProjectError(
                f"The folder {project.parent} of the project cannot be written "
                f"({error.strerror}); make it writable, or put the project elsewhere."
            ) from error
        finally:
            with suppress(OSError):  # another process has a claim there
                claims.rmdir()


def _segment(
    session: ModelSession,
    card: ModelCard,
    store: AnnotationStore,
    image_id: int,
    options: SamplingOptions,
    n_samples: int,
) -> Iterator[Outcome]:
    record = store.image_record(image_id)
    renamed = store.renamed_categories
    named = name_as_model(store.categories, card.categories, renamed)
    known = Known(store.load_map(image_id), named)
    job = SegmentJob(record.path, options, record.frame, known)
    proposals = []
    try:
        for outcome in draw_samples(session, job, n_samples):
            if isinstance(outcome, Proposal):
                proposals.append(outcome)
            else:
                yield record, outcome
        _check_size(record, proposals[0])
    except ImageError as error:
        yield record, error
        return
    doubt = doubt_of(proposals)
    save_proposal(store.path, card, image_id, proposals[0], doubt.seconds if doubt else None)
    yield record, proposals[0]


def _check_size(record: ImageRecord, proposal: Proposal) -> None:
    if proposal.segment_ids.shape != (record.height, record.width):
        raise ImageError(
            f"{record.path} has another size than the project knows; put the image back that "
            "belongs to its map."
        )


def save_proposal(
    project: Path,
    card: ModelCard,
    image_id: int,
    proposal: Proposal,
    expected_seconds: float | None,
) -> None:
    """Accept a proposal for an image unless somebody has worked on it meanwhile.

    Raises:
        ProjectError: the project cannot be written, or is open in a window.
    """
    with open_when_free(project) as store:
        if not is_waiting(store.image_record(image_id), card.name):
            return
        renamed = store.renamed_categories
        to_project = match_categories(card.categories, store.categories, renamed).to_project
        stuff = {category.id for category in store.categories if not category.is_thing}
        edit = accept_proposal(store.load_map(image_id), proposal, to_project, stuff)
        store.append_edit(image_id, edit, author_of_proposal(proposal))
        store.note_nothing_found(image_id, card.name)  # if it is empty still
        if expected_seconds is not None:
            store.set_expected_work(image_id, expected_seconds)


def open_when_free(project: Path) -> AnnotationStore:
    """Open a project for writing once no other command writes to it.

    Raises:
        ProjectInUseError: someone keeps it open, as a window does.
        ProjectError: it cannot be opened.
    """
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return AnnotationStore.open(project)
        except ProjectInUseError:
            if time.monotonic() > end:
                raise
        time.sleep(POLL_S)


def check_categories(
    card: ModelCard, categories: tuple[Category, ...], renamed: Mapping[str, str]
) -> str:
    """A sentence on what a project cannot take over from a model; empty if that is nothing.

    Args:
        renamed: names that its categories had before -> what they are now.

    Raises:
        ProjectError: they have no category in common.
    """
    match = match_categories(card.categories, categories, renamed)
    if not match.to_project:
        raise ProjectError(
            f"The project has none of the categories of the model {card.name}: "
            f"{', '.join(match.only_model)}; add them, or choose another model."
        )
    if not match.only_model:
        return ""
    return f"The project lacks categories, which become void: {', '.join(match.only_model)}."
