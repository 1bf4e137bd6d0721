"""Faults of past maps: what a network that follows its own maps has to mend.

In training the past is the truth, in use it is what the network itself has said, or a person
in a hurry: borders are rough, segments are shifted, lost, joined, or were never there.
"""

from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Faults:
    """How often past maps are wrong, and how much.

    Attributes:
        share: of the past maps that have faults.
        bend: pixels of the map that borders are off, as a standard deviation.
        lost: share of the segments that are missing; joined: that are one with a neighbour.
        invented: segments that are not there, for each one that is.
    """

    share: float = 0.0
    bend: float = 0.8
    lost: float = 0.04
    joined: float = 0.03
    invented: float = 0.03

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), 9 if field.name == "bend" else 1
            if not 0 <= value <= most:
                raise ValueError(f"{field.name} cannot be {value}; give 0 to {most}")


def add_faults(
    labels: NDArray[np.int32], n_ids: int, faults: Faults, rng: np.random.Generator
) -> NDArray[np.int32]:
    """One map with faults.

    Args:
        labels: [2, h, w] code and id; 0 is no id, as stuff may have none.
        n_ids: ids are below it.
    """
    codes, ids = labels
    found = np.unique(ids[ids > 0])
    codes, ids = codes.copy(), ids.copy()
    if len(found):
        behind = _commonest(codes[ids == 0])
        is_lost = np.isin(ids, found[rng.random(len(found)) < faults.lost])
        codes[is_lost], ids[is_lost] = behind, 0
        for segment in found[rng.random(len(found)) < faults.invented]:
            _invent(codes, ids, int(segment), n_ids, rng)
        for segment in found[rng.random(len(found)) < faults.joined]:
            _join(ids, int(segment))
    bent = _bend(np.stack([codes, ids], -1), faults.bend, rng)
    return bent.transpose(2, 0, 1)


def _commonest(codes: NDArray[np.int32]) -> int:
    return int(np.bincount(codes).argmax()) if codes.size else 0


def _invent(
    codes: NDArray[np.int32],
    ids: NDArray[np.int32],
    segment: int,
    n_ids: int,
    rng: np.random.Generator,
) -> None:
    """Put the shape of a segment where there is none, with an id of its own."""
    shift = [int(rng.integers(side)) for side in ids.shape]
    shape = np.roll(ids == segment, shift, (0, 1)) & (ids == 0)
    own = codes[ids == segment]
    if own.size:
        codes[shape], ids[shape] = own[0], int(rng.integers(1, n_ids))


def _join(ids: NDArray[np.int32], segment: int) -> None:
    """Give a segment the id of one that it touches, if there is one."""
    here = ids == segment
    around = cv2.dilate(here.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    neighbours = ids[around & ~here & (ids > 0)]
    if neighbours.size:
        ids[here] = neighbours[0]


def _bend(
    labels: NDArray[np.int32], strength: float, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Labels [h, w, 2] taken from a little beside each pixel, and all of them from there."""
    height, width = labels.shape[:2]
    coarse = rng.normal(0, strength, (2, -(-height // 6) + 1, -(-width // 6) + 1))
    field = [cv2.resize(axis, (width, height)) for axis in coarse]
    whole = rng.normal(0, strength / 2, 2)
    y, x = np.indices((height, width))
    rows = np.rint(y + field[0] + whole[0]).astype(np.intp).clip(0, height - 1)
    columns = np.rint(x + field[1] + whole[1]).astype(np.intp).clip(0, width - 1)
    return labels[rows, columns]
