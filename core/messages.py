"""Messages between the window and its child processes: one JSON line's worth and its arrays.

A message is framed as: 4 bytes big-endian length of the header, the header as UTF-8 JSON, then
the bytes of each array in the header's order, deflated. Nothing is ever pickled, so a damaged
or hostile stream can at worst be refused.
"""

import json
import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MAX_HEADER_BYTES: Final = 16 * 2**20
ALLOWED_DTYPES: Final = frozenset({"uint8", "uint16", "int32", "int64", "float32", "bool"})
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A kind, JSON fields, and named arrays."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def encode_message(message: Message) -> bytes:
    """Frame a message for a pipe.

    Raises:
        ValueError: an array has a dtype that the other side would refuse.
    """
    described, bodies = [], []
    for name, array in message.arrays.items():
        if array.dtype.name not in ALLOWED_DTYPES:
            raise ValueError(f"array '{name}' is {array.dtype}; send one of {ALLOWED_DTYPES}")
        body = zlib.compress(np.ascontiguousarray(array).tobytes(), 1)
        bodies.append(body)
        described.append([name, array.dtype.name, list(array.shape), len(body)])
    header = json.dumps(
        {"kind": message.kind, "fields": dict(message.fields), "arrays": described}
    ).encode()
    return b"".join([_LENGTH.pack(len(header)), header, *bodies])


class MessageReader:
    """Puts messages together from the pieces in which a pipe delivers them."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Add bytes and yield every message that is now complete.

        Raises:
            ValueError: the bytes are no message; the stream cannot be read any further.
        """
        self._buffer += data
        while (message := self._take()) is not None:
            yield message

    def _take(self) -> Message | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (header_size,) = _LENGTH.unpack_from(self._buffer)
        if header_size > MAX_HEADER_BYTES:
            raise ValueError(f"a message header of {header_size} bytes: the stream is damaged")
        start = _LENGTH.size + header_size
        if len(self._buffer) < start:
            return None
        kind, fields, described = _read_header(self._buffer[_LENGTH.size : start])
        end = start + sum(size for *_, size in described)
        if len(self._buffer) < end:
            return None
        arrays = {}
        for name, dtype, shape, size in described:
            arrays[name] = _inflate(self._buffer[start : start + size], dtype, shape)
            start += size
        del self._buffer[:end]
        return Message(kind, fields, arrays)


def _read_header(
    data: bytearray,
) -> tuple[str, dict[str, Any], list[tuple[str, str, list[int], int]]]:
    """Kind, fields, and of each array its name, dtype, shape and number of bytes."""
    try:
        header = json.loads(data)
        arrays = [
            (str(name), str(dtype), [int(side) for side in shape], int(size))
            for name, dtype, shape, size in header["arrays"]
        ]
        if any(min(*shape, size, 0) < 0 for *_, shape, size in arrays):
            raise ValueError("a negative size")  # noqa: TRY301 - told below
        return str(header["kind"]), dict(header["fields"]), arrays
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"a header ({error!r}) of no message: the stream is damaged"
        ) from error


def _inflate(body: bytearray, dtype: str, shape: list[int]) -> NDArray[Any]:
    if dtype not in ALLOWED_DTYPES:
        raise ValueError(f"an array of {dtype}: the stream is damaged")
    size = math.prod(shape) * np.dtype(dtype).itemsize
    try:
        data = zlib.decompressobj().decompress(body, size + 1)
    except zlib.error as error:
        raise ValueError(f"an array that cannot be inflated ({error})") from error
    if len(data) != size:
        raise ValueError(f"an array of {len(data)} bytes instead of {size}")
    return np.frombuffer(bytearray(data), dtype).reshape(shape)
