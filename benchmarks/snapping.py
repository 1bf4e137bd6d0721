"""What ways to snap a border to the image do to borders that are wrong in known ways.

    python -m benchmarks.snapping [--data FOLDER] [--part val] [--segments N] [--seed N]

Segments of COCO and nuclei pictures are drawn at random, at most one an image in turn. The
border of each is damaged, snapped, and compared with the truth: boundary F within 1 and within
2 pixels, and IoU. `core.snapping` ships one of the ways; the others live here. Settings were
tried on the train part and are judged on the val part.

Source: Perazzi et al. 2016, "A Benchmark Dataset and Evaluation Methodology for Video Object
Segmentation", CVPR, section 4, for the boundary F.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import print_conditions, print_report
from core.areas import distance_from
from core.coco import read_coco
from core.giving import Mask
from core.giving import shrink as box_of
from core.images import Rgb, read_image
from core.panoptic import Rect
from core.snapping import EPSILON, filter_guided, snap_mask

DATA = Path(__file__).parents[2] / "shared/data"
SETS = {"COCO": "coco_panoptic", "nuclei": "nuclei"}
MIN_AREA = 400  # pixels; below that a border is most of a segment
WORSE = 0.01  # a fall of IoU that an annotator would see
INSIDE, OUTSIDE = 1, 2  # markers of a watershed
Random = np.random.Generator
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture and one of its segments, as bool [H, W]."""

    image: Rgb
    truth: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """The window that a way to snap may look at, and what it knows of the border.

    Attributes:
        colors: uint8 [m, n, 3].
        inside: bool [m, n], the damaged segment.
        depth: float32 [m, n], distance to the border, positive inside.
        reach: how many pixels the border may move.
    """

    colors: Rgb
    inside: Mask
    depth: Floats
    reach: int


@dataclass(slots=True)
class Scores:
    """What one way made of one kind of damage, a row a segment."""

    rows: list[tuple[float, float, float]] = field(default_factory=list)  # F1, F2, IoU
    n_worse: int = 0
    seconds: float = 0.0


Way = Callable[[Surroundings], Mask]


def main() -> int:
    """Measure, and print a table a data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--part", default="val", choices=("train", "val"))
    parser.add_argument("--segments", type=int, default=50, help="of each data set")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print_conditions()
    columns = ["F1 F2 IoU, %", *DAMAGES, "mean", "worse", "ms"]
    for name, folder in SETS.items():
        path = options.data / folder / options.part / f"panoptic_{options.part}.json"
        samples = draw_samples(path, options.segments, options.seed)
        print_report(f"{name} {options.part}", columns, list(measure(samples, options.seed)))
    return 0


def draw_samples(path: Path, n_samples: int, seed: int) -> list[Sample]:
    """Segments drawn at random, one of each picture before a second one of any.

    In COCO things and stuff; where the only stuff is what things leave over, things alone.
    """
    dataset, random = read_coco(path), np.random.default_rng(seed)
    things = {category.id for category in dataset.categories if category.is_thing}
    has_stuff = len(dataset.categories) - len(things) > 1
    candidates = []
    for index in random.permutation(len(dataset.images)):
        map = dataset.load_map(int(index))
        wanted = [
            i
            for i, area in map.areas().items()
            if area >= MIN_AREA
            and not map.segments[i].is_crowd
            and (has_stuff or map.segments[i].category_id in things)
        ]
        candidates += [
            (turn, int(index), int(i)) for turn, i in enumerate(random.permutation(wanted))
        ]
    chosen = sorted(candidates, key=lambda candidate: candidate[0])[:n_samples]
    images = path.parent / "images"
    return [
        Sample(
            read_image(images / dataset.images[index].file_name),
            dataset.load_map(index).segment_ids == segment_id,
        )
        for _, index, segment_id in chosen
    ]


def measure(samples: list[Sample], seed: int) -> Iterator[list[str]]:
    """The rows of the table, one a way."""
    for name, way in WAYS.items():
        all_scores = [score(way, samples, damage, seed) for damage in DAMAGES]
        means = [np.mean(scores.rows, axis=0) for scores in all_scores]
        n_trials = sum(len(scores.rows) for scores in all_scores)
        worse = sum(scores.n_worse for scores in all_scores) / n_trials
        milliseconds = 1000 * sum(scores.seconds for scores in all_scores) / n_trials
        cells = [" ".join(f"{100 * value:.0f}" for value in mean) for mean in means]
        total = " ".join(f"{100 * value:.0f}" for value in np.mean(means, axis=0))
        yield [name, *cells, total, f"{worse:.0%}", f"{milliseconds:.0f}"]


def score(way: Way, samples: list[Sample], damage: str, seed: int) -> Scores:
    """Damage, snap and compare each segment."""
    scores = Scores()
    harm, reach = DAMAGES[damage]
    for number, sample in enumerate(samples):
        damaged = harm(sample.truth, np.random.default_rng([seed, number]))
        if not damaged.any() or damaged.all():
            continue
        began = time.perf_counter()
        found = snap(way, sample.image, damaged, reach)
        scores.seconds += time.perf_counter() - began
        overlap = iou(found, sample.truth)
        scores.rows.append((*boundary_f(found, sample.truth), overlap))
        scores.n_worse += overlap < iou(damaged, sample.truth) - WORSE
    return scores


def snap(way: Way, image: Rgb, inside: Mask, reach: int) -> Mask:
    """Let a way look at the segment's surroundings, and move its border within reach."""
    height, width = inside.shape
    box, _ = box_of(Rect(0, 0, height, width), inside)
    window = box.grown(2 * reach).clipped(height, width)
    part = inside[window.slices]
    depth = np.where(part, distance_from(~part), -distance_from(part))
    colors = np.ascontiguousarray(image[window.slices])
    found = inside.copy()
    is_near = np.abs(depth) <= reach
    moved = way(Surroundings(colors, part, depth.astype(np.float32), reach))
    found[window.slices] = np.where(is_near, moved, part)
    return found


def coarsen(side: int) -> Callable[[Mask, Random], Mask]:
    """As a model's map of cells of that side: each cell is what most of it is."""

    def harm(truth: Mask, _random: Random) -> Mask:
        height, width = truth.shape
        rows, columns = -(-height // side), -(-width // side)
        padding = ((0, rows * side - height), (0, columns * side - width))
        cells = np.pad(truth, padding, mode="edge").reshape(rows, side, columns, side)
        most = cells.mean(axis=(1, 3)) >= 0.5
        return most.repeat(side, axis=0).repeat(side, axis=1)[:height, :width]

    return harm


def shake(truth: Mask, random: Random) -> Mask:
    """As a hand's: the border wanders by some 3 pixels, smoothly over some 8."""
    height, width = truth.shape
    field = random.standard_normal((height, width, 2)).astype(np.float32)
    field = cv2.GaussianBlur(field, (0, 0), 8)
    field *= 3 / field.std()
    y, x = np.indices(truth.shape, np.float32)
    moved = cv2.remap(
        truth.astype(np.uint8),
        x + field[..., 0],
        y + field[..., 1],
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return moved > 0


def widen(truth: Mask, random: Random) -> Mask:
    """Too wide everywhere, by 2 to 5 pixels."""
    return distance_from(truth) <= random.integers(2, 6)


def narrow(truth: Mask, random: Random) -> Mask:
    """Too narrow everywhere, by 2 to 5 pixels."""
    return distance_from(~truth) > random.integers(2, 6)


def keep(around: Surroundings) -> Mask:
    """The border as it is."""
    return around.inside


def fit_and_shift(around: Surroundings) -> Mask:
    """What `core.snapping` does."""
    return snap_mask(around.colors, around.inside, around.reach)


def guide_by_color(around: Surroundings) -> Mask:
    """The first half of it: He, Sun & Tang 2013, equations 14 to 16."""
    return filter_guided(around.colors, around.inside, around.reach) > 0.5


def guide_by_gray(around: Surroundings) -> Mask:
    """He, Sun & Tang 2013, "Guided Image Filtering", equations 5, 6 and 8."""
    gray = cv2.cvtColor(around.colors, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    p, size = around.inside.astype(np.float32), (2 * around.reach + 1,) * 2
    mean, mean_p = cv2.blur(gray, size), cv2.blur(p, size)
    variance = cv2.blur(gray * gray, size) - mean * mean
    slope = (cv2.blur(gray * p, size) - mean * mean_p) / (variance + EPSILON)
    return cv2.blur(slope, size) * gray + cv2.blur(mean_p - slope * mean, size) > 0.5


def flood(around: Surroundings) -> Mask:
    """Watershed from what lies deeper than the reach on either side, on the colours."""
    return _watershed(around, around.colors)


def flood_with_memory(around: Surroundings) -> Mask:
    """The same, where the old border counts as an edge of ten grey levels."""
    gray = cv2.cvtColor(cv2.GaussianBlur(around.colors, (0, 0), 1), cv2.COLOR_RGB2GRAY)
    memory = np.where(around.inside, np.uint8(10), np.uint8(0))
    return _watershed(around, np.dstack([gray, gray, memory]))


def _watershed(around: Surroundings, colors: Rgb) -> Mask:
    """Source: Meyer 1992, "Color image segmentation", as OpenCV has it."""
    markers = _markers(around)
    if not ((markers == INSIDE).any() and (markers == OUTSIDE).any()):
        return around.inside
    edge = (1, 1, 1, 1, cv2.BORDER_REPLICATE)  # OpenCV leaves the outermost pixels out
    grown = cv2.copyMakeBorder(markers, *edge)
    cv2.watershed(cv2.copyMakeBorder(colors, *edge), grown)
    found = grown[1:-1, 1:-1]
    inside, outside = (
        cv2.blur((found == side).astype(np.float32), (3, 3)) for side in (INSIDE, OUTSIDE)
    )
    on_line = np.where(inside == outside, around.inside, inside > outside)
    return np.where(found > 0, found == INSIDE, on_line)


def _markers(around: Surroundings) -> NDArray[np.int32]:
    """What is sure: deeper than the reach, and where a part is thinner, its middle line."""
    markers = np.zeros(around.inside.shape, np.int32)
    for side, depth in ((INSIDE, around.depth), (OUTSIDE, -around.depth)):
        is_ridge = (depth >= cv2.dilate(depth, np.ones((3, 3))) - 0.01) & (depth >= 2)
        markers[(depth > around.reach) | is_ridge] = side
    return markers


def cut(around: Surroundings) -> Mask:
    """GrabCut, one iteration; more made it worse.

    Source: Rother, Kolmogorov & Blake 2004, "GrabCut", ACM TOG 23(3), 309-314.
    """
    labels = np.where(around.inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[around.depth > around.reach] = cv2.GC_FGD
    labels[-around.depth > around.reach] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(around.colors, labels, None, *models, 1, cv2.GC_INIT_WITH_MASK)
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def shift(around: Surroundings) -> Mask:
    """Move the whole border in or out, to where the image is steepest along it."""
    blurred = cv2.GaussianBlur(around.colors, (0, 0), 1).astype(np.float32)
    dx, dy = cv2.Sobel(blurred, cv2.CV_32F, 1, 0), cv2.Sobel(blurred, cv2.CV_32F, 0, 1)
    steepness = np.sqrt((dx * dx + dy * dy).sum(axis=2))
    steepness = np.minimum(steepness, np.quantile(steepness, 0.97))
    level = around.depth - 0.5 * np.sign(around.depth)
    offsets = np.arange(1 - around.reach, around.reach)
    means = [_mean(steepness[np.abs(level - offset) < 0.75]) for offset in offsets]
    found = level >= offsets[int(np.argmax(means * (1 - 0.02 * np.abs(offsets))))]
    return found if found.any() else around.inside


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) > 20 else 0.0


def boundary_f(found: Mask, truth: Mask) -> tuple[float, float]:
    """F of the border's pixels, right if the other border is at most 1, or 2, pixels away."""
    borders = border(found), border(truth)
    if not (borders[0].any() and borders[1].any()):
        return (float(borders[0].any() == borders[1].any()),) * 2
    gaps = [distance_from(other)[one] for one, other in (borders, borders[::-1])]
    precision, recall = ([float((gap <= d + 1e-3).mean()) for d in (1, 2)] for gap in gaps)
    one, two = (2 * p * r / max(p + r, 1e-9) for p, r in zip(precision, recall, strict=True))
    return one, two


def border(inside: Mask) -> Mask:
    """Pixels inside that touch one outside, edge to edge."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    eroded = cv2.erode(inside.astype(np.uint8), cross, borderValue=1)
    return inside & (eroded == 0)


def iou(found: Mask, truth: Mask) -> float:
    """Intersection over union of two areas."""
    return float((found & truth).sum() / max((found | truth).sum(), 1))


# Each kind of damage, and the reach that an annotator who sees it would set.
DAMAGES: Mapping[str, tuple[Callable[[Mask, Random], Mask], int]] = {
    "grid 4": (coarsen(4), 5),
    "grid 8": (coarsen(8), 8),
    "shaken": (shake, 7),
    "wide": (widen, 6),
    "narrow": (narrow, 6),
}
WAYS: Mapping[str, Way] = {
    "as damaged": keep,
    "ours": fit_and_shift,
    "guided": guide_by_color,
    "guided, grey": guide_by_gray,
    "watershed": flood,
    "with memory": flood_with_memory,
    "GrabCut": cut,
    "one shift": shift,
}


if __name__ == "__main__":
    sys.exit(main())
