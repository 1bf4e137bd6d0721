"""What a batch is asked for, and what a thread of its finds out about an image."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import AnnotateError
from core.panoptic import Category
from core.pre_annotation import Outcome, known_of, read_ground, settle
from core.proposals import Known, Proposal, SamplingOptions
from core.store import AnnotationStore, ImageRecord


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What somebody wants done.

    Attributes:
        image_ids: in their order.
        options: how maps are drawn.
        n_samples: maps of each image, with this seed and the next; more than one tell how much
            work is likely to be left.
        fills_in: whether images that somebody has worked on are wanted as well.
    """

    image_ids: tuple[int, ...]
    options: SamplingOptions
    n_samples: int = 1
    fills_in: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class InHand:
    """The image that is worked on, and what there is of it so far."""

    record: ImageRecord
    mark: tuple[int, int]
    known: Known | None
    proposals: tuple[Proposal, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a thread has found out: a part of one batch, the number of which is `serial`."""

    serial: int
    found: "InHand | Settled | AnnotateError"


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What an image is to become, in these categories of the project."""

    outcome: Outcome
    categories: tuple[Category, ...]


def answer_with(
    serial: int, find: Callable[[], InHand | Settled]
) -> Generator[Answer, None, None]:
    """In a thread: what there is to be found, or why it cannot be."""
    try:
        yield Answer(serial, find())
    except AnnotateError as error:
        yield Answer(serial, error)


def read(path: Path, image_id: int, categories: tuple[Category, ...]) -> InHand:
    """What an image is before the model has a part in it."""
    with AnnotationStore.open(path, is_read_only=True) as store:
        record, ground = store.image_record(image_id), read_ground(store, image_id)
    return InHand(record, ground.mark, known_of(ground, categories))


def settle_image(
    path: Path, hand: InHand, to_project: Mapping[int, int], categories: tuple[Category, ...]
) -> Settled:
    """What the maps of the model mean to an image."""
    stuff = {category.id for category in categories if not category.is_thing}
    with AnnotationStore.open(path, is_read_only=True) as store:
        outcome = settle(store, hand.record.id, hand.proposals, to_project, stuff)
    return Settled(outcome, categories)
