"""Images of a Bitbrush project, as entries to be read later."""

from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from core.errors import TrainingError
from core.image_query import ALL_IMAGES, ImageQuery
from core.panoptic import Category
from core.review import Review
from core.store import AnnotationStore, ImageRecord
from training.files import Entry, PanopticFiles
from training.labels import Crowds, Labels, codes_of, label_map, mark_pixels, with_numbers

Which = Literal["approved", "edited", "all"]
QUERIES: Final = {
    "approved": ImageQuery(states=(Review.APPROVED,)),
    "edited": ImageQuery(has_edits=True),
    "all": ALL_IMAGES,
}


def index_project(
    path: Path,
    *,
    has_stuff_ids: bool,
    crowds: Crowds = "void",
    which: Which = "approved",
    is_marked: bool = False,
) -> PanopticFiles:
    """The images of a project as `list_images` finds them, and how to read their labels.

    Those that the project holds out are left out, and those that a person has rejected.

    Args:
        is_marked: whether labels say in a third channel which pixels a person made.

    Raises:
        AnnotateError: the project cannot be read, or has no categories.
    """
    categories, records, bad = list_images(path, which)
    records = [r for r in records if not r.is_held_out and r.review is not Review.REJECTED]
    codes = codes_of(categories)
    numbered = with_numbers(categories, has_stuff_ids=has_stuff_ids)
    read = _read_marked if is_marked else _read_labels
    entries = [
        Entry(record.path, partial(read, path, record.id, codes, numbered, crowds))
        for record in records
    ]
    return PanopticFiles(categories, entries, bad=bad)


def list_images(
    path: Path, which: Which
) -> tuple[tuple[Category, ...], list[ImageRecord], tuple[str, ...]]:
    """Categories and images of a project, which may be open elsewhere.

    Frames of videos are left out, each with a sentence.

    Args:
        which: images that a person has approved, that have edits, or all.

    Raises:
        TrainingError: the project has no categories.
        ProjectError: it cannot be read.
    """
    with AnnotationStore.open(path, is_read_only=True) as store:
        categories = store.categories
        records = store.image_records(store.image_ids(QUERIES[which]))
    if not categories:
        raise TrainingError(f"{path} has no categories; add some in the window, and segments.")
    bad = tuple(
        f"Frame {record.frame} of {record.path} is in a video; export it first."
        for record in records
        if record.frame is not None
    )
    return categories, [record for record in records if record.frame is None], bad


def _read_labels(
    path: Path,
    image_id: int,
    codes: dict[int, int],
    numbered: frozenset[int],
    crowds: Crowds,
) -> Labels:
    with AnnotationStore.open(path, is_read_only=True) as store:
        panoptic_map = store.load_map(image_id)
    return label_map(panoptic_map, codes, numbered, crowds)


def _read_marked(path: Path, image_id: int, *how: Any) -> Labels:
    with AnnotationStore.open(path, is_read_only=True) as store:
        is_human = store.human_pixels(image_id)
    return mark_pixels(_read_labels(path, image_id, *how), is_human)
