"""The command `propagate`, on a project of numbered images."""

import numpy as np
import pytest
import torch
from PIL import Image

from core.__main__ import main
from core.authors import AuthorKind
from core.model.checkpoint import save_checkpoint
from core.model.pix2seq_d import Pix2SeqD
from core.model_card import ModelCard
from core.panoptic import Edit, Segment
from core.store import AnnotationStore
from tests.core.model.test_segment_video import CARD, TINY


@pytest.fixture
def project(tmp_path):
    torch.manual_seed(0)
    model = tmp_path / "video.safetensors"
    save_checkpoint(model, Pix2SeqD(TINY).init_weights(), ModelCard("v", "", CARD.categories))
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"f{k}.png" for k in range(4)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8)).save(path)
    path = tmp_path / "a.bitbrush"
    with AnnotationStore.create(path, CARD.categories, str(model)) as store:
        store.add_images([(p, None, 48, 64) for p in paths])
        nothing = np.zeros((48, 64), np.uint16)
        ids = nothing.copy()
        ids[10:30, 10:30] = 1
        store.append_edit(2, Edit(0, 0, nothing, ids, {}, {1: Segment(1, 1)}, "draw"))
    return path


def test_frames_get_maps_as_one_step_of_undo(project, capsys):
    assert (
        main(["propagate", str(project), "--from", "f1.png", "--steps", "2", "--settled", "0"])
        == 0
    )
    assert "2 frames got a map, in 2.0 steps each and at" in capsys.readouterr().out
    with AnnotationStore.open(project) as store:
        assert [bool(store.load_map(i).segments) for i in (1, 2, 3, 4)] == [0, 1, 1, 1]
        assert store.joint_step(4, forwards=False).image_ids == (3, 4)
        assert store.provenance(3).of_kinds([AuthorKind.PROPAGATED]).any()


def test_it_goes_back_and_says_what_cannot_be_found(project, capsys):
    command = ["propagate", str(project), "--steps", "1", "--back"]
    assert main([*command, "--from", "f1.png", "--frames", "5"]) == 0
    assert "1 frame got a map" in capsys.readouterr().out
    assert main([*command, "--from", "f9.png"]) == 2
    assert "no images called f9.png" in capsys.readouterr().err
