"""From labels to segments: the vote, filters, parts, and the way up to the picture's size."""

from collections.abc import Mapping, Sequence

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
        is_code_kept: whether a pixel whose code is stuff stays stuff, whatever its id votes.
        split_parts: parts of a thing that do not touch become segments of their own, and what
            is smaller than `min_area` goes to the nearest segment instead of to void.

    Returns:
        uint16 [H, W] segment ids and the category id of each.
    """
    is_thing = np.array([False, *(category.is_thing for category in categories)])
    if has_stuff_ids:
        semantic, ids = vote(semantic, ids, 0 if split_parts else min_area)
    else:
        voted, ids = vote_things(semantic, ids)
        semantic = np.where(is_thing[semantic] | (not is_code_kept), voted, semantic)
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


def bring_up(numbers: Ids, frame: Frame) -> Ids:
    """Segment ids of the map's grid at the size of the picture, with smooth borders.

    Each picture pixel takes the segment that has the largest share of its bilinear weights, so
    that borders run through pixels of the grid instead of around them. A cell stands where its
    label was taken in training: nearest with half-pixel centres takes the pixel after the
    cell's middle where the stride is even.

    Args:
        numbers: [h, w] on the whole padded grid.
    """
    height, width = frame.image
    result = np.empty((height, width), np.uint16)
    columns = _bilinear(width, frame.content[1] / width, frame.stride, numbers.shape[1])
    rows = _bilinear(height, frame.content[0] / height, frame.stride, numbers.shape[0])
    step = max(BAND_PIXELS // width, 1)
    for top in range(0, height, step):
        band = slice(top, top + step)
        result[band] = _largest_share(
            numbers, (rows[0][band], rows[1][band], rows[2][band]), columns
        )
    return result


Axis = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]


def _bilinear(size: int, scale: float, stride: int, grid: int) -> Axis:
    """For each of `size` pixels: the cells before and after, and the weight of the latter."""
    middle = stride // 2 + 0.5  # of the pixel whose label a cell has
    place = ((np.arange(size) + 0.5) * scale - middle) / stride
    before = np.floor(place).astype(np.intp)
    weight = (place - before).astype(np.float32)
    return before.clip(0, grid - 1), (before + 1).clip(0, grid - 1), weight


def _largest_share(numbers: Ids, rows: Axis, columns: Axis) -> Ids:
    (y0, y1, wy), (x0, x1, wx) = rows, columns
    wy, wx = wy[:, None], wx[None, :]
    corners = [numbers[np.ix_(y, x)] for y in (y0, y1) for x in (x0, x1)]
    weights = [v * u for v in (1 - wy, wy) for u in (1 - wx, wx)]
    best, best_share = corners[0], np.full(corners[0].shape, -1, np.float32)
    for candidate in corners:
        share = sum(
            (
                weight * (corner == candidate)
                for weight, corner in zip(weights, corners, strict=True)
            ),
            start=np.zeros_like(best_share),
        )
        is_better = share > best_share
        best = np.where(is_better, candidate, best)
        best_share = np.where(is_better, share, best_share)
    return best


def code_of_category(categories: Sequence[Category]) -> Mapping[int, int]:
    """The semantic code of each category id: its place in the list, from 1."""
    return {category.id: code for code, category in enumerate(categories, start=1)}
