"""Reads TensorFlow 2 object checkpoints ("tensor bundles") without TensorFlow.

A bundle is an index, `ckpt-7.index`, and shards, `ckpt-7.data-00000-of-00001`. The index is a
LevelDB table from key to where the tensor lies; a shard holds the raw little-endian values.
Every block of the index and every tensor carries a CRC-32C, and all that is read is verified,
so a damaged file is always noticed; nothing in a file decides how much memory is taken.

Source: TensorFlow's tensor_bundle.proto and tensor_bundle.h; LevelDB's table_format.md.
"""

import math
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import BundleError
from core.model.crc32c import masked_crc32c

MAX_INDEX_BYTES: Final = 16 * 2**20  # a model of 94 million weights needs 0.3 MB
MAX_KEY_BYTES: Final = 4096
FOOTER_BYTES: Final = 48
TABLE_MAGIC: Final = 0xDB4775248B80FB57
TRAILER_BYTES: Final = 5  # after each block: one byte for the compression, four for the CRC

STRING: Final = 7
BFLOAT16: Final = 14
DTYPES: Final[Mapping[int, str]] = {
    1: "<f4",
    2: "<f8",
    3: "<i4",
    9: "<i8",
    BFLOAT16: "<u2",
    19: "<f2",
}

Proto = Mapping[int, list[int | bytes]]  # values by field number, in the order of the file


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """Where a tensor lies and what it is; `dtype` is TensorFlow's number for it."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int
    is_sliced: bool


class TensorBundle:
    """An opened checkpoint: its tensors are listed, and read one by one on demand.

    Attributes:
        prefix: path of the files without `.index` and `.data-...`.
        entries: the tensors by key, strings (which hold no weights) left out.
    """

    def __init__(self, path: Path) -> None:
        """Read the index.

        Args:
            path: the prefix, one of the files, or the folder they are in.

        Raises:
            BundleError: there is no such checkpoint, or its index is damaged.
        """
        try:
            self.prefix = _find_prefix(path)
            index = self.prefix.with_name(self.prefix.name + ".index")
            self.n_shards, self.entries = _read_index(index)
        except OSError as error:
            raise BundleError(
                f"The checkpoint {path} cannot be read ({error.strerror}); check the path and "
                "its permissions."
            ) from error

    def read(self, key: str) -> NDArray[Any]:
        """The values of a tensor; bfloat16 comes as float32.

        Raises:
            KeyError: no such tensor.
            BundleError: its shard is missing, cut short or damaged.
        """
        entry = self.entries[key]
        if entry.dtype not in DTYPES or entry.is_sliced:
            kind = "is split over slices" if entry.is_sliced else f"has dtype {entry.dtype}"
            raise BundleError(
                f"The tensor '{key}' in {self.prefix} {kind}, which is not supported; "
                "save the checkpoint again with plain float variables."
            )
        dtype = np.dtype(DTYPES[entry.dtype])
        if math.prod(entry.shape) * dtype.itemsize != entry.size:
            raise _damaged(self.prefix, f"'{key}' has {entry.size} bytes for {entry.shape}")
        values = np.frombuffer(self._read_bytes(key, entry), dtype)
        if entry.dtype == BFLOAT16:
            values = (values.astype(np.uint32) << 16).view(np.float32)
        return values.reshape(entry.shape).astype(values.dtype.newbyteorder("="))

    def _read_bytes(self, key: str, entry: TensorEntry) -> bytes:
        shard = f"{self.prefix.name}.data-{entry.shard:05d}-of-{self.n_shards:05d}"
        path = self.prefix.with_name(shard)
        try:
            with path.open("rb") as file:
                if entry.offset + entry.size > path.stat().st_size:
                    raise BundleError(
                        f"{path} was cut short before the tensor '{key}'; copy it again."
                    )
                file.seek(entry.offset)
                data = file.read(entry.size)
        except OSError as error:
            raise BundleError(
                f"The shard {path} cannot be read ({error.strerror}); copy all files of the "
                "checkpoint into one folder."
            ) from error
        if masked_crc32c(data) != entry.crc:
            raise _damaged(path, f"the checksum of '{key}' is wrong")
        return data


def _find_prefix(path: Path) -> Path:
    if path.is_dir():
        return _newest_in(path)
    if path.name == "checkpoint" and path.is_file():
        return _newest_in(path.parent)
    name = re.sub(r"\.(index|data-\d+-of-\d+)$", "", path.name)
    prefix = path.with_name(name) if name else path
    if not prefix.with_name(prefix.name + ".index").is_file():
        raise BundleError(
            f"There is no TensorFlow checkpoint {path}: {prefix.name}.index is missing; give "
            "the path of the .index file."
        )
    return prefix


def _newest_in(folder: Path) -> Path:
    """The checkpoint that the text file `checkpoint` names, else the only one in the folder."""
    try:
        text = (folder / "checkpoint").read_text("utf-8", "replace")[:100_000]
    except OSError:
        text = ""
    named = re.search(r'^model_checkpoint_path:\s*"([^"\n]+)"', text, re.MULTILINE)
    found = sorted(folder.glob("*.index"))
    if named:
        # Folders move: only the last part of a recorded absolute path still means something.
        newest = re.split(r"[/\\]", named[1])[-1]
        found = [path for path in found if path.name == f"{newest}.index"]
    if len(found) != 1:
        raise BundleError(
            f"The folder {folder} has {len(found)} .index files that could be meant; give the "
            "path of one."
        )
    return found[0].with_suffix("")


def _read_index(path: Path) -> tuple[int, dict[str, TensorEntry]]:
    """The number of shards and all tensors but strings."""
    try:
        table = _read_table(_read_small_file(path))
        n_shards = _parse_header(table.pop(b"", b""))
        entries = {key.decode(): _parse_entry(value) for key, value in table.items()}
    except _CompressedError as error:
        raise BundleError(
            f"{path} is compressed with snappy; save it again with tf.train.Checkpoint, which "
            "writes it uncompressed."
        ) from error
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    return n_shards, {key: entry for key, entry in entries.items() if entry.dtype != STRING}


def _read_small_file(path: Path) -> bytes:
    size = path.stat().st_size
    if size > MAX_INDEX_BYTES:
        raise ValueError(f"{size} bytes are more than any index has")
    return path.read_bytes()


def _damaged(path: Path, what: str) -> BundleError:
    return BundleError(f"{path} is damaged or no TensorFlow checkpoint: {what}; copy it again.")


class _CompressedError(ValueError):
    """A block of the table is compressed."""


def _read_table(data: bytes) -> dict[bytes, bytes]:
    """All keys and values of a LevelDB table."""
    if len(data) < FOOTER_BYTES:
        raise ValueError(f"{len(data)} bytes are no index")
    footer = data[-FOOTER_BYTES:]
    if struct.unpack_from("<Q", footer, 40)[0] != TABLE_MAGIC:
        raise ValueError("the end of the index is missing")
    _, _, position = _read_handle(footer, 0)  # of the block of filters, which has no keys
    offset, size, _ = _read_handle(footer, position)
    table: dict[bytes, bytes] = {}
    end, key_bytes = 0, 0
    for _, handle in _read_entries(_read_block(data, offset, size)):
        offset, size, _ = _read_handle(handle, 0)
        if offset < end:
            raise ValueError(f"the block at byte {offset} begins inside another one")
        end = offset + size
        for key, value in _read_entries(_read_block(data, offset, size)):
            key_bytes += len(key)
            if key_bytes > MAX_INDEX_BYTES:
                raise ValueError(f"its keys take more than {MAX_INDEX_BYTES} bytes")
            table[key] = value
    return table


def _read_handle(data: bytes, position: int) -> tuple[int, int, int]:
    """Offset and size of a block, and where the handle ends."""
    offset, position = _read_varint(data, position)
    size, position = _read_varint(data, position)
    return offset, size, position


def _read_block(data: bytes, offset: int, size: int) -> bytes:
    """The contents of a block, verified."""
    end = offset + size
    if end + TRAILER_BYTES > len(data):
        raise ValueError(f"a block ends at byte {end} of {len(data)}")
    compression, crc = struct.unpack_from("<BI", data, end)
    if masked_crc32c(data[offset : end + 1]) != crc:
        raise ValueError(f"the checksum of the block at byte {offset} is wrong")
    if compression == 1:
        raise _CompressedError("snappy")
    if compression:
        raise ValueError(f"compression {compression} is unknown")
    return data[offset:end]


def _read_entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block; each key is given as its difference to the one before."""
    n_restarts = struct.unpack_from("<I", block, len(block) - 4)[0] if len(block) >= 4 else 0
    end = len(block) - 4 - 4 * n_restarts
    if end < 0 or n_restarts == 0:
        raise ValueError("a block has no end")
    key, position = b"", 0
    while position < end:
        shared, position = _read_varint(block, position)
        unshared, position = _read_varint(block, position)
        value_size, position = _read_varint(block, position)
        middle = position + unshared
        if shared > len(key) or shared + unshared > MAX_KEY_BYTES or middle + value_size > end:
            raise ValueError("an entry is longer than its block")
        key = key[:shared] + block[position:middle]
        position = middle + value_size
        yield key, block[middle:position]


def _parse_header(data: bytes) -> int:
    """The number of shards."""
    header = _parse_proto(data)
    n_shards, byte_order = _number(header, 1), _number(header, 2)
    if n_shards < 1 or byte_order != 0:
        raise ValueError(f"its header says {n_shards} shards and byte order {byte_order}")
    return n_shards


def _parse_entry(data: bytes) -> TensorEntry:
    proto = _parse_proto(data)
    dimensions = _parse_proto(_bytes(proto, 2)).get(2, [])
    shape = tuple(_size(dimension) for dimension in dimensions)
    if math.prod(max(size, 1) for size in shape) >= 2**62:
        raise ValueError(f"a tensor of shape {shape}")
    return TensorEntry(
        dtype=_number(proto, 1),
        shape=shape,
        shard=_number(proto, 3),
        offset=_number(proto, 4),
        size=_number(proto, 5),
        crc=_number(proto, 6),
        is_sliced=7 in proto,
    )


def _size(dimension: int | bytes) -> int:
    if isinstance(dimension, int):
        raise ValueError("a dimension is no message")  # noqa: TRY004 - damage, not a bug
    return _number(_parse_proto(dimension), 1)


def _number(proto: Proto, field: int) -> int:
    """The last value of a field, 0 where it is left out."""
    value = proto.get(field, [0])[-1]
    if isinstance(value, bytes):
        raise ValueError(f"field {field} is no number")  # noqa: TRY004 - damage, not a bug
    return value


def _bytes(proto: Proto, field: int) -> bytes:
    value = proto.get(field, [b""])[-1]
    if isinstance(value, int):
        raise ValueError(f"field {field} is a number")  # noqa: TRY004 - damage, not a bug
    return value


def _parse_proto(data: bytes) -> Proto:
    """Split a protocol buffer message into its fields."""
    fields: dict[int, list[int | bytes]] = {}
    position = 0
    while position < len(data):
        tag, position = _read_varint(data, position)
        value: int | bytes
        match tag & 7:
            case 0:
                value, position = _read_varint(data, position)
            case 1 | 2 | 5 as kind:
                size = {1: 8, 5: 4}.get(kind, 0)
                if kind == 2:
                    size, position = _read_varint(data, position)
                if position + size > len(data):
                    raise ValueError("a field is longer than its message")
                value = data[position : position + size]
                if kind != 2:
                    value = int.from_bytes(value, "little")
                position += size
            case kind:
                raise ValueError(f"a field has wire type {kind}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of at most 64 bits, seven to a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("a number is cut short")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
    raise ValueError("a number has more than ten bytes")
