"""Edits and maps as compact bytes: how the project file keeps them.

Ids are written as runs of equal ids, row after row, and the whole is deflated: a stroke takes
a few hundred bytes, and a map of 4096 x 4096 pixels a few milliseconds more than its runs.
The deflated stream carries a checksum, so a flipped bit is noticed and never becomes a pixel.
"""

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.panoptic import (
    Edit,
    Ids,
    PanopticMap,
    Rect,
    Runs,
    Segment,
    Segments,
    Source,
    find_runs,
)

_EDIT: Final = struct.Struct("<4I")  # top, left, height and width of the box
_LEVEL: Final = 1  # six times as fast as the default on a large map, for a fifth more bytes
_SIZE: Final = struct.Struct("<I")
_RUN_LENGTH: Final = np.dtype("<u4")
_SHORT_LENGTH: Final = np.dtype("<u2")
_LONGEST: Final = 65_535  # pixels in a run of short length
_FEW_PIECES: Final = 1024  # that longer runs are parted into, however few runs there are
_SHORT: Final = 1 << 31  # set in the number of runs
_RUN_ID: Final = np.dtype("<u2")


def encode_edit(edit: Edit) -> bytes:
    """Everything about an edit but its label, which the project file keeps as text."""
    segments = [_describe(edit.segments_before), _describe(edit.segments_after)]
    head = _EDIT.pack(edit.top, edit.left, *edit.before.shape)
    before, after = edit.runs
    runs = _encode_runs(before) + _encode_runs(after)
    text = json.dumps(segments, separators=(",", ":"))
    return zlib.compress(head + runs + text.encode(), _LEVEL)


def decode_edit(data: bytes, label: str) -> Edit:
    """The edit that `encode_edit` wrote, bit for bit.

    Raises:
        ValueError: the bytes are no edit.
    """
    try:
        content = zlib.decompress(data)
        top, left, height, width = _EDIT.unpack_from(content)
        before, start = _decode_runs(content, _EDIT.size, height, width)
        after, start = _decode_runs(content, start, height, width)
        old, new = (_segments(described) for described in json.loads(content[start:]))
        ids = [_expand(runs, height, width) for runs in (before, after)]
        edit = Edit(top, left, ids[0], ids[1], old, new, label)
        return edit.knowing(runs=(before, after))
    except (zlib.error, struct.error, TypeError) as error:
        raise ValueError(f"the bytes are no edit ({error})") from error


def decode_segments(data: bytes) -> tuple[Segments, Segments]:
    """The segments before and after the edit that `encode_edit` wrote, without its pixels.

    Raises:
        ValueError: the bytes are no edit.
    """
    try:
        content = zlib.decompress(data)
        start = _EDIT.size
        for _ in range(2):
            n_runs, length = _decode_size(content, start)
            start += _SIZE.size + n_runs * (length.itemsize + _RUN_ID.itemsize)
        old, new = json.loads(content[start:])
        return _segments(old), _segments(new)
    except (zlib.error, struct.error, TypeError) as error:
        raise ValueError(f"the bytes are no edit ({error})") from error


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Which pixels an edit has changed: bool [m, n] in a rectangle."""

    rect: Rect
    is_changed: NDArray[np.bool_]


def decode_change(data: bytes) -> Change:
    """What the edit that `encode_edit` wrote has changed, without what it was changed to.

    Raises:
        ValueError: the bytes are no edit.
    """
    try:
        content = zlib.decompress(data)
        top, left, height, width = _EDIT.unpack_from(content)
        before, start = _decode_runs(content, _EDIT.size, height, width)
        after, _ = _decode_runs(content, start, height, width)
    except (zlib.error, struct.error) as error:
        raise ValueError(f"the bytes are no edit ({error})") from error
    is_changed = _differ(before, after).reshape(height, width)
    return Change(Rect(top, left, top + height, left + width), is_changed)


def _differ(before: Runs, after: Runs) -> NDArray[np.bool_]:
    """Where pixels of two arrays [N] differ, of which only the runs are known.

    Far faster than to write the ids: most runs are long.
    """
    ends = [np.cumsum(lengths) for lengths, _ in (before, after)]
    stops = np.union1d(*ends)
    ids = [
        ids[np.searchsorted(end, stops)]
        for end, (_, ids) in zip(ends, (before, after), strict=True)
    ]
    return np.repeat(ids[0] != ids[1], np.diff(stops, prepend=0))


def encode_ids(ids: Ids) -> bytes:
    """An array [H, W] alone."""
    return zlib.compress(_encode_runs(find_runs(ids)), _LEVEL)


def decode_ids(data: bytes, height: int, width: int) -> Ids:
    """The array that `encode_ids` wrote.

    Raises:
        ValueError: the bytes are no array of that size.
    """
    try:
        runs, _ = _decode_runs(zlib.decompress(data), 0, height, width)
        return _expand(runs, height, width)
    except (zlib.error, struct.error) as error:
        raise ValueError(f"the bytes are no map ({error})") from error


def encode_map(map: PanopticMap) -> bytes:
    """The ids and segments of a map."""
    text = json.dumps(_describe(map.segments), separators=(",", ":"))
    return zlib.compress(_encode_runs(find_runs(map.segment_ids)) + text.encode(), _LEVEL)


def decode_map(data: bytes, height: int, width: int) -> PanopticMap:
    """The map that `encode_map` wrote; the next id is the caller's to set.

    Raises:
        ValueError: the bytes are no map of that size.
    """
    try:
        content = zlib.decompress(data)
        runs, start = _decode_runs(content, 0, height, width)
        segment_ids = _expand(runs, height, width)
        return PanopticMap(segment_ids, dict(_segments(json.loads(content[start:]))))
    except (zlib.error, struct.error, TypeError) as error:
        raise ValueError(f"the bytes are no map ({error})") from error


def _encode_runs(runs: Runs) -> bytes:
    """The number of runs, their lengths, and the id of each.

    Lengths take two bytes where they fit, which the top bit of the number says: a third less to
    deflate. The few runs that are longer are written in pieces, if there are not too many.
    """
    lengths, ids = runs
    n_pieces = -(-lengths // _LONGEST)
    is_short = int(n_pieces.sum()) <= max(len(ids) + len(ids) // 4, _FEW_PIECES)
    if is_short and len(ids) < n_pieces.sum():
        lasts = np.cumsum(n_pieces) - 1
        left_over = lengths - (n_pieces - 1) * _LONGEST
        ids, lengths = np.repeat(ids, n_pieces), np.full(lasts[-1] + 1, _LONGEST)
        lengths[lasts] = left_over
    return (
        _SIZE.pack(len(ids) | _SHORT * is_short)
        + lengths.astype(_SHORT_LENGTH if is_short else _RUN_LENGTH).tobytes()
        + ids.astype(_RUN_ID).tobytes()
    )


def _decode_size(content: bytes, start: int) -> tuple[int, np.dtype[Any]]:
    """The number of runs, and how their lengths are written."""
    (size,) = _SIZE.unpack_from(content, start)
    return size & ~_SHORT, _SHORT_LENGTH if size & _SHORT else _RUN_LENGTH


def _decode_runs(content: bytes, start: int, height: int, width: int) -> tuple[Runs, int]:
    """Runs of [height, width] pixels, and where the next field begins."""
    n_runs, length = _decode_size(content, start)
    start += _SIZE.size
    lengths = np.frombuffer(content, length, n_runs, start)
    start += lengths.nbytes
    values = np.frombuffer(content, _RUN_ID, n_runs, start)
    if lengths.sum(dtype=np.uint64) != height * width:
        raise ValueError(f"runs of {lengths.sum()} pixels for a box of {height} x {width}")
    return (lengths.astype(np.intp), values.astype(np.uint16)), start + values.nbytes


def _expand(runs: Runs, height: int, width: int) -> Ids:
    """The ids [height, width] that have these runs."""
    lengths, ids = runs
    return np.repeat(ids, lengths).reshape(height, width)


def _describe(segments: Segments) -> list[list[int | str]]:
    return [
        [s.id, s.category_id, s.source.value, int(s.is_locked), int(s.is_crowd)]
        for s in segments.values()
    ]


def _segments(described: list[list[int | str]]) -> dict[int, Segment]:
    return {
        int(segment_id): Segment(
            int(segment_id),
            int(category_id),
            Source(str(source)),
            bool(is_locked),
            bool(is_crowd),
        )
        for segment_id, category_id, source, is_locked, is_crowd in described
    }
