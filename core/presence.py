"""Which segments each frame of a clip has, kept so that it is soon known when one is there."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import DamagedProjectError
from core.history import ProjectHistory
from core.panoptic import VOID, Ids

Frames = NDArray[np.int32]  # numbers of frames, ascending
_NO_IDS: Final = np.zeros(0, np.uint16)


class Presence:
    """The ids of the segments in each frame; a few bytes for each, however large the images."""

    def __init__(self, n_frames: int) -> None:
        self._ids: list[Ids] = [_NO_IDS] * n_frames
        self._categories: dict[int, int] = {}
        self._flat: tuple[Ids, Frames] | None = None

    def put(self, frame: int, category_ids: Mapping[int, int]) -> None:
        """Say which segments a frame has, as id -> category id."""
        self._ids[frame] = np.fromiter(category_ids, np.uint16, len(category_ids))
        self._categories.update(category_ids)
        self._flat = None

    def category_id(self, segment_id: int) -> int:
        """The category of a segment, where its frames differ the one told last; 0 for none."""
        return self._categories.get(segment_id, VOID)

    def frames_of(self, segment_id: int) -> Frames:
        """The frames that have a segment."""
        ids, frames = self._by_id()
        first, last = np.searchsorted(ids, [segment_id, segment_id + 1])
        return frames[first:last]

    def segment_ids(self) -> list[int]:
        """All segments: those seen first come first, and of them the smallest id."""
        ids, frames = self._by_id()
        found, places = np.unique(ids, return_index=True)
        found = found[np.argsort(frames[places], kind="stable")]
        return [int(segment_id) for segment_id in found]

    def _by_id(self) -> tuple[Ids, Frames]:
        """The ids of all frames, ascending, and the frame of each; ascending for one id."""
        if self._flat is None:
            lengths = [len(ids) for ids in self._ids]
            ids = np.concatenate([_NO_IDS, *self._ids])
            frames = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
            order = np.argsort(ids, kind="stable")
            self._flat = ids[order], frames[order]
        return self._flat


def find_runs(frames: Frames) -> list[tuple[int, int]]:
    """Frames without a gap between them, as (first, after the last)."""
    if not frames.size:
        return []
    gaps = np.flatnonzero(np.diff(frames) > 1)
    firsts = frames[np.concatenate([[0], gaps + 1])]
    lasts = frames[np.concatenate([gaps, [len(frames) - 1]])]
    return [(int(first), int(last) + 1) for first, last in zip(firsts, lasts, strict=True)]


def find_categories(store: ProjectHistory, image_id: int) -> dict[int, int]:
    """The segments of an image as id -> category id, looked up without making its map.

    An image whose journal is damaged counts as void: opening it says what is wrong.
    """
    try:
        segments = store.load_segments(image_id)
    except DamagedProjectError:
        return {}
    return {segment.id: segment.category_id for segment in segments.values()}
