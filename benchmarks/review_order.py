"""Does the order by expected work bring the images that need most correction first?

    python -m benchmarks.review_order DATA.json --out DIR [--images 40] [--samples 4]

Some maps are drawn of each image with the model's own options and seeds in a row. The first is
the proposal, whose correction into the truth is what a person would have to do. How the others
differ from it is known before anybody has looked, as is the number of its segments; both are
asked to say which images come first. The maps are kept in DIR, so that a stopped run goes on.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.report import print_conditions, print_report
from core.bundled import DEFAULT_MODEL, find_model
from core.coco import CocoDataset, read_coco
from core.correction_cost import CorrectionCost, judge_void, measure_cost, near_borders
from core.doubt import BAND, Sample, find_doubt
from core.jobs import SegmentJob
from core.model.session import ModelSession
from core.proposals import Proposal, SamplingOptions
from training.sources import find_images

SHARES = (0.1, 0.25, 0.5)  # of the images
RESAMPLES = 2000
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rated:
    """One image: what could be known of it beforehand, and what its proposal costs.

    Attributes:
        scores: by name; more of it should be more work.
        cost: from the proposal to the truth.
        right, wrong: pixels of things by how many other samples disagree [K], borders left out.
    """

    scores: dict[str, float]
    cost: CorrectionCost
    right: list[int]
    wrong: list[int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw what is missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="COCO panoptic JSON of the truth")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--images", type=int, default=40, help="spread over the list")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--steps", type=int, help="of the proposal (default: the model's)")
    parser.add_argument("--other-steps", type=int, help="of the other samples (default: same)")
    parsed = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print_conditions()
    truth = read_coco(parsed.data)
    n_images = min(parsed.images, len(truth.images))
    chosen = np.linspace(0, len(truth.images) - 1, n_images).astype(int).tolist()
    seconds = draw_maps(parsed, truth, chosen)
    for n_samples in range(2, parsed.samples + 1):
        rated = [rate_image(parsed.out, truth, index, n_samples) for index in chosen]
        print_order(rated, f"{len(chosen)} images, {n_samples} samples, {seconds:.1f} s a map")
    return 0


def draw_maps(parsed: argparse.Namespace, truth: CocoDataset, chosen: Sequence[int]) -> float:
    """Draw the maps that are not there yet; CPU seconds a map, of all so far."""
    parsed.out.mkdir(parents=True, exist_ok=True)
    session, path = ModelSession(), find_model(parsed.model)
    first = session.load(path, "cpu").sampling
    first = replace(first, steps=parsed.steps or first.steps)
    other = replace(first, steps=parsed.other_steps or first.steps)
    keep_recipe(parsed.out / "recipe.json", {"first": asdict(first), "other": asdict(other)})
    clock = parsed.out / "seconds.jsonl"
    for index in chosen:
        image = find_images(parsed.data) / truth.images[index].file_name
        for number in range(parsed.samples):
            out = _map_path(parsed.out, truth, index, number)
            if out.exists():
                continue
            began = time.process_time()
            options = replace(other if number else first, seed=number)
            save_map(out, draw(session, image, options))
            with clock.open("a") as file:
                file.write(f"{time.process_time() - began}\n")
    return float(np.mean([float(line) for line in clock.read_text().splitlines()]))


def keep_recipe(path: Path, recipe: dict[str, Any]) -> None:
    """Write down how maps are drawn, or see that it is as before."""
    text = json.dumps(recipe)
    if path.exists() and path.read_text() != text:
        raise SystemExit(f"{path.parent} holds maps that were drawn otherwise; choose another")
    path.write_text(text)


def draw(session: ModelSession, image: Path, options: SamplingOptions) -> Sample:
    """One sample of an image."""
    *_, last = session.segment(SegmentJob(image, options))
    if not isinstance(last, Proposal):
        raise TypeError("the last that a session yields is the proposal")
    return last.segment_ids, last.category_ids


def save_map(path: Path, sample: Sample) -> None:
    """Write a map, and rename it once it is whole."""
    ids, categories = sample
    pairs = np.array(list(categories.items()), np.int64).reshape(-1, 2)
    beside = path.with_suffix(".part.npz")
    np.savez_compressed(beside, ids=ids, categories=pairs)
    beside.replace(path)


def load_map(path: Path) -> Sample:
    """The map that `save_map` wrote."""
    with np.load(path) as arrays:
        return arrays["ids"], dict(arrays["categories"].tolist())


def rate_image(out: Path, truth: CocoDataset, index: int, n_samples: int) -> Rated:
    """Compare the samples of an image with each other, and the first with the truth."""
    samples = [load_map(_map_path(out, truth, index, n)) for n in range(n_samples)]
    true_ids, segments = truth.load(index)
    true = true_ids, {segment.id: segment.category_id for segment in segments}
    ids, categories = samples[0]
    doubt = find_doubt(samples)
    things = {category.id for category in truth.categories if category.is_thing}
    is_judged = is_thing(samples[0], things) | is_thing(true, things)
    is_judged &= ~near_borders(ids, BAND)
    is_wrong = find_doubt([samples[0], true]).plane > 0
    levels = np.rint(doubt.plane * (n_samples - 1)).astype(np.intp)
    right, wrong = (
        np.bincount(levels[is_judged & side], minlength=n_samples).tolist()
        for side in (~is_wrong, is_wrong)
    )
    scores = {
        "expected seconds": doubt.seconds,
        "doubted pixels": float(doubt.plane.sum()),
        "doubted share": doubt.share,
        "segments": float(len(categories)),
        "pixels": float(ids.size),
    }
    cost = measure_cost(*judge_void(ids, categories), *judge_void(*true))
    return Rated(scores, cost, right, wrong)


def is_thing(sample: Sample, things: set[int]) -> NDArray[np.bool_]:
    """Pixels of countable segments."""
    ids, categories = sample
    return np.isin(ids, [i for i, category in categories.items() if category in things])


def print_order(rated: Sequence[Rated], title: str) -> None:
    """Print how much of all work each order finds early, and how well doubt finds errors."""
    costs = np.array([image.cost.seconds() for image in rated])
    total = sum((image.cost for image in rated), CorrectionCost())
    rows = [["random, expected", *(f"{100 * share:.0f}" for share in SHARES), "", ""]]
    for name in rated[0].scores:
        scores = np.array([image.scores[name] for image in rated])
        found = [f"{100 * found_after(scores, costs, share):.0f}" for share in SHARES]
        low, high = spearman_interval(scores, costs)
        rho = f"{spearman(scores, costs):.2f}"
        rows.append([name, *found, rho, f"{low:.2f} to {high:.2f}"])
    best = [f"{100 * found_after(costs, costs, share):.0f}" for share in SHARES]
    rows.append(["best possible", *best, "1.00", ""])
    columns = ["order by", *(f"{share:.0%}" for share in SHARES), "Spearman", "95 %"]
    print_report(f"{title}; percent of all work found after so many images", columns, rows)
    seconds = {kind: round(value) for kind, value in total.breakdown().items()}
    sys.stdout.write(f"{total.seconds():.0f} s to correct them all: {seconds}\n")
    right, wrong = (np.sum([getattr(r, side) for r in rated], 0) for side in ("right", "wrong"))
    share = wrong.sum() / (right.sum() + wrong.sum())
    sys.stdout.write(
        f"Pixels of things: {share:.1%} in a wrong segment, AUROC of doubt "
        f"{auroc(right, wrong):.3f}\n"
    )


def found_after(scores: Values, costs: Values, share: float) -> float:
    """Share of all cost in the first so many images, those of the highest scores; ties mix."""
    n = share * len(scores)
    found = 0.0
    for score in np.unique(scores)[::-1]:
        tied = costs[scores == score]
        taken = min(len(tied), n)
        found += taken * tied.mean()
        n -= taken
    return found / costs.sum()


def spearman(a: Values, b: Values) -> float:
    """Correlation of ranks; equal values share theirs."""
    ranks = [_rank(values) for values in (a, b)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def spearman_interval(a: Values, b: Values) -> tuple[float, float]:
    """Between which it lies for 19 of 20 draws of as many images."""
    random = np.random.default_rng(0)
    draws = random.integers(0, len(a), (RESAMPLES, len(a)))
    low, high = np.quantile([spearman(a[d], b[d]) for d in draws], [0.025, 0.975])
    return float(low), float(high)


def auroc(right: NDArray[np.int64], wrong: NDArray[np.int64]) -> float:
    """How often a wrong pixel has more doubt than a right one, of counts by doubt [K]."""
    below = np.cumsum(right) - right
    return float((wrong * (below + right / 2)).sum() / max(wrong.sum() * right.sum(), 1))


def _rank(values: Values) -> Values:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[which]


def _map_path(out: Path, truth: CocoDataset, index: int, number: int) -> Path:
    return out / f"{Path(truth.images[index].file_name).stem}-{number}.npz"


if __name__ == "__main__":
    sys.exit(main())
