"""Clips: past maps as the authors' code makes them, one geometry and one set of ids."""

import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.model.checkpoint import load_checkpoint
from core.model.foreign_config import read_config
from core.model.import_weights import import_weights
from core.model.pix2seq_d import Pix2SeqD
from tests.training.tiny_run import MODEL
from training.augment import View
from training.batches import make_batch
from training.coco_index import index_coco
from training.config import TrainConfig
from training.loss import loss_weights
from training.photo_views import PhotoAugmentation, ViewDraws, resize_labels, take_view
from training.sources import fit_codes
from training.stepper import BatchLoss
from training.train import train

VIDEO = replace(MODEL, image_size=(32, 64), mask_size=(16, 32), past_frames=2)
CONFIG = TrainConfig(VIDEO, PhotoAugmentation((1.0, 1.5)), batch=3, ids="shuffle")


@pytest.mark.parametrize("case", ["keep", "flip"])
def test_recorded_past_maps(shared_dir, case):
    recorded = np.load(shared_dir / "golden" / "video.npz")
    draws = ViewDraws(is_flipped=case == "flip")
    frames = zip(recorded["cond/frames"], recorded["cond/label_map"], strict=True)
    views = [take_view(View(*frame), (32, 64), draws, "bicubic") for frame in frames]
    assert np.allclose(views[-1].image, recorded[f"cond/{case}/image"][0], rtol=0, atol=2e-6)
    past = [resize_labels(view.labels, (16, 32)) for view in views[:-1]]
    assert np.array_equal(np.concatenate(past, -1), recorded[f"cond/{case}/cond_map"][0])
    config = replace(VIDEO, semantic_bits=8, instance_bits=8, n_codes=20, n_ids=256)
    maps = torch.from_numpy(np.stack(past)).permute(0, 3, 1, 2).long()
    bits = Pix2SeqD(config).past_bits(maps).flatten(0, 1).permute(1, 2, 0)
    assert np.allclose(bits, recorded[f"cond/{case}/cond_bits"][0])
    ids = torch.from_numpy(resize_labels(views[-1].labels, (16, 32))[None, ..., 1])
    assert np.allclose(loss_weights(ids, 256, 0.2), recorded[f"cond/{case}/mask_weight"])


def test_recorded_loss_of_a_clip(shared_dir, tmp_path):
    """Of the averaged weights, with the recorded inputs for two past maps."""
    golden = shared_dir / "golden"
    recorded = np.load(golden / "video.npz")
    with tarfile.open(golden / "checkpoint.tar.gz") as file:
        file.extractall(tmp_path, filter="data")
    stills = read_config(str(golden / "config.json"))
    size = {"image_size": (32, 64), "mask_size": (16, 32), "n_codes": 20, "n_ids": 256}
    config = replace(stills, past_frames=2, **size)
    import_weights(tmp_path / "checkpoint", tmp_path / "m.safetensors", config)
    model = load_checkpoint(tmp_path / "m.safetensors", "cpu")[0].eval()
    extra = recorded["model/conv_in_extra"].transpose(3, 2, 0, 1)
    model.decoder.conv_in.weight.data[:, -32:] = torch.from_numpy(extra.copy())

    def tensor(name):
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(recorded[name], -1, 1)))

    past = tensor("model/cond_map").unflatten(1, (2, 2)).long()
    labels, noise = tensor("model/label_map").long(), tensor("model/noise")
    loss = BatchLoss(TrainConfig(config), model)
    with torch.no_grad():
        found = loss(tensor("model/images"), labels, past, torch.full((2,), 0.4), noise)
    assert found.item() == pytest.approx(float(recorded["model/loss"]), rel=1e-5)


@pytest.fixture(scope="module")
def davis(shared_dir):
    path = shared_dir / "data/davis/val/panoptic_val.json"
    return index_coco(path, has_stuff_ids=False, past_frames=2)


def test_real_frames_become_clips(davis):
    assert len(davis) == 78 and davis.names[0] == "schoolgirls/schoolgirls_00002.jpg"


def test_a_segment_has_one_id_through_its_clip(davis):
    """Ids of the last frame and of the past agree wherever a segment hardly moves."""
    batch = make_batch(replace(CONFIG, past_dropout=0), davis, 0)
    assert batch.past.shape == (3, 2, 2, 16, 32) and batch.images.shape == (3, 3, 32, 64)
    now, before = batch.labels[:, 1], batch.past[:, -1, 1]
    both = (now > 0) & (before > 0)
    assert both.any() and (now[both] == before[both]).float().mean() > 0.9
    assert len({*now.unique().tolist()}) > 2


def test_past_frames_are_dropped_each_alone(davis):
    config = replace(CONFIG, batch=16, past_dropout=0.5)
    past = torch.cat([make_batch(config, davis, step).past for step in range(3)])
    is_empty = ~past.flatten(2).any(-1)
    patterns = {tuple(row) for row in is_empty.tolist()}
    assert patterns == {(False, False), (False, True), (True, False), (True, True)}


def test_a_network_learns_from_clips(davis):
    batch = make_batch(CONFIG, davis, 0)
    torch.manual_seed(0)
    model = Pix2SeqD(VIDEO).init_weights().train()
    noise = torch.rand(3), torch.randn(3, 6, 16, 32)
    loss = BatchLoss(CONFIG, model)(batch.images, batch.labels, batch.past, *noise)
    loss.backward()
    assert model.decoder.conv_in.weight.grad[:, -12:].abs().sum() > 0


def test_clips_in_parts_teach_what_the_whole_batch_does(davis, tmp_path):
    fitted = fit_codes(replace(CONFIG, steps=3), davis)
    losses = [
        [step.loss for step in train(config, davis, tmp_path / str(config.accumulation))]
        for config in (fitted, replace(fitted, accumulation=3))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_stills_have_no_past(davis):
    still = replace(CONFIG, model=replace(VIDEO, past_frames=0))
    assert make_batch(still, davis, 0).past is None
