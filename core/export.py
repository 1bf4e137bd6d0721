"""The way out of a project: COCO panoptic files of the images that have been worked on."""

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Final

from core.coco import CocoItem, coco_exports
from core.errors import ProjectError
from core.named_clips import NamedClip, list_clips
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

    Frames of a video, and files that are numbered, say of which clip they are, and where in it.

    Args:
        store: may be open for reading only.
        json_path: to be written.
        with_provenance: whether the JSON says who made which part of each segment.

    Yields:
        The number of images written so far, of `list_exported`.

    Raises:
        AnnotateError: a file cannot be written, or the project cannot be read.
    """
    records = list_exported(store)
    clips = list_clips(store, [record.id for record in records])
    places = {
        frame.id: {"video_id": number, "frame_index": clip.index_of(place)}
        for number, clip in enumerate(clips, 1)
        for place, frame in enumerate(clip.frames)
    }
    items = (
        _make_item(store, record, places.get(record.id, {}), with_provenance=with_provenance)
        for record in records
    )
    videos = [_video_entry(n, clip, store.path.parent) for n, clip in enumerate(clips, 1)]
    former = store.former_categories
    yield from coco_exports(json_path, items, store.categories, former, videos)


def exported_clips(store: AnnotationStore) -> list[NamedClip]:
    """The clips of the images that an export writes.

    Raises:
        ProjectError: there is none.
    """
    clips = list_clips(store, [record.id for record in list_exported(store)])
    if not clips:
        raise ProjectError(
            f"{store.path} has no map of a video or of numbered images; export its images as "
            "COCO panoptic."
        )
    return clips


def _make_item(
    store: AnnotationStore,
    record: ImageRecord,
    place: Mapping[str, int],
    *,
    with_provenance: bool,
) -> CocoItem:
    """An image on its way out; a segment's track through its clip is its id."""
    name, map = name_image(record, store.path.parent), store.load_map(record.id)
    more: dict[int, dict[str, Any]] = {i: {"track_id": i} for i in map.segments if place}
    if with_provenance:
        for i, made in find_shares(store.provenance(record.id), map):
            more.setdefault(i, {})[PROVENANCE_KEY] = made
    return CocoItem(record.id, name, map, more, place)


def _video_entry(number: int, clip: NamedClip, folder: Path) -> dict[str, Any]:
    return {
        "id": number,
        "name": clip.name,
        "file_name": _portable_name(clip.path, folder),
        "width": clip.frames[0].width,
        "height": clip.frames[0].height,
        "length": len(clip.frames),
        "fps": clip.fps,
    }


def name_image(record: ImageRecord, folder: Path) -> str:
    """An image's name in the JSON: its path from the project's folder, or its bare name.

    A video's frame 12 becomes `clip_000012.png`.
    """
    path = record.path
    if record.frame is not None:
        path = path.with_name(f"{path.stem}_{record.frame:06d}.png")
    return _portable_name(path, folder)


def _portable_name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
