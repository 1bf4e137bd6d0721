"""The maps of clips as folders of PNGs, the way that sets of segmented videos have them.

A folder of PNGs for each clip, a PNG for each frame that has a map; a segment keeps its number
through its clip. `core.map_pngs` says what the pixels mean.
"""

import json
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from core.coco import writing
from core.durable import sync_folder, write_durably
from core.errors import ProjectError
from core.export import exported_clips
from core.map_pngs import (
    DAVIS_MAX,
    STEP_MAX,
    STEP_VOID,
    VIPSEG_EACH,
    VIPSEG_MAX,
    davis_png,
    step_png,
    vipseg_png,
)
from core.named_clips import NamedClip
from core.panoptic import MAX_SEGMENT_ID, Category, PanopticMap
from core.store import AnnotationStore

Encode = Callable[[PanopticMap], bytes]


class PngLayout(StrEnum):
    """Whose folders and pixels."""

    STEP = "kitti-step"
    VIPSEG = "vipseg"
    DAVIS = "davis"


_FOLDERS = {
    PngLayout.STEP: "panoptic_maps",
    PngLayout.VIPSEG: "panomasks",
    PngLayout.DAVIS: "Annotations",
}
_DIGITS = {PngLayout.STEP: 6, PngLayout.VIPSEG: 8, PngLayout.DAVIS: 5}
_CATEGORY_FILES = {
    PngLayout.STEP: "categories.json",
    PngLayout.VIPSEG: "panoVIPSeg_categories.json",
}


def export_pngs(
    store: AnnotationStore, out: Path, layout: PngLayout
) -> Generator[int, None, None]:
    """Write the maps of a project's clips.

    All files are written into a hidden folder and renamed when the last is complete: closing
    the generator, or an error, leaves an earlier export as it was.

    Args:
        store: may be open for reading only.
        out: the folder; made if it is not there.

    Yields:
        The number of maps written so far.

    Raises:
        AnnotateError: there is no clip, the layout cannot hold the maps, a file cannot be
            written, or the project cannot be read.
    """
    partial = out / f".{layout}.partial"
    categories = (*store.categories, *store.former_categories)
    clips, written = exported_clips(store), list[Path]()
    try:
        with writing(out):
            shutil.rmtree(partial, ignore_errors=True)  # of an export that was killed
            partial.mkdir(parents=True)
        for clip in clips:
            folder = Path(_FOLDERS[layout]) / clip.name
            with writing(out):
                (partial / folder).mkdir(parents=True)
            for name, data in _encoded(store, clip, layout, categories):
                with writing(out):
                    write_durably(partial / folder / name, data)
                written.append(folder / name)
                yield len(written)
        with writing(out):
            if listed := _list_categories(layout, categories):
                written.append(Path(_CATEGORY_FILES[layout]))
                write_durably(partial / written[-1], json.dumps(listed).encode())
            _publish(partial, out, written)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _encoded(
    store: AnnotationStore, clip: NamedClip, layout: PngLayout, categories: Sequence[Category]
) -> Iterator[tuple[str, bytes]]:
    encode = _ENCODERS[layout](clip, categories)
    for place, record in enumerate(clip.frames):
        if record.id in clip.exported:
            name = f"{clip.index_of(place):0{_DIGITS[layout]}d}.png"
            yield name, encode(store.load_map(record.id))


def _publish(partial: Path, out: Path, written: Sequence[Path]) -> None:
    for name in written:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (partial / name).replace(out / name)
    for folder in sorted({(out / name).parent for name in written}):
        sync_folder(folder)


def _step_encoder(_clip: NamedClip, categories: Sequence[Category]) -> Encode:
    numbers = _step_numbers(categories)
    things = {category.id for category in categories if category.is_thing}

    def encode(map: PanopticMap) -> bytes:
        by_id = np.full(MAX_SEGMENT_ID + 1, STEP_VOID, np.uint8)
        tracks = np.zeros(MAX_SEGMENT_ID + 1, np.uint16)
        for segment in map.segments.values():
            by_id[segment.id] = numbers[segment.category_id]
            tracks[segment.id] = segment.id * (segment.category_id in things)
        return step_png(map.segment_ids, by_id, tracks)

    return encode


def _vipseg_encoder(clip: NamedClip, categories: Sequence[Category]) -> Encode:
    numbers = _vipseg_numbers(categories)
    things = {category.id for category in categories if category.is_thing}
    places: dict[int, dict[int, int]] = {category.id: {} for category in categories}

    def encode(map: PanopticMap) -> bytes:
        values = np.zeros(MAX_SEGMENT_ID + 1, np.uint16)
        for segment in map.segments.values():
            number = numbers[segment.category_id]
            if segment.category_id in things:
                of_category = places[segment.category_id]
                place = of_category.setdefault(segment.id, len(of_category))
                _check_room(clip, "VIPSeg", "segments of one category", place, VIPSEG_EACH)
                number = VIPSEG_EACH * number + place
            values[segment.id] = number
        return vipseg_png(map.segment_ids, values)

    return encode


def _davis_encoder(clip: NamedClip, categories: Sequence[Category]) -> Encode:
    things = {category.id for category in categories if category.is_thing}
    objects: dict[int, int] = {}

    def encode(map: PanopticMap) -> bytes:
        values = np.zeros(MAX_SEGMENT_ID + 1, np.uint8)
        for segment in map.segments.values():
            if segment.category_id in things:
                place = objects.setdefault(segment.id, len(objects))
                _check_room(clip, "DAVIS", "objects", place, DAVIS_MAX)
                values[segment.id] = place + 1
        return davis_png(map.segment_ids, values)

    return encode


_ENCODERS: Mapping[PngLayout, Callable[[NamedClip, Sequence[Category]], Encode]] = {
    PngLayout.STEP: _step_encoder,
    PngLayout.VIPSEG: _vipseg_encoder,
    PngLayout.DAVIS: _davis_encoder,
}


def _check_room(clip: NamedClip, layout: str, what: str, place: int, most: int) -> None:
    if place >= most:
        raise ProjectError(
            f"{clip.name} has more than {most} {what}, which is all that {layout} PNGs hold; "
            "export it as COCO panoptic."
        )


def _step_numbers(categories: Sequence[Category]) -> dict[int, int]:
    """0, 1, ... in the order of the project."""
    _check_categories(categories, "KITTI-STEP", STEP_MAX + 1)
    return {category.id: number for number, category in enumerate(categories)}


def _vipseg_numbers(categories: Sequence[Category]) -> dict[int, int]:
    """1, 2, ..., stuff first; no thing has 1, whose segments would be read as stuff."""
    stuff = [category.id for category in categories if not category.is_thing]
    things = [category.id for category in categories if category.is_thing]
    first = max(len(stuff) + 1, 2)
    _check_categories(categories, "VIPSeg", VIPSEG_MAX - (first - 1 - len(stuff)))
    return dict(zip(stuff, range(1, first), strict=False)) | {
        category_id: number for number, category_id in enumerate(things, first)
    }


def _check_categories(categories: Sequence[Category], layout: str, most: int) -> None:
    if len(categories) > most:
        raise ProjectError(
            f"The project has {len(categories)} categories, but {layout} PNGs hold {most}; "
            "export it as COCO panoptic."
        )


def _list_categories(layout: PngLayout, categories: Sequence[Category]) -> list[dict[str, Any]]:
    """What the numbers in the PNGs mean; VIPSeg's own list counts them from 0."""
    if layout is PngLayout.DAVIS:
        return []
    is_step = layout is PngLayout.STEP
    numbers = _step_numbers(categories) if is_step else _vipseg_numbers(categories)
    listed = (
        {
            "id": numbers[category.id] - (not is_step),
            "name": category.name,
            "isthing": int(category.is_thing),
            "color": list(category.color),
        }
        for category in categories
    )
    return sorted(listed, key=lambda entry: entry["id"])
