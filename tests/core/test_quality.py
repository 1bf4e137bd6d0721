"""Panoptic quality agrees with hand-made cases and with the official evaluator's numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.coco import CocoDataset, CocoItem, read_coco, write_coco
from core.errors import CocoError
from core.panoptic import Category, PanopticMap, Segment
from core.quality import add_tallies, compare_maps, evaluate_files, report_quality

CAT, DOG, SKY = 1, 2, 3
CATEGORIES = (
    Category(CAT, "cat", is_thing=True, color=(1, 1, 1)),
    Category(DOG, "dog", is_thing=True, color=(2, 2, 2)),
    Category(SKY, "sky", is_thing=False, color=(3, 3, 3)),
)


def row(text: str) -> np.ndarray:
    """A map of one row, a digit a pixel."""
    return np.array([[int(digit) for digit in text]], np.uint16)


def counts(predicted: str, kinds: dict, true: str, true_kinds: dict, crowds=()) -> dict:
    """(iou, tp, fp, fn) of each category of one row of pixels."""
    tallies = compare_maps(row(predicted), kinds, row(true), true_kinds, crowds)
    return {i: (t.iou, t.tp, t.fp, t.fn) for i, t in tallies.items()}


# One image, by hand


def test_a_perfect_prediction_matches_under_any_ids():
    assert counts("3300", {3: CAT}, "7700", {7: CAT}) == {CAT: (1.0, 1, 0, 0)}


def test_iou_is_overlap_over_union():
    assert counts("0111", {1: CAT}, "2222", {2: CAT}) == {CAT: (0.75, 1, 0, 0)}


def test_half_is_no_match():
    assert counts("0011", {1: CAT}, "2222", {2: CAT}) == {CAT: (0.0, 0, 1, 1)}


def test_void_of_the_truth_is_not_in_the_union():
    assert counts("1111", {1: CAT}, "2200", {2: CAT}) == {CAT: (1.0, 1, 0, 0)}


def test_void_of_the_prediction_is_in_the_union():
    assert counts("1110", {1: CAT}, "2222", {2: CAT}) == {CAT: (0.75, 1, 0, 0)}


def test_the_wrong_category_is_missed_and_false():
    assert counts("11", {1: DOG}, "11", {1: CAT}) == {CAT: (0.0, 0, 0, 1), DOG: (0.0, 0, 1, 0)}


def test_a_prediction_by_more_than_half_on_void_is_forgiven():
    assert counts("1110", {1: CAT}, "0002", {2: SKY}) == {SKY: (0.0, 0, 0, 1)}
    assert counts("1111", {1: CAT}, "0022", {2: SKY}) == {
        CAT: (0.0, 0, 1, 0),
        SKY: (0.0, 0, 0, 1),
    }


def test_a_crowd_is_neither_matched_nor_missed():
    assert counts("00", {}, "11", {1: CAT}, crowds={1}) == {}
    assert counts("11", {1: CAT}, "11", {1: CAT}, crowds={1}) == {}


def test_only_a_crowd_of_the_same_category_forgives():
    assert counts("11", {1: DOG}, "11", {1: CAT}, crowds={1}) == {DOG: (0.0, 0, 1, 0)}


def test_void_and_crowd_forgive_together():
    truth = {2: CAT, 3: DOG}
    assert counts("1111", {1: CAT}, "0233", truth, crowds={2})[CAT] == (0.0, 0, 1, 0)
    assert counts("11111", {1: CAT}, "02233", truth, crowds={2}) == {DOG: (0.0, 0, 0, 1)}


def test_of_several_crowds_of_a_category_the_last_forgives():
    truth = {2: CAT, 3: CAT}
    assert counts("11111", {1: CAT}, "22233", truth, crowds={2, 3}) == {CAT: (0.0, 0, 1, 0)}
    assert counts("11111", {1: CAT}, "22333", truth, crowds={2, 3}) == {}


def test_a_crowd_counts_in_the_union_of_its_neighbour():
    assert counts("1111", {1: CAT}, "2223", {2: CAT, 3: CAT}, crowds={3}) == {
        CAT: (0.75, 1, 0, 0)
    }


def test_an_image_of_void_scores_nothing():
    assert counts("000", {}, "000", {}) == {}


def test_ids_without_pixels_do_not_count():
    assert counts("1", {1: CAT, 5: DOG}, "1", {1: CAT, 9: SKY}) == {CAT: (1.0, 1, 0, 0)}


def test_wide_ids_of_two_dtypes_are_compared():
    true_ids = np.array([[2**24 - 1, 5]], np.uint32)
    tallies = compare_maps(row("12"), {1: CAT, 2: SKY}, true_ids, {2**24 - 1: CAT, 5: SKY})
    assert {i: (t.iou, t.tp) for i, t in tallies.items()} == {CAT: (1.0, 1), SKY: (1.0, 1)}


def test_maps_of_different_size_are_a_callers_mistake():
    with pytest.raises(ValueError, match="differ"):
        compare_maps(row("11"), {}, row("111"), {})


# Several images, by hand


def test_the_report_averages_over_categories_that_occur():
    total = compare_maps(row("0111"), {1: CAT}, row("2222"), {2: CAT})
    add_tallies(total, compare_maps(row("1"), {1: CAT}, row("2"), {2: SKY}))
    report = report_quality(total, CATEGORIES)
    cat = report.per_category[CAT]
    assert (cat.pq, cat.sq, cat.rq) == (0.75 / 1.5, 0.75, 1 / 1.5)
    assert (cat.tp, cat.fp, cat.fn) == (1, 1, 0)
    assert not report.per_category[DOG].occurs
    assert (report.all.pq, report.all.n) == (0.25, 2)
    assert (report.things.pq, report.things.n) == (0.5, 1)
    assert (report.stuff.pq, report.stuff.sq, report.stuff.n) == (0.0, 0.0, 1)


def test_a_kind_that_never_occurs_has_zero_categories():
    report = report_quality({}, CATEGORIES)
    assert (report.all.pq, report.all.n) == (0.0, 0)


def test_the_report_is_json():
    total = compare_maps(row("1"), {1: CAT}, row("2"), {2: CAT})
    document = json.loads(json.dumps(report_quality(total, CATEGORIES).to_json()))
    assert document["things"] == {"pq": 1.0, "sq": 1.0, "rq": 1.0, "n": 1}
    assert document["per_category"][0] == {
        "id": CAT,
        "name": "cat",
        "isthing": 1,
        "pq": 1.0,
        "sq": 1.0,
        "rq": 1.0,
        "tp": 1,
        "fp": 0,
        "fn": 0,
    }


# Files


def spoil(truth: CocoDataset, index: int) -> tuple[np.ndarray, dict[int, int]]:
    """Predict an image badly, in a way that follows from the truth: ids and categories.

    The map is moved by three pixels; of the segments in turn, one is kept, one becomes void,
    one is cut in two, one gets the next category, and one is merged into the one before.
    """
    ids, segments = truth.load(index)
    ids = np.roll(ids, 3, axis=1)
    category_ids = [category.id for category in truth.categories]
    kinds = {segment.id: segment.category_id for segment in segments}
    for number, segment in enumerate(segments):
        where = ids == segment.id
        if number % 5 == 1:
            ids[where] = 0
        elif number % 5 == 2:
            rows = np.flatnonzero(where.any(axis=1))
            where[: (rows[0] + 2 * rows[-1]) // 3] = False
            ids[where] = number + 1
            kinds[number + 1] = segment.category_id
        elif number % 5 == 3:
            place = category_ids.index(segment.category_id)
            kinds[segment.id] = category_ids[(place + 1) % len(category_ids)]
        elif number % 5 == 4:
            ids[where] = segments[number - 1].id
    present = set(np.unique(ids).tolist()) - {0}
    return ids, {i: kinds[i] for i in present}


def write_results(path: Path, truth: CocoDataset) -> Path:
    """Spoiled predictions for every image, as annotations alone."""
    path.with_suffix("").mkdir()
    annotations = []
    for index, image in enumerate(truth.images):
        ids, kinds = spoil(truth, index)
        rgb = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=2).astype(np.uint8)
        png_name = f"{image.id}.png"
        Image.fromarray(rgb).save(path.with_suffix("") / png_name)
        segments_info = [{"id": i, "category_id": kinds[i]} for i in kinds]
        annotations.append(
            {"image_id": image.id, "file_name": png_name, "segments_info": segments_info}
        )
    path.write_text(json.dumps({"annotations": annotations}))
    return path


# What panopticapi (commit 7bb4655) says of these predictions: PQ, SQ, RQ, n.
OFFICIAL = {
    "coco_panoptic/val/panoptic_val.json": {
        "all": (0.26311284039830735, 0.5143265927906903, 0.3342778994994172, 103),
        "things": (0.25735202798838347, 0.49846728018048936, 0.325427521897345, 62),
        "stuff": (0.2718243128230704, 0.5383089679573358, 0.3476613973366976, 41),
    },
    "coco_panoptic/val/panoptic_coarse_val.json": {
        "all": (0.3182310454465957, 0.7590618300195705, 0.41637357399331165, 14),
        "things": (0.28020915038605626, 0.759177746678688, 0.3670057390954716, 6),
        "stuff": (0.34674746674200024, 0.7589748925252324, 0.4533994501666915, 8),
    },
    "coco_panopticapi_samples/panoptic_samples.json": {
        "all": (0.246693323501274, 0.4256132990441321, 0.30724355858045693, 11),
        "things": (0.20271714848377673, 0.38381078086824244, 0.2577243018419489, 6),
        "stuff": (0.29946473352227077, 0.4757763208551998, 0.36666666666666664, 5),
    },
}


@pytest.mark.parametrize("name", OFFICIAL)
def test_qualities_equal_the_official_evaluators(name, shared_dir, tmp_path):
    truth_path = shared_dir / "data" / name
    prediction = write_results(tmp_path / "spoiled.json", read_coco(truth_path))
    report = evaluate_files(prediction, truth_path)
    for kind, expected in OFFICIAL[name].items():
        quality = getattr(report, kind)
        assert (quality.pq, quality.sq, quality.rq) == pytest.approx(expected[:3], abs=1e-12)
        assert quality.n == expected[3]


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_truth_scores_one_against_itself(name, shared_dir):
    path = shared_dir / "data" / name
    report = evaluate_files(path, path)
    for quality in (report.all, report.things, report.stuff):
        assert (quality.pq, quality.sq, quality.rq) == (1.0, 1.0, 1.0)


def write_row(path: Path, *texts: str, category: int = CAT) -> Path:
    """A file of one-row images with the ids 0, 1, ...; every segment of one category."""
    items = []
    for image_id, text in enumerate(texts):
        ids = row(text)
        segments = {i: Segment(i, category) for i in np.unique(ids).tolist() if i}
        items.append(CocoItem(image_id, f"{image_id}.jpg", PanopticMap(ids, segments)))
    write_coco(path, items, CATEGORIES)
    return path


def test_each_image_is_reported(tmp_path):
    path = write_row(tmp_path / "truth.json", "11", "12")
    told = []
    evaluate_files(path, path, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_an_image_without_a_prediction_is_named(tmp_path):
    truth = write_row(tmp_path / "truth.json", "11", "12")
    prediction = write_row(tmp_path / "prediction.json", "11")
    with pytest.raises(CocoError, match=r"no map for image 1 \(1\.jpg\)"):
        evaluate_files(prediction, truth)


def test_predictions_for_other_images_are_left_out(tmp_path):
    truth = write_row(tmp_path / "truth.json", "11")
    prediction = write_row(tmp_path / "prediction.json", "11", "12")
    assert evaluate_files(prediction, truth).all.pq == 1.0


def test_a_prediction_of_another_size_is_named(tmp_path):
    truth = write_row(tmp_path / "truth.json", "11")
    prediction = write_row(tmp_path / "prediction.json", "111")
    with pytest.raises(CocoError, match=r"is 3 x 1, but .* says 2 x 1"):
        evaluate_files(prediction, truth)


def test_categories_that_mean_something_else_are_named(tmp_path):
    truth = write_row(tmp_path / "truth.json", "11")
    prediction = write_row(tmp_path / "prediction.json", "11")
    prediction.write_text(prediction.read_text().replace('"cat"', '"tiger"'))
    with pytest.raises(CocoError, match="calls category 1 'tiger', the truth calls it 'cat'"):
        evaluate_files(prediction, truth)
