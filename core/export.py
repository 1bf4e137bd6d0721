"""The way out of a project: COCO panoptic files of the images that have been worked on."""

from collections.abc import Generator
from pathlib import Path
from typing import Final

from core.coco import CocoItem, coco_exports
from core.provenance import find_shares
from core.review import TO_REVIEW, Review
from core.store import AnnotationStore, ImageQuery, ImageRecord

INDEX_NAME: Final = "panoptic.json"
EXPORTED: Final = (*TO_REVIEW, Review.APPROVED)
PROVENANCE_KEY: Final = "bitbrush_provenance"


def find_json_path(out: Path) -> Path:
    """The JSON to write: the path itself if it ends in .json, else one in that folder."""
    return out if out.suffix == ".json" else out / INDEX_NAME


def list_exported(store: AnnotationStore) -> list[ImageRecord]:
    """The images that have an edit in effect and were not rejected; the others are left out."""
    return store.image_records(store.image_ids(ImageQuery(states=EXPORTED, has_edits=True)))


def export_project(
    store: AnnotationStore, json_path: Path, *, with_provenance: bool = False
) -> Generator[int, None, None]:
    """Write the maps of a project, image by image; closing it cancels, see `coco_exports`.

    Args:
        store: may be open for reading only.
        json_path: to be written.
        with_provenance: whether the JSON says who made which part of each segment.

    Yields:
        The number of images written so far, of `list_exported`.

    Raises:
        AnnotateError: a file cannot be written, or the project cannot be read.
    """
    items = (
        _make_item(store, record, with_provenance=with_provenance)
        for record in list_exported(store)
    )
    yield from coco_exports(json_path, items, store.categories, store.former_categories)


def _make_item(
    store: AnnotationStore, record: ImageRecord, *, with_provenance: bool
) -> CocoItem:
    name, map = name_image(record, store.path.parent), store.load_map(record.id)
    if not with_provenance:
        return CocoItem(record.id, name, map)
    shares = find_shares(store.provenance(record.id), map)
    return CocoItem(record.id, name, map, {i: {PROVENANCE_KEY: made} for i, made in shares})


def name_image(record: ImageRecord, folder: Path) -> str:
    """An image's name in the JSON: its path from the project's folder, or its bare name.

    A video's frame 12 becomes `clip_000012.png`.
    """
    path = record.path
    if record.frame is not None:
        path = path.with_name(f"{path.stem}_{record.frame:06d}.png")
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
