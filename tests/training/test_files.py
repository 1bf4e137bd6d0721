"""Data that is read when asked for: the same as in memory; bad pictures are named."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from core.coco import CocoItem, write_coco
from core.errors import TrainingError
from core.model.config import NUCLEI
from core.panoptic import Category, PanopticMap, Segment
from training.batches import make_batch
from training.coco_index import index_coco
from training.config import TrainConfig
from training.files import hold_in_memory
from training.photo_views import PhotoAugmentation
from training.prefetch import draw_batches
from training.processes import Processes
from training.train import train

CATEGORIES = (
    Category(5, "square", True, (220, 20, 60)),
    Category(9, "ground", False, (60, 60, 60)),
)
MODEL = replace(
    NUCLEI,
    image_size=(32, 32),
    mask_size=(16, 16),
    is_stretched=False,
    decoder_width=16,
    transformer_width=64,
    transformer_layers=1,
    encoder_layers=1,
)
CONFIG = TrainConfig(MODEL, PhotoAugmentation((1.0, 2.0)), batch=4, steps=2)


@pytest.fixture
def truth(tmp_path):
    """A COCO panoptic JSON of four pictures, each with a square, a crowd and ground."""
    (tmp_path / "images").mkdir()
    items = []
    for k in range(4):
        ids = np.full((40, 48), 3, np.uint16)
        ids[4:20, 4 + k : 24] = 1
        ids[24:36, 4:24] = 2
        image = np.full((40, 48, 3), 60 * k, np.uint8)
        assert cv2.imwrite(str(tmp_path / "images" / f"{k}.png"), image)
        segments = {1: Segment(1, 5), 2: Segment(2, 5, is_crowd=True), 3: Segment(3, 9)}
        items.append(CocoItem(k, f"{k}.png", PanopticMap(ids, segments, 4)))
    write_coco(tmp_path / "panoptic.json", items, CATEGORIES)
    return tmp_path / "panoptic.json"


def change_json(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_files_give_the_batches_that_memory_does(truth):
    files = index_coco(truth, has_stuff_ids=True)
    in_memory = hold_in_memory(files)
    assert files.names == in_memory.names and len(files) == 4
    for step in (0, 1):
        one, other = (make_batch(CONFIG, data, step) for data in (files, in_memory))
        assert torch.equal(one.images, other.images) and torch.equal(one.labels, other.labels)


def test_a_crowd_is_void_unless_it_is_wanted(truth):
    for crowds, code in (("void", 0), ("segment", 1)):
        labels = index_coco(truth, has_stuff_ids=True, crowds=crowds).view(0, MODEL).labels
        assert labels[30, 10, 0] == code and (labels[30, 10, 1] > 0) == (code > 0)


def test_stuff_shares_id_0_where_it_has_no_ids(truth):
    labels = index_coco(truth, has_stuff_ids=False).view(0, MODEL).labels
    assert labels[0, 0].tolist() == [2, 0] and labels[10, 10].tolist() == [1, 1]


def test_worker_processes_can_be_handed_the_files(truth):
    files = index_coco(truth, has_stuff_ids=True)
    (batch, _) = draw_batches(replace(CONFIG, workers=1), files, 0, Processes())
    assert torch.equal(batch.images, make_batch(CONFIG, files, 0).images)


def test_a_decoder_of_maps_alone_needs_no_pictures(truth):
    for image in (truth.parent / "images").iterdir():
        image.unlink()
    files = index_coco(truth, has_stuff_ids=True)
    maps = replace(CONFIG, model=replace(MODEL, conditioning="none"))
    batch = make_batch(maps, files, 0)
    assert batch.labels[:, 0].any() and not batch.skipped


def spoil(kind, truth):
    if kind == "missing image":
        (truth.parent / "images" / "1.png").unlink()
    elif kind == "corrupt png":
        (truth.parent / "panoptic" / "1.png").write_bytes(b"\x89PNG\r\n")
    elif kind == "sizes":
        small = np.zeros((20, 24, 3), np.uint8)
        cv2.imwrite(str(truth.parent / "images" / "1.png"), small)
    else:
        name, value = ("category_id", 77) if kind == "category" else ("id", "one")

        def change(document):
            document["annotations"][1]["segments_info"][0][name] = value

        change_json(truth, change)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing image", "1.png"),
        ("corrupt png", "map of image 1 is unreadable"),
        ("sizes", "is 24 x 20, but its map 48 x 40"),
        ("category", "unknown category 77"),
        ("id", "image 1: entry 1 of 'segments_info' has a field of the wrong type"),
    ],
)
@pytest.mark.parametrize("is_held", [False, True], ids=["files", "memory"])
def test_a_bad_picture_is_skipped_and_named(kind, says, is_held, truth):
    spoil(kind, truth)
    data = index_coco(truth, has_stuff_ids=True)
    data = hold_in_memory(data) if is_held else data
    batches = [make_batch(CONFIG, data, step) for step in range(3)]
    sentences = {*data.bad, *(s for batch in batches for s in batch.skipped)}
    assert len(sentences) == 1 and says in sentences.pop()
    assert all(len(batch.images) == 4 for batch in batches)


def test_the_picture_in_the_place_of_a_bad_one_is_the_same_for_every_process(truth):
    spoil("missing image", truth)
    data = index_coco(truth, has_stuff_ids=True)
    whole = make_batch(CONFIG, data, 0)
    parts = [make_batch(CONFIG, data, 0, rank, 2) for rank in range(2)]
    assert all(torch.equal(whole.images[r::2], parts[r].images) for r in range(2))


def test_more_bad_pictures_than_allowed_end_the_run_and_epochs_do_not_add_up(truth, tmp_path):
    spoil("missing image", truth)
    data = index_coco(truth, has_stuff_ids=True)
    one = replace(CONFIG, max_bad_samples=1, steps=3)
    said = [
        sentence for step in train(one, data, tmp_path / "one") for sentence in step.skipped
    ]
    assert len(said) == 1 and "1.png" in said[0]
    with pytest.raises(TrainingError, match=r"cannot be used, the last because: .*1\.png"):
        list(train(replace(one, max_bad_samples=0), data, tmp_path / "none"))


def test_pictures_that_are_all_bad_are_a_sentence(truth):
    for image in (truth.parent / "images").iterdir():
        image.unlink()
    data = index_coco(truth, has_stuff_ids=True)
    with pytest.raises(TrainingError, match="4 pictures in a row cannot be used"):
        make_batch(CONFIG, data, 0)
