"""Rows of a damaged SQLite file, read page by page without SQLite.

SQLite stops at the first page that makes no sense to it, and finds nothing without the first.
Here each leaf of a table is read for itself, whatever has become of the pages above it; who
asks must be able to tell a row from garbage.

Source: sqlite.org/fileformat2.html, sections 1.3, 1.6 and 2.1.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.sqlite_log import WriteAheadLog

Value = int | float | str | bytes | None

_LEAF: Final = 0x0D  # of a table
_INTEGER_SIZES: Final = (0, 1, 2, 3, 4, 6, 8)  # bytes, by serial type
_DEFAULT_PAGE: Final = 4096
_MAX_PAYLOAD: Final = 2**30


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is stored: an `INTEGER PRIMARY KEY` is None, its value is the row id."""

    row_id: int
    values: tuple[Value, ...]


class SqlitePages:
    """The pages of a database file as its last commit left them, its write-ahead log included.

    Raises:
        OSError: a file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        wal = path.with_name(f"{path.name}-wal")
        self._wal = wal.read_bytes() if wal.exists() else b""
        self._size = _page_size(self._data)
        self._reserved = self._data[20] if len(self._data) > 20 and self._data[20] < 64 else 0
        self._newer = WriteAheadLog(self._wal).committed_pages()

    def rows(self) -> Iterator[Row]:
        """Every row that can be made out, in no order."""
        n_pages = max([len(self._data) // self._size, *self._newer])
        for number in range(1, n_pages + 1):
            page = self._page(number)
            start = 100 if number == 1 else 0
            if len(page) == self._size and page[start] == _LEAF:
                yield from self._rows_of(page, start)

    def _rows_of(self, page: bytes, start: int) -> Iterator[Row]:
        (n_cells,) = struct.unpack_from(">H", page, start + 3)
        n_cells = min(n_cells, (self._size - start - 8) // 2)
        for place in struct.unpack_from(f">{n_cells}H", page, start + 8):
            try:
                yield self._read_cell(page, place)
            except (ValueError, IndexError, struct.error):
                continue  # damaged, and so no row

    def _read_cell(self, page: bytes, place: int) -> Row:
        n_bytes, place = _varint(page, place)
        row_id, place = _varint(page, place)
        usable = self._size - self._reserved
        most = usable - 35
        if n_bytes <= most:
            return Row(row_id, _values(page[place : place + n_bytes]))
        if n_bytes > _MAX_PAYLOAD:
            raise ValueError("a row of that size was never written")
        least = (usable - 12) * 32 // 255 - 23
        local = least + (n_bytes - least) % (usable - 4)
        local = local if local <= most else least
        (following,) = struct.unpack_from(">I", page, place + local)
        rest = self._read_overflow(following, n_bytes - local, usable)
        return Row(row_id, _values(page[place : place + local] + rest))

    def _read_overflow(self, number: int, n_bytes: int, usable: int) -> bytes:
        parts = []
        while n_bytes > 0:
            page = self._page(number)
            (number,) = struct.unpack_from(">I", page, 0)
            parts.append(page[4 : min(usable, 4 + n_bytes)])
            n_bytes -= usable - 4
        return b"".join(parts)

    def _page(self, number: int) -> bytes:
        if number in self._newer:
            start = self._newer[number]
            return self._wal[start : start + self._size]
        start = (number - 1) * self._size
        return self._data[start : start + self._size] if number > 0 else b""


def _page_size(data: bytes) -> int:
    size = int.from_bytes(data[16:18]) if len(data) >= 100 else 0
    size = 65_536 if size == 1 else size
    return size if size >= 512 and not size & (size - 1) else _DEFAULT_PAGE


def _values(payload: bytes) -> tuple[Value, ...]:
    """The columns of a record."""
    end, place = _varint(payload, 0)
    types = []
    while place < end:
        kind, place = _varint(payload, place)
        types.append(kind)
    values = []
    for kind in types:
        size = _INTEGER_SIZES[kind] if kind < 7 else 8 if kind == 7 else (kind - 12) // 2
        size = 0 if kind in {8, 9} else size
        data = payload[place : place + size]
        if len(data) != size:
            raise ValueError("a row is cut short")
        values.append(_value(kind, data))
        place += size
    return tuple(values)


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind in {8, 9}:
        return kind - 8
    if kind == 7:
        return float(struct.unpack(">d", data)[0])
    if kind < 7:
        return int.from_bytes(data, signed=True)
    if kind < 12:
        raise ValueError("a row has a value of no kind")
    return data.decode() if kind % 2 else data


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where the next begins."""
    value = 0
    for n in range(8):
        byte = data[place + n]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + n + 1
    return value << 8 | data[place + 8], place + 9
