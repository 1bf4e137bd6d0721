"""Errors of segments are told apart by kind, and add up to panoptic quality."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from benchmarks.segment_errors import (
    ErrorCounts,
    add_up,
    compare_files,
    count_errors,
    group_images,
)
from core.coco import CocoItem, read_coco, write_coco
from core.panoptic import Category, PanopticMap, Segment, Source
from core.quality import compare_maps

NUCLEUS = Category(1, "nucleus", is_thing=True, color=(220, 20, 60))


def draw(*boxes, shape=(20, 40)):
    """A map of boxes (top, left, bottom, right), numbered from 1."""
    ids = np.zeros(shape, np.int32)
    for number, (top, left, bottom, right) in enumerate(boxes, start=1):
        ids[top:bottom, left:right] = number
    return ids


def kinds(predicted, truth):
    """The counts that are not 0."""
    return {k: v for k, v in asdict(count_errors(predicted, truth)).items() if v}


def test_equal_maps_have_only_exact_matches():
    ids = draw((0, 0, 10, 10), (0, 20, 10, 30))
    assert kinds(ids, ids) == {"matched": 2, "iou": 2.0}


def test_a_segment_in_two_halves_is_split_into_two_pieces():
    halves = draw((0, 0, 10, 5), (0, 5, 10, 10))
    assert kinds(halves, draw((0, 0, 10, 10))) == {"split": 1, "pieces": 2, "all_splits": 1}


def test_a_piece_cut_off_a_match_is_a_piece_and_no_extra():
    found = draw((0, 0, 10, 8), (0, 8, 10, 10))
    assert kinds(found, draw((0, 0, 10, 10))) == {
        "matched": 1,
        "iou": 0.8,
        "pieces": 1,
        "all_splits": 1,
    }


def test_one_prediction_over_two_equal_segments_is_a_merger():
    truth = draw((0, 0, 10, 10), (0, 10, 10, 20))
    assert kinds(draw((0, 0, 10, 20)), truth) == {"merged": 2, "mergers": 1, "all_mergers": 1}


def test_a_small_segment_swallowed_by_the_match_of_a_large_one_is_merged():
    truth = draw((0, 0, 10, 16), (0, 16, 10, 20))
    assert kinds(draw((0, 0, 10, 20)), truth) == {
        "matched": 1,
        "iou": 0.8,
        "merged": 1,
        "all_mergers": 1,
    }


def test_what_nothing_covers_is_missed_and_what_covers_nothing_is_extra():
    assert kinds(draw((0, 0, 9, 9)), draw((0, 20, 9, 29))) == {"missed": 1, "extra": 1}
    assert kinds(draw(), draw((0, 20, 9, 29))) == {"missed": 1}
    assert kinds(draw((0, 20, 9, 29)), draw()) == {"extra": 1}


def test_a_segment_found_too_small_has_a_poor_border():
    assert kinds(draw((0, 0, 10, 4)), draw((0, 0, 10, 10))) == {
        "poor": 1,
        "poor_predictions": 1,
    }


@pytest.mark.parametrize("seed", range(20))
def test_the_kinds_add_up_to_panoptic_quality(seed):
    rng = np.random.default_rng(seed)
    truth, predicted = (np.kron(rng.integers(0, 7, (6, 8)), np.ones((3, 3), int)) for _ in "ab")
    predicted = np.where(rng.random(truth.shape) < 0.8, truth, predicted)
    predicted[:, ::7] = 9
    background = 99  # a segment of its own, as 0 would be void
    tally = compare_maps(
        predicted,
        dict.fromkeys(range(1, 10), 1),
        np.where(truth == 0, background, truth),
        {**dict.fromkeys(range(1, 7), 1), background: 2},
    )
    expected = tally[1].iou / (tally[1].tp + tally[1].fp / 2 + tally[1].fn / 2)
    assert count_errors(predicted, truth).pq == pytest.approx(expected)


def test_healing_all_splits_gains_what_the_table_says():
    counts = ErrorCounts(matched=6, iou=4.8, split=2, pieces=4)
    healed = ErrorCounts(matched=8, iou=6.4)
    assert counts.gains()["split"] == pytest.approx(healed.pq - counts.pq)


def test_maps_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r"\(20, 40\) and \(9, 9\)"):
        count_errors(draw(), draw(shape=(9, 9)))


def test_exported_files_are_compared_by_modality(tmp_path):
    truth, halves = draw((0, 0, 10, 10)), draw((0, 0, 10, 5), (0, 5, 10, 10))
    for name, maps in (("truth", (truth, truth)), ("found", (truth, halves))):
        items = [CocoItem(k, f"{k}.png", as_map(ids)) for k, ids in enumerate(maps, start=1)]
        write_coco(tmp_path / f"{name}.json", items, [NUCLEUS])
    path = tmp_path / "truth.json"
    document = json.loads(path.read_text())
    for image, modality in zip(document["images"], ("fluorescence", "histology"), strict=True):
        image["modality"] = modality
    path.write_text(json.dumps(document))
    dataset = read_coco(path)
    found = read_coco(tmp_path / "found.json", like=dataset)
    totals = add_up(compare_files(found, dataset, NUCLEUS.id), group_images(path))
    assert totals["fluorescence"].pq == 1
    assert totals["fluorescence, small"] == ErrorCounts()
    assert (totals["tissue"].split, totals["tissue"].pieces) == (1, 2)


def as_map(ids):
    segments = {
        int(k): Segment(int(k), NUCLEUS.id, Source.MODEL) for k in np.unique(ids[ids > 0])
    }
    return PanopticMap(ids.astype(np.uint16), segments, int(ids.max()) + 1)
