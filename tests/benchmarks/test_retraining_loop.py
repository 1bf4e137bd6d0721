"""The rounds of the loop: kept line by line, and trained from where their name says."""

import json
from dataclasses import asdict

import numpy as np

from benchmarks.retraining_loop import (
    FRESH,
    TUNED,
    Picture,
    Round,
    make_charts,
    make_config,
    make_data,
    read_rounds,
)
from core.bundled import DEFAULT_MODEL, find_model
from core.correction_cost import CorrectionCost
from core.model_card import read_card
from core.panoptic import PanopticMap, Segment

ROUND = Round(TUNED, 5, 2.0, 280, 0.5, 0.8, 0.6, 100.0, CorrectionCost(add=3, remove=4))


def test_a_round_is_read_back_from_its_line(tmp_path) -> None:
    assert read_rounds(tmp_path) == []
    (tmp_path / "rounds.jsonl").write_text(json.dumps(asdict(ROUND)) + "\n")
    assert read_rounds(tmp_path) == [ROUND]


def test_only_one_of_the_two_begins_with_the_starter() -> None:
    path = find_model(DEFAULT_MODEL)
    tuned, fresh = (make_config(s, path, read_card(path), 10) for s in (TUNED, FRESH))
    assert tuned.start_weights == str(path.resolve()) and fresh.start_weights == ""
    assert tuned.steps == fresh.steps and tuned.model == fresh.model


def test_labels_are_in_the_codes_of_the_model() -> None:
    card = read_card(find_model(DEFAULT_MODEL))
    nucleus, background = (category.id for category in card.categories)
    segments = {7: Segment(7, nucleus), 9: Segment(9, background)}
    map = PanopticMap(np.full((4, 6), 9, np.uint16), segments, next_id=10)
    map.segment_ids[1, 2] = 7
    picture = Picture("a.png", np.zeros((4, 6, 3), np.uint8), map)
    labels = make_data([picture], card).view(0, make_config_of(card)).labels
    assert labels[1, 2].tolist() == [1, 7] and labels[0, 0].tolist() == [2, 0]


def make_config_of(card):
    return make_config(FRESH, find_model(DEFAULT_MODEL), card, 1).model


def test_curves_run_over_labelled_pictures() -> None:
    quality, seconds = make_charts([ROUND])
    assert quality.curves[TUNED] == [(5, 50.0)] and seconds.curves[TUNED] == [(5, 100.0)]
    assert quality.curves[FRESH] == []
