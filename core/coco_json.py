"""The JSON of COCO panoptic files, checked entry by entry before anything relies on it.

Source: Kirillov et al. 2019, arXiv:1801.00868; the format at cocodataset.org/#format-data.
"""

import json
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from core.errors import CocoError
from core.palette import default_color
from core.panoptic import Category

MAX_WIDE_ID: Final = 2**24 - 1  # R + 256 G + 65536 B


@dataclass(frozen=True, slots=True)
class CocoSegment:
    """An entry of `segments_info`, less what the pixels say themselves."""

    id: int
    category_id: int
    is_crowd: bool = False


@dataclass(frozen=True, slots=True)
class CocoImage:
    """An annotated image: its entry in `images` and the one in `annotations`."""

    id: int
    file_name: str
    height: int
    width: int
    png_name: str = ""
    segments: tuple[CocoSegment, ...] = ()


@dataclass(frozen=True, slots=True)
class CocoJson:
    """What a COCO panoptic JSON says; `images` are those with an annotation, in its order."""

    categories: tuple[Category, ...]
    images: tuple[CocoImage, ...]


@dataclass(frozen=True, slots=True)
class _Annotation:
    id: int  # of the image
    png_name: str
    segments: tuple[CocoSegment, ...]


_Entry = TypeVar("_Entry", Category, CocoImage, CocoSegment, _Annotation)


def read_json(
    path: Path, *, like: CocoJson | None = None, bad: list[str] | None = None
) -> CocoJson:
    """Read a COCO panoptic JSON.

    Args:
        like: the truth that these results are about. Results may hold annotations alone: the
            categories and images are the truth's, and other images are left out. Results that
            list their images are matched by file name where the names agree, else by id.
        bad: takes a sentence for each image whose annotation is malformed, or contradicts the
            lists of images and categories, and is then left out; None refuses the file.

    Raises:
        CocoError: the file is missing, unreadable, malformed or contradicts itself.
    """
    document = _load(path)
    annotations = read_table(
        str(path), document, "annotations", partial(_annotation, path), bad=bad
    )
    if like is None:
        categories = read_table(str(path), document, "categories", read_category)
        images = read_table(str(path), document, "images", _image)
    else:
        categories = {category.id: category for category in like.categories}
        images = {image.id: image for image in like.images}
        _check_names(path, document, categories)
        true_id = _match_images(path, document, like)
        annotations = {
            true_id[i]: replace(annotation, id=true_id[i])
            for i, annotation in annotations.items()
            if i in true_id
        }
    joined = []
    for annotation in annotations.values():
        try:
            joined.append(_join(path, annotation, images, categories))
        except CocoError as error:
            _note(bad, error)
    return CocoJson(tuple(categories.values()), tuple(joined))


def _match_images(path: Path, document: Mapping[str, Any], like: CocoJson) -> dict[int, int]:
    """The truth's id of each image id in results, for the images that both have."""
    by_id = {image.id: image.id for image in like.images}
    if not document.get("images"):
        return by_id
    by_name = {image.file_name: image.id for image in like.images}
    own = read_table(str(path), document, "images", _image)
    names = [image.file_name for image in own.values()]
    is_unclear = len(by_name) < len(like.images) or len(set(names)) < len(names)
    if is_unclear or by_name.keys().isdisjoint(names):
        return by_id
    return {i: by_name[own[i].file_name] for i in own if own[i].file_name in by_name}


def image_entry(image: CocoImage) -> dict[str, Any]:
    """The image as `images` has it."""
    return {
        "id": image.id,
        "file_name": image.file_name,
        "height": image.height,
        "width": image.width,
    }


def category_entry(category: Category) -> dict[str, Any]:
    """The category as `categories` has it."""
    return {
        "id": category.id,
        "name": category.name,
        "supercategory": category.supercategory,
        "isthing": int(category.is_thing),
        "color": list(category.color),
    }


def _load(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise CocoError(
            f"{path} cannot be read ({error.strerror}); choose a COCO panoptic JSON."
        ) from error
    except (ValueError, RecursionError) as error:
        raise CocoError(f"{path} is not valid JSON ({error}); copy it again.") from error
    if not isinstance(document, dict):
        raise CocoError(f"{path} holds no JSON object; choose a COCO panoptic JSON.")
    return document


def read_table(
    where: str,
    holder: Mapping[str, Any],
    name: str,
    make: Callable[[Any], _Entry],
    *,
    bad: list[str] | None = None,
) -> dict[int, _Entry]:
    """Make something of each entry of a list, by id and in the list's order.

    Args:
        bad: takes a sentence for each entry that cannot be used, and is then left out; None
            refuses the list.
    """
    entries = holder.get(name)
    if not isinstance(entries, list):
        raise CocoError(f"{where} has no list '{name}'; choose a COCO panoptic JSON.")
    table: dict[int, _Entry] = {}
    for number, entry in enumerate(entries, 1):
        try:
            made = _make_one(f"{where}: entry {number} of '{name}'", entry, make)
        except CocoError as error:
            _note(bad, error)
            continue
        if made.id in table:
            twice = f"{where} has two entries with the id {made.id} in '{name}'."
            _note(bad, CocoError(twice))
            continue
        table[made.id] = made
    return table


def _make_one(where: str, entry: Any, make: Callable[[Any], _Entry]) -> _Entry:
    try:
        return make(entry)
    except KeyError as error:
        raise CocoError(f"{where} has no {error}.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise CocoError(f"{where} has a field of the wrong type ({error}).") from error


def _note(bad: list[str] | None, error: CocoError) -> None:
    """Take an error down where somebody takes them, and raise it where nobody does."""
    if bad is None:
        raise error
    bad.append(str(error))


def read_category(entry: Any, *, needs_kind: bool = True) -> Category:
    """Make a category of an entry of `categories`.

    Args:
        needs_kind: whether `isthing` must be there; otherwise its absence means a thing.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the entry is no category.
    """
    category_id = operator.index(entry["id"])
    is_thing = entry["isthing"] if needs_kind else entry.get("isthing", 1)
    color = entry.get("color") or default_color(category_id)
    red, green, blue = (operator.index(value) & 255 for value in color)
    return Category(
        id=category_id,
        name=_text(entry["name"]),
        is_thing=bool(operator.index(is_thing)),
        color=(red, green, blue),
        supercategory=_text(entry.get("supercategory") or ""),
    )


def _image(entry: Any) -> CocoImage:
    return CocoImage(
        id=operator.index(entry["id"]),
        file_name=_text(entry["file_name"]),
        height=operator.index(entry["height"]),
        width=operator.index(entry["width"]),
    )


def _annotation(path: Path, entry: Any) -> _Annotation:
    image_id = operator.index(entry["image_id"])
    segments = read_table(f"{path}, image {image_id}", entry, "segments_info", _segment)
    return _Annotation(image_id, _text(entry["file_name"]), tuple(segments.values()))


def _segment(entry: Any) -> CocoSegment:
    segment_id = operator.index(entry["id"])
    if not 1 <= segment_id <= MAX_WIDE_ID:
        raise ValueError(f"id {segment_id} is not from 1 to {MAX_WIDE_ID}")
    is_crowd = bool(operator.index(entry.get("iscrowd", 0)))
    return CocoSegment(segment_id, operator.index(entry["category_id"]), is_crowd)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _join(
    path: Path,
    annotation: _Annotation,
    images: Mapping[int, CocoImage],
    categories: Mapping[int, Category],
) -> CocoImage:
    if annotation.id not in images:
        raise CocoError(f"{path} annotates image {annotation.id}, which it does not list.")
    for segment in annotation.segments:
        if segment.category_id not in categories:
            raise CocoError(
                f"{path}: segment {segment.id} of image {annotation.id} has the unknown "
                f"category {segment.category_id}; add it to 'categories'."
            )
    image = images[annotation.id]
    return replace(image, png_name=annotation.png_name, segments=annotation.segments)


def _check_names(
    path: Path, document: Mapping[str, Any], categories: Mapping[int, Category]
) -> None:
    """Refuse results whose category ids mean something else than the truth's."""
    entries = document.get("categories")
    for entry in entries if isinstance(entries, list) else []:
        match entry:
            case {"id": int(category_id), "name": str(name)} if category_id in categories:
                expected = categories[category_id].name
                if name.strip().casefold() != expected.strip().casefold():
                    raise CocoError(
                        f"{path} calls category {category_id} '{name}', the truth calls it "
                        f"'{expected}'; give both files the same categories."
                    )
