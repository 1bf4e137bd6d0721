"""Folders of other data sets and projects, and what the authors' code makes of their labels."""

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import TrainingError
from core.model.config import COCO, NUCLEI
from core.panoptic import Category, Edit, Segment
from core.review import Review
from core.store import AnnotationStore
from training.layouts import (
    CITYSCAPES_IDS,
    cityscapes_labels,
    davis_labels,
    index_cityscapes,
    index_davis,
    index_kitti_step,
    kitti_codes,
)
from training.project_index import index_project

GREY = np.full((20, 30, 3), 90, np.uint8)


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def test_recorded_cityscapes_labels(shared_dir):
    """Codes are equal, and ids tell the same segments apart."""
    tasks = np.load(shared_dir / "golden" / "tasks.npz")
    train_ids = tasks["ids/label"]
    kinds, numbers = train_ids // 1000, train_ids % 1000
    known = np.where(kinds < 19, kinds, 0)
    raw = np.where(kinds < 19, np.array(CITYSCAPES_IDS)[known] * 1000 + numbers, 1)
    labels, wanted = cityscapes_labels(raw), tasks["ids/label_map"]
    assert np.array_equal(labels[..., 0], wanted[..., 0])
    pairs = np.unique(np.stack([labels[..., 1], wanted[..., 1]]).reshape(2, -1), axis=1)
    assert all(len(set(side)) == pairs.shape[1] for side in pairs.tolist())


def test_recorded_kitti_labels(shared_dir):
    tasks = np.load(shared_dir / "golden" / "tasks.npz")
    raw = tasks["kitti/label"]
    assert np.array_equal(kitti_codes(raw // 1000, raw % 1000), tasks["kitti/label_map"])


def test_an_object_255_follows_the_largest_other():
    labels = davis_labels(np.array([[0, 2, 255]], np.int32))
    assert labels[0].tolist() == [[0, 0], [0, 2], [0, 3]]


def test_a_cityscapes_folder(tmp_path):
    ids = np.full((20, 30), 7, np.uint16)  # road
    ids[:5], ids[5:10, :9], ids[10:15, :9] = 3, 26_000, 26_001  # border, two cars
    save(tmp_path / "leftImg8bit/train/ulm/ulm_0_leftImg8bit.png", GREY)
    save(tmp_path / "gtFine/train/ulm/ulm_0_gtFine_instanceIds.png", ids)
    data = index_cityscapes(tmp_path)
    labels = data.view(0, COCO).labels
    assert len(data) == 1 and len(data.categories) == 19
    assert labels[0, 0].tolist() == [0, 0]
    found = [labels[y, x] for y, x in ((18, 20), (7, 3), (12, 3))]
    assert [data.categories[code - 1].name for code, _ in found] == ["road", "car", "car"]
    assert len({number for _, number in found}) == 3 and all(number for _, number in found)


def test_a_davis_folder_gives_clips_that_do_not_leave_their_video(tmp_path):
    for video, n_frames in (("bear", 4), ("cat", 2), ("dog", 3)):
        for k in range(n_frames):
            save(tmp_path / f"JPEGImages/480p/{video}/{k:05}.jpg", GREY)
            ids = Image.fromarray(np.full((20, 30), k % 3, np.uint8), mode="L")
            ids = ids.convert("P")
            ids.putdata([k % 3] * 600)
            path = tmp_path / f"Annotations_unsupervised/480p/{video}/{k:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            ids.save(path)
    data = index_davis(tmp_path)
    assert data.names == ("bear/00002.jpg", "bear/00003.jpg", "dog/00002.jpg")
    clip = data.clip(1, COCO)
    assert [int(view.labels[0, 0, 1]) for view in clip] == [1, 2, 0]
    (tmp_path / "train.txt").write_text("dog\n")
    assert index_davis(tmp_path, tmp_path / "train.txt").names == ("dog/00002.jpg",)


@pytest.mark.parametrize("images", ["images/train", "training/image_02"])
def test_a_kitti_step_folder(images, tmp_path):
    for k in range(3):
        rgb = np.zeros((20, 30, 3), np.uint8)
        rgb[:5, :, 0], rgb[5:9] = 255, (13, 1, 2)  # void, car 258
        save(tmp_path / images / f"0001/{k:06}.png", GREY)
        save(tmp_path / f"panoptic_maps/train/0001/{k:06}.png", rgb)
    data = index_kitti_step(tmp_path)
    labels = data.clip(0, COCO)[-1].labels
    assert labels[0, 0, 0] == 0
    assert labels[6, 0].tolist() == [14, 258] and labels[18, 0].tolist() == [1, 0]
    assert {c.name for c in data.categories if c.is_thing} == {"person", "car"}


def test_an_empty_folder_is_a_sentence(tmp_path):
    for index in (index_cityscapes, index_davis, index_kitti_step):
        with pytest.raises(TrainingError, match="choose the folder of the data set"):
            index(tmp_path)


@pytest.fixture
def project(tmp_path):
    """Three pictures: approved, edited, untouched."""
    categories = [Category(4, "cell", True, (1, 2, 3)), Category(7, "dish", False, (4, 5, 6))]
    paths = [tmp_path / f"{k}.png" for k in range(3)]
    for path in paths:
        assert cv2.imwrite(str(path), GREY)
    with AnnotationStore.create(tmp_path / "p.bitbrush", categories) as store:
        ids = store.add_images([(path, None, 20, 30) for path in paths])
        for image_id in ids[:2]:
            before, after = np.zeros((2, 5, 5), np.uint16)
            after[:] = 1
            edit = Edit(3, 4, before, after, {}, {1: Segment(1, 4)}, "brush")
            store.append_edit(image_id, edit)
        store.set_review(ids[0], Review.APPROVED)
    return tmp_path / "p.bitbrush"


def test_a_project_gives_its_approved_images_or_all_with_edits(project):
    approved = index_project(project, has_stuff_ids=True)
    edited = index_project(project, has_stuff_ids=True, which="edited")
    assert approved.names == ("0.png",) and edited.names == ("0.png", "1.png")
    labels = edited.view(1, NUCLEI).labels
    assert labels[4, 5].tolist() == [1, 1] and labels[0, 0].tolist() == [0, 0]
    assert (labels[..., 0] == 1).sum() == 25
