"""Results numbered in their own way are compared with the truth by file name."""

import json

import numpy as np

from core.coco import CocoItem, write_coco
from core.panoptic import Category, PanopticMap, Segment
from core.quality import evaluate_files

CATEGORIES = (Category(1, "cell", is_thing=True, color=(200, 0, 0)),)


def item(image_id, name, left):
    """An image of 4 x 8 pixels with one cell of two columns."""
    ids = np.zeros((4, 8), np.uint16)
    ids[:, left : left + 2] = 1
    return CocoItem(image_id, name, PanopticMap(ids, {1: Segment(1, 1)}, 2))


def test_images_are_matched_by_file_name_where_ids_differ(tmp_path):
    truth, found = tmp_path / "truth.json", tmp_path / "found.json"
    write_coco(truth, [item(70, "a.png", 0), item(1, "b.png", 4)], CATEGORIES)
    write_coco(found, [item(1, "a.png", 0), item(2, "b.png", 4)], CATEGORIES)
    assert evaluate_files(found, truth).all.pq == 1


def test_images_are_matched_by_id_where_no_file_name_agrees(tmp_path):
    truth, found = tmp_path / "truth.json", tmp_path / "found.json"
    write_coco(truth, [item(1, "a.png", 0), item(2, "b.png", 4)], CATEGORIES)
    write_coco(found, [item(1, "x.png", 0), item(2, "y.png", 4)], CATEGORIES)
    assert evaluate_files(found, truth).all.pq == 1


def test_results_without_images_are_matched_by_id(tmp_path):
    truth, found = tmp_path / "truth.json", tmp_path / "found.json"
    write_coco(truth, [item(1, "a.png", 0)], CATEGORIES)
    write_coco(found, [item(1, "a.png", 0)], CATEGORIES)
    annotations = json.loads(found.read_text())["annotations"]
    found.write_text(json.dumps({"annotations": annotations}))
    assert evaluate_files(found, truth).all.pq == 1
