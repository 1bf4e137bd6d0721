"""Curves of PQ over minutes: networks differ in one thing, and points are kept as they were."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from benchmarks.nuclei_curves import (
    NETWORKS,
    Point,
    configure,
    make_charts,
    make_rows,
    read_curves,
    thin_out,
    train_to,
)
from benchmarks.segment_errors import ErrorCounts
from core.coco_json import CocoImage
from core.model.checkpoint import load_checkpoint
from core.panoptic import Category
from training.config import Crops
from training.data import PanopticDataset
from training.state import differences

CATEGORIES = (
    Category(1, "nucleus", True, (220, 20, 60)),
    Category(2, "background", False, (60, 60, 60)),
)
GROUPS = {"bright": ErrorCounts(matched=8, iou=6.0, missed=4), "tissue": ErrorCounts(missed=2)}


@pytest.fixture
def points():
    return {
        "peer 4": asdict(Point("watershed", 100, 9, 0.2, split=GROUPS)),
        "place 12": asdict(Point("10 steps, td 1", 300, 9, 0.5, split=GROUPS, whole=GROUPS)),
        "place 4": asdict(Point("10 steps, td 1", 100, 9, 0.5, split=GROUPS, whole=GROUPS)),
    }


def test_networks_differ_in_what_the_head_adds_and_in_b_alone() -> None:
    first, *others = (configure(name) for name in NETWORKS)
    fields = {"model.evidence_dilations", "model.place_cell", "model.b", "place_weight"}
    for other in others:
        assert {sentence.split(" ")[0] for sentence in differences(first, other)} <= fields
    assert first.model.evidence_dilations == () and first.model.place_cell == 0


def test_points_that_were_kept_as_json_are_read_back_in_the_order_of_their_minutes(points):
    curves = read_curves(json.loads(json.dumps(points)))
    assert list(curves) == ["place", "peer"]
    assert list(curves["place"]) == [4.0, 12.0]
    assert curves["place"][4.0] == Point(
        **points["place 4"] | {"split": GROUPS, "whole": GROUPS}
    )


def test_the_peer_has_no_ids_that_were_not_split(points) -> None:
    rows = make_rows(read_curves(points), ["bright", "tissue"])
    assert rows[0] == ["place", "4", "100", "10 steps, td 1", "0.5", "60.0 / 60.0", "0.0 / 0.0"]
    assert rows[2] == ["peer", "4", "100", "watershed", "0.2", "60.0", "0.0"]


def test_each_group_has_a_chart_of_all_curves(points) -> None:
    bright, tissue = make_charts(read_curves(points))
    assert (bright.title, tissue.title) == ("bright", "tissue")
    assert bright.curves == {"place": [(4, 60), (12, 60)], "peer": [(4, 60)]}


def test_every_third_picture_has_a_third_of_each_kind() -> None:
    images = tuple(CocoImage(k, f"{k}.png", 8 + 8 * (k % 2), 8) for k in range(24))
    groups = {"bright": set(range(12)), "tissue": set(range(12, 24))}
    chosen = [images[index] for index in thin_out(images, groups, 3)]
    kinds = [(image.id < 12, image.height) for image in chosen]
    assert len(chosen) == 8 and all(kinds.count(kind) == 2 for kind in kinds)


def test_a_run_goes_on_from_one_mark_to_the_next(tmp_path) -> None:
    config = configure("place")
    model = replace(
        config.model,
        image_size=(32, 32),
        mask_size=(16, 16),
        encoder_layers=1,
        transformer_layers=1,
        channel_multipliers=(1, 1),
        residual_blocks=(1, 1),
    )
    config = replace(config, model=model, crops=(Crops(32, 1),))
    ids = np.zeros((32, 32), np.int32)
    ids[4:14, 4:14] = 1
    data = PanopticDataset(
        CATEGORIES,
        ["a.png"],
        [np.zeros((32, 32, 3), np.uint8)],
        [np.stack([2 - ids, ids], -1).astype(np.int32)],
    )
    steps = []
    for minutes in (0.002, 0.006):
        train_to(config, data, tmp_path / "place", minutes, end=1)
        _, card = load_checkpoint(
            tmp_path / "place" / f"average-{minutes:g}.safetensors", "cpu"
        )
        steps.append(card.training["steps"])
    assert 0 < steps[0] < steps[1]
