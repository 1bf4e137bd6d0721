"""Data that several tests of training begin with."""

import cv2
import numpy as np
import pytest

from core.coco import CocoItem, write_coco
from core.panoptic import Category, PanopticMap, Segment

CATEGORIES = (
    Category(1, "nucleus", True, (220, 20, 60)),
    Category(2, "background", False, (60, 60, 60)),
)


@pytest.fixture
def truth(tmp_path):
    """A COCO panoptic JSON of one small picture with two squares."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    image = np.full((32, 48, 3), 10, np.uint8)
    ids = np.full((32, 48), 3, np.uint16)
    for k, left in enumerate((4, 28)):
        image[8:24, left : left + 16] = 220
        ids[8:24, left : left + 16] = k + 1
    assert cv2.imwrite(str(folder / "images" / "a.png"), image)
    segments = {1: Segment(1, 1), 2: Segment(2, 1), 3: Segment(3, 2)}
    panoptic_map = PanopticMap(ids, segments, 4)
    write_coco(folder / "panoptic.json", [CocoItem(7, "a.png", panoptic_map)], CATEGORIES)
    return folder / "panoptic.json"
