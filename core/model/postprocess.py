"""From labels to segments: the vote, filters, parts, and the way up to the picture's size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.model.prepare import Frame
from core.panoptic import MAX_SEGMENT_ID, Category, Ids

Labels = NDArray[np.int64]  # [H, W]
BAND_PIXELS = 4_000_000  # picture pixels that are brought up at one time


def vote(semantic: Labels, ids: Labels, min_area: int) -> tuple[Labels, Labels]:
    """Give each id the most frequent code among its pixels; small ids get none.

    Args:
        semantic: [H, W] codes, 0 is void; ids: [H, W].
        min_area: ids with fewer pixels become void.

    Returns:
        Codes and ids [H, W]; ids are 0 where the code is 0. Ties go to the smaller code; id 0
        votes like any other and keeps its code, but it is no segment.

    Source: the authors' COCO evaluation; specification section 5.1.
    """
    n_codes, n_ids = int(semantic.max(initial=0)) + 1, int(ids.max(initial=0)) + 1
    votes = np.bincount((ids * n_codes + semantic).ravel(), minlength=n_ids * n_codes)
    votes = votes.reshape(n_ids, n_codes)
    code_of_id = votes.argmax(1)
    code_of_id[votes.sum(1) < min_area] = 0
    voted = code_of_id[ids]
    return voted, np.where(voted == 0, 0, ids)


def vote_things(semantic: Labels, ids: Labels) -> tuple[Labels, Labels]:
    """The vote where stuff shares id 0: only real ids vote, the others keep their codes."""
    voted, _ = vote(semantic, ids, 0)
    return np.where(ids == 0, semantic, voted), ids


def choose_likeliest(
    log_probabilities: NDArray[np.float32], ids: Labels, categories: Sequence[Category]
) -> tuple[Labels, Labels]:
    """Codes that exist: each pixel's likeliest, and of things the one that fits all pixels.

    Args:
        log_probabilities: [n_codes, H, W]; code 0, void, is never chosen.
        ids: [H, W].

    Returns:
        Codes and ids [H, W]; pixels of stuff have id 0, and all others of an id have the thing
        code whose sum over them is the largest.
    """
    is_thing = np.array([False, *(category.is_thing for category in categories)])
    codes = log_probabilities[1:].argmax(0) + 1
    is_part = is_thing[codes]
    ids = np.where(is_part, ids, 0)
    sums = np.stack([np.bincount(ids.ravel(), plane.ravel()) for plane in log_probabilities])
    sums[~is_thing] = -np.inf
    return np.where(is_part, sums.argmax(0)[ids], codes), ids


def to_segments(
    semantic: Labels,
    ids: Labels,
    categories: Sequence[Category],
    *,
    has_stuff_ids: bool,
    is_code_kept: bool = False,
    min_area: int = 0,
    split_parts: bool = False,
) -> tuple[Ids, dict[int, int]]:
    """Number the segments of voted labels 1, 2, ...; one a stuff category.

    Args:
        categories: of the codes 1, 2, ...
        is_code_kept: whether a pixel whose code is stuff stays stuff and has no say in the vote
            of its id.
        split_parts: parts of a thing that do not touch become segments of their own, and what
            is smaller than `min_area` goes to the nearest segment instead of to void.

    Returns:
        uint16 [H, W] segment ids and the category id of each.
    """
    is_thing = np.array([False, *(category.is_thing for category in categories)])
    if has_stuff_ids:
        semantic, ids = vote(semantic, ids, 0 if split_parts else min_area)
    else:
        if is_code_kept:
            ids = np.where(is_thing[semantic], ids, 0)
        semantic, ids = vote_things(semantic, ids)
    keys = np.where(is_thing[semantic], (ids + 1) * len(is_thing), 0) + semantic
    keys[(semantic == 0) | ((ids == 0) & (is_thing[semantic] | has_stuff_ids))] = 0
    values, inverse = np.unique(keys, return_inverse=True)
    numbers: NDArray[np.int32] = inverse.reshape(keys.shape).astype(np.int32)
    codes = values % len(is_thing)
    if split_parts:
        numbers, codes = _split(numbers, codes, is_thing, min_area)
    return _compact(numbers, codes, categories, 0 if split_parts else min_area)


def _split(
    numbers: NDArray[np.int32], codes: Labels, is_thing: NDArray[np.bool_], min_area: int
) -> tuple[NDArray[np.int32], Labels]:
    """Connected parts of things as numbers of their own; small ones go to their neighbours."""
    parts = np.zeros_like(numbers)
    part_codes = [0]
    for number, code in enumerate(codes):
        if code == 0:
            continue
        here = (numbers == number).astype(np.uint8)
        if not is_thing[code]:
            parts[here > 0] = len(part_codes)
            part_codes.append(int(code))
            continue
        n_parts, labelled, stats, _ = cv2.connectedComponentsWithStats(here, connectivity=4)
        large = [k for k in range(1, n_parts) if stats[k, cv2.CC_STAT_AREA] >= min_area]
        table = np.zeros(n_parts, np.int32)
        table[large] = np.arange(len(large)) + len(part_codes)
        np.copyto(parts, table[labelled], where=here > 0)
        part_codes += [int(code)] * len(large)
    was_labelled = codes[numbers] != 0
    return _fill_from_nearest(parts, was_labelled), np.array(part_codes, np.int64)


def _fill_from_nearest(
    parts: NDArray[np.int32], wanted: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Give unnumbered pixels, where wanted, the number of the nearest numbered pixel."""
    holes = (parts == 0) & wanted
    if not holes.any() or not (parts > 0).any():
        return parts
    _, nearest = cv2.distanceTransformWithLabels(
        (parts == 0).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    number_of_label = np.zeros(int(nearest.max()) + 1, np.int32)
    number_of_label[nearest[parts > 0]] = parts[parts > 0]
    return np.where(holes, number_of_label[nearest], parts)


def _compact(
    numbers: NDArray[np.int32], codes: Labels, categories: Sequence[Category], min_area: int
) -> tuple[Ids, dict[int, int]]:
    """Drop small and void numbers and count the rest 1, 2, ... by falling area."""
    areas = np.bincount(numbers.ravel(), minlength=len(codes))
    kept = [
        number
        for number in np.argsort(-areas, kind="stable")
        if codes[number] != 0 and areas[number] >= max(min_area, 1)
    ][:MAX_SEGMENT_ID]
    table = np.zeros(len(codes), np.uint16)
    table[kept] = np.arange(1, len(kept) + 1)
    category_ids = {k + 1: categories[codes[n] - 1].id for k, n in enumerate(kept)}
    return table[numbers], category_ids


@dataclass(frozen=True, slots=True, eq=False)
class CodeShares:
    """How sure the model is of the categories of a map's segments.

    Attributes:
        codes: [n_segments + 1] the category code of each number; that of 0 is not used.
        shares: float32 [n_codes, h, w] how likely each code is, 1 in sum.
    """

    codes: Labels
    shares: NDArray[np.float32]


def bring_up(numbers: Ids, frame: Frame, sure: CodeShares | None = None) -> Ids:
    """Segment ids of the map's grid at the size of the picture, with smooth borders.

    Each picture pixel takes the segment that has the largest share of its bilinear weights, so
    that borders run through pixels of the grid instead of around them. With `sure`, a cell in
    doubt between two categories gives each segment beside it no more than its category's share,
    so that the border lies where the categories are equally likely. A cell stands where its
    label was taken in training: nearest with half-pixel centres takes the pixel after the
    cell's middle where the stride is even.

    Args:
        numbers: [h, w] on the whole padded grid.
        sure: None takes every cell for sure.
    """
    height, width = frame.image
    rows, columns = (
        _bilinear(side, content, frame.stride)
        for side, content in zip(frame.image, frame.content, strict=True)
    )
    result = np.empty((height, width), np.uint16)
    step = max(BAND_PIXELS // width, 1)
    for top in range(0, height, step):
        band = slice(top, top + step)
        result[band] = _largest_share(
            numbers, (rows[0][band], rows[1][band], rows[2][band]), columns, sure
        )
    return result


Axis = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]


def _bilinear(size: int, content: int, stride: int) -> Axis:
    """For each of `size` pixels: the cells before and after, and the weight of the latter.

    Args:
        content: input pixels that the picture covers; cells behind them are padding.
    """
    middle = stride // 2 + 0.5  # of the pixel whose label a cell has
    place = ((np.arange(size) + 0.5) * content / size - middle) / stride
    before = np.floor(place).astype(np.intp)
    weight = (place - before).astype(np.float32)
    last = -(-content // stride) - 1
    return before.clip(0, last), (before + 1).clip(0, last), weight


def _largest_share(numbers: Ids, rows: Axis, columns: Axis, sure: CodeShares | None) -> Ids:
    corners = [numbers[np.ix_(y, x)] for y in rows[:2] for x in columns[:2]]
    found = corners[0]
    v, u = np.nonzero(np.logical_or.reduce([corner != found for corner in corners[1:]]))
    around = [corner[v, u] for corner in corners]
    wy, wx = rows[2][v], columns[2][u]
    weights = [a * b for a in (1 - wy, wy) for b in (1 - wx, wx)]
    cells = [(y[v], x[u]) for y in rows[:2] for x in columns[:2]]
    best, best_share = around[0], np.full(len(v), -1, np.float32)
    is_sure = np.logical_or.reduce([number == 0 for number in around])  # void has no share
    for candidate in around:
        share = np.zeros_like(best_share)
        for number, weight, cell in zip(around, weights, cells, strict=True):
            is_same = candidate == number
            support = is_same.astype(np.float32)
            if sure is not None:
                code = sure.codes[candidate]
                has_part = is_same | (code != sure.codes[number])
                part = np.where(has_part, sure.shares[code, *cell], 0)
                support = np.where(is_sure, support, part)
            share += weight * support
        is_better = share > best_share
        best = np.where(is_better, candidate, best)
        best_share = np.where(is_better, share, best_share)
    found[v, u] = best
    return found


def code_of_category(categories: Sequence[Category]) -> Mapping[int, int]:
    """The semantic code of each category id: its place in the list, from 1."""
    return {category.id: code for code, category in enumerate(categories, start=1)}
