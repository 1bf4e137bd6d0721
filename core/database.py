"""An open project file: what is read is checked, what is written is on the disk."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from core.errors import DamagedProjectError
from core.migrations import COLUMNS
from core.schema import project_errors, row_checksum, transaction

_SELECT: Final = {table: f"SELECT {columns}, checksum" for table, columns in COLUMNS.items()}
_SUBJECTS: Final = {
    "setting": "The setting '{0}'",
    "category": "Category {0}",
    "image": "The entry of image {0}",
    "edit": "Edit {1} of image {0}",
    "snapshot": "The map after edit {1} of image {0}",
    "author": "Author {0}",
    "provenance": "The provenance after edit {1} of image {0}",
    "model_version": "Model version {0}",
    "correction": "What correcting image {1} took",
}
_INSERT: Final = {
    table: f"({columns}, checksum) VALUES ({'?, ' * columns.count(',')}?, ?)"
    for table, columns in COLUMNS.items()
}


class ProjectDatabase:
    """What the parts of `AnnotationStore` share.

    Attributes:
        path: of the project file, absolute.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def _execute(self, statement: str, *values: object) -> list[Any]:
        with project_errors(self.path):
            return self._connection.execute(statement, values).fetchall()

    def _read(self, table: str, where: str, *values: object) -> list[Any]:
        """Whole rows, as `COLUMNS` has them.

        Raises:
            DamagedProjectError: a row is not as it was written.
        """
        rows = []
        for *row, checksum in self._execute(f"{_SELECT[table]} FROM {table} {where}", *values):
            if checksum is not None and checksum != row_checksum(*row):
                raise self._damage(_SUBJECTS[table].format(*row), "its checksum is wrong")
            rows.append(row)
        return rows

    def _insert(self, table: str, *row: Any) -> None:
        """Write a whole row, its values as in `COLUMNS`."""
        self._execute(f"INSERT INTO {table} {_INSERT[table]}", *row, row_checksum(*row))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with project_errors(self.path), transaction(self._connection):
            yield

    def _damage(self, subject: str, reason: object) -> DamagedProjectError:
        return DamagedProjectError(
            f"{subject} in the project {self.path} is damaged ({reason}); the file was left as "
            "it is. Recover what can be read, or put a backup in its place."
        )

    def _setting(self, name: str) -> str | None:
        rows = self._read("setting", "WHERE name = ?", name)
        return rows[0][1] if rows else None

    def _set_setting(self, name: str, value: str) -> None:
        with self._writing():
            self._put_setting(name, value)

    def _put_setting(self, name: str, value: str) -> None:
        """Write a setting; inside a transaction."""
        statement = "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)"
        self._execute(statement, name, value)
