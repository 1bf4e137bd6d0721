"""compare: the same images for both models, the same seed, and a report for the window."""

from dataclasses import replace

import pytest

from core.errors import TrainingError
from core.gate_report import read_report, scores_of
from core.model.checkpoint import save_checkpoint
from core.model_card import ModelCard
from core.proposals import SamplingOptions
from core.review import Review
from core.store import AnnotationStore
from tests.training.conftest import CATEGORIES
from tests.training.tiny_run import PLAIN
from training import __main__ as command
from training.stepper import new_state

TRAINED = replace(PLAIN, model=replace(PLAIN.model, n_codes=3))


@pytest.fixture
def save(tmp_path):
    """A function that writes a model of some categories."""

    def save(name, categories=CATEGORIES, seed=3):
        path = tmp_path / f"{name}.safetensors"
        card = ModelCard(name, "x", categories, SamplingOptions(steps=2, min_area=1, seed=seed))
        save_checkpoint(path, new_state(TRAINED).average, card)
        return path

    return save


def run(*arguments):
    return command.main(["compare", *map(str, arguments)])


def test_equal_models_come_to_the_same_whatever_their_usual_seeds(save, truth, tmp_path):
    out = tmp_path / "report.json"
    assert run(save("a"), save("b", seed=9), truth, "--out", out) == 0
    report = read_report(out)
    assert report.current == report.candidate and report.bad == ()
    assert not report.pictures  # nothing is won or lost
    comparison = report.compare()
    assert comparison.seconds.difference.value == 0
    scores = scores_of(comparison, "a")
    assert scores["base"] == "a" and scores["pq"] == scores["base_pq"]


def test_categories_are_matched_by_name_and_others_are_left_out(save, truth, tmp_path):
    nucleus, background = CATEGORIES
    moved = (replace(background, id=8), replace(nucleus, id=9, name="Dust"))
    out = tmp_path / "report.json"
    assert run(save("a"), save("b", moved), truth, "--out", out) == 0
    (score,) = read_report(out).candidate
    assert set(score.tallies) <= {nucleus.id, background.id}
    assert score.tallies[nucleus.id].tp == score.tallies[nucleus.id].fp == 0
    differs = read_report(out).compare().seconds.difference.value != 0
    assert bool(read_report(out).pictures) == differs
    assert all(path.exists() for path in read_report(out).pictures.values())


def test_a_category_that_was_renamed_since_is_the_same(save, truth, tmp_path):
    nucleus, background = CATEGORIES
    old = save("old", (replace(nucleus, name="Kern"), background))
    out = tmp_path / "report.json"
    renaming = ("--renamed", f"Kern={nucleus.name}")
    assert run(old, save("new"), truth, "--out", out, *renaming) == 0
    report = read_report(out)
    assert report.is_same
    assert run(old, save("new"), truth, "--out", out) == 0
    assert not read_report(out).is_same


def test_a_hold_out_without_a_picture_is_a_sentence(save, truth, tmp_path, capsys):
    (truth.parent / "images" / "a.png").unlink()
    assert run(save("a"), save("b"), truth, "--out", tmp_path / "report.json") == 2
    assert "has no image that can be used" in capsys.readouterr().err


def test_a_damaged_report_is_a_sentence(tmp_path):
    (tmp_path / "r.json").write_text("[]")
    with pytest.raises(TrainingError, match="measured again"):
        read_report(tmp_path / "r.json")


def test_what_is_found_where_nothing_is_counts_in_a_project_of_things(
    tiny_model, truth, tmp_path
):
    project, out = tmp_path / "p.bitbrush", tmp_path / "report.json"
    with AnnotationStore.create(project, CATEGORIES[:1]) as store:
        (image_id,) = store.add_images([(truth.parent / "images" / "a.png", None, 32, 48)])
        store.set_review(image_id, Review.APPROVED)
    assert run(tiny_model, tiny_model, project, "--out", out) == 0
    (score,) = read_report(out).candidate
    assert score.tallies[CATEGORIES[0].id].fp > 0
    assert score.cost.remove > 0
