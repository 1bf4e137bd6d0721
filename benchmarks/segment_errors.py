"""What is wrong with the segments of a model: split, merged, missed, extra, or badly bordered.

    python -m benchmarks.segment_errors TRUTH.json NAME=PREDICTION.json [NAME=... ...]

Reads COCO panoptic files, as `bitbrush segment` and `bitbrush export` write them, and prints
for every group of images how often each kind of error occurs in one category, and how many
points of PQ it would bring to be rid of that kind. Images are grouped as nuclei are, by
`modality`.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import print_report
from core.coco import CocoDataset, read_coco
from core.coco_json import CocoSegment

Ids = NDArray[np.integer[Any]]  # [H, W] segment ids of one category, 0 elsewhere
TOUCHED = 0.25  # of its area: with less in common with the other map, a segment is alone
SMALL = (256, 256)
COLUMNS = ["", "PQ", "SQ", "RQ", "split", "merged", "missed", "extra", "poor", "borders"]


@dataclass(slots=True)
class ErrorCounts:
    """Kinds of errors, summed over images; every segment is counted once.

    Attributes:
        matched: pairs with an IoU above 0.5, and `iou` the sum of theirs.
        split: true segments without a match that hold most of two or more predictions each,
            and `pieces` the predictions without a match in true segments that hold as many.
        merged: true segments without a match of which most lies in a prediction that has most
            of another too, and `mergers` such predictions without a match.
        missed: true segments of which predictions cover less than a quarter.
        extra: predictions of which true segments cover less than a quarter.
        poor, poor_predictions: all others without a match: found, with a wrong border.
        all_splits, all_mergers: the same with those that have a match for all that.
    """

    matched: int = 0
    iou: float = 0.0
    split: int = 0
    pieces: int = 0
    merged: int = 0
    mergers: int = 0
    missed: int = 0
    extra: int = 0
    poor: int = 0
    poor_predictions: int = 0
    all_splits: int = 0
    all_mergers: int = 0

    def add(self, other: "ErrorCounts") -> None:
        for field in fields(self):
            total = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, total)

    @property
    def weight(self) -> float:
        """What PQ and RQ divide by: matches, and half of all segments without one."""
        false = self.pieces + self.mergers + self.extra + self.poor_predictions
        return self.matched + (self.split + self.merged + self.missed + self.poor + false) / 2

    @property
    def pq(self) -> float:
        return self.iou / max(self.weight, 1)

    @property
    def sq(self) -> float:
        return self.iou / max(self.matched, 1)

    @property
    def rq(self) -> float:
        return self.matched / max(self.weight, 1)

    def gains(self) -> dict[str, float]:
        """By how much PQ would rise if all errors of a kind became matches of average IoU.

        `borders`: if all matches were exact.
        """
        right = {
            "split": (self.split, self.pieces),
            "merged": (self.merged, self.mergers),
            "missed": (self.missed, 0),
            "extra": (0, self.extra),
            "poor": (self.poor, self.poor_predictions),
        }
        gains = {}
        for kind, (true, predicted) in right.items():
            weight = self.weight + (true - predicted) / 2
            gains[kind] = (self.iou + true * self.sq) / max(weight, 1) - self.pq
        return gains | {"borders": self.rq - self.pq}

    def to_json(self) -> dict[str, Any]:
        qualities = {"pq": self.pq, "sq": self.sq, "rq": self.rq}
        return qualities | asdict(self) | {"gains": self.gains()}


def count_errors(predicted: Ids, truth: Ids) -> ErrorCounts:
    """Sort the segments of one image by what is wrong with them.

    Args:
        predicted, truth: of one category; void in the truth is nothing special here.

    Raises:
        ValueError: the maps differ in size.
    """
    if predicted.shape != truth.shape:
        raise ValueError(f"maps of {predicted.shape} and {truth.shape} pixels differ")
    shared = _overlaps(predicted, truth)  # [true, predicted]
    if 0 in shared.shape:
        return ErrorCounts(missed=shared.shape[0], extra=shared.shape[1])
    true_areas, areas = _areas(truth), _areas(predicted)
    iou = shared / (true_areas[:, None] + areas - shared)
    is_match = iou > 0.5
    lies_in = shared > areas / 2
    swallowed = shared > true_areas[:, None] / 2
    holds_two, takes_two = lies_in.sum(1) > 1, swallowed.sum(0) > 1
    in_split, in_merger = lies_in[holds_two].any(0), swallowed[:, takes_two].any(1)
    is_alone = shared.sum(1) < TOUCHED * true_areas
    is_extra = shared.sum(0) < TOUCHED * areas
    true_kinds = _sort_out(~is_match.any(1), in_merger, holds_two, is_alone)
    kinds = _sort_out(~is_match.any(0), takes_two, in_split, is_extra)
    return ErrorCounts(
        int(is_match.sum()),
        float(iou[is_match].sum()),
        merged=true_kinds[0],
        split=true_kinds[1],
        missed=true_kinds[2],
        poor=true_kinds[3],
        mergers=kinds[0],
        pieces=kinds[1],
        extra=kinds[2],
        poor_predictions=kinds[3],
        all_splits=int(holds_two.sum()),
        all_mergers=int(takes_two.sum()),
    )


def _sort_out(is_left: NDArray[np.bool_], *kinds: NDArray[np.bool_]) -> list[int]:
    """How many are of the first kind, of the second and not the first, ..., of none."""
    counts = []
    for kind in kinds:
        counts.append(int((is_left & kind).sum()))
        is_left = is_left & ~kind
    return [*counts, int(is_left.sum())]


def _overlaps(predicted: Ids, truth: Ids) -> NDArray[np.float64]:
    """Common pixels of every true and every predicted segment."""
    true_ids, rows = np.unique(truth, return_inverse=True)
    ids, columns = np.unique(predicted, return_inverse=True)
    pairs = rows.ravel() * len(ids) + columns.ravel()
    counts = np.bincount(pairs, minlength=len(true_ids) * len(ids)).astype(float)
    return counts.reshape(len(true_ids), len(ids))[true_ids != 0][:, ids != 0]


def _areas(ids: Ids) -> NDArray[np.float64]:
    values, counts = np.unique(ids, return_counts=True)
    return counts[values != 0].astype(float)


def only_category(ids: Ids, segments: Sequence[CocoSegment], category_id: int) -> Ids:
    """The map of one category's segments, crowds left out."""
    kept = [s.id for s in segments if s.category_id == category_id and not s.is_crowd]
    return np.where(np.isin(ids, kept), ids, 0)


def group_images(truth_json: Path) -> dict[str, set[int]]:
    """Image ids by group: those of nuclei by modality and size, of other data all in one."""
    images = json.loads(truth_json.read_text())["images"]
    if not all("modality" in image for image in images):
        return {"all": {image["id"] for image in images}}
    bright = [image for image in images if image["modality"] == "fluorescence"]
    small = [image for image in bright if (image["height"], image["width"]) == SMALL]
    tissue = [image for image in images if image["modality"] == "histology"]
    groups = {"fluorescence": bright, "fluorescence, small": small, "tissue": tissue}
    return {name: {image["id"] for image in found} for name, found in groups.items()}


def compare_files(
    prediction: CocoDataset, truth: CocoDataset, category_id: int
) -> dict[int, ErrorCounts]:
    """Errors by image id, of the images that both have."""
    indices = {image.id: index for index, image in enumerate(prediction.images)}
    return {
        image.id: count_errors(
            only_category(*prediction.load(indices[image.id]), category_id),
            only_category(*truth.load(index), category_id),
        )
        for index, image in enumerate(truth.images)
        if image.id in indices
    }


def add_up(
    by_image: Mapping[int, ErrorCounts], groups: Mapping[str, set[int]]
) -> dict[str, ErrorCounts]:
    """The errors of each group of images."""
    totals = {name: ErrorCounts() for name in groups}
    for name, image_ids in groups.items():
        for image_id in image_ids & by_image.keys():
            totals[name].add(by_image[image_id])
    return totals


def describe(name: str, counts: ErrorCounts) -> list[str]:
    """A row of the table: percent, then each kind's number and the points that it costs."""
    gains = counts.gains()
    numbers = {kind: getattr(counts, kind) for kind in gains if kind != "borders"}
    cells = [f"{number} {100 * gains[kind]:+.1f}" for kind, number in numbers.items()]
    qualities = (f"{100 * value:.1f}" for value in (counts.pq, counts.sq, counts.rq))
    return [name, *qualities, *cells, f"{100 * gains['borders']:+.1f}"]


def print_errors(rows: Mapping[str, Mapping[str, ErrorCounts]]) -> None:
    """Print a table for each group; `rows` has, by name, the counts of each group."""
    groups = {group: None for totals in rows.values() for group in totals}
    for group in groups:
        print_report(
            f"{group}: percent; segments, and the points of PQ that being rid of them brings",
            COLUMNS,
            [describe(name, totals[group]) for name, totals in rows.items() if group in totals],
        )


def main() -> int:
    """Compare files, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth", type=Path)
    parser.add_argument("predictions", nargs="+", metavar="NAME=PREDICTION.json")
    parser.add_argument("--category", default="nucleus", help="name of the category")
    arguments = parser.parse_args()
    truth = read_coco(arguments.truth)
    category_ids = {category.name: category.id for category in truth.categories}
    if arguments.category not in category_ids:
        parser.error(f"{arguments.truth} has no category {arguments.category}")
    groups = group_images(arguments.truth)
    rows = {}
    for argument in arguments.predictions:
        name, _, path = argument.rpartition("=")
        prediction = read_coco(Path(path), like=truth)
        by_image = compare_files(prediction, truth, category_ids[arguments.category])
        rows[name or Path(path).stem] = add_up(by_image, groups)
    print_errors(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
