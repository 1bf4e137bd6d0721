"""The connected parts of all segments at once, found by the runs of equal ids in each row.

A map has few runs, so this takes as long for a hundred thousand parts as for ten, where to
number the parts of one segment after another would take the whole image for each that is
strewn over it.
"""

from dataclasses import dataclass

import numpy as np

from core.panoptic import Ids
from core.spans import Ints

Borders = tuple[Ints, Ints, Ints]


@dataclass(frozen=True, slots=True, eq=False)
class MapParts:
    """The parts of a map; pixels of one id that touch, if only at a corner, are of one part.

    Attributes:
        ids: uint16 [P], of which segment each part is; void has parts too.
        areas: [P] pixels of each.
        borders: part, other part and length in pixels of the border between them [B]; each
            border is in it twice, once from either side, and maybe in pieces.
        shape: of the map.
    """

    ids: Ids
    areas: Ints
    borders: Borders
    shape: tuple[int, int]
    _run_parts: Ints
    _run_lengths: Ints

    def paint(self, ids: Ids) -> Ids:
        """The map [H, W] on which the parts have other ids [P]."""
        return np.repeat(ids[self._run_parts], self._run_lengths).reshape(self.shape)


def find_parts_of_all(segment_ids: Ids) -> MapParts:
    """Find the connected parts of every segment of a map, and of void.

    Args:
        segment_ids: uint16 [H, W].
    """
    height, width = segment_ids.shape
    flat = segment_ids.ravel()
    is_start = np.ones(flat.size, np.bool_)
    np.not_equal(flat[1:], flat[:-1], out=is_start[1:])
    is_start[::width] = True
    starts = np.flatnonzero(is_start)
    lengths = np.diff(starts, append=flat.size)
    run_ids = flat[starts]
    upper, lower, shared = find_meetings(starts, lengths, width)
    is_same = run_ids[upper] == run_ids[lower]
    root = connect(len(starts), upper[is_same], lower[is_same])
    is_root = root == np.arange(len(root))
    part = (np.cumsum(is_root) - 1)[root]
    areas = np.bincount(part, lengths).astype(np.int64)
    before = np.flatnonzero(starts[1:] % width)  # and the run after it: neighbours in a row
    is_border = ~is_same & (shared > 0)
    one = np.concatenate([part[before], part[upper[is_border]]])
    other = np.concatenate([part[before + 1], part[lower[is_border]]])
    length = np.concatenate([np.ones_like(before), shared[is_border]])
    borders = (
        np.concatenate([one, other]),
        np.concatenate([other, one]),
        np.concatenate([length, length]),
    )
    return MapParts(run_ids[is_root], areas, borders, (height, width), part, lengths)


def find_meetings(starts: Ints, lengths: Ints, width: int) -> Borders:
    """Which runs touch in one row and the next, and along how many pixels; 0 is a corner."""
    n_above = int(np.searchsorted(starts, starts[-1] // width * width))
    begin, end = starts[:n_above] + width, (starts + lengths)[:n_above] + width
    row = begin // width * width
    first = np.searchsorted(starts, np.maximum(begin - 1, row), "right") - 1
    last = np.searchsorted(starts, np.minimum(end, row + width - 1), "right") - 1
    counts = last - first + 1
    upper = np.repeat(np.arange(n_above), counts)
    lower = first[upper] + np.arange(len(upper)) - (np.cumsum(counts) - counts)[upper]
    left = np.maximum(begin[upper], starts[lower])
    return upper, lower, np.minimum(end[upper], (starts + lengths)[lower]) - left


def connect(n: int, one: Ints, other: Ints) -> Ints:
    """The lowest number [n] that each of n things is linked to, directly or not.

    Source: Shiloach and Vishkin 1982, J. Algorithms 3(1), in turns
    of hooking roots on lower ones and of shortening the ways to them.
    """
    root = np.arange(n)
    while len(one):
        np.minimum.at(
            root, np.maximum(root[one], root[other]), np.minimum(root[one], root[other])
        )
        while not np.array_equal(shorter := root[root], root):
            root = shorter
        is_apart = root[one] != root[other]
        one, other = one[is_apart], other[is_apart]
    return root
