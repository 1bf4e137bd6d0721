"""Corrected images make the starter model better at a stain that it has never seen.

All of it by the commands that the window runs. The pictures are real ones of tissue that the
starter has not seen, under another stain (`benchmarks.looks`); their true maps stand for what
a person has corrected.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.looks import stain_brown
from core.__main__ import main as bitbrush
from core.authors import A_PERSON, AuthorKind
from core.bundled import find_model
from core.coco import CocoDataset, read_coco
from core.correction_cost import cost_of_map
from core.gate_report import REPORT_NAME, read_report, scores_of
from core.images import read_image
from core.model_card import read_card
from core.model_comparison import Verdict
from core.retraining import NICENESS, RetrainPlan, write_plan
from core.review import Review
from core.store import AnnotationStore
from core.training_snapshot import TrainingSnapshot, snapshot_project
from core.version_files import keep_file
from core.whole_maps import import_map
from training.evaluate import images_with

STARTER, TUNED = "nuclei", "nuclei-v1"
N_CORRECTED, N_UNTOUCHED = 12, 4
STEPS = 60


@dataclass(frozen=True)
class Tissue:
    """Pictures of tissue under another stain, and their true maps."""

    truth: CocoDataset
    indices: list[int]
    pictures: list[Path]


@pytest.fixture
def tissue(shared_dir, tmp_path) -> Tissue:
    path = shared_dir / "data" / "nuclei" / "val" / "panoptic_val.json"
    if not path.exists():
        pytest.skip(f"needs {path.name} of the nuclei pictures; there is none")
    truth, wanted = read_coco(path), images_with(path, "modality", "histology")
    indices = [k for k, image in enumerate(truth.images) if image.id in wanted]
    pictures = []
    for index in indices[: N_CORRECTED + N_UNTOUCHED]:
        name = truth.images[index].file_name
        pictures.append(tmp_path / f"{Path(name).stem}.png")
        picture = stain_brown(read_image(path.parent / "images" / name))
        Image.fromarray(picture).save(pictures[-1])
    return Tissue(truth, indices, pictures)


@pytest.fixture
def project(tissue, tmp_path) -> Path:
    """Twelve images that a person has corrected, half of them held out, and four untouched."""
    path = tmp_path / "tissue.bitbrush"
    with AnnotationStore.create(path, tissue.truth.categories, STARTER) as store:
        store.set_hold_out_share(50)
        sizes = [tissue.truth.images[k] for k in tissue.indices]
        store.add_images(
            (picture, None, size.height, size.width)
            for picture, size in zip(tissue.pictures, sizes, strict=False)
        )
        for image_id, index in zip(
            store.image_ids()[:N_CORRECTED], tissue.indices, strict=False
        ):
            true_map = tissue.truth.load_map(index)
            edit = import_map(store.load_map(image_id), true_map, {2})
            store.append_edit(image_id, edit, A_PERSON)
            store.set_review(image_id, Review.APPROVED)
    return path


def take_snapshot(project: Path, folder: Path) -> TrainingSnapshot:
    with AnnotationStore.open(project, is_read_only=True) as store:
        training, held_out = store.training_images(), store.hold_out_images()
    assert len(training) == len(held_out) == N_CORRECTED // 2
    return snapshot_project(project, folder, [r.id for r in training], [r.id for r in held_out])


def run_training(*arguments: object) -> None:
    """A command of training in a process of its own, as the window starts it."""
    command = [sys.executable, "-m", "training", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own


def untouched_cost(project: Path, tissue: Tissue) -> float:
    """Seconds to correct the proposals of the images that nobody has worked on."""
    seconds = 0.0
    with AnnotationStore.open(project, is_read_only=True) as store:
        for image_id, index in zip(store.image_ids(), tissue.indices, strict=True):
            if store.image_record(image_id).review is Review.PROPOSED:
                map = store.load_map(image_id)
                seconds += cost_of_map(map, tissue.truth.load_map(index)).seconds()
    return seconds


def test_corrections_make_the_starter_better_where_it_is_weak(
    project, tissue, tmp_path
) -> None:
    # The starter proposes maps for what nobody has touched: much is left to correct.
    assert bitbrush(["segment", str(project)]) == 0
    before = untouched_cost(project, tissue)

    # Retrain on what was corrected, with half of it held out.
    folder = tmp_path / "tissue-models" / "run-1"
    snapshot = take_snapshot(project, folder)
    steps = {"steps": str(STEPS)}  # not minutes: the same on every machine
    plan = RetrainPlan(STARTER, TUNED, n_training=6, n_hold_out=6, changes=steps)
    write_plan(folder, plan)
    run_training(*plan.arguments(folder))
    candidate = folder / "best.safetensors"

    # The gate says that the new model is better on what neither has seen.
    report_path = folder / REPORT_NAME
    models = find_model(STARTER), candidate
    options = "--out", report_path, "--threads", 1, "--nice", NICENESS
    run_training("compare", *models, snapshot.hold_out, *options)
    comparison = read_report(report_path).compare()
    assert comparison.verdict is Verdict.BETTER, comparison.sentence()
    nuclei = comparison.by_category[1].pq
    assert nuclei.candidate.value > nuclei.current.value + 0.15
    assert comparison.overall.pq.difference.low > 0.05
    assert comparison.seconds.candidate.value < 0.75 * comparison.seconds.current.value

    # Use it from now on.
    kept = keep_file(project, candidate, TUNED)
    with AnnotationStore.open(project) as store:
        data_hash = read_card(candidate).training["data_sha256"]
        scores = scores_of(comparison, STARTER)
        store.add_model_version(TUNED, kept, data_hash=data_hash, n_images=6, scores=scores)
        store.set_model(str(kept))
    shutil.rmtree(folder)  # what is kept does not need the run

    # Its proposals for what nobody has touched are cheaper to correct.
    assert bitbrush(["segment", str(project)]) == 0
    after = untouched_cost(project, tissue)
    assert after < 0.75 * before
    with AnnotationStore.open(project) as store:
        records = store.images()
        assert [r.review for r in records].count(Review.APPROVED) == N_CORRECTED
        untouched = [r for r in records if r.review is Review.PROPOSED]
        assert [r.model for r in untouched] == [TUNED] * N_UNTOUCHED
        for record in untouched:
            authors = store.provenance(record.id).authors
            assert {a.kind for a in authors if a is not None} == {AuthorKind.MODEL}

        # Undo gives the starter's proposals back, and then empty maps.
        for record in untouched:
            store.undo(record.id)
    assert untouched_cost(project, tissue) == pytest.approx(before)
    with AnnotationStore.open(project) as store:
        for record in untouched:
            store.undo(record.id)
            assert not store.load_map(record.id).segments
