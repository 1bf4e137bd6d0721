"""What it took to correct proposals, from accepting one to approving its image."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Final

import numpy as np

from core.panoptic import VOID, Edit, Rect, Segment

MAX_IDLE_S: Final = 30.0  # longer pauses are no work
_NOTHING: Final = -1  # no edit has changed this pixel
COLUMNS: Final = (
    "image",
    "frame",
    "model",
    "seed",
    "steps",
    "pixels",
    "segments",
    "gestures",
    "active_seconds",
    "approved",
)


@dataclass(frozen=True, slots=True)
class Correction:
    """What it took to correct one proposal.

    Attributes:
        image: its path from the project's folder.
        frame: of a video, from 0; None for an image file.
        model: name of the model that proposed the map; with which seed and in how many steps.
        n_pixels: that are not as they were proposed; None if the proposal is not kept any more.
        n_segments: that have other pixels or another category; None likewise.
        n_gestures: edits by a person, and steps back and forth.
        active_s: seconds of work, without pauses of more than `MAX_IDLE_S`.
        approved_at: in seconds since 1970.
    """

    image: str
    frame: int | None
    model: str
    seed: int | None
    steps: int | None
    n_pixels: int | None
    n_segments: int | None
    n_gestures: int
    active_s: float
    approved_at: int


class ActiveTime:
    """Adds up the time between signs of life, but for long pauses."""

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._total_s = 0.0

    def touch(self, now_s: float) -> None:
        """Note that somebody is at work now, by a clock that never goes back."""
        pause = 0.0 if self._last_s is None else now_s - self._last_s
        if pause <= MAX_IDLE_S:
            self._total_s += pause
        self._last_s = now_s

    def take_ms(self) -> int:
        """The time so far in whole milliseconds; it begins anew, and the rest is kept."""
        total_ms = int(self._total_s * 1000)
        self._total_s -= total_ms / 1000
        return total_ms

    def stop(self) -> None:
        """Let what comes next begin without a pause before it: it is other work."""
        self._last_s = None


def measure_change(edits: Iterable[Edit]) -> tuple[int, int]:
    """How much of a map is different after some edits of it that follow each other.

    What one edit does and another takes back does not count.

    Returns:
        The number of pixels with another segment, and of segments that have other pixels or
        another category, those that came or went included.
    """
    edits = list(edits)
    first, last = _ends_of_pixels(edits)
    is_changed = first != last
    touched = set(np.union1d(first[is_changed], last[is_changed]).tolist()) - {VOID}
    touched |= _recategorised(edits)
    return int(np.count_nonzero(is_changed)), len(touched)


def _ends_of_pixels(edits: Sequence[Edit]) -> tuple[np.ndarray, np.ndarray]:
    """Ids before the first and after the last edit of each pixel, in the box of all."""
    nothing = Rect(0, 0, 0, 0)
    box = reduce(Rect.united, (edit.rect for edit in edits), nothing)
    first = np.full((box.bottom - box.top, box.right - box.left), _NOTHING, np.int32)
    last = first.copy()
    for edit in edits:
        where = edit.rect.inside(box).slices
        is_new = first[where] == _NOTHING
        np.copyto(first[where], edit.before, where=is_new)
        last[where] = edit.after
    return first, last


def _recategorised(edits: Iterable[Edit]) -> set[int]:
    before: dict[int, Segment] = {}
    after: dict[int, Segment] = {}
    for edit in edits:
        for segment_id, segment in edit.segments_before.items():
            before.setdefault(segment_id, segment)
            after.pop(segment_id, None)
        after.update(edit.segments_after)
    both = before.keys() & after.keys()
    return {i for i in both if before[i].category_id != after[i].category_id}


def to_csv(corrections: Iterable[Correction]) -> str:
    """A table with a line for each, by `COLUMNS`; what is not known is empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for c in corrections:
        when = datetime.fromtimestamp(c.approved_at, UTC).isoformat()
        made = c.image, c.frame, c.model, c.seed, c.steps
        table.writerow(
            [*made, c.n_pixels, c.n_segments, c.n_gestures, f"{c.active_s:.1f}", when]
        )
    return text.getvalue()
