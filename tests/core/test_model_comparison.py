"""Two models are told apart by what images agree on, and not by the luck of a few."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.correction_cost import CorrectionCost
from core.model_comparison import (
    ImageScore,
    Verdict,
    compare_models,
    score_image,
)
from core.panoptic import Category
from core.quality import Tally, add_tallies, report_quality

CAT, SKY, DOG = 1, 2, 3
CATEGORIES = (
    Category(CAT, "cat", is_thing=True, color=(1, 1, 1)),
    Category(SKY, "sky", is_thing=False, color=(3, 3, 3)),
    Category(DOG, "dog", is_thing=True, color=(2, 2, 2)),
)


def scores(n: int, seed: int = 0) -> list[ImageScore]:
    """Images that are very different from each other."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(n):
        tp, fp, fn = random.integers(1, 20, 3).tolist()
        tallies = {CAT: Tally(0.8 * tp, tp, fp, fn), SKY: Tally(0.9, 1, 0, 0)}
        made.append(ImageScore(f"{number:03}.jpg", tallies, CorrectionCost(add=fn, remove=fp)))
    return made


def changed(score: ImageScore, fewer: int) -> ImageScore:
    """The same image with some missed cats found."""
    cat = score.tallies[CAT]
    cat = Tally(cat.iou + 0.8 * fewer, cat.tp + fewer, cat.fp, cat.fn - fewer)
    cost = replace(score.cost, add=score.cost.add - fewer)
    return ImageScore(score.name, {**score.tallies, CAT: cat}, cost)


def test_the_measured_qualities_are_those_of_the_report() -> None:
    current, candidate = scores(9), scores(9, seed=1)
    comparison = compare_models(current, candidate, CATEGORIES)
    for side, images in (("current", current), ("candidate", candidate)):
        total = {}
        for image in images:
            add_tallies(total, image.tallies)
        report = report_quality(total, CATEGORIES)
        for kind in ("pq", "sq", "rq"):
            pair = getattr(comparison.overall, kind)
            assert getattr(pair, side).value == pytest.approx(getattr(report.all, kind))
            cat = getattr(comparison.by_category[CAT], kind)
            expected = getattr(report.per_category[CAT], kind)
            assert getattr(cat, side).value == pytest.approx(expected)
    assert set(comparison.by_category) == {CAT, SKY}


def test_a_small_gain_on_every_image_is_better_however_different_they_are() -> None:
    current = scores(20)
    candidate = [changed(score, 1) for score in current]
    comparison = compare_models(current, candidate, CATEGORIES)
    assert comparison.verdict is Verdict.BETTER
    assert comparison.seconds.difference.value == pytest.approx(-15)
    assert comparison.seconds.difference.low == pytest.approx(-15)
    assert comparison.seconds.current.high - comparison.seconds.current.low > 15
    assert compare_models(candidate, current, CATEGORIES).verdict is Verdict.WORSE


def test_gains_and_losses_that_cancel_out_are_undecided() -> None:
    current = scores(20)
    candidate = [changed(score, 1 - 2 * (k % 2)) for k, score in enumerate(current)]
    comparison = compare_models(current, candidate, CATEGORIES)
    assert comparison.verdict is Verdict.UNDECIDED
    assert comparison.sentence().startswith("With 20 images the models cannot be told apart")


def test_less_work_with_a_lower_pq_is_undecided_and_said() -> None:
    current = scores(20)
    candidate = [
        replace(changed(score, -1), cost=replace(score.cost, add=0)) for score in current
    ]
    comparison = compare_models(current, candidate, CATEGORIES)
    assert comparison.verdict is Verdict.UNDECIDED
    assert "neither is better" in comparison.sentence()


def test_a_handful_of_images_decides_nothing() -> None:
    current = scores(5)
    candidate = [changed(score, 1) for score in current]
    comparison = compare_models(current, candidate, CATEGORIES)
    assert comparison.verdict is Verdict.UNDECIDED
    assert comparison.sentence() == (
        "5 held-out images are too few to tell the models apart; approve more, so that there "
        "are at least 6."
    )


def test_the_sentence_says_how_much_and_how_sure() -> None:
    current = scores(20)
    comparison = compare_models(current, [changed(s, 1) for s in current], CATEGORIES)
    assert comparison.sentence().startswith(
        "With 20 images the new model is better: the new one leaves 15 s less to correct an "
        "image (15 s less to 15 s less), PQ +"
    )


@pytest.mark.parametrize("n", [10, 40])
def test_an_interval_holds_the_truth_in_about_19_of_20_trials(n) -> None:
    random = np.random.default_rng(n)
    hits = 0
    for _ in range(200):
        noise = random.normal(2, 5, n).round().astype(int)
        current = [ImageScore(str(k), {}, CorrectionCost()) for k in range(n)]
        candidate = [
            ImageScore(str(k), {}, CorrectionCost(add=int(x))) for k, x in enumerate(noise)
        ]
        pair = compare_models(current, candidate, (), resamples=200).seconds.difference
        hits += pair.low <= 30 <= pair.high
    assert 0.85 < hits / 200 < 0.99


def test_the_same_seed_gives_the_same_intervals() -> None:
    current, candidate = scores(12), scores(12, seed=1)
    first = compare_models(current, candidate, CATEGORIES)
    assert compare_models(current[::-1], candidate, CATEGORIES) == first
    assert compare_models(current, candidate, CATEGORIES, seed=1) != first


def test_a_category_in_few_images_is_judged_by_the_draws_that_have_it() -> None:
    current = scores(12)
    rare = replace(current[0], tallies={**current[0].tallies, DOG: Tally(0.7, 1, 0, 0)})
    current[0] = rare
    dog = compare_models(current, current, CATEGORIES).by_category[DOG].pq
    assert (dog.current.low, dog.current.value, dog.current.high) == pytest.approx((0.7,) * 3)


def test_wins_and_losses_are_named() -> None:
    current = scores(8)
    gains = [0, 3, -2, 0, 1, 0, 0, -1]
    candidate = [changed(s, k) for s, k in zip(current, gains, strict=True)]
    comparison = compare_models(current, candidate, CATEGORIES)
    assert [image.name for image in comparison.wins(9)] == ["001.jpg", "004.jpg"]
    assert [image.name for image in comparison.losses(1)] == ["002.jpg"]
    assert comparison.losses(1)[0].difference == pytest.approx(30)


def test_scores_and_comparisons_go_through_json() -> None:
    ids = np.array([[1, 1, 2, 2]])
    score = score_image("a.png", ids, {1: CAT, 2: SKY}, ids, {1: CAT, 2: SKY})
    assert score.cost == CorrectionCost()
    assert ImageScore.from_json(json.loads(json.dumps(score.to_json()))) == score
    fields = json.loads(json.dumps(compare_models([score], [score], CATEGORIES).to_json()))
    assert fields["overall"]["pq"]["candidate"]["value"] == 1
    assert fields["verdict"] == "undecided"


def test_models_on_different_images_are_a_callers_mistake() -> None:
    with pytest.raises(ValueError, match="same images"):
        compare_models(scores(3), scores(4), CATEGORIES)
    with pytest.raises(ValueError, match="at least one"):
        compare_models([], [], CATEGORIES)


def test_the_pq_of_one_image_is_the_mean_of_the_categories_that_occur_in_it() -> None:
    tallies = {
        1: Tally(0.8, 1, 0, 0),
        2: Tally(0.0, 0, 1, 0),
        3: Tally(),
        9: Tally(0.0, 0, 4, 0),
    }
    assert ImageScore("a", tallies, CorrectionCost()).pq({1, 2, 3}) == 0.4
    assert ImageScore("a", tallies, CorrectionCost()).pq({3}) == 0
