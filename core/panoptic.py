"""The document: categories, segments, the panoptic map and the edit that changes it.

A map is a partition: every pixel belongs to exactly one segment, or to void (id 0). It changes
only through `Edit` values, and every edit has an inverse, so undo, redo, the journal and crash
recovery are one mechanism.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint16]  # [H, W] segment ids, 0 is void
Places = NDArray[np.intp]
Runs = tuple[Places, Ids]  # lengths and ids of runs of equal ids, row after row
Counts = dict[int, int]  # pixels of each id; void is left out
States = tuple[object, object]  # of a map, before an edit and after it

VOID: Final = 0
MAX_SEGMENT_ID: Final = 65_535
STRIP: Final = 1 << 21  # pixels looked at together; a multiple of eight


class Source(StrEnum):
    """Who made a segment."""

    HUMAN = "human"
    MODEL = "model"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Category:
    """What a segment can be; `is_thing` tells countable objects from stuff."""

    id: int
    name: str
    is_thing: bool
    color: tuple[int, int, int]  # RGB, 0..255
    supercategory: str = ""
    hotkey: str = ""  # a key that chooses it, as Qt writes keys; empty for none


@dataclass(frozen=True, slots=True)
class Segment:
    """One object, or all pixels of one stuff category; locked: the annotator vouches for it."""

    id: int
    category_id: int
    source: Source = Source.HUMAN
    is_locked: bool = False
    is_crowd: bool = False


Segments = Mapping[int, Segment]


@dataclass(frozen=True, slots=True)
class Rect:
    """Rows top..bottom and columns left..right of a map, ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index for an array [H, W, ...]."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def is_empty(self) -> bool:
        return self.bottom <= self.top or self.right <= self.left

    def grown(self, margin: int) -> "Rect":
        """Wider by a margin on each side."""
        return Rect(
            self.top - margin, self.left - margin, self.bottom + margin, self.right + margin
        )

    def inside(self, outer: "Rect") -> "Rect":
        """The same rectangle, counted from the corner of an outer one."""
        return Rect(
            self.top - outer.top,
            self.left - outer.left,
            self.bottom - outer.top,
            self.right - outer.left,
        )

    def clipped(self, height: int, width: int) -> "Rect":
        """The part inside an image of that size."""
        return Rect(
            max(self.top, 0),
            max(self.left, 0),
            min(self.bottom, height),
            min(self.right, width),
        )

    def united(self, other: "Rect") -> "Rect":
        """The smallest rectangle that holds both; an empty one holds nothing to be held."""
        if self.is_empty or other.is_empty:
            return other if self.is_empty else self
        return Rect(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )


@dataclass(slots=True)
class _Known:
    """What has been found out about an edit, and need not be found again."""

    runs: tuple[Runs, Runs] | None = None
    counts: tuple[Counts, Counts] | None = None
    states: States | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """One undoable step: a box of ids before and after, and the segments that it touches.

    `segments_before` and `segments_after` hold only segments that differ; a segment that is in
    one and not in the other was created or removed. Nobody writes to the ids of an edit.
    """

    top: int
    left: int
    before: Ids  # [m, n]
    after: Ids  # [m, n]
    segments_before: Segments
    segments_after: Segments
    label: str
    _known: _Known = field(default_factory=_Known, init=False, repr=False)

    @property
    def runs(self) -> tuple[Runs, Runs]:
        """The runs of `before` and of `after`: what is counted and saved; found only once."""
        if self._known.runs is None:
            self._known.runs = find_runs(self.before), find_runs(self.after)
        return self._known.runs

    @property
    def counts(self) -> tuple[Counts, Counts]:
        """Pixels of each id in `before` and in `after`; counted only once."""
        if self._known.counts is None:
            before, after = self.runs
            self._known.counts = count_runs(before), count_runs(after)
        return self._known.counts

    @property
    def states(self) -> States | None:
        """The map's state before and after, as far as it is known; see `PanopticMap.state`."""
        return self._known.states

    def knowing(
        self,
        *,
        runs: tuple[Runs, Runs] | None = None,
        counts: tuple[Counts, Counts] | None = None,
        states: States | None = None,
    ) -> "Edit":
        """The edit itself, of which these need not be found any more."""
        self._known.runs = runs or self._known.runs
        self._known.counts = counts or self._known.counts
        self._known.states = states or self._known.states
        return self

    @property
    def rect(self) -> Rect:
        height, width = self.before.shape
        return Rect(self.top, self.left, self.top + height, self.left + width)

    @property
    def is_empty(self) -> bool:
        """Whether applying the edit changes nothing."""
        return (
            np.array_equal(self.before[:1], self.after[:1])  # where most edits differ already
            and np.array_equal(self.before, self.after)
            and self.segments_before == self.segments_after
        )

    def inverted(self) -> "Edit":
        """The edit that takes this one back."""
        edit = replace(
            self,
            before=self.after,
            after=self.before,
            segments_before=self.segments_after,
            segments_after=self.segments_before,
        )
        known = self._known
        return edit.knowing(
            runs=known.runs and known.runs[::-1],
            counts=known.counts and known.counts[::-1],
            states=known.states and known.states[::-1],
        )


@dataclass(slots=True, eq=False)
class PanopticMap:
    """Segment ids of every pixel and the segments they name.

    Attributes:
        segment_ids: uint16 [H, W], 0 is void; every other value is a key of `segments`. Only
            `apply` writes to it, so that the areas stay right.
        segments: by id; each has at least one pixel.
        next_id: the smallest id never used in this image; ids are never used twice.
        state: stands for the pixels and segments as they are now: two maps that have the same
            one are equal. What is undone and done again is in a state that it was in before.
    """

    segment_ids: Ids
    segments: dict[int, Segment] = field(default_factory=dict)
    next_id: int = 1
    state: object = field(default_factory=object, init=False, repr=False)
    _areas: Counts | None = field(default=None, init=False, repr=False)
    _changes: tuple[object, Places] | None = field(default=None, init=False, repr=False)

    @classmethod
    def empty(cls, height: int, width: int) -> "PanopticMap":
        """A map that is void everywhere."""
        map = cls(np.zeros((height, width), np.uint16))
        map._areas = {}
        return map

    @property
    def height(self) -> int:
        return int(self.segment_ids.shape[0])

    @property
    def width(self) -> int:
        return int(self.segment_ids.shape[1])

    def copy(self) -> "PanopticMap":
        """A map that can be changed without changing this one."""
        twin = PanopticMap(self.segment_ids.copy(), dict(self.segments), self.next_id)
        twin.state = self.state
        twin._changes = self._changes
        twin._areas = None if self._areas is None else dict(self._areas)
        return twin

    def apply(self, edit: Edit) -> Rect:
        """Carry out an edit made for this state of the map.

        Returns:
            The rectangle of pixels that may have changed.

        Raises:
            ValueError: the map differs from what the edit expects; nothing was changed.
        """
        if not self.fits(edit):
            raise ValueError(f"the edit '{edit.label}' was made for another state of the map")
        self._update_areas(edit)
        self.segment_ids[edit.rect.slices] = edit.after
        for segment_id in edit.segments_before:
            del self.segments[segment_id]
        self.segments.update(edit.segments_after)
        highest = max(edit.segments_after, default=0)
        self.next_id = max(self.next_id, highest + 1)
        before, after = edit.states or (None, None)
        if before is not self.state:
            after = object()
            edit.knowing(states=(self.state, after))
        self.state = after
        if edit.before.shape == self.segment_ids.shape:
            self._changes = after, _begins(edit.runs[1])
        return edit.rect

    def fits(self, edit: Edit) -> bool:
        """Whether an edit was made for this state of what it changes.

        The ids are compared unless the edit is known to start from this very state, as one
        just made, or read for undo after it was made.
        """
        is_known = edit.states is not None and edit.states[0] is self.state
        window = self.segment_ids[edit.rect.slices]
        is_same = is_known or np.array_equal(window, edit.before)
        return is_same and self._has_segments_before(edit)

    def areas(self) -> Counts:
        """Pixels of each segment that has any, by id; void is left out.

        The first call counts the whole map; `apply` then keeps the numbers right, so that an
        edit knows at once which segment it takes the last pixel from.
        """
        if self._areas is None:
            self._areas = count_pixels(self.segment_ids)
        return dict(self._areas)

    def find_changes(self) -> Places:
        """`find_changes` of all ids; kept until they change, and at an edit of all of them."""
        if self._changes is None or self._changes[0] is not self.state:
            self._changes = self.state, find_changes(self.segment_ids.reshape(-1))
        return self._changes[1]

    def _has_segments_before(self, edit: Edit) -> bool:
        touched = edit.segments_before.keys() | edit.segments_after.keys()
        return all(self.segments.get(i) == edit.segments_before.get(i) for i in touched)

    def _update_areas(self, edit: Edit) -> None:
        if self._areas is None:
            return
        before, after = edit.counts
        for segment_id, area in before.items():
            self._areas[segment_id] = self._areas.get(segment_id, 0) - area
        for segment_id, area in after.items():
            self._areas[segment_id] = self._areas.get(segment_id, 0) + area
        self._areas = {i: area for i, area in self._areas.items() if area}

    def find_stuff(self, category_id: int) -> Segment | None:
        """The first non-crowd segment of a category: stuff has at most one an image."""
        return next(
            (
                segment
                for segment in self.segments.values()
                if segment.category_id == category_id and not segment.is_crowd
            ),
            None,
        )


def count_pixels(segment_ids: Ids) -> Counts:
    """Pixels of each id that occurs in an array; void is left out."""
    return count_runs(find_runs(segment_ids))


def count_runs(runs: Runs) -> Counts:
    """Pixels of each id that has a run; void is left out."""
    lengths, ids = runs
    counts = np.bincount(ids, lengths)  # float64, and so exact for any map that fits in memory
    return {int(i): int(counts[i]) for i in np.flatnonzero(counts) if i != VOID}


def find_runs(segment_ids: Ids) -> Runs:
    """Runs of equal ids, row after row: the length and the id of each.

    A map has few runs, so this is ten times as fast as to count or to write pixel by pixel.
    """
    flat = segment_ids.ravel()
    ends = find_changes(flat)
    begins = np.concatenate([np.zeros(min(flat.size, 1), np.intp), ends])
    return np.diff(begins, append=flat.size), flat[begins]


def _begins(runs: Runs) -> Places:
    """`find_changes` of the ids that have these runs, of which some may go on in the next."""
    lengths, ids = runs
    is_new = ids[1:] != ids[:-1]
    return np.cumsum(lengths[:-1])[is_new]


def find_changes(flat: Ids | NDArray[np.bool_]) -> Places:
    """Places in an array [N] whose value differs from the one before.

    Eight pixels are asked at once, as most of them do not differ, and strip by strip, in
    memory that is near: twice as fast on a large map.
    """
    n = max(flat.size - 1, 0)
    is_changed = np.zeros(min(-(-n // 8) * 8, STRIP), np.bool_)
    eights = is_changed.view(np.uint64)
    found = [np.zeros(0, np.intp)]
    for start in range(0, n, STRIP):
        size = min(n - start, STRIP)
        is_changed[size:] = False
        end = start + size
        np.not_equal(flat[start + 1 : end + 1], flat[start:end], out=is_changed[:size])
        some = np.flatnonzero(eights != 0)
        places = np.flatnonzero(eights[some].view(np.bool_))
        found.append(some[places >> 3] * 8 + (places & 7) + (start + 1))
    return np.concatenate(found)
