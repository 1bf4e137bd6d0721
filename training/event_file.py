"""TensorBoard event files, as far as a run needs them: numbers and pictures by step.

A file is a row of records, each with its length and two checksums; a record is one `Event` in
protocol buffers' wire format. Written here, it saves the packages tensorboard, protobuf and
grpcio, of which a run would use a hundredth.

Source: tensorflow/core/lib/io/record_writer.h for the records; tensorflow/core/util/event.proto
and tensorflow/core/framework/summary.proto for the fields.
"""

import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from core.model.crc32c import masked_crc32c

# Numbers of fields in event.proto and summary.proto.
WALL_TIME, STEP, FILE_VERSION, SUMMARY, SESSION_LOG = 1, 2, 3, 5, 7
VALUE, TAG, SIMPLE_VALUE, IMAGE = 1, 1, 2, 4
HEIGHT, WIDTH, COLORSPACE, ENCODED = 1, 2, 3, 4
STATUS, START, RGB = 1, 1, 3
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
CHUNK: Final = 1 << 7


class EventFile:
    """One file of events in a folder that TensorBoard watches; whole after every call."""

    def __init__(self, folder: Path, first_step: int) -> None:
        """Begin a file; TensorBoard forgets what older ones say of first_step and later."""
        now = time.time()
        name = f"events.out.tfevents.{int(now):010d}.{socket.gethostname()}.{os.getpid()}"
        self._file = (folder / name).open("ab")
        self._write(_bytes(FILE_VERSION, b"brain.Event:2"), 0)
        self._write(_bytes(SESSION_LOG, _varint(STATUS, START)), first_step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add_numbers(self, step: int, numbers: Mapping[str, float]) -> None:
        """Points of curves, by name."""
        values = [
            _bytes(TAG, tag.encode()) + _float(SIMPLE_VALUE, number)
            for tag, number in numbers.items()
        ]
        self._write(_bytes(SUMMARY, b"".join(_bytes(VALUE, value) for value in values)), step)

    def add_picture(self, step: int, tag: str, picture: NDArray[np.uint8]) -> None:
        """A picture [H, W, 3] RGB."""
        png = cv2.imencode(".png", picture[..., ::-1])[1].tobytes()
        height, width = picture.shape[:2]
        image = _varint(HEIGHT, height) + _varint(WIDTH, width) + _varint(COLORSPACE, RGB)
        value = _bytes(TAG, tag.encode()) + _bytes(IMAGE, image + _bytes(ENCODED, png))
        self._write(_bytes(SUMMARY, _bytes(VALUE, value)), step)

    def _write(self, what: bytes, step: int) -> None:
        wall_time = _key(WALL_TIME, FIXED64) + struct.pack("<d", time.time())
        event = wall_time + _varint(STEP, step) + what
        length = struct.pack("<Q", len(event))
        self._file.write(length + _checksum(length) + event + _checksum(event))
        self._file.flush()


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", masked_crc32c(data))


def _key(field: int, wire_type: int) -> bytes:
    return _number(field << 3 | wire_type)


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all bytes but the last have their top bit set."""
    digits = bytearray()
    while value >= CHUNK:
        digits.append(value % CHUNK | CHUNK)
        value //= CHUNK
    return bytes([*digits, value])


def _varint(field: int, value: int) -> bytes:
    return _key(field, VARINT) + _number(value)


def _float(field: int, value: float) -> bytes:
    return _key(field, FIXED32) + struct.pack("<f", value)


def _bytes(field: int, data: bytes) -> bytes:
    return _key(field, BYTES) + _number(len(data)) + data
