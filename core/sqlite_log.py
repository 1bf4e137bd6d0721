"""SQLite's write-ahead log: what it holds, and whether that is what was written.

SQLite reads the log up to the first frame that is wrong and takes the rest for the remains of
a crash. That is right after a power failure, but a flipped bit costs every commit behind it,
without a word; so it is looked for before SQLite sees the file.

Source: sqlite.org/fileformat2.html, section 4.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_MAGIC: Final = {0x377F0682: "<", 0x377F0683: ">"}  # byte order of the checksums
_HEADER, _FRAME_HEADER = 32, 24
_DEFAULT_PAGE: Final = 4096
_MASK: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Frame:
    """One page in the log."""

    page: int  # number, from 1
    is_commit: bool
    start: int  # of the page, in bytes
    is_right: bool


class WriteAheadLog:
    """The bytes of a log; an empty one is no log."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        magic, _, size = struct.unpack_from(">III", data.ljust(_HEADER, b"\0"))
        self.page_size = size if size in {2**n for n in range(9, 17)} else _DEFAULT_PAGE
        self._order = _MAGIC.get(magic, "<")
        self._has_header = magic in _MAGIC and self._is_right(0, 24, (0, 0), 24)

    @property
    def is_damaged(self) -> bool:
        """Whether a commit that was on the disk is, or lies behind, something wrong.

        Only the last one may be torn: it was under way when the power failed, and all before
        it were on the disk.
        """
        n_commits = 0
        is_sound = self._has_header
        for frame in self.frames():
            is_sound = is_sound and frame.is_right
            n_commits += frame.is_commit and not is_sound
        return n_commits > 1

    def committed_pages(self) -> dict[int, int]:
        """Where the last version of each page begins, right or not, up to the last commit."""
        committed: dict[int, int] = {}
        waiting: dict[int, int] = {}
        for frame in self.frames():
            waiting[frame.page] = frame.start
            if frame.is_commit:
                committed |= waiting
                waiting.clear()
        return committed

    def frames(self) -> Iterator[Frame]:
        """Those of the present round of the log, in order; others stand there as page 0."""
        step = _FRAME_HEADER + self.page_size
        # Behind the present round may lie frames of an earlier one, with other salts.
        salts = self._data[16:24] if self._has_header else self._data[40:48]
        before = struct.unpack_from(">II", self._data.ljust(_HEADER, b"\0"), 24)
        for start in range(_HEADER, len(self._data) - step + 1, step):
            page, n_pages = struct.unpack_from(">II", self._data, start)
            is_same_round = self._data[start + 8 : start + 16] == salts
            is_right = is_same_round and self._is_frame(start, before)
            before = struct.unpack_from(">II", self._data, start + 16)
            if is_same_round:
                yield Frame(page, n_pages > 0, start + _FRAME_HEADER, is_right)
            else:
                yield Frame(0, is_commit=False, start=0, is_right=False)

    def _is_frame(self, start: int, before: tuple[int, int]) -> bool:
        head = self._checksum(start, 8, before)
        return self._is_right(start + _FRAME_HEADER, self.page_size, head, start + 16)

    def _is_right(self, start: int, size: int, seed: tuple[int, int], stored: int) -> bool:
        if len(self._data) < stored + 8:
            return False
        return self._checksum(start, size, seed) == struct.unpack_from(
            ">II", self._data, stored
        )

    def _checksum(self, start: int, size: int, seed: tuple[int, int]) -> tuple[int, int]:
        words = struct.unpack_from(f"{self._order}{size // 4}I", self._data, start)
        one, two = seed
        for a, b in zip(words[::2], words[1::2], strict=True):
            one = (one + a + two) & _MASK
            two = (two + b + one) & _MASK
        return one, two
