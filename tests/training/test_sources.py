"""Whatever is named as training data: a folder, a JSON or a project; or a sentence."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from core.coco import CocoItem, write_coco
from core.errors import AnnotateError, TrainingError
from core.model.config import COCO, PRESETS
from core.model.small_presets import SMALL_PRESETS
from core.panoptic import Category, PanopticMap, Segment
from core.store import AnnotationStore
from training.augment import Augmentation
from training.config import TrainConfig
from training.files import PanopticFiles
from training.sources import fit_codes, open_data

CATEGORIES = (Category(5, "square", True, (220, 20, 60)),)
PHOTOS = TrainConfig(COCO)
CLIPS = replace(PHOTOS, model=replace(COCO, past_frames=2))
GREY = np.full((20, 30, 3), 90, np.uint8)


def save(path, values=GREY):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def save_coco(json_path, images, n=2):
    json_path.parent.mkdir(parents=True, exist_ok=True)
    items = []
    for k in range(n):
        save(images / f"{k}.png")
        ids = np.ones((20, 30), np.uint16)
        items.append(CocoItem(k, f"{k}.png", PanopticMap(ids, {1: Segment(1, 5)}, 2)))
    write_coco(json_path, items, CATEGORIES)


def test_coco_as_it_is_published(tmp_path):
    save_coco(tmp_path / "annotations/panoptic_train2017.json", tmp_path / "train2017")
    save_coco(tmp_path / "annotations/panoptic_val2017.json", tmp_path / "val2017", 1)
    assert open_data(tmp_path, PHOTOS).view(1, COCO).image.shape == (20, 30, 3)
    val = open_data(tmp_path / "annotations/panoptic_val2017.json", PHOTOS)
    assert len(val) == 1 and val.view(0, COCO).labels[0, 0].tolist() == [1, 1]


def test_real_coco_is_read_by_the_folder_of_its_json(shared_dir):
    path = shared_dir / "data/coco_panoptic/train"
    data = open_data(path / "panoptic_train.json", PHOTOS)
    view = data.view(3, COCO)
    assert len(data) == 100 and len(data.categories) == 133
    assert view.image.shape[:2] == view.labels.shape[:2] and view.labels[..., 1].max() == 2


def test_photographs_stay_on_the_disk_and_pictures_are_held(tmp_path):
    save_coco(tmp_path / "panoptic.json", tmp_path / "images")
    assert isinstance(open_data(tmp_path, PHOTOS), PanopticFiles)
    held = open_data(tmp_path, replace(PHOTOS, augmentation=Augmentation()))
    (tmp_path / "images/0.png").unlink()
    assert len(held) == 2 and held.view(0, COCO).image.shape == (20, 30, 3)


def test_photographs_are_read_once_while_there_is_room(tmp_path):
    save_coco(tmp_path / "panoptic.json", tmp_path / "images")
    data = open_data(tmp_path, PHOTOS)
    first = data.view(0, COCO)
    for name in ("images/0.png", "images/1.png"):
        (tmp_path / name).unlink()
    again = data.view(0, COCO)
    assert np.array_equal(again.image, first.image)
    assert np.array_equal(again.labels, first.labels)
    with pytest.raises(AnnotateError, match=r"1\.png"):
        data.view(1, COCO)


def test_two_jsons_are_a_question(tmp_path):
    for name in ("a", "b"):
        save_coco(tmp_path / f"panoptic_train_{name}.json", tmp_path / "images")
    with pytest.raises(TrainingError, match=r"_a\.json, .*_b\.json; give the path of one"):
        open_data(tmp_path, PHOTOS)


def test_a_folder_of_something_else_is_a_sentence(tmp_path):
    with pytest.raises(TrainingError, match=r"is no training data; give a COCO panoptic JSON"):
        open_data(tmp_path, PHOTOS)
    with pytest.raises(AnnotateError, match=r"absent\.json"):
        open_data(tmp_path / "absent.json", PHOTOS)


def test_a_json_without_images_is_a_sentence(tmp_path):
    save_coco(tmp_path / "panoptic.json", tmp_path / "images", 0)
    with pytest.raises(TrainingError, match="no pictures to train on"):
        open_data(tmp_path, PHOTOS)


def with_categories(n):
    categories = [Category(k, f"kind {k}", True, (k, 0, 0)) for k in range(1, n + 1)]
    return PanopticFiles(categories, [])


def test_a_network_gets_a_code_for_each_category():
    for n, bits in ((0, 4), (15, 4), (16, 5), (200, 8)):
        model = fit_codes(TrainConfig(SMALL_PRESETS["nano"]), with_categories(n)).model
        assert (model.n_codes, model.semantic_bits) == (n + 1, bits)
    natural = fit_codes(TrainConfig(PRESETS["natural-14"]), with_categories(30)).model
    assert natural.softmax_groups == (5, *(1,) * 8)
    assert fit_codes(PHOTOS, with_categories(133)) is PHOTOS


def test_a_head_without_room_for_the_categories_is_a_sentence():
    model = replace(PRESETS["natural-14"], softmax_groups=(2, 2, 8), has_category_skip=False)
    config = TrainConfig(model)
    with pytest.raises(TrainingError, match="no room for the 30 categories of the data"):
        fit_codes(config, with_categories(30))


def test_folders_are_told_apart_by_what_is_in_them(tmp_path):
    labels = np.full((20, 30), 7, np.uint16)
    save(tmp_path / "city/leftImg8bit/train/ulm/ulm_0_leftImg8bit.png")
    save(tmp_path / "city/gtFine/train/ulm/ulm_0_gtFine_instanceIds.png", labels)
    for k in range(3):
        save(tmp_path / f"davis/JPEGImages/480p/bear/{k:05}.jpg")
        save(tmp_path / f"kitti/images/train/0001/{k:06}.png")
        save(tmp_path / f"kitti/panoptic_maps/train/0001/{k:06}.png")
    assert open_data(tmp_path / "city", PHOTOS).view(0, COCO).labels[0, 0, 0] == 1
    assert open_data(tmp_path / "davis", CLIPS).names == ("bear/00002.jpg",)
    assert open_data(tmp_path / "kitti", CLIPS).names == ("0001/000002.png",)
    with pytest.raises(TrainingError, match=r"holds single pictures, but .* 2 frames before"):
        open_data(tmp_path / "city", CLIPS)


def test_a_project_is_read_as_the_run_says(tmp_path):
    path = tmp_path / "p.bitbrush"
    assert cv2.imwrite(str(tmp_path / "0.png"), GREY)
    with AnnotationStore.create(path, CATEGORIES) as store:
        store.add_images([(tmp_path / "0.png", None, 20, 30)])
    with pytest.raises(TrainingError, match=r"no approved images .* --project-images edited"):
        open_data(path, PHOTOS)
    with pytest.raises(TrainingError, match="holds single pictures"):
        open_data(path, CLIPS)
