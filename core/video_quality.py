"""Segmentation and tracking quality (STQ) of video: are classes right, and do ids stay?

Source: Weber et al. 2021, arXiv:2102.11859, section 4; void and crowd as in its reference code.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.integer]  # [H, W]
Tubes = Counter[tuple[int, ...]]  # (class, id) through a whole sequence -> pixels


@dataclass(frozen=True, slots=True)
class TrackingQuality:
    """STQ is the geometric mean of AQ and mIoU, each in [0, 1].

    Attributes:
        association: AQ, how well predicted tubes cover the true ones.
        iou: mIoU of the classes that occur.
    """

    stq: float
    association: float
    iou: float


@dataclass(slots=True, eq=False)
class SequenceTally:
    """What is counted over the frames of one sequence.

    Attributes:
        confusion: [n + 1, n + 1] pixels by true and predicted class; the last is void.
        true_tubes, predicted_tubes: pixels of each thing; overlaps: of each pair of these,
            by (true class, true id, predicted class, predicted id).
    """

    n_classes: int
    things: Collection[int]
    confusion: NDArray[np.int64] = field(init=False)
    true_tubes: Tubes = field(default_factory=Counter)
    predicted_tubes: Tubes = field(default_factory=Counter)
    overlaps: Tubes = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.confusion = np.zeros((self.n_classes + 1, self.n_classes + 1), np.int64)

    def add(self, true: tuple[Pixels, Pixels], predicted: tuple[Pixels, Pixels]) -> None:
        """Count one frame.

        Args:
            true: classes and ids; classes outside 0..n_classes - 1 are void, and a thing with
                id 0 is a crowd, whose ids are not judged.
            predicted: classes and ids.
        """
        (classes, ids), (found, found_ids) = (
            (
                np.where((part[0] >= 0) & (part[0] < self.n_classes), part[0], self.n_classes),
                part[1],
            )
            for part in (true, predicted)
        )
        n = self.n_classes + 1
        pairs = np.bincount((classes * n + found).ravel(), minlength=n * n)
        self.confusion += pairs.reshape(n, n)
        is_thing = np.isin(classes, list(self.things))
        is_crowd = is_thing & (ids == 0)
        is_thing &= ~is_crowd
        is_found = np.isin(found, list(self.things)) & ~is_crowd
        self.true_tubes.update(_count(is_thing, classes, ids))
        self.predicted_tubes.update(_count(is_found, found, found_ids))
        self.overlaps.update(_count(is_thing & is_found, classes, ids, found, found_ids))

    def association_sum(self) -> float:
        """The sum over true tubes of how well predicted ones cover them."""
        total = 0.0
        for (*true, found, found_id), overlap in self.overlaps.items():
            size = self.true_tubes[true[0], true[1]]
            union = size + self.predicted_tubes[found, found_id] - overlap
            total += overlap**2 / union / size
        return total


def rate_tracking(tallies: Iterable[SequenceTally]) -> TrackingQuality:
    """The quality over some sequences, all of the same classes.

    Raises:
        ValueError: there is no sequence.
    """
    counted = list(tallies)
    if not counted:
        raise ValueError("there is no sequence to rate; add at least one")
    n_tubes = sum(len(tally.true_tubes) for tally in counted)
    association = sum(tally.association_sum() for tally in counted) / max(n_tubes, 1)
    iou = _mean_iou(np.sum([tally.confusion for tally in counted], 0))
    return TrackingQuality(float(np.sqrt(association * iou)), association, iou)


def _mean_iou(confusion: NDArray[np.int64]) -> float:
    """mIoU of the classes that occur; pixels whose truth is void count for nothing."""
    judged = confusion.copy()
    judged[-1] = 0
    hits = judged.diagonal()
    unions = judged.sum(0) + judged.sum(1) - hits
    occurs = unions > 0
    return float((hits[occurs] / unions[occurs]).sum() / max(occurs.sum(), 1))


def _count(where: NDArray[np.bool_], *columns: Pixels) -> Tubes:
    """How often each combination of values occurs among the pixels chosen."""
    rows = np.stack([column[where] for column in columns], 1)
    values, counts = np.unique(rows, axis=0, return_counts=True)
    return Counter(dict(zip(map(tuple, values.tolist()), counts.tolist(), strict=True)))
