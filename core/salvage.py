"""What a damaged project file still holds: rows that are as they were written, one by one."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from core.migrations import COLUMNS
from core.schema import row_checksum
from core.sqlite_pages import Row, SqlitePages

_MISSING: Final = object()
_NUMBER: Final = (int,)
_TEXT: Final = (str,)
_KEY: Final = (type(None),)
_OPTIONAL: Final = (int, type(None))

# The columns in the order in which migrations made them, with the types of their values and
# what a row of an earlier version has instead. None alone is a key that the row id stands for.
# Of what the third version added to `image`, an older row has None, as its checksum is without.
_LAYOUTS: Final[dict[str, tuple[tuple[str, tuple[type, ...], object], ...]]] = {
    "setting": (
        ("name", _TEXT, _MISSING),
        ("value", _TEXT, _MISSING),
        ("checksum", _OPTIONAL, None),
    ),
    "category": (
        ("id", _KEY, _MISSING),
        ("place", _NUMBER, _MISSING),
        ("name", _TEXT, _MISSING),
        ("is_thing", _NUMBER, _MISSING),
        ("color", _TEXT, _MISSING),
        ("supercategory", _TEXT, _MISSING),
        ("hotkey", _TEXT, ""),
        ("checksum", _OPTIONAL, None),
    ),
    "image": (
        ("id", _KEY, _MISSING),
        ("path", _TEXT, _MISSING),
        ("frame", _OPTIONAL, _MISSING),
        ("height", _NUMBER, _MISSING),
        ("width", _NUMBER, _MISSING),
        ("position", _NUMBER, _MISSING),
        ("next_id", _NUMBER, _MISSING),
        ("review", _TEXT, "open"),
        ("fingerprint", _TEXT, ""),
        ("base", _NUMBER, 0),
        ("branch", _NUMBER, 0),
        ("checksum", _OPTIONAL, None),
        ("reason", (str, type(None)), None),
        ("changed_at", _OPTIONAL, None),
        ("verdict", (str, type(None)), None),
        ("verdict_at", _OPTIONAL, None),
        ("folder", (str, type(None)), None),
        ("origin", (str, type(None)), None),
        ("n_segments", _OPTIONAL, None),
        ("model", (str, type(None)), None),
        ("held_out", _OPTIONAL, None),
        ("expected_work", (float, int, type(None)), None),
    ),
    "edit": (
        ("image_id", _NUMBER, _MISSING),
        ("seq", _NUMBER, _MISSING),
        ("label", _TEXT, _MISSING),
        ("payload", (bytes,), _MISSING),
        ("n_pixels", _NUMBER, 0),
        ("checksum", _OPTIONAL, None),
        ("author_id", _OPTIONAL, None),
    ),
    "snapshot": (
        ("image_id", _NUMBER, _MISSING),
        ("seq", _NUMBER, _MISSING),
        ("payload", (bytes,), _MISSING),
        ("checksum", _OPTIONAL, None),
    ),
    "author": (
        ("id", _KEY, _MISSING),
        ("kind", _TEXT, _MISSING),
        ("model", _TEXT, _MISSING),
        ("seed", _OPTIONAL, _MISSING),
        ("steps", _OPTIONAL, _MISSING),
        ("checksum", _NUMBER, _MISSING),
        ("time_delta", (float, int, type(None)), None),
    ),
    "provenance": (
        ("image_id", _NUMBER, _MISSING),
        ("seq", _NUMBER, _MISSING),
        ("authors", _TEXT, _MISSING),
        ("payload", (bytes,), _MISSING),
        ("checksum", _NUMBER, _MISSING),
    ),
    "model_version": (
        ("id", _KEY, _MISSING),
        ("name", _TEXT, _MISSING),
        ("path", _TEXT, _MISSING),
        ("sha256", _TEXT, _MISSING),
        ("data_hash", _TEXT, _MISSING),
        ("n_images", _NUMBER, _MISSING),
        ("parent", _OPTIONAL, _MISSING),
        ("scores", _TEXT, _MISSING),
        ("created", _NUMBER, _MISSING),
        ("checksum", _NUMBER, _MISSING),
    ),
    "correction": (
        ("id", _KEY, _MISSING),
        ("image_id", _NUMBER, _MISSING),
        ("seq", _NUMBER, _MISSING),
        ("author_id", _NUMBER, _MISSING),
        ("n_pixels", _OPTIONAL, _MISSING),
        ("n_segments", _OPTIONAL, _MISSING),
        ("n_gestures", _NUMBER, _MISSING),
        ("active_ms", _NUMBER, _MISSING),
        ("approved_at", _OPTIONAL, _MISSING),
        ("checksum", _NUMBER, _MISSING),
    ),
}


@dataclass(slots=True)
class Salvage:
    """Rows by what names them, each with its values as in `core.schema.COLUMNS`."""

    settings: dict[str, str] = field(default_factory=dict)
    categories: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    images: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    edits: dict[int, dict[int, tuple[Any, ...]]] = field(default_factory=dict)  # image, number
    snapshots: dict[int, dict[int, bytes]] = field(default_factory=dict)
    authors: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    provenances: dict[int, dict[int, tuple[Any, ...]]] = field(default_factory=dict)
    model_versions: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    corrections: dict[int, tuple[Any, ...]] = field(default_factory=dict)

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        match table:
            case "setting":
                self.settings[row[0]] = row[1]
            case "category":
                self.categories[row[0]] = row
            case "image":
                self.images[row[0]] = row
            case "edit":
                self.edits.setdefault(row[0], {})[row[1]] = row
            case "snapshot":
                self.snapshots.setdefault(row[0], {})[row[1]] = row[2]
            case "provenance":
                self.provenances.setdefault(row[0], {})[row[1]] = row
            case "author":
                self.authors[row[0]] = row
            case "model_version":
                self.model_versions[row[0]] = row
            case "correction":
                self.corrections[row[0]] = row


def salvage(path: Path) -> Salvage:
    """Every row of a project file, damaged or not, whose checksum is right.

    Rows of the first version have none; they are taken if they have the form of one.

    Raises:
        OSError: the file cannot be read.
    """
    found = Salvage()
    for row in SqlitePages(path).rows():
        for table in _LAYOUTS:
            if (values := recognise(table, row)) is not None:
                found.add(table, values)
    return found


def can_be_salvaged(path: Path) -> bool:
    """Whether a file holds any row of a project."""
    try:
        rows = SqlitePages(path).rows()
    except OSError:
        return False
    return any(recognise(table, row) is not None for row in rows for table in _LAYOUTS)


def recognise(table: str, row: Row) -> tuple[Any, ...] | None:
    """The row's values as in `core.schema.COLUMNS`, if it is one of that table."""
    layout = _LAYOUTS[table]
    if len(row.values) not in _find_lengths(table):
        return None
    named: dict[str, Any] = {}
    for number, (column, types, default) in enumerate(layout):
        value = row.values[number] if number < len(row.values) else default
        if value is _MISSING or not isinstance(value, types):
            return None
        if float in types and isinstance(value, int):
            value = float(value)  # SQLite stores a whole one as if it were none
        named[column] = row.row_id if column == "id" else value
    values = tuple(named[column] for column in COLUMNS[table].split(", "))
    return values if named["checksum"] in {None, row_checksum(*values)} else None


@cache
def _find_lengths(table: str) -> set[int]:
    """How many values a row of each version has, as it is stored until it is written anew."""
    names = [name for name, _, _ in _LAYOUTS[table]]
    n_first = sum(default is _MISSING for _, _, default in _LAYOUTS[table])
    return {n_first, names.index("checksum") + 1, len(names)}
