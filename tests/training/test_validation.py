"""A run rates its averaged weights on held-out images, and keeps the best of them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from core.coco import CocoItem, write_coco
from core.errors import TrainingError
from core.model.checkpoint import load_checkpoint
from core.model_card import ModelCard, read_card
from core.panoptic import Category, PanopticMap, Segment
from core.proposals import SamplingOptions
from tests.training.tiny_run import PLAIN, SQUARE
from training.config import Evaluation
from training.evaluate import evaluate
from training.processes import Processes
from training.stepper import new_state
from training.truth import open_truth
from training.validation import Validation, paint_segments, sampling_of, spread

CARD = ModelCard("tiny", "Squares.", (SQUARE,), SamplingOptions(min_area=1))


@pytest.fixture
def truth(tmp_path):
    """A COCO panoptic JSON of three pictures, all of which is one square."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    items = []
    for k in range(3):
        image = np.full((32, 48, 3), 80 * k, np.uint8)
        assert cv2.imwrite(str(folder / "images" / f"{k}.png"), image)
        ids = np.ones((32, 48), np.uint16)
        items.append(CocoItem(k, f"{k}.png", PanopticMap(ids, {1: Segment(1, 1)}, 2)))
    write_coco(folder / "panoptic.json", items, (SQUARE,))
    return folder / "panoptic.json"


def validation(truth, out, processes=None, **fields):
    config = Evaluation(steps=2, time_delta=1.0, **fields)
    return Validation(config, CARD, open_truth(truth), out, processes or Processes())


def spoil(state, seed):
    """Weights with which every pixel gets an id at random."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in state.average.parameters():
            value.copy_(0.3 * torch.randn(value.shape, generator=generator))


def test_it_rates_the_average_as_scoring_its_file_does(truth, tmp_path):
    state = new_state(PLAIN)
    evaluated = validation(truth, tmp_path).evaluate(state)
    model, card = load_checkpoint(tmp_path / "best.safetensors", "cpu")
    assert (card.sampling.steps, card.sampling.time_delta) == (2, 1.0)
    (scored,) = evaluate(model, card, truth, [card.sampling])
    assert scored.report == evaluated.report and evaluated.images == scored.images == 3
    assert read_card(tmp_path / "best.safetensors").training["scores"]["step"] == 0


def test_it_samples_as_the_model_is_used_unless_it_is_asked_otherwise():
    usual = SamplingOptions(steps=9, time_delta=12.0, min_area=5)
    assert sampling_of(Evaluation(), usual) == usual
    asked = sampling_of(Evaluation(steps=3, time_delta=0.0), usual)
    assert asked == SamplingOptions(steps=3, time_delta=0.0, min_area=5)


def test_only_a_better_model_replaces_the_best(truth, tmp_path):
    state, rating = new_state(PLAIN), validation(truth, tmp_path)
    state.best_pq = -1.0
    assert rating.evaluate(state).is_best and state.best_pq >= 0
    before = (tmp_path / "best.safetensors").read_bytes()
    state.best_pq, state.step = 2.0, 7
    assert not rating.evaluate(state).is_best and state.best_pq == 2.0
    assert (tmp_path / "best.safetensors").read_bytes() == before


class Apart(Processes):
    """One of two processes, which adds nobody else's numbers."""

    def __init__(self, rank):
        super().__init__(rank, 2)

    def add(self, values):
        return list(values)

    def collect(self, sentences):
        return sentences


def test_processes_share_the_images_out(truth, tmp_path):
    state = new_state(PLAIN)
    spoil(state, 5)
    whole = validation(truth, tmp_path).evaluate(state).report.per_category[1]
    parts = [validation(truth, tmp_path, Apart(rank)).evaluate(state) for rank in (0, 1)]
    counts = [part.report.per_category[1] for part in parts]
    assert [c.tp + c.fn for c in (*counts, whole)] == [2, 1, 3]
    assert sum(c.fp for c in counts) == whole.fp


def test_it_is_due_every_so_often_and_at_the_end(truth, tmp_path):
    state, rating = new_state(PLAIN), validation(truth, tmp_path, every=4, images=1)
    due = []
    for state.step in range(1, 11):
        rating.after_step(state, 10)
        due += [state.step] if rating.latest else []
    assert due == [4, 8, 10]
    assert rating.latest.images == 1 and len(rating.latest.pictures) == 1


def test_images_that_cannot_be_used_are_named_and_left_out(truth, tmp_path):
    images = truth.parent / "images"
    (images / "0.png").unlink()
    (images / "1.png").write_bytes(b"no picture")
    evaluated = validation(truth, tmp_path).evaluate(new_state(PLAIN))
    assert evaluated.images == 1 and len(evaluated.pictures) == 1
    missing, damaged = evaluated.bad
    assert "0.png does not exist" in missing and "1.png" in damaged
    (images / "2.png").unlink()
    with pytest.raises(TrainingError, match=r"no image that can be used: .*0\.png does not"):
        validation(truth, tmp_path).evaluate(new_state(PLAIN))


def test_a_run_that_is_to_stop_is_not_rated(truth, tmp_path):
    answers = iter([False, True, True])
    config = Evaluation(steps=2, time_delta=1.0)
    rating = Validation(
        config, CARD, open_truth(truth), tmp_path, Processes(), lambda: next(answers)
    )
    state = new_state(PLAIN)
    assert rating.evaluate(state) is None and state.best_pq is None
    assert next(answers, "none") == "none" and list(tmp_path.glob("best*")) == []


def test_a_part_of_the_images_is_spread_over_all():
    assert list(spread(range(97), 4)) == [0, 24, 48, 72]
    assert list(spread(range(3), 5)) == [0, 1, 2] and list(spread([], 2)) == []


def test_the_refinement_shows_the_picture_and_every_step(truth, tmp_path):
    evaluated = validation(truth, tmp_path).evaluate(new_state(PLAIN))
    width = round(128 * 48 / 32)
    assert [p.shape for p in evaluated.pictures] == [(128, 3 * width + 2 * 4, 3)] * 2
    assert (evaluated.pictures[1][:, :width] == 80).all()


def test_segments_are_told_apart_and_void_is_black():
    painted = paint_segments(np.array([[0, 1, 2]], np.uint16))
    assert (painted[0, 0] == 0).all() and len({tuple(c) for c in painted[0].tolist()}) == 3


def test_the_truth_is_found_in_its_folder_also_as_coco_is_published(truth, tmp_path):
    expected = validation(truth, tmp_path).evaluate(new_state(PLAIN)).report
    folder = truth.parent
    assert validation(folder, tmp_path).evaluate(new_state(PLAIN)).report == expected
    (folder / "annotations").mkdir()
    for old, new in (
        ("panoptic.json", "panoptic_val2017.json"),
        ("panoptic", "panoptic_val2017"),
    ):
        (folder / old).rename(folder / "annotations" / new)
    (folder / "images").rename(folder / "val2017")
    assert validation(folder, tmp_path).evaluate(new_state(PLAIN)).report == expected
    with pytest.raises(TrainingError, match="val2017 has no COCO panoptic JSON to evaluate on"):
        validation(folder / "val2017", tmp_path)


def test_a_truth_with_other_categories_is_a_sentence(truth, tmp_path):
    other = replace(CARD, categories=(Category(1, "circle", True, (0, 0, 0)),))
    with pytest.raises(TrainingError, match="category 1 'square', which the training data has"):
        Validation(Evaluation(), other, open_truth(truth), tmp_path, Processes())
