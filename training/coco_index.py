"""COCO panoptic data, as entries to be read later."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from core.coco import CocoDataset, read_coco
from core.coco_json import CocoImage, CocoJson, CocoSegment
from training.files import Entry, PanopticFiles
from training.labels import Crowds, Labels, codes_of, label_map, with_numbers


def index_coco(
    json_path: Path,
    images: Path | None = None,
    *,
    has_stuff_ids: bool,
    crowds: Crowds = "void",
    past_frames: int = 0,
) -> PanopticFiles:
    """The images of a COCO panoptic JSON; those that contradict it are left out and named.

    Args:
        images: folder of the pictures; None is `images` beside the JSON.
        past_frames: for clips, whose frames are named `<sequence>_<number>`.

    Raises:
        CocoError: the JSON cannot be read at all.
    """
    bad: list[str] = []
    dataset = read_coco(json_path, bad=bad)
    folder = images or json_path.parent / "images"
    codes = codes_of(dataset.categories)
    numbered = with_numbers(dataset.categories, has_stuff_ids=has_stuff_ids)
    entries = []
    for image in dataset.images:
        packed = replace(image, segments=()), _pack(image.segments)
        read = partial(_read_labels, dataset.folder, json_path, packed, codes, numbered, crowds)
        clip, _, number = Path(image.file_name).stem.rpartition("_")
        is_frame = past_frames > 0 and number.isdecimal()
        place = (clip, int(number)) if is_frame else ("", 0)
        entries.append(Entry(folder / image.file_name, read, *place))
    return PanopticFiles(dataset.categories, entries, past_frames=past_frames, bad=bad)


def _pack(segments: Sequence[CocoSegment]) -> bytes:
    """Segments in 12 bytes each: COCO has 1.3 million, which every worker process gets."""
    rows = [(s.id, s.category_id, s.is_crowd) for s in segments]
    return np.array(rows, np.int32).tobytes()


def _unpack(packed: bytes) -> tuple[CocoSegment, ...]:
    rows = np.frombuffer(packed, np.int32).reshape(-1, 3).tolist()
    return tuple(CocoSegment(i, category_id, bool(crowd)) for i, category_id, crowd in rows)


def _read_labels(
    folder: Path,
    json_path: Path,
    packed: tuple[CocoImage, bytes],
    codes: dict[int, int],
    numbered: frozenset[int],
    crowds: Crowds,
) -> Labels:
    image = replace(packed[0], segments=_unpack(packed[1]))
    alone = CocoDataset(json_path, folder, CocoJson((), (image,)))
    return label_map(alone.load_map(0), codes, numbered, crowds)
