"""COCO panoptic files: one JSON, and beside it a folder with one PNG of segment ids an image.

A pixel's segment id is R + 256 G + 65536 B; 0 is void and in no `segments_info`.

Source: Kirillov et al. 2019, arXiv:1801.00868; the format at cocodataset.org/#format-data.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.coco_json import (
    CocoImage,
    CocoJson,
    CocoSegment,
    category_entry,
    image_entry,
    read_json,
)
from core.durable import replace_file, sync_folder, write_durably
from core.errors import CocoError, ImageError
from core.images import read_image, read_size
from core.map_pngs import coco_png
from core.panoptic import MAX_SEGMENT_ID, VOID, Category, Ids, PanopticMap, Segment, Source

WideIds = NDArray[np.uint32]  # [H, W] segment ids of other programs, up to 24 bits


@dataclass(frozen=True, slots=True, eq=False)
class CocoItem:
    """An image and its map on the way out; `file_name` goes into the JSON as it is.

    Attributes:
        more: what else the JSON says of segments, by id.
        more_of_image: what else it says of the image.
    """

    image_id: int
    file_name: str
    map: PanopticMap
    more: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    more_of_image: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CocoEntry:
    """What the JSON says of a map, in `images` and in `annotations`."""

    image: Mapping[str, Any]
    annotation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CocoDataset:
    """A COCO panoptic JSON in memory; maps are read when they are asked for.

    Attributes:
        path: of the JSON.
        folder: of the PNGs.
        content: of the JSON.
    """

    path: Path
    folder: Path
    content: CocoJson

    @property
    def categories(self) -> tuple[Category, ...]:
        return self.content.categories

    @property
    def images(self) -> tuple[CocoImage, ...]:
        """Those that have an annotation; `load` takes an index into them."""
        return self.content.images

    def load(self, index: int) -> tuple[WideIds, tuple[CocoSegment, ...]]:
        """Read the segment ids of an image, uint32 [H, W], and the segments they name.

        Raises:
            CocoError: the PNG is missing, damaged or of another size than its image, or its
                ids and those of the JSON are not the same set.
        """
        image = self.images[index]
        ids = self._read_png(image)
        in_png = _distinct(ids) - {VOID}
        in_json = {segment.id for segment in image.segments}
        where = f"for image {image.id} ({image.png_name})"
        if unnamed := in_png - in_json:
            raise CocoError(
                f"{self.path} does not list segment {min(unnamed)}, which the PNG has, "
                f"{where}; export the files again."
            )
        if absent := in_json - in_png:
            raise CocoError(
                f"{self.path} lists segment {min(absent)}, which has no pixel in the PNG, "
                f"{where}; export the files again."
            )
        return ids, image.segments

    def load_map(self, index: int) -> PanopticMap:
        """Read an image's map as a document.

        Ids are kept if all fit in 16 bits; otherwise segments are numbered from 1 in the order
        of the JSON.

        Raises:
            CocoError: as `load`, or there are more than 65,535 segments.
        """
        ids, segments = self.load(index)
        if len(segments) > MAX_SEGMENT_ID:
            raise CocoError(
                f"Image {self.images[index].id} of {self.path} has {len(segments)} segments; "
                f"a map holds at most {MAX_SEGMENT_ID}."
            )
        is_narrow = all(segment.id <= MAX_SEGMENT_ID for segment in segments)
        new_ids = {s.id: s.id if is_narrow else i for i, s in enumerate(segments, 1)}
        imported = {
            new_ids[s.id]: Segment(
                new_ids[s.id], s.category_id, Source.IMPORT, is_crowd=s.is_crowd
            )
            for s in segments
        }
        next_id = max(imported, default=0) + 1
        narrow = ids.astype(np.uint16) if is_narrow else _renumber(ids, new_ids)
        return PanopticMap(narrow, imported, next_id)

    def _read_png(self, image: CocoImage) -> WideIds:
        path = self.folder / image.png_name
        try:
            height, width = read_size(path)  # before the pixels: a bomb is not decoded
            if (height, width) != (image.height, image.width):
                raise CocoError(
                    f"{path} is {width} x {height}, but {self.path} says {image.width} x "
                    f"{image.height} for image {image.id}; export the files again."
                )
            return rgb_to_ids(read_image(path))
        except ImageError as error:
            raise CocoError(f"The map of image {image.id} is unreadable: {error}") from error


def rgb_to_ids(rgb: NDArray[np.uint8]) -> WideIds:
    """Read [H, W, 3] colours as [H, W] uint32 ids, R + 256 G + 65536 B."""
    ids = rgb[..., 2].astype(np.uint32)
    for channel in (1, 0):
        ids <<= 8
        ids |= rgb[..., channel]
    return ids


def _distinct(ids: WideIds) -> set[int]:
    """The ids that occur; sorting one a run beats sorting one a pixel."""
    flat = ids.ravel()
    is_start = np.append([True], flat[1:] != flat[:-1])
    return set(np.unique(flat[is_start]).tolist())


def _renumber(ids: WideIds, new_ids: Mapping[int, int]) -> Ids:
    old = np.array([VOID, *sorted(new_ids)], np.uint32)
    new = np.array([VOID, *(new_ids[i] for i in sorted(new_ids))], np.uint16)
    return new[np.searchsorted(old, ids)]


def read_coco(
    json_path: Path,
    *,
    folder: Path | None = None,
    like: "CocoDataset | None" = None,
    bad: list[str] | None = None,
) -> CocoDataset:
    """Read a COCO panoptic JSON; the PNGs wait until they are asked for.

    Args:
        folder: of the PNGs. By default the one named as the JSON, without `.json` or, if there
            is none, also without its last word: `panoptic_val` or `panoptic`.
        like: the truth that these results are about. Results may hold annotations alone: the
            categories and images are the truth's, and other images are left out.
        bad: takes a sentence for each image that contradicts the rest, and is then left out;
            None refuses the file.

    Raises:
        CocoError: the file is missing, unreadable, malformed or contradicts itself.
    """
    content = read_json(json_path, like=None if like is None else like.content, bad=bad)
    return CocoDataset(json_path, folder or _find_folder(json_path), content)


def _find_folder(json_path: Path) -> Path:
    folder = json_path.with_suffix("")
    shorter = folder.with_name(folder.name.rpartition("_")[0] or folder.name)
    return shorter if shorter.is_dir() and not folder.is_dir() else folder


def write_coco(
    json_path: Path, items: Iterable[CocoItem], categories: Sequence[Category]
) -> None:
    """Write maps as COCO panoptic files; see `coco_exports`."""
    for _ in coco_exports(json_path, items, categories):
        pass


def coco_exports(
    json_path: Path,
    items: Iterable[CocoItem],
    categories: Sequence[Category],
    former: Sequence[Category] = (),
    videos: Sequence[Mapping[str, Any]] = (),
) -> Iterator[int]:
    """Write maps as COCO panoptic files, image by image.

    All files are written into a hidden folder beside their places and renamed when the last is
    complete, the JSON after the PNGs: closing the generator, or an error, leaves an earlier
    export as it was.

    Args:
        json_path: ends in `.json`; the PNGs go into the folder of the same name without it.
        items: asked for one at a time, so they need not fit in memory together.
        former: categories that the JSON lists only if a segment has them.
        videos: that the JSON lists, as it lists them.

    Yields:
        The number of images written so far.

    Raises:
        CocoError: a file cannot be written.
        ValueError: an image id comes twice, or a map has a pixel without a segment or a segment
            of a category that is not in `categories` or `former`.
    """
    if json_path.suffix != ".json":
        raise ValueError(f"{json_path} must end in .json")
    partial = json_path.with_name(f".{json_path.stem}.partial")
    entries = []
    try:
        for entry in _written_items(partial, items, (*categories, *former)):
            entries.append(entry)
            yield len(entries)
        listed = (*categories, *_used(former, entries))
        with writing(json_path):
            document = coco_document(entries, listed)
            _publish(partial, json_path, {**document, "videos": videos} if videos else document)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _written_items(
    folder: Path, items: Iterable[CocoItem], categories: Sequence[Category]
) -> Iterator[CocoEntry]:
    """Write one PNG after the other and yield what the JSON will say of it."""
    with writing(folder):
        shutil.rmtree(folder, ignore_errors=True)  # of an export that was killed
        folder.mkdir(parents=True)
    image_ids: set[int] = set()
    taken: set[str] = set()
    for item in items:
        if item.image_id in image_ids:
            raise ValueError(f"image {item.image_id} comes twice")
        image_ids.add(item.image_id)
        yield write_item(folder, item, categories, taken)


def write_item(
    folder: Path, item: CocoItem, categories: Sequence[Category], taken: set[str]
) -> CocoEntry:
    """Write the PNG of one map, as a whole or not at all.

    Args:
        taken: names of other PNGs in the folder, `casefold`ed; the new one is added.

    Raises:
        CocoError: the file cannot be written.
        ValueError: a pixel has no segment, or a segment has no category.
    """
    segments_info = describe_segments(item.map)
    for info in segments_info:
        info.update(item.more.get(info["id"], {}))
    used = {info["category_id"] for info in segments_info}
    if unknown := used - {category.id for category in categories}:
        raise ValueError(f"image {item.image_id} has the unknown category {min(unknown)}")
    png_name = _free_name(item.file_name, taken)
    with writing(folder):
        replace_file(folder / png_name, coco_png(item.map.segment_ids))
    image = CocoImage(item.image_id, item.file_name, item.map.height, item.map.width)
    return CocoEntry(
        {**image_entry(image), **item.more_of_image},
        {"image_id": image.id, "file_name": png_name, "segments_info": segments_info},
    )


def _used(categories: Sequence[Category], entries: Iterable[CocoEntry]) -> list[Category]:
    infos = (info for entry in entries for info in entry.annotation["segments_info"])
    ids = {info["category_id"] for info in infos} if categories else set()
    return [category for category in categories if category.id in ids]


def coco_document(
    entries: Iterable[CocoEntry], categories: Sequence[Category]
) -> dict[str, Any]:
    """The whole JSON."""
    entries = list(entries)
    return {
        "info": {"description": "Panoptic maps exported by Bitbrush"},
        "licenses": [],
        "images": [entry.image for entry in entries],
        "annotations": [entry.annotation for entry in entries],
        "categories": [category_entry(category) for category in categories],
    }


def describe_segments(panoptic_map: PanopticMap) -> list[dict[str, Any]]:
    """Make a map's `segments_info` from its pixels, by id; void is in none.

    Raises:
        ValueError: a pixel has an id that is no segment.
    """
    described = []
    for segment_id, area, bbox in _measure(panoptic_map.segment_ids):
        if segment_id == VOID:
            continue
        segment = panoptic_map.segments.get(segment_id)
        if segment is None:
            raise ValueError(f"pixels have the id {segment_id}, which is no segment")
        described.append(
            {
                "id": segment_id,
                "category_id": segment.category_id,
                "area": area,
                "bbox": bbox,
                "iscrowd": int(segment.is_crowd),
            }
        )
    return described


def _measure(ids: Ids) -> Iterator[tuple[int, int, list[int]]]:
    """Yield each id with its area and its box [left, top, width, height], by id."""
    width = ids.shape[1]
    is_start = np.ones(ids.shape, bool)  # of a run of equal ids in one row
    np.not_equal(ids[:, 1:], ids[:, :-1], out=is_start[:, 1:])
    starts = np.flatnonzero(is_start)
    ends = np.append(starts[1:], ids.size)
    run_ids = ids.ravel()[starts]
    order = np.argsort(run_ids, kind="stable")  # so each id's runs go from top to bottom
    starts, ends, run_ids = starts[order], ends[order], run_ids[order]
    firsts = np.flatnonzero(np.append([True], run_ids[1:] != run_ids[:-1]))
    lasts = np.append(firsts[1:], len(run_ids)) - 1
    areas = np.add.reduceat(ends - starts, firsts)
    left = np.minimum.reduceat(starts % width, firsts)
    right = np.maximum.reduceat((ends - 1) % width, firsts)
    top, bottom = starts[firsts] // width, starts[lasts] // width
    boxes = np.stack([left, top, right - left + 1, bottom - top + 1], axis=1)
    yield from zip(run_ids[firsts].tolist(), areas.tolist(), boxes.tolist(), strict=True)


def _free_name(file_name: str, taken: set[str]) -> str:
    """The image's name with .png, numbered if an image of another folder or kind has it."""
    stem = PureWindowsPath(file_name).stem or "image"  # knows both slashes
    name, number = f"{stem}.png", 2
    while name.casefold() in taken:
        name, number = f"{stem}_{number}.png", number + 1
    taken.add(name.casefold())
    return name


def _publish(partial: Path, json_path: Path, document: Mapping[str, Any]) -> None:
    folder = json_path.with_suffix("")
    folder.mkdir(exist_ok=True)
    write_durably(partial / json_path.name, json.dumps(document).encode())
    for annotation in document["annotations"]:
        png_name = annotation["file_name"]
        (partial / png_name).replace(folder / png_name)
    sync_folder(folder)
    (partial / json_path.name).replace(json_path)
    sync_folder(json_path.parent)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk refuses while a path is written into a sentence."""
    try:
        yield
    except OSError as error:
        raise CocoError(
            f"{path} cannot be written ({error.strerror}); free some space or choose another "
            "place."
        ) from error
