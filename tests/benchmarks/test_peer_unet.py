"""The peer's targets and its watershed: what is drawn comes back, and a run goes on."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from benchmarks.nuclei_peer import load_run, new_run, save_run, train_step, view_config
from benchmarks.peer_unet import Cutting, UNet, cut_segments, make_targets, predict
from benchmarks.segment_errors import count_errors
from core.panoptic import Category
from training.config import Crops
from training.data import PanopticDataset

DISCS = [(20, 20, 9), (20, 37, 9), (50, 30, 6), (50, 55, 4)]  # the first two touch


def draw_discs():
    ids = np.zeros((64, 80), np.int32)
    for number, (row, column, radius) in enumerate(DISCS, start=1):
        disc = cv2.circle(np.zeros(ids.shape, np.uint8), (column, row), radius, 1, -1) > 0
        ids[disc & (ids == 0)] = number
    return ids


def test_perfect_maps_are_cut_into_the_segments_that_they_were_made_of():
    ids = draw_discs()
    found = count_errors(cut_segments(make_targets(ids), Cutting(min_area=1)), ids)
    assert found.matched == len(DISCS)
    assert found.pq > 0.97


def test_distance_is_one_in_the_middle_of_every_segment_and_least_at_its_border():
    ids = draw_discs()
    foreground, border, distance = make_targets(ids)
    for number in range(1, len(DISCS) + 1):
        assert distance[ids == number].max() == 1
    assert (foreground == (ids > 0)).all()
    assert distance[border > 0].max() < 0.5


def test_segments_below_the_least_area_are_dropped():
    ids = draw_discs()
    areas = np.bincount(ids.ravel())[1:]
    cut = cut_segments(make_targets(ids), Cutting(min_area=int(areas.min()) + 1))
    assert len(np.unique(cut)) - 1 == len(DISCS) - 1


def test_foreground_without_a_marker_is_a_segment_all_the_same():
    maps = np.zeros((3, 16, 16), np.float32)
    maps[0, 4:12, 4:12] = 1
    assert (cut_segments(maps, Cutting()) > 0).sum() == 64


def test_an_empty_picture_has_no_segments():
    assert not cut_segments(np.zeros((3, 16, 16), np.float32), Cutting()).any()


def test_a_picture_of_any_size_gets_maps_of_its_size():
    maps = predict(UNet().eval(), np.random.default_rng(0).random((37, 50, 3), np.float32))
    assert maps.shape == (3, 37, 50)
    assert maps.min() >= 0 and maps.max() <= 1


@pytest.fixture
def pictures():
    ids = draw_discs()
    image = np.where(ids[..., None] > 0, 200, 10).repeat(3, 2).astype(np.uint8)
    labels = np.stack([np.where(ids > 0, 1, 2), ids], -1).astype(np.int32)
    return PanopticDataset(
        [Category(1, "nucleus", True, (1, 2, 3)), Category(2, "background", False, (4, 5, 6))],
        ["discs.png"],
        [image],
        [labels],
    )


def test_a_run_that_is_loaded_goes_on_as_if_it_had_never_stopped(tmp_path, pictures):
    config = replace(view_config(seed=3), crops=(Crops(32, 2),))
    run = new_run(seed=3)
    losses = [train_step(run, pictures, config, 1e-3) for _ in range(2)]
    save_run(tmp_path / "state.safetensors", run)
    losses += [train_step(run, pictures, config, 1e-3) for _ in range(2)]
    again = new_run(seed=4)
    load_run(tmp_path / "state.safetensors", again)
    assert [train_step(again, pictures, config, 1e-3) for _ in range(2)] == losses[2:]
    assert losses[-1] < losses[0]
    for name, value in run.average.state_dict().items():
        assert torch.equal(value, again.average.state_dict()[name]), name
