"""Two models on the same hold-out images: which is better, by how much, and how sure is it.

What is compared is counted once an image and model; the images are then drawn anew many times,
the same ones for both models, to see how much of a difference is luck of the draw. The verdict
is on what a labeler has left to correct first, and on panoptic quality beside it.

Source: the paired percentile bootstrap, Efron and Tibshirani 1993, An Introduction to the
Bootstrap, chapters 8 and 13.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.correction_cost import PRICES, CorrectionCost, Pixels, Prices, measure_cost
from core.panoptic import Category
from core.quality import Tallies, Tally, compare_maps

RESAMPLES: Final = 1000
LEVEL: Final = 0.95
LEAST_IMAGES: Final = 6  # with fewer, all in one direction are luck more often than 1 in 20
CHUNK: Final = 4_000_000  # numbers drawn at one time

Values = NDArray[np.float64]


class Verdict(StrEnum):
    """What can be said of a candidate beside the current model."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class ImageScore:
    """What one model's map of one image comes to."""

    name: str
    tallies: Mapping[int, Tally]
    cost: CorrectionCost

    def to_json(self) -> dict[str, Any]:
        """The score as JSON can hold it."""
        tallies = {str(i): asdict(tally) for i, tally in self.tallies.items()}
        return {"name": self.name, "tallies": tallies, "cost": asdict(self.cost)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "ImageScore":
        """The score that `to_json` wrote."""
        tallies = {int(i): Tally(**tally) for i, tally in fields["tallies"].items()}
        return cls(fields["name"], tallies, CorrectionCost(**fields["cost"]))

    def pq(self, categories: Collection[int]) -> float:
        """The mean over those of some categories that occur in the image; 0 for none."""
        weights = {i: t.tp + (t.fp + t.fn) / 2 for i, t in self.tallies.items()}
        each = [self.tallies[i].iou / n for i, n in weights.items() if n and i in categories]
        return sum(each) / max(len(each), 1)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, and between which it would lie for 19 of 20 draws of as many images."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 if it is surely above or below 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True, slots=True)
class Pair:
    """One quantity of both models; the difference is candidate minus current."""

    current: Estimate
    candidate: Estimate
    difference: Estimate


@dataclass(frozen=True, slots=True)
class QualityPair:
    """PQ, SQ and RQ of both models in [0, 1]."""

    pq: Pair
    sq: Pair
    rq: Pair


@dataclass(frozen=True, slots=True)
class ImageChange:
    """Seconds to correct one image after either model, and its PQ in [0, 1]."""

    name: str
    current: float
    candidate: float
    current_pq: float = 0.0
    candidate_pq: float = 0.0

    @property
    def difference(self) -> float:
        return self.candidate - self.current


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate beside the current model.

    Attributes:
        overall: the means over the categories that occur; by_category: those, by id.
        seconds: to correct an image, in the mean.
        costs: what is behind the seconds, current and candidate, summed over the images.
        images: seconds by image, the biggest win first, the biggest loss last.
    """

    overall: QualityPair
    by_category: Mapping[int, QualityPair]
    seconds: Pair
    costs: tuple[CorrectionCost, CorrectionCost]
    images: Sequence[ImageChange]

    def wins(self, most: int) -> list[ImageChange]:
        """Images on which the candidate saves most."""
        return [image for image in self.images[:most] if image.difference < 0]

    def losses(self, most: int) -> list[ImageChange]:
        """Images on which the candidate costs most, the worst first."""
        return [image for image in self.images[::-1][:most] if image.difference > 0]

    @property
    def verdict(self) -> Verdict:
        """What the seconds and PQ say together, where one of them is sure."""
        if len(self.images) < LEAST_IMAGES:
            return Verdict.UNDECIDED
        balance = self.overall.pq.difference.sign - self.seconds.difference.sign
        if balance == 0:
            return Verdict.UNDECIDED
        return Verdict.BETTER if balance > 0 else Verdict.WORSE

    def sentence(self) -> str:
        """The verdict for a labeler, with the numbers that it rests on."""
        n = len(self.images)
        if n < LEAST_IMAGES:
            return (
                f"{n} held-out {'image is' if n == 1 else 'images are'} too few to tell the "
                f"models apart; approve more, so that there are at least {LEAST_IMAGES}."
            )
        saved, quality = self.seconds.difference, self.overall.pq.difference
        if self.verdict is not Verdict.UNDECIDED:
            what = f"With {n} images the new model is {self.verdict}"
        elif saved.sign:
            what = f"With {n} images the models differ, but neither is better"
        else:
            what = f"With {n} images the models cannot be told apart"
        return f"{what}: {_say_seconds(saved)}, {_say_pq(quality)}."

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON can hold it."""
        fields = asdict(self)
        fields["by_category"] = {str(i): pair for i, pair in fields["by_category"].items()}
        fields["costs"] = [cost.to_json() for cost in self.costs]
        return fields | {"verdict": str(self.verdict), "sentence": self.sentence()}


def score_image(
    name: str,
    predicted_ids: Pixels,
    predicted: Mapping[int, int],
    true_ids: Pixels,
    truth: Mapping[int, int],
    crowds: Collection[int] = (),
    *,
    prices: Prices = PRICES,
) -> ImageScore:
    """Count what `compare_models` needs of one image; arguments are `compare_maps`'s.

    Raises:
        ValueError: the maps differ in size.
    """
    sides = (predicted_ids, predicted, true_ids, truth, crowds)
    return ImageScore(name, compare_maps(*sides), measure_cost(*sides, prices=prices))


def compare_models(
    current: Sequence[ImageScore],
    candidate: Sequence[ImageScore],
    categories: Sequence[Category],
    *,
    prices: Prices = PRICES,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two models by their scores on the same images.

    Args:
        current, candidate: one score an image, in any order.
        categories: those that count; scores of others are left out.
        resamples: draws of images for the intervals; the same seed gives the same ones.

    Raises:
        ValueError: there is no image, or the images of both differ.
    """
    names = sorted(score.name for score in current)
    if not names or names != sorted(score.name for score in candidate):
        raise ValueError("models are compared on the same images, at least one")
    ordered = [sorted(scores, key=lambda s: s.name) for scores in (current, candidate)]
    seconds = np.array([[s.cost.seconds(prices) for s in scores] for scores in ordered])
    counts = np.array([[_count(s.tallies, categories) for s in scores] for scores in ordered])
    draws = [
        (_rate(counts, weights), seconds @ weights.T / len(names))
        for weights in _draw(len(names), resamples, seed)
    ]
    qualities = np.concatenate([quality for quality, _ in draws], 1)  # [2, 1 + R, 1 + C, 3]
    means = np.concatenate([mean for _, mean in draws], 1)  # [2, 1 + R]
    occurs = ~np.isnan(qualities[:, 0, 1:, 0]).all(0)
    ids = {category.id for category in categories}
    pqs = [[score.pq(ids) for score in scores] for scores in ordered]
    changes = zip(names, *seconds.tolist(), *pqs, strict=True)
    return Comparison(
        overall=_quality_pair(qualities[:, :, 0]),
        by_category={
            category.id: _quality_pair(qualities[:, :, place + 1])
            for place, category in enumerate(categories)
            if occurs[place]
        },
        seconds=_pair(means),
        costs=_total(ordered[0], ordered[1]),
        images=sorted((ImageChange(*c) for c in changes), key=lambda c: c.difference),
    )


def _total(*models: Sequence[ImageScore]) -> tuple[CorrectionCost, CorrectionCost]:
    current, candidate = (sum((s.cost for s in m), CorrectionCost()) for m in models)
    return current, candidate


def _count(tallies: Tallies | Mapping[int, Tally], categories: Sequence[Category]) -> Values:
    """IoU, hits, false and missed segments of each category [C, 4]."""
    found = (tallies.get(category.id, Tally()) for category in categories)
    return np.array([[t.iou, t.tp, t.fp, t.fn] for t in found], np.float64).reshape(-1, 4)


def _draw(n_images: int, resamples: int, seed: int) -> Iterator[Values]:
    """How often each image is in a draw [R, N]; the first draw is the images themselves."""
    yield np.ones((1, n_images))
    generator = np.random.default_rng(seed)
    step = max(CHUNK // n_images, 1)
    shares = np.full(n_images, 1 / n_images)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        yield generator.multinomial(n_images, shares, size).astype(np.float64)


def _rate(counts: Values, weights: Values) -> Values:
    """PQ, SQ and RQ of draws of images.

    Args:
        counts: [2, N, C, 4]; weights: [R, N].

    Returns:
        [2, R, 1 + C, 3]: the mean over the categories that occur, then each; NaN if it does
        not occur.
    """
    sums = np.tensordot(weights, counts, (1, 1)).swapaxes(0, 1)  # [2, R, C, 4]
    iou, tp, fp, fn = np.moveaxis(sums, -1, 0)
    weight = tp + (fp + fn) / 2
    occurs = weight > 0
    pq = np.where(occurs, iou / np.maximum(weight, 0.5), np.nan)
    rq = np.where(occurs, tp / np.maximum(weight, 0.5), np.nan)
    sq = np.where(occurs, iou / np.maximum(tp, 1), np.nan)
    each = np.stack([pq, sq, rq], -1)
    mean = np.nansum(each, 2) / np.maximum(occurs.sum(2), 1)[..., None]
    return np.concatenate([mean[:, :, None], each], 2)


def _quality_pair(values: Values) -> QualityPair:
    """From draws [2, 1 + R, 3], of which the first is what was measured."""
    return QualityPair(*(_pair(values[:, :, kind]) for kind in range(3)))


def _pair(values: Values) -> Pair:
    """From draws [2, 1 + R], without those in which a category occurs for neither model."""
    current, candidate = np.nan_to_num(values[:, ~np.isnan(values).all(0)])
    return Pair(_estimate(current), _estimate(candidate), _estimate(candidate - current))


def _estimate(values: Values) -> Estimate:
    drawn = values[1:] if len(values) > 1 else values
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(values[0]), float(low), float(high))


def _say_seconds(change: Estimate) -> str:
    """As `the new one leaves 12 s less to correct an image (9.4 s less to 15 s less)`."""
    value, low, high = map(_say_difference, (change.value, change.low, change.high))
    return f"the new one leaves {value} to correct an image ({low} to {high})"


def _say_pq(change: Estimate) -> str:
    """As `PQ +3.1 (+1.0 to +5.2)`, in points."""
    value, low, high = (100 * number for number in (change.value, change.low, change.high))
    return f"PQ {value:+.1f} ({low:+.1f} to {high:+.1f})"


def _say_difference(seconds: float) -> str:
    n_digits = 0 if abs(seconds) >= 10 else 1
    return f"{abs(seconds):.{n_digits}f} s {'less' if seconds < 0 else 'more'}"
