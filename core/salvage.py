"""What a damaged project file still holds: rows that are as they were written, one by one."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.schema import COLUMNS, row_checksum
from core.sqlite_pages import Row, SqlitePages

_MISSING: Final = object()
_OPTIONAL: Final = (int, type(None))

# The columns in the order in which migrations made them, with the types of their values and
# what a row of the first version has instead. None alone is a key that the row id stands for.
_LAYOUTS: Final[dict[str, tuple[tuple[str, tuple[type, ...], object], ...]]] = {
    "setting": (
        ("name", (str,), _MISSING),
        ("value", (str,), _MISSING),
        ("checksum", _OPTIONAL, None),
    ),
    "category": (
        ("id", (type(None),), _MISSING),
        ("place", (int,), _MISSING),
        ("name", (str,), _MISSING),
        ("is_thing", (int,), _MISSING),
        ("color", (str,), _MISSING),
        ("supercategory", (str,), _MISSING),
        ("hotkey", (str,), ""),
        ("checksum", _OPTIONAL, None),
    ),
    "image": (
        ("id", (type(None),), _MISSING),
        ("path", (str,), _MISSING),
        ("frame", _OPTIONAL, _MISSING),
        ("height", (int,), _MISSING),
        ("width", (int,), _MISSING),
        ("position", (int,), _MISSING),
        ("next_id", (int,), _MISSING),
        ("review", (str,), "open"),
        ("fingerprint", (str,), ""),
        ("base", (int,), 0),
        ("branch", (int,), 0),
        ("checksum", _OPTIONAL, None),
    ),
    "edit": (
        ("image_id", (int,), _MISSING),
        ("seq", (int,), _MISSING),
        ("label", (str,), _MISSING),
        ("payload", (bytes,), _MISSING),
        ("n_pixels", (int,), 0),
        ("checksum", _OPTIONAL, None),
    ),
    "snapshot": (
        ("image_id", (int,), _MISSING),
        ("seq", (int,), _MISSING),
        ("payload", (bytes,), _MISSING),
        ("checksum", _OPTIONAL, None),
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
    if len(row.values) > len(layout):
        return None
    named: dict[str, Any] = {}
    for number, (column, types, default) in enumerate(layout):
        value = row.values[number] if number < len(row.values) else default
        if value is _MISSING or not isinstance(value, types):
            return None
        named[column] = row.row_id if column == "id" else value
    values = tuple(named[column] for column in COLUMNS[table].split(", "))
    return values if named["checksum"] in {None, row_checksum(*values)} else None
