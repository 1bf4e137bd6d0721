"""The ways out of a project: what each writes, by the name that a person chooses it by."""

from collections.abc import Generator
from enum import StrEnum
from pathlib import Path

from core.clip_pngs import PngLayout, export_pngs
from core.export import export_project, find_json_path, list_exported
from core.named_clips import list_clips
from core.overlay_video import export_overlays
from core.store import AnnotationStore


class ExportFormat(StrEnum):
    """What is written."""

    COCO = "coco"
    VIPSEG = "vipseg"
    STEP = "kitti-step"
    DAVIS = "davis"
    OVERLAY = "overlay-mp4"


def count_steps(store: AnnotationStore) -> dict[ExportFormat, int]:
    """How many images each export writes: the last number that `export_as` yields."""
    exported = [record.id for record in list_exported(store)]
    clips = list_clips(store, exported)
    counts = dict.fromkeys(ExportFormat, sum(len(clip.exported) for clip in clips))
    counts[ExportFormat.COCO] = len(exported)
    counts[ExportFormat.OVERLAY] = sum(len(clip.frames) for clip in clips)
    return counts


def export_as(
    store: AnnotationStore, out: Path, kind: ExportFormat, *, with_provenance: bool = False
) -> Generator[int, None, None]:
    """Write a project; closing it cancels and leaves an earlier export as it was.

    Args:
        store: may be open for reading only.
        out: a folder, or for COCO the JSON as well.
        kind: what to write.
        with_provenance: as of `export_project`; only COCO has room for it.

    Yields:
        The number of images written so far.

    Raises:
        AnnotateError: a file cannot be written, the format cannot hold the maps, or the
            project cannot be read.
    """
    if kind is ExportFormat.COCO:
        yield from export_project(store, find_json_path(out), with_provenance=with_provenance)
    elif kind is ExportFormat.OVERLAY:
        yield from export_overlays(store, out)
    else:
        yield from export_pngs(store, out, PngLayout(kind))
