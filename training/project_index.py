"""Images of a Bitbrush project, as entries to be read later."""

from functools import partial
from pathlib import Path
from typing import Literal

from core.project_images import ImageQuery, Review
from core.store import AnnotationStore
from training.files import Entry, PanopticFiles
from training.labels import Crowds, Labels, codes_of, label_map, with_numbers

Which = Literal["approved", "edited"]


def index_project(
    path: Path, *, has_stuff_ids: bool, crowds: Crowds = "void", which: Which = "approved"
) -> PanopticFiles:
    """The approved images of a project, or all that have been edited; it may be open elsewhere.

    Frames of videos are left out and named.

    Raises:
        ProjectError: the project cannot be read.
    """
    is_approved = which == "approved"
    query = ImageQuery(review=Review.APPROVED) if is_approved else ImageQuery(has_edits=True)
    with AnnotationStore.open(path, is_read_only=True) as store:
        categories = store.categories
        records = store.image_records(store.image_ids(query))
    codes = codes_of(categories)
    numbered = with_numbers(categories, has_stuff_ids=has_stuff_ids)
    entries, bad = [], []
    for record in records:
        if record.frame is not None:
            bad.append(f"Frame {record.frame} of {record.path} is in a video; export it first.")
            continue
        read = partial(_read_labels, path, record.id, codes, numbered, crowds)
        entries.append(Entry(record.path, read))
    return PanopticFiles(categories, entries, bad=bad)


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
