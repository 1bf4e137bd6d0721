"""A project as data: what is trained and rated on, also while the window has it open."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.errors import TrainingError
from core.map_import import import_maps, plan_import
from core.model_card import ModelCard, read_card
from core.proposals import SamplingOptions
from core.review import Review
from core.store import AnnotationStore
from tests.training.conftest import CATEGORIES
from tests.training.tiny_run import PLAIN
from training import __main__ as command
from training.augment import Augmentation
from training.config import Evaluation
from training.evaluate import evaluate
from training.processes import Processes
from training.project_index import index_project
from training.sources import open_data
from training.stepper import new_state
from training.truth import open_truth
from training.validation import Validation


@pytest.fixture
def project(truth):
    """A project of the picture and its map, approved, and of another one without a map."""
    path, images = truth.parent / "p.bitbrush", truth.parent / "images"
    assert cv2.imwrite(str(images / "b.png"), np.full((32, 48, 3), 90, np.uint8))
    with AnnotationStore.create(path, CATEGORIES) as store:
        first, _ = store.add_images([(images / f"{n}.png", None, 32, 48) for n in "ab"])
        for _ in import_maps(store, plan_import(store, truth), with_worked_on=False):
            pass
        store.set_review(first, Review.APPROVED)
    return path


def said_of(capsys, *arguments):
    assert command.main([*map(str, arguments)]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    return sentence


def test_a_run_trains_and_rates_itself_on_a_project_that_is_open(repository, project, tmp_path):
    out = tmp_path / "out"
    arguments = ["nano", "--data", project, "--val", project, "--out", out]
    arguments += ["--steps", "1", "--batch", "2", "--evaluation.steps", "2"]
    with AnnotationStore.open(project):
        ran = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "training", *map(str, arguments)],
            cwd=repository,
            check=False,
            capture_output=True,
            text=True,
            env=dict(os.environ),
        )
    assert ran.returncode == 0, ran.stderr
    line = json.loads(ran.stdout.splitlines()[0])
    assert line["evaluation"]["images"] == 1
    assert read_card(out / "best.safetensors").training["scores"]["truth"] == "p.bitbrush"
    assert read_card(out / "nano.safetensors").categories == CATEGORIES


def test_a_project_scores_what_its_export_does(project, truth):
    state = new_state(replace(PLAIN, model=replace(PLAIN.model, n_codes=3)))
    card = ModelCard("tiny", "Squares.", CATEGORIES, SamplingOptions(steps=2, min_area=1))
    reports = [
        evaluate(state.average, card, path, [card.sampling])[0].report
        for path in (project, truth)
    ]
    assert reports[0] == reports[1]


def test_all_images_edited_ones_or_approved_ones_are_meant(project):
    with AnnotationStore.open(project) as store:
        store.reopen(1)
    with pytest.raises(TrainingError, match=r"no images to evaluate on: approve some, or give"):
        open_truth(project)
    found = [[image.id for image in open_truth(project, w).images] for w in ("edited", "all")]
    assert found == [[1], [1, 2]]
    assert len(index_project(project, has_stuff_ids=False, which="all")) == 2


def test_a_picture_of_another_size_than_its_map_is_named_and_left_out(project, tmp_path):
    truth = open_truth(project, "all")
    assert cv2.imwrite(str(truth.images[0].path), np.zeros((8, 9, 3), np.uint8))
    state = new_state(replace(PLAIN, model=replace(PLAIN.model, n_codes=3)))
    card = ModelCard("tiny", "Squares.", CATEGORIES, SamplingOptions(steps=1, min_area=1))
    rating = Validation(Evaluation(), card, truth, tmp_path, Processes())
    (bad,) = rating.evaluate(state).bad
    assert "a.png is 9 x 8, but its map 48 x 32; put the picture back" in bad


def test_a_project_without_categories_is_a_sentence(tmp_path, truth, capsys):
    path = tmp_path / "none.bitbrush"
    AnnotationStore.create(path, ()).close()
    sentence = f"{path} has no categories; add some in the window, and segments."
    assert said_of(capsys, "nano", "--data", path, "--out", tmp_path / "out") == sentence
    arguments = ("nano", "--data", truth, "--val", path, "--out", tmp_path / "out")
    assert said_of(capsys, *arguments) == sentence


def test_an_empty_project_is_a_sentence(tmp_path, truth, capsys):
    path = tmp_path / "empty.bitbrush"
    AnnotationStore.create(path, CATEGORIES).close()
    said = said_of(capsys, "nano", "--data", path, "--out", tmp_path / "out")
    assert said.startswith(f"{path} has no approved images to train on; approve some, or give")
    arguments = ("nano", "--data", truth, "--val", path, "--out", tmp_path / "out")
    assert said_of(capsys, *arguments).startswith(f"{path} has no images to evaluate on: ")


def test_a_project_that_is_none_is_a_sentence(tmp_path, truth, capsys):
    path = tmp_path / "text.bitbrush"
    path.write_text("This is no database, but long enough to be taken for one. " * 9)
    for arguments in (("--data", path), ("--data", truth, "--val", path)):
        said = said_of(capsys, "nano", *arguments, "--out", tmp_path / "out")
        assert f"{path} is no Bitbrush project" in said


def test_pictures_of_a_project_cannot_be_chosen_by_fields_of_a_json(project, tmp_path, capsys):
    model = tmp_path / "out" / "nano.safetensors"
    arguments = ["nano", "--data", project, "--out", model.parent, "--steps", "1"]
    assert command.main([*map(str, arguments), "--batch", "2"]) == 0
    capsys.readouterr()
    said = said_of(capsys, "score", model, project, "--only", "a=b")
    assert said == f"{project} has no fields; --only needs a COCO panoptic JSON."


def test_pictures_that_are_gone_are_a_sentence(project):
    (project.parent / "images" / "a.png").unlink()
    with pytest.raises(TrainingError, match=r"no pictures that can be used: .*a\.png does not"):
        open_data(project, replace(PLAIN, augmentation=Augmentation()))
