"""Panoptic quality: how well predicted segments match true ones, by category.

The numbers equal those of COCO's official evaluator (panopticapi), with two exceptions: the
area of a true segment is counted in its PNG, not taken from its JSON, and where the official
one divides by zero, because no category of a kind occurs, the qualities are 0 with n = 0.

Source: Kirillov et al. 2019, arXiv:1801.00868, section 4; void and crowd as in panopticapi.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.coco import read_coco
from core.errors import CocoError
from core.panoptic import VOID, Category


@dataclass(slots=True)
class Tally:
    """Matches of one category, summed over images.

    Attributes:
        iou: sum over the matched pairs.
        tp: matched pairs of a true and a predicted segment.
        fp: predicted segments without a match.
        fn: true segments without a match.
    """

    iou: float = 0.0
    tp: int = 0
    fp: int = 0
    fn: int = 0

    def add(self, other: "Tally") -> None:
        self.iou += other.iou
        self.tp += other.tp
        self.fp += other.fp
        self.fn += other.fn


Tallies = dict[int, Tally]  # by category id
Overlaps = dict[tuple[int, int], int]  # (true id, predicted id) -> pixels


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """Which segments of two maps of one image are the same, whatever their categories.

    Attributes:
        overlaps: pixels of each pair of ids that meets, void included.
        true_areas, predicted_areas: pixels of each id.
        pairs: (true id, predicted id) -> IoU above 0.5; no id is in two.
        missed: true segments without a partner; crowds are none.
        extra: predicted segments without a partner.
        forgiven: predicted segments, perhaps with a partner, of which more than half lies on
            void or on the last crowd of their category.
    """

    overlaps: Overlaps
    true_areas: Counter[int]
    predicted_areas: Counter[int]
    pairs: Mapping[tuple[int, int], float]
    missed: AbstractSet[int]
    extra: AbstractSet[int]
    forgiven: AbstractSet[int]


@dataclass(frozen=True, slots=True)
class Quality:
    """Panoptic, segmentation and recognition quality in [0, 1], the mean over n categories."""

    pq: float
    sq: float
    rq: float
    n: int


@dataclass(frozen=True, slots=True)
class CategoryQuality:
    """The qualities of one category and the counts behind them; all 0 if it never occurs."""

    category: Category
    pq: float
    sq: float
    rq: float
    tp: int
    fp: int
    fn: int

    @property
    def occurs(self) -> bool:
        """Whether any image has a segment of it, true or predicted; else no mean counts it."""
        return self.tp + self.fp + self.fn > 0


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Means over all categories, over things and over stuff, and each category by id."""

    all: Quality
    things: Quality
    stuff: Quality
    per_category: Mapping[int, CategoryQuality]

    def to_json(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return {
            "all": asdict(self.all),
            "things": asdict(self.things),
            "stuff": asdict(self.stuff),
            "per_category": [
                {
                    "id": quality.category.id,
                    "name": quality.category.name,
                    "isthing": int(quality.category.is_thing),
                    **{name: getattr(quality, name) for name in ("pq", "sq", "rq")},
                    **{name: getattr(quality, name) for name in ("tp", "fp", "fn")},
                }
                for quality in self.per_category.values()
            ],
        }


def compare_maps(
    predicted_ids: NDArray[np.integer[Any]],
    predicted: Mapping[int, int],
    true_ids: NDArray[np.integer[Any]],
    truth: Mapping[int, int],
    crowds: Collection[int] = (),
) -> Tallies:
    """Match the segments of one image and count hits and misses of each category.

    Segments match if they are of one category and overlap by an IoU above 0.5, which at most
    one can; void in the truth counts on neither side. Crowds are never matched nor missed. A
    prediction without a match that lies by more than half on void, or on the last crowd of its
    category, is forgiven.

    Args:
        predicted_ids: [H, W] segment ids below 2**32; 0 is void.
        predicted: the category id of each segment id; ids without pixels do not count.
        true_ids: [H, W].
        truth: the category id of each true segment id, crowds included.
        crowds: the ids of true segments that are crowds.

    Raises:
        ValueError: the maps differ in size.
    """
    matching = match_segments(predicted_ids, predicted, true_ids, truth, crowds)
    tallies: defaultdict[int, Tally] = defaultdict(Tally)
    missed, extra = set(matching.missed), set(matching.extra)
    for (true_id, predicted_id), iou in matching.pairs.items():
        if truth[true_id] == predicted[predicted_id]:
            tallies[truth[true_id]].add(Tally(iou=iou, tp=1))
        else:
            missed.add(true_id)
            extra.add(predicted_id)
    for true_id in missed:
        tallies[truth[true_id]].fn += 1
    for predicted_id in extra - matching.forgiven:
        tallies[predicted[predicted_id]].fp += 1
    return dict(tallies)


def match_segments(
    predicted_ids: NDArray[np.integer[Any]],
    predicted: Mapping[int, int],
    true_ids: NDArray[np.integer[Any]],
    truth: Mapping[int, int],
    crowds: Collection[int] = (),
) -> Matching:
    """Find the segments of one image that are in both maps, categories aside.

    Arguments and rules are those of `compare_maps`.

    Raises:
        ValueError: the maps differ in size.
    """
    if predicted_ids.shape != true_ids.shape:
        raise ValueError(f"maps of {predicted_ids.shape} and {true_ids.shape} pixels differ")
    overlaps = count_overlaps(true_ids, predicted_ids)
    true_areas, predicted_areas = _sum_areas(overlaps)
    pairs = {}
    for (true_id, predicted_id), area in overlaps.items():
        if true_id in crowds or true_id not in truth or predicted_id not in predicted:
            continue
        on_void = overlaps.get((VOID, predicted_id), 0)
        union = true_areas[true_id] + predicted_areas[predicted_id] - area - on_void
        if (iou := area / union) > 0.5:
            pairs[true_id, predicted_id] = iou
    crowd_of = {truth[i]: i for i in truth if i in crowds}
    forgiven = set()
    for predicted_id, area in predicted_areas.items():
        crowd = crowd_of.get(predicted.get(predicted_id, -1), -1)
        on_void = overlaps.get((VOID, predicted_id), 0)
        if 2 * (on_void + overlaps.get((crowd, predicted_id), 0)) > area:
            forgiven.add(predicted_id)
    return Matching(
        overlaps=overlaps,
        true_areas=true_areas,
        predicted_areas=predicted_areas,
        pairs=pairs,
        missed=(truth.keys() & true_areas.keys()) - set(crowds) - {true for true, _ in pairs},
        extra=(predicted.keys() & predicted_areas.keys()) - {found for _, found in pairs},
        forgiven=forgiven,
    )


def add_tallies(total: Tallies, more: Tallies) -> None:
    """Add those of another image to a running total."""
    for category_id, tally in more.items():
        total.setdefault(category_id, Tally()).add(tally)


def report_quality(tallies: Tallies, categories: Iterable[Category]) -> QualityReport:
    """Turn counts into qualities; each mean is over the categories that occur."""
    rated = [_rate(category, tallies.get(category.id, Tally())) for category in categories]
    return QualityReport(
        all=_mean(rated),
        things=_mean([quality for quality in rated if quality.category.is_thing]),
        stuff=_mean([quality for quality in rated if not quality.category.is_thing]),
        per_category={quality.category.id: quality for quality in rated},
    )


def evaluate_files(
    prediction: Path,
    truth: Path,
    *,
    prediction_folder: Path | None = None,
    truth_folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> QualityReport:
    """Compare two COCO panoptic JSONs and the PNGs beside them, image by image.

    Args:
        prediction: may hold annotations alone; images that the truth lacks are left out.
        prediction_folder: of the PNGs, if not the one that `read_coco` finds.
        progress: told how many images are compared, of how many; an exception cancels.

    Raises:
        CocoError: a file is missing, damaged or contradicts itself or the other, or an image
            of the truth has no prediction.
    """
    true_set = read_coco(truth, folder=truth_folder)
    predicted_set = read_coco(prediction, folder=prediction_folder, like=true_set)
    indices = {image.id: index for index, image in enumerate(predicted_set.images)}
    for image in true_set.images:
        if image.id not in indices:
            raise CocoError(
                f"{prediction} has no map for image {image.id} ({image.file_name}) of {truth}; "
                "predict every image, or leave it out of the truth."
            )
    tallies: Tallies = {}
    for true_index, image in enumerate(true_set.images):
        predicted_ids, predicted = predicted_set.load(indices[image.id])
        true_ids, segments = true_set.load(true_index)
        found = compare_maps(
            predicted_ids,
            {segment.id: segment.category_id for segment in predicted},
            true_ids,
            {segment.id: segment.category_id for segment in segments},
            {segment.id for segment in segments if segment.is_crowd},
        )
        add_tallies(tallies, found)
        if progress is not None:
            progress(true_index + 1, len(true_set.images))
    return report_quality(tallies, true_set.categories)


def count_overlaps(
    true_ids: NDArray[np.integer[Any]], predicted_ids: NDArray[np.integer[Any]]
) -> Overlaps:
    """Count the pixels of each pair (true id, predicted id) that meets, in order of the pairs.

    The arrays have one shape, whichever; ids are below 2**32. Maps are made of long runs, so
    sorting one code a run beats sorting one a pixel.
    """
    codes = true_ids.astype(np.uint64).ravel() << np.uint64(32)
    codes |= predicted_ids.astype(np.uint64).ravel()
    is_new = np.append([True], codes[1:] != codes[:-1])[: codes.size]
    starts = np.flatnonzero(is_new)
    lengths = np.diff(starts, append=codes.size)
    pairs, which = np.unique(codes[starts], return_inverse=True)
    counts = np.bincount(which, lengths)
    return {
        (pair >> 32, pair & 0xFFFF_FFFF): int(count)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)
    }


def _sum_areas(overlaps: Overlaps) -> tuple[Counter[int], Counter[int]]:
    """The pixels of each true and of each predicted id."""
    true_areas: Counter[int] = Counter()
    predicted_areas: Counter[int] = Counter()
    for (true_id, predicted_id), area in overlaps.items():
        true_areas[true_id] += area
        predicted_areas[predicted_id] += area
    return true_areas, predicted_areas


def _rate(category: Category, tally: Tally) -> CategoryQuality:
    weight = tally.tp + tally.fp / 2 + tally.fn / 2
    return CategoryQuality(
        category=category,
        pq=tally.iou / weight if weight else 0.0,
        sq=tally.iou / tally.tp if tally.tp else 0.0,
        rq=tally.tp / weight if weight else 0.0,
        tp=tally.tp,
        fp=tally.fp,
        fn=tally.fn,
    )


def _mean(rated: Iterable[CategoryQuality]) -> Quality:
    occurring = [quality for quality in rated if quality.occurs]
    n = len(occurring)
    return Quality(
        pq=sum(quality.pq for quality in occurring) / max(n, 1),
        sq=sum(quality.sq for quality in occurring) / max(n, 1),
        rq=sum(quality.rq for quality in occurring) / max(n, 1),
        n=n,
    )
