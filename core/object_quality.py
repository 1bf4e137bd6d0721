"""J and F of video: do masks of objects cover them, and do their borders lie where they should?

Two protocols of DAVIS 2017. In the unsupervised one at most 20 proposals are assigned to the
objects so that the mean of J and F is the largest, and all frames count. In the semi-supervised
one masks are given in the first frame, so ids are fixed; the first and the last frame do not
count.

Source: Perazzi et al. 2016, section 5; Caelles et al. 2019, arXiv:1905.00737; details as in
davis2017-evaluation.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core.assignment import best_assignment
from core.quality import count_overlaps

Protocol = Literal["unsupervised", "semi-supervised"]
Map = NDArray[np.integer]  # [H, W] ids, 0 is background
Pair = tuple[int, int]  # true id, proposed id
MAX_PROPOSALS: Final = 20
BORDER_SHARE: Final = 0.008  # of the diagonal, how far apart borders may be
N_BINS: Final = 4  # parts of a sequence, of which the first and the last say how much is lost


@dataclass(frozen=True, slots=True)
class Measure:
    """Mean, share of the frames above 0.5, and loss from the first to the last quarter."""

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True, slots=True)
class ObjectQuality:
    """Means over all objects of all sequences."""

    j: Measure
    f: Measure
    n_objects: int

    @property
    def jf(self) -> float:
        return (self.j.mean + self.f.mean) / 2


@dataclass(frozen=True, slots=True, eq=False)
class ObjectScores:
    """J and F of each object in each frame that counts, [objects, frames]."""

    j: NDArray[np.float64]
    f: NDArray[np.float64]


@dataclass(slots=True)
class _Frame:
    """Counts of one frame by id or pair; what is absent is 0."""

    true_areas: Counter[int] = field(default_factory=Counter)
    areas: Counter[int] = field(default_factory=Counter)
    overlaps: Counter[Pair] = field(default_factory=Counter)
    true_borders: Counter[int] = field(default_factory=Counter)
    borders: Counter[int] = field(default_factory=Counter)
    true_hits: Counter[Pair] = field(default_factory=Counter)  # true border near the other's
    hits: Counter[Pair] = field(default_factory=Counter)


class ObjectTally:
    """What is counted over the frames of one sequence."""

    def __init__(self) -> None:
        self._frames: list[_Frame] = []

    def add(self, true_ids: Map, proposed_ids: Map) -> None:
        """Count the next frame.

        Raises:
            ValueError: the maps differ in size.
        """
        if true_ids.shape != proposed_ids.shape:
            raise ValueError(f"maps of {true_ids.shape} and {proposed_ids.shape} pixels differ")
        frame = _Frame()
        for (true, proposed), area in count_overlaps(true_ids, proposed_ids).items():
            frame.true_areas[true] += area
            frame.areas[proposed] += area
            frame.overlaps[true, proposed] = area
        del frame.true_areas[0], frame.areas[0]
        reach = math.ceil(BORDER_SHARE * float(np.linalg.norm(true_ids.shape)))
        truth = {i: _Border(true_ids == i, reach) for i in frame.true_areas}
        found = {i: _Border(proposed_ids == i, reach) for i in frame.areas}
        frame.true_borders.update({i: border.n for i, border in truth.items()})
        frame.borders.update({i: border.n for i, border in found.items()})
        for true, of_true in truth.items():
            for proposed, of_found in found.items():
                frame.true_hits[true, proposed] = of_found.count_near(of_true)
                frame.hits[true, proposed] = of_true.count_near(of_found)
        self._frames.append(frame)

    def scores(self, protocol: Protocol = "unsupervised") -> ObjectScores:
        """J and F of the objects, each with the proposal that it has by the protocol.

        Of more than 20 proposals the unsupervised protocol takes the largest; the authors'
        code refuses them.

        Raises:
            ValueError: there is no frame.
        """
        if not self._frames:
            raise ValueError("there is no frame to rate; add at least one")
        objects = sorted({i for frame in self._frames for i in frame.true_areas})
        if protocol == "semi-supervised":
            j, f = self._rate(objects, objects, self._frames[1:-1] or self._frames)
            same = np.arange(len(objects))
            return ObjectScores(j[same, same], f[same, same])
        sizes: Counter[int] = Counter()
        for frame in self._frames:
            sizes.update(frame.areas)
        proposals = [i for i, _ in sizes.most_common(max(MAX_PROPOSALS, len(objects)))]
        proposals += [-1] * (len(objects) - len(proposals))  # empty ones
        j, f = self._rate(objects, proposals, self._frames)
        chosen = best_assignment((j.mean(2) + f.mean(2)) / 2)
        rows, columns = (np.array([pair[k] for pair in chosen], np.intp) for k in (0, 1))
        return ObjectScores(j[rows, columns], f[rows, columns])

    def _rate(
        self, objects: list[int], proposals: list[int], frames: list[_Frame]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """J and F of every pair, [objects, proposals, frames]."""
        j = np.empty((len(objects), len(proposals), len(frames)))
        f = np.empty_like(j)
        for t, frame in enumerate(frames):
            for row, true in enumerate(objects):
                for column, proposed in enumerate(proposals):
                    j[row, column, t] = _region(frame, true, proposed)
                    f[row, column, t] = _contour(frame, true, proposed)
        return j, f


def rate_objects(scores: Iterable[ObjectScores]) -> ObjectQuality:
    """The quality over all objects of some sequences.

    Raises:
        ValueError: there is no object.
    """
    counted = list(scores)
    rows = [(j, f) for one in counted for j, f in zip(one.j, one.f, strict=True)]
    if not rows:
        raise ValueError("there is no object to rate; add a sequence that has one")
    region, contour = (_summarize([row[k] for row in rows]) for k in (0, 1))
    return ObjectQuality(region, contour, len(rows))


def _summarize(rows: list[NDArray[np.float64]]) -> Measure:
    return Measure(
        mean=float(np.mean([row.mean() for row in rows])),
        recall=float(np.mean([(row > 0.5).mean() for row in rows])),
        decay=float(np.mean([_decay(row) for row in rows])),
    )


def _decay(row: NDArray[np.float64]) -> float:
    """Mean of the first quarter less that of the last; quarters share their end frames."""
    ends = np.round(np.linspace(1, len(row), N_BINS + 1) + 1e-10).astype(np.intp) - 1
    first, last = row[ends[0] : ends[1] + 1], row[ends[-2] : ends[-1] + 1]
    return float(first.mean() - last.mean())


def _region(frame: _Frame, true: int, proposed: int) -> float:
    """IoU; 1 if both are empty."""
    overlap = frame.overlaps.get((true, proposed), 0)
    union = frame.true_areas.get(true, 0) + frame.areas.get(proposed, 0) - overlap
    return overlap / union if union else 1.0


def _contour(frame: _Frame, true: int, proposed: int) -> float:
    """F of the pixels of the borders; 1 if neither has any, 0 if one has none."""
    n_true, n_found = frame.true_borders.get(true, 0), frame.borders.get(proposed, 0)
    if n_true == 0 and n_found == 0:
        return 1.0
    if n_true == 0 or n_found == 0:
        return 0.0
    precision = frame.hits.get((true, proposed), 0) / n_found
    recall = frame.true_hits.get((true, proposed), 0) / n_true
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


class _Border:
    """The border of a mask, and what lies near it."""

    def __init__(self, mask: NDArray[np.bool_], reach: int) -> None:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        margin = reach + 1
        self.top, self.left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
        window = (
            slice(self.top, rows[-1] + margin + 1),
            slice(self.left, columns[-1] + margin + 1),
        )
        line = find_border(mask)[window]
        y, x = np.nonzero(line)
        self._rows, self._columns = y + self.top, x + self.left
        self._near = cv2.dilate(line.astype(np.uint8), disk(reach))

    @property
    def n(self) -> int:
        return len(self._rows)

    def count_near(self, other: "_Border") -> int:
        """How many pixels of another border lie near this one."""
        height, width = self._near.shape
        y, x = other._rows - self.top, other._columns - self.left  # noqa: SLF001 - of this class
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        return int(np.count_nonzero(self._near[y[inside], x[inside]]))


def find_border(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels that differ from the one to the right, below, or below to the right."""
    right, below, across = mask.copy(), mask.copy(), mask.copy()
    right[:, :-1] = mask[:, 1:]
    below[:-1] = mask[1:]
    across[:-1, :-1] = mask[1:, 1:]
    across[-1, :-1] = mask[-1, 1:]
    across[:-1, -1] = mask[1:, -1]
    return (mask ^ right) | (mask ^ below) | (mask ^ across)


def disk(radius: int) -> NDArray[np.uint8]:
    """Pixels at most so far from the middle, [2 r + 1, 2 r + 1]."""
    steps = np.arange(-radius, radius + 1)
    return (steps[:, None] ** 2 + steps**2 <= radius**2).astype(np.uint8)
