"""Small pictures kept on the disk, so that they are made once; of bounded size.

They are not in the project file: they can be made again at any time, and there they would make
every backup larger and wait for every commit of an edit. One cache serves all projects.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final, Self, TypeVar

MAX_SIZE: Final = 256_000_000  # bytes of pictures, some 50,000 of them
_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS thumbnail (
    key TEXT PRIMARY KEY,
    used INTEGER NOT NULL,  -- the order in which they were asked for last
    size INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS thumbnail_used ON thumbnail (used, size);
"""
_NEXT: Final = "(SELECT coalesce(max(used), 0) + 1 FROM thumbnail)"

_NO_DAMAGE: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}

_Result = TypeVar("_Result")


class ThumbnailCache:
    """Pictures as bytes, by key; several threads and processes may use it at once.

    Whatever goes wrong, a picture is simply not there: a cache that cannot be used is empty,
    and a damaged one is begun anew.
    """

    def __init__(self, path: Path, max_size: int = MAX_SIZE) -> None:
        """Open or make a cache.

        Args:
            path: of its file; its folder is made.
            max_size: bytes of pictures; those not asked for the longest go first.
        """
        self._path = path
        self._max_size = max_size
        self._lock = Lock()
        self._connection = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """From now on the cache is empty."""
        with self._lock:
            self._close()

    def get(self, key: str) -> bytes | None:
        """The picture of a key, if it is there."""
        statement = f"UPDATE thumbnail SET used = {_NEXT} WHERE key = ? RETURNING data"  # noqa: S608
        rows = self._try(lambda connection: connection.execute(statement, (key,)).fetchall())
        return rows[0][0] if rows else None

    def put(self, key: str, data: bytes) -> None:
        """Keep a picture.

        Args:
            key: says all that it depends on. `core.sources.fingerprint` of the file and the
                size of the picture make a good one: a file that changes gets a new picture,
                and one that was moved keeps its own.
            data: of the picture, in whatever format.
        """
        if len(data) <= self._max_size:
            self._try(lambda connection: self._put(connection, key, data))

    def _put(self, connection: sqlite3.Connection, key: str, data: bytes) -> None:
        statement = f"INSERT OR REPLACE INTO thumbnail VALUES (?, {_NEXT}, ?, ?)"  # noqa: S608
        connection.execute(statement, (key, len(data), data))
        ((size,),) = connection.execute("SELECT sum(size) FROM thumbnail")
        if size <= self._max_size:
            return
        goal = self._max_size * 9 // 10  # so that it is not for each picture
        for used, each in connection.execute("SELECT used, size FROM thumbnail ORDER BY used"):
            if size <= goal:
                break
            size -= each
            last = used
        connection.execute("DELETE FROM thumbnail WHERE used <= ?", (last,))

    def _try(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result | None:
        with self._lock:
            if self._connection is None:
                return None
            try:
                with self._connection:
                    return work(self._connection)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                if _is_damage(error):
                    self._close()
                    self._remove()
                    self._connection = self._open()
                return None

    def _open(self) -> sqlite3.Connection | None:
        for _ in range(2):
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                connection = sqlite3.connect(self._path, check_same_thread=False)
            except (OSError, sqlite3.Error):
                return None
            try:
                connection.executescript(_SCHEMA)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                connection.close()
                if not _is_damage(error):
                    return None
                self._remove()
            else:
                return connection
        return None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _remove(self) -> None:
        for end in ("", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(self._path.name + end).unlink(missing_ok=True)


def _is_damage(error: Exception) -> bool:
    """Whether an error is about what the file holds; SQLite quotes it, be it text or not."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NO_DAMAGE
