"""A project's images get their proposals once, whoever shares the work; people's are kept."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.__main__ import main
from core.authors import AuthorKind
from core.edits import brush_stroke
from core.model.checkpoint import load_checkpoint, save_checkpoint
from core.model.segment_project import find_waiting
from core.model_card import read_card
from core.panoptic import Category, Segment
from core.store import AnnotationStore, Review

N_IMAGES = 8
SIZE = (40, 50)
DRAWN = np.array([[5, 5], [12, 9]], np.float32)


@pytest.fixture
def project(tmp_path, tiny_model):
    """Noisy images that nobody has looked at."""
    noise = np.random.default_rng(0)
    paths = [tmp_path / f"image{number}.png" for number in range(N_IMAGES)]
    for path in paths:
        Image.fromarray(noise.integers(0, 256, (*SIZE, 3), np.uint8)).save(path)
    path = tmp_path / "annotations.bitbrush"
    with AnnotationStore.create(path, read_card(tiny_model).categories) as store:
        store.add_images([(image, None, *SIZE) for image in paths])
    return path


@pytest.fixture
def save_model(tmp_path, tiny_model):
    """A function that writes the tiny model under another name and with other options."""

    def save(name, **sampling):
        model, card = load_checkpoint(tiny_model, "cpu")
        card = replace(card, name=name, sampling=replace(card.sampling, **sampling))
        save_checkpoint(tmp_path / f"{name}.safetensors", model, card)
        return tmp_path / f"{name}.safetensors"

    return save


def segment(project, model, *options):
    return main(["segment", str(project), "--model", str(model), *options])


def draw(project, image_id, review=None):
    with AnnotationStore.open(project) as store:
        map = store.load_map(image_id)
        store.append_edit(image_id, brush_stroke(map, DRAWN, 3, Segment(1, 1)))
        if review is not None:
            store.set_review(image_id, review)


def edits(project):
    """The number of edits in effect, image by image."""
    with AnnotationStore.open(project, is_read_only=True) as store:
        return [record.n_edits for record in store.images()]


def test_each_image_gets_a_proposal_as_one_step(project, tiny_model, capsys):
    assert segment(project, tiny_model) == 0
    assert capsys.readouterr().out == f"8 images of {project} got a proposal.\n"
    with AnnotationStore.open(project) as store:
        records = store.images()
        assert {record.review for record in records} == {Review.PROPOSED}
        assert {record.model for record in records} == {"tiny"}
        assert all(record.expected_work is None for record in records)
        assert AuthorKind.MODEL in {author.kind for author in store.authors().values()}
        store.undo(records[0].id)
        assert not store.load_map(records[0].id).segments
    assert not list(project.parent.glob(".*claims"))


def test_what_is_proposed_already_is_not_proposed_again(project, tiny_model, capsys):
    segment(project, tiny_model)
    assert segment(project, tiny_model) == 0
    assert capsys.readouterr().out.endswith(f"0 images of {project} got a proposal.\n")
    assert edits(project) == [1] * N_IMAGES


def test_an_image_in_which_nothing_was_found_waits_for_another_model(
    project, tiny_model, save_model, capsys
):
    blind = save_model("blind", min_area=10_000)
    segment(project, blind)
    with AnnotationStore.open(project, is_read_only=True) as store:
        assert {(r.review, r.model, r.n_edits) for r in store.images()} == {
            (Review.EMPTY, "blind", 0)
        }
        assert find_waiting(store, "blind") == [] and len(find_waiting(store, "tiny")) == 8
    capsys.readouterr()
    segment(project, blind)
    assert capsys.readouterr().out.startswith("0 images")
    segment(project, tiny_model)
    assert edits(project) == [1] * N_IMAGES


def test_only_images_for_which_a_query_holds_are_segmented(project, tiny_model, capsys):
    assert segment(project, tiny_model, "--where", "state:empty -image0 -image3") == 0
    assert edits(project) == [0, 1, 1, 0, 1, 1, 1, 1]
    assert segment(project, tiny_model, "--where", "wait>3") == 2
    assert "wait" in capsys.readouterr().err
    folder = str(project.parent)
    assert main(["segment", folder, "--where", "state:empty", "--out", folder]) == 2
    assert "is no project; leave --where away" in capsys.readouterr().err


def test_categories_that_were_renamed_get_their_segments(project, tiny_model, capsys):
    with AnnotationStore.open(project) as store:
        store.set_categories([replace(c, name=f"my {c.name}") for c in store.categories])
    assert segment(project, tiny_model) == 0
    assert "lacks categories" not in capsys.readouterr().err
    assert edits(project) == [1] * N_IMAGES


def test_a_version_of_the_project_can_be_named(project, save_model):
    path = save_model("better")
    with AnnotationStore.open(project) as store:
        store.add_model_version("better", path, data_hash="", n_images=1)
    assert segment(project, "better") == 0
    with AnnotationStore.open(project, is_read_only=True) as store:
        assert {record.model for record in store.images()} == {"better"}


def test_images_that_a_person_has_worked_on_are_left_alone(project, tiny_model):
    draw(project, 1)
    draw(project, 2, Review.APPROVED)
    draw(project, 3, Review.REJECTED)
    assert segment(project, tiny_model) == 0
    assert edits(project) == [1] * N_IMAGES
    with AnnotationStore.open(project, is_read_only=True) as store:
        assert [r.review for r in store.images()][:4] == [
            Review.IN_WORK,
            Review.APPROVED,
            Review.REJECTED,
            Review.PROPOSED,
        ]


def test_several_samples_keep_the_work_that_is_expected(project, tiny_model):
    assert segment(project, tiny_model, "--samples", "2") == 0
    with AnnotationStore.open(project, is_read_only=True) as store:
        assert all(record.expected_work >= 0 for record in store.images())


def test_an_image_that_is_missing_or_of_another_size_is_named(project, tiny_model, capsys):
    (project.parent / "image3.png").unlink()
    Image.new("RGB", (20, 20)).save(project.parent / "image5.png")
    assert segment(project, tiny_model) == 1
    assert edits(project) == [1, 1, 1, 0, 1, 0, 1, 1]
    error = capsys.readouterr().err
    assert "2 of 8 images could not be segmented:" in error
    assert "image5.png has another size than the project knows" in error


def test_a_project_without_any_of_the_models_categories_is_refused(
    tmp_path, tiny_model, capsys
):
    path = tmp_path / "other.bitbrush"
    AnnotationStore.create(path, (Category(1, "cat", is_thing=True, color=(1, 1, 1)),)).close()
    assert segment(path, tiny_model) == 2
    assert "none of the categories of the model tiny" in capsys.readouterr().err


def test_a_place_for_maps_is_for_images_alone(project, tiny_model, tmp_path, capsys):
    assert segment(project, tiny_model, "--out", str(tmp_path / "out")) == 2
    assert "leave --out away" in capsys.readouterr().err
    assert segment(tmp_path / "image1.png", tiny_model) == 2
    assert "add --out DIR" in capsys.readouterr().err


def test_a_project_that_stays_open_elsewhere_is_named(project, tiny_model, capsys, monkeypatch):
    monkeypatch.setattr("core.model.segment_project.PATIENCE_S", 0)
    with AnnotationStore.open(project):
        assert segment(project, tiny_model) == 2
    assert "is already open in another window or command" in capsys.readouterr().err


def test_one_of_two_processes_is_killed_and_started_again(project, tiny_model, repository):
    def start():
        arguments = [project, "--model", tiny_model, "--steps", "40"]
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "core", "segment", *map(str, arguments)],
            cwd=repository,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    processes = [start(), start()]
    end = time.monotonic() + 120
    while sum(edits(project)) < 2:
        assert time.monotonic() < end
        time.sleep(0.01)
    processes[0].send_signal(signal.SIGKILL)
    processes[0].communicate()
    assert sum(edits(project)) < N_IMAGES
    processes[0] = start()
    for process in processes:
        said, complaints = process.communicate(timeout=120)
        assert process.returncode == 0, complaints
        assert f"of {project} got a proposal." in said
    assert edits(project) == [1] * N_IMAGES
