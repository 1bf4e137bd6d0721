"""An estimate of how many actions an annotator needs to mend a proposal.

An action adds, removes, splits, merges or recolours segments. Without a proposal every segment
of the truth is added. A segment counts as right once it has its category and overlaps the true
one by an IoU above 0.5, as in panoptic quality; mending its border is not counted.
"""

from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

GOOD_IOU = 0.5


@dataclass(slots=True)
class Corrections:
    """Actions of each kind, on one image or on many."""

    add: int = 0
    remove: int = 0
    split: int = 0
    merge: int = 0
    recolour: int = 0

    @property
    def total(self) -> int:
        """All actions together."""
        return sum(astuple(self))

    def take(self, more: "Corrections") -> None:
        """Add those of another image."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(more, field.name))


@dataclass(slots=True, eq=False)
class _Overlaps:
    """Pixels that predicted and true segments share; void and crowds of the truth are left out.

    Attributes:
        shared: [P, T]; predicted_areas: [P]; true_areas: [T].
        predicted, truth: the category ids of both.
        is_open: [P], segments that nothing was done about; is_missing: [T] likewise.
    """

    shared: NDArray[np.int64]
    predicted_areas: NDArray[np.int64]
    true_areas: NDArray[np.int64]
    predicted: NDArray[np.int64]
    truth: NDArray[np.int64]
    is_open: NDArray[np.bool_]
    is_missing: NDArray[np.bool_]


def count_corrections(
    predicted_ids: NDArray[np.integer[Any]],
    predicted: Mapping[int, int],
    true_ids: NDArray[np.integer[Any]],
    truth: Mapping[int, int],
    crowds: Collection[int] = (),
) -> Corrections:
    """Actions that lead from one map to another; arguments as for `core.quality.compare_maps`.

    Pairs that overlap well come first; then pieces that together make up a segment are merged;
    then what covers several segments is split, where that is less than to draw them anew. What
    is left is added and removed. A segment that lies by more than half on void or a crowd is
    forgiven.
    """
    overlaps = _measure(predicted_ids, predicted, true_ids, truth, crowds)
    counted = Corrections()
    _match(overlaps, counted)
    _merge(overlaps, counted)
    _split(overlaps, counted)
    counted.add += int(overlaps.is_missing.sum())
    counted.remove += int(overlaps.is_open.sum())
    return counted


def _measure(
    predicted_ids: NDArray[np.integer[Any]],
    predicted: Mapping[int, int],
    true_ids: NDArray[np.integer[Any]],
    truth: Mapping[int, int],
    crowds: Collection[int],
) -> _Overlaps:
    ours, theirs = sorted(predicted), sorted(set(truth) - set(crowds))
    rows, columns = _place(predicted_ids, ours), _place(true_ids, theirs)
    width = len(theirs) + 1
    table = np.bincount(
        (rows * width + columns).ravel(), minlength=(len(ours) + 1) * width
    ).reshape(-1, width)
    on_void, areas = table[1:, 0], table[1:].sum(1)
    return _Overlaps(
        shared=table[1:, 1:],
        predicted_areas=areas - on_void,
        true_areas=table[:, 1:].sum(0),
        predicted=np.array([predicted[i] for i in ours], np.int64),
        truth=np.array([truth[i] for i in theirs], np.int64),
        is_open=(areas > 0) & (2 * on_void <= areas),
        is_missing=table[:, 1:].sum(0) > 0,
    )


def _place(ids: NDArray[np.integer[Any]], listed: list[int]) -> NDArray[np.int64]:
    """Each pixel's place in a sorted list of ids, from 1; 0 for ids that are not listed."""
    if not listed:
        return np.zeros(ids.shape, np.int64)
    order = np.array(listed, np.int64)
    places = np.searchsorted(order, ids.astype(np.int64)).clip(max=len(order) - 1)
    return np.where(order[places] == ids, places + 1, 0)


def _match(overlaps: _Overlaps, counted: Corrections) -> None:
    """Pairs that overlap well are done, but perhaps for their category."""
    union = overlaps.predicted_areas[:, None] + overlaps.true_areas[None] - overlaps.shared
    pairs = np.argwhere(overlaps.shared > GOOD_IOU * union)
    for ours, theirs in pairs:
        overlaps.is_open[ours] = overlaps.is_missing[theirs] = False
        counted.recolour += int(overlaps.predicted[ours] != overlaps.truth[theirs])


def _merge(overlaps: _Overlaps, counted: Corrections) -> None:
    """Pieces that lie mostly inside one true segment become it, if they cover it well."""
    for theirs in np.flatnonzero(overlaps.is_missing):
        shared = overlaps.shared[:, theirs]
        pieces = np.flatnonzero(overlaps.is_open & (2 * shared > overlaps.predicted_areas))
        inside, areas = shared[pieces].sum(), overlaps.predicted_areas[pieces].sum()
        if inside <= GOOD_IOU * (overlaps.true_areas[theirs] + areas - inside):
            continue
        overlaps.is_open[pieces] = overlaps.is_missing[theirs] = False
        counted.merge += len(pieces) - 1
        counted.recolour += int(overlaps.truth[theirs] not in overlaps.predicted[pieces])


def _split(overlaps: _Overlaps, counted: Corrections) -> None:
    """What holds most of several true segments is cut, if that is less than to begin anew."""
    for ours in np.flatnonzero(overlaps.is_open):
        shared = overlaps.shared[ours]
        pieces = np.flatnonzero(overlaps.is_missing & (shared > GOOD_IOU * overlaps.true_areas))
        has_rest = 2 * int(shared[pieces].sum()) < overlaps.predicted_areas[ours]
        n_recoloured = int((overlaps.truth[pieces] != overlaps.predicted[ours]).sum())
        n_cuts = len(pieces) - 1 + has_rest
        if len(pieces) == 0 or n_cuts + n_recoloured + has_rest >= len(pieces) + 1:
            continue
        overlaps.is_open[ours] = False
        overlaps.is_missing[pieces] = False
        counted.split += n_cuts
        counted.recolour += n_recoloured
        counted.remove += has_rest
