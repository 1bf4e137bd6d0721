"""Lists of categories: read from any COCO JSON, written for sharing, and shipped as templates.

Of a large file only the list is read: the categories of a data set are a few kilobytes, its
annotations can be half a gigabyte.
"""

import json
import mmap
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from core.bundled import ASSETS
from core.coco_json import category_entry, read_category, read_table
from core.durable import replace_file
from core.errors import CocoError
from core.panoptic import Category

MAX_WHOLE: Final = 16 * 2**20  # bytes that are parsed in a fraction of a second
MAX_LIST: Final = 16 * 2**20  # bytes of a list of categories, a thousand times COCO's
_KEY: Final = re.compile(rb'"categories"\s*:\s*(?=\[)')
_NO_LIST: Final = (
    "{path} has no list 'categories'; choose a COCO JSON (panoptic, instances or detection) or "
    "a list of categories."
)


def read_categories(path: Path) -> tuple[Category, ...]:
    """Read the categories of a COCO JSON, panoptic or not, or of a JSON that is only the list.

    A category without `isthing` is a thing, as all of COCO's detection are. One with an id
    below 1, which a project cannot have, gets the next free one.

    Raises:
        CocoError: the file is missing, unreadable or malformed, or has no categories.
    """
    try:
        entries = _find_entries(path)
    except OSError as error:
        raise CocoError(
            f"{path} cannot be read ({error.strerror}); choose a COCO JSON."
        ) from error
    except (ValueError, RecursionError) as error:
        raise CocoError(f"{path} is not valid JSON ({error}); copy it again.") from error
    table = read_table(str(path), {"categories": entries}, "categories", _read_entry)
    if not table:
        raise CocoError(f"{path} has an empty list 'categories'; choose another file.")
    return _with_ids_from_1(tuple(table.values()))


def write_categories(path: Path, categories: Sequence[Category]) -> None:
    """Write a list of categories that `read_categories` and other programs read.

    Raises:
        CocoError: the file cannot be written.
    """
    lines = ",\n".join(f"  {json.dumps(_write_entry(category))}" for category in categories)
    try:
        replace_file(path, f'{{\n "categories": [\n{lines}\n ]\n}}\n'.encode())
    except OSError as error:
        raise CocoError(
            f"{path} cannot be written ({error.strerror}); choose another place."
        ) from error


def category_templates() -> dict[str, Path]:
    """The lists that ship with the program: what each is called, and its file."""
    paths = sorted((ASSETS / "categories").glob("*.json"))
    return {json.loads(path.read_bytes())["info"]["description"]: path for path in paths}


def _write_entry(category: Category) -> dict[str, Any]:
    key = {"hotkey": category.hotkey} if category.hotkey else {}
    return {**category_entry(category), **key}


def _read_entry(entry: Any) -> Category:
    return replace(
        read_category(entry, needs_kind=False), hotkey=str(entry.get("hotkey") or "")
    )


def _find_entries(path: Path) -> Any:
    """The list of categories as JSON has it; the rest of a large file is not parsed."""
    if path.stat().st_size <= MAX_WHOLE:
        document = json.loads(path.read_bytes())
        if isinstance(document, dict):
            document = document.get("categories")
    else:
        document = _scan(path)
    if not isinstance(document, list):
        raise CocoError(_NO_LIST.format(path=path))
    return document


def _scan(path: Path) -> Any:
    """The first value of the key "categories" that is a list of named objects.

    Inside a text the quotes would be escaped, so what looks like the key is the key; it may be
    one of something deeper, whose entries would be other things.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for match in _KEY.finditer(data):
            found = _parse(data, match.end())
            if found and all(isinstance(entry, dict) and "name" in entry for entry in found):
                return found
    return None


def _parse(data: mmap.mmap, start: int) -> Any:
    """The value that begins there, which is mostly short and at most `MAX_LIST` long."""
    for length in (MAX_LIST >> 12, MAX_LIST >> 6):
        with suppress(ValueError):
            return _decode(data[start : start + length])
    return _decode(data[start : start + MAX_LIST])


def _decode(content: bytes) -> Any:
    value, _ = json.JSONDecoder().raw_decode(content.decode(errors="ignore"))
    return value


def _with_ids_from_1(categories: tuple[Category, ...]) -> tuple[Category, ...]:
    next_id = max(max(category.id for category in categories) + 1, 1)
    checked = []
    for category in categories:
        if category.id < 1:
            category, next_id = replace(category, id=next_id), next_id + 1  # noqa: PLW2901
        checked.append(category)
    return tuple(checked)
