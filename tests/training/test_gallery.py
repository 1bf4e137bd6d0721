"""The gallery of two models: which images come into it, and how their maps are painted."""

import cv2
import numpy as np

from core.palette import default_color
from training.gallery import EXTRA, Gallery, paint_row

IMAGE = np.zeros((256, 256, 3), np.uint8)
VOID = np.zeros((256, 256), np.uint16)


def half(segment_id, *, is_left=True):
    ids = VOID.copy()
    ids[:, slice(0, 128) if is_left else slice(128, 256)] = segment_id
    return ids


def test_the_biggest_wins_and_losses_are_kept(tmp_path):
    gallery = Gallery(n_each=2)
    for name, difference in {"a": -1, "b": -3, "c": 0, "d": 2, "e": -2, "f": 5, "g": 1}.items():
        gallery.offer(name, difference, IMAGE, [VOID] * 3)
    places = gallery.write(tmp_path)
    assert list(places) == ["b", "e", "f", "d"]
    assert all(cv2.imread(str(place)) is not None for place in places.values())


def test_a_segment_has_the_colour_of_the_approved_one_that_it_covers():
    row = paint_row(IMAGE, [half(3), half(7), half(7, is_left=False)])
    (_, approved, current, candidate) = (row[100, 262 * k : 262 * k + 256] for k in range(4))
    assert tuple(approved[60]) == tuple(current[60]) == default_color(3)
    assert tuple(candidate[60]) == (0, 0, 0) and tuple(candidate[190]) == EXTRA


def test_a_border_parts_two_segments_of_one_colour():
    split = half(1) + half(2, is_left=False)
    row = paint_row(IMAGE, [np.full_like(VOID, 5), split, split])
    current = row[100, 2 * 262 : 2 * 262 + 256]
    assert tuple(current[100]) == tuple(current[200]) == default_color(5)
    assert tuple(current[128]) == (0, 0, 0)


def test_maps_keep_the_shape_of_their_image():
    row = paint_row(np.zeros((100, 400, 3), np.uint8), [np.zeros((100, 400), np.uint16)] * 3)
    assert row.shape == (64, 4 * 256 + 3 * 6, 3)
