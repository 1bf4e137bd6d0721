"""Superpixels divide an image, keep to its edges, and are the same whoever asks first."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.coco import rgb_to_ids
from core.images import list_images, read_image
from core.panoptic import Rect
from core.spans import NOWHERE
from core.superpixels import MAX_SIZE, MIN_SIZE, TILE, Superpixels


def blobs(height, width, seed=0):
    """A smooth image of random colours, with a little noise."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3)).astype(np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(int)
    return np.clip(image + random.integers(-4, 5, image.shape), 0, 255).astype(np.uint8)


def whole_of(image):
    return Rect(0, 0, *image.shape[:2])


def whole(image, found):
    """An area as a mask of the whole image."""
    rect, inside = found
    mask = np.zeros(image.shape[:2], np.bool_)
    mask[rect.slices] = inside
    return mask


def middle(x, y):
    return [(x + 0.5, y + 0.5)]


def n_parts(mask):
    n_labels, _ = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return n_labels - 1


def test_are_about_as_large_as_asked():
    labels = Superpixels(blobs(300, 320), 16).labels(Rect(0, 0, 300, 320))
    _, areas = np.unique(labels, return_counts=True)
    assert len(areas) == (300 // 16) * (320 // 16)
    assert 0.7 * 16**2 < np.median(areas) < 1.3 * 16**2


def test_keep_to_an_edge_of_the_image():
    image = np.full((60, 200, 3), 40, np.uint8)
    image[:, 83:] = (200, 90, 30)  # no line of the grid of cells
    labels = Superpixels(image, 20).labels(whole_of(image))
    assert set(labels[:, :82].flat).isdisjoint(labels[:, 84:].flat)


def test_of_a_plain_image_are_nearly_squares():
    image = np.full((120, 120, 3), 128, np.uint8)
    labels = Superpixels(image, 20).labels(whole_of(image))
    rows, columns = np.mgrid[:120, :120] // 20
    assert (labels == rows * 6 + columns).mean() > 0.9


def test_fit_segments_of_photos_better_than_squares_do(shared_dir):
    folder = shared_dir / "data/coco_panoptic/val"
    ours = squares = 0.0
    for photo in list_images(folder / "images")[:8]:
        image = read_image(photo)
        ids = rgb_to_ids(read_image(folder / "panoptic" / (photo.stem + ".png")))
        rows, columns = np.mgrid[: ids.shape[0], : ids.shape[1]] // 16
        ours += misfit(Superpixels(image, 16).labels(whole_of(image)), ids)
        squares += misfit(rows * 1000 + columns, ids)
    assert ours < 0.8 * squares


def misfit(labels, ids):
    """The share of pixels outside the segment that most of their superpixel belongs to."""
    pairs, counts = np.unique(
        labels.astype(np.int64) << 24 | ids.astype(np.int64), return_counts=True
    )
    most = np.zeros(labels.max() + 1, np.int64)
    np.maximum.at(most, pairs >> 24, counts)
    return 1 - most.sum() / labels.size


def test_do_not_depend_on_the_order_in_which_tiles_were_asked_for():
    image = blobs(2 * TILE + 30, 2 * TILE + 50)
    one, other = Superpixels(image, 12), Superpixels(image, 12)
    bottom = other.labels(Rect(TILE, TILE + 7, *image.shape[:2]))
    other.area_under([(10, 10), (300, 20)])
    assert np.array_equal(one.labels(whole_of(image)), other.labels(whole_of(image)))
    assert np.array_equal(bottom, one.labels(whole_of(image))[TILE:, TILE + 7 :])


def test_look_at_nothing_far_away():
    image = blobs(8 * TILE, 8 * TILE)
    near = image.copy()
    near[:, 2 * TILE :] = 0
    assert np.array_equal(
        Superpixels(image, 16).labels(Rect(0, 0, TILE, TILE)),
        Superpixels(near, 16).labels(Rect(0, 0, TILE, TILE)),
    )


def test_hardly_show_where_tiles_meet():
    """A border of superpixels runs along a seam no more often than along any other line."""
    image = blobs(2 * TILE, 4 * TILE)
    labels = Superpixels(image, 16).labels(whole_of(image))
    along = (labels[:, 1:] != labels[:, :-1]).mean(axis=0)
    assert along[TILE - 1 :: TILE].mean() < 1.5 * along.mean()


def test_a_stroke_outside_the_image_touches_none():
    superpixels = Superpixels(blobs(40, 40), 10)
    for points in ([], middle(-3, 5), [(41.0, -5.0), (80.0, 90.0)]):
        rect, inside = superpixels.area_under(points)
        assert rect == NOWHERE and inside.shape == (0, 0)


def test_a_stroke_that_leaves_the_image_and_returns_touches_both_ends():
    image = np.full((40, 200, 3), 128, np.uint8)
    superpixels = Superpixels(image, 10)
    found = superpixels.area_under([(5, 20), (100, -500), (195, 20)])
    assert whole(image, found)[20, 5] and whole(image, found)[20, 195]
    assert not whole(image, found)[20, 100]


def test_a_stroke_touches_what_lies_between_its_points():
    image = blobs(60, 3 * TILE)
    superpixels = Superpixels(image, 10)
    mask = whole(image, superpixels.area_under([(2, 30), (3 * TILE - 2, 30)]))
    assert mask[30].all() or mask[29].all()


def test_the_latest_tiles_are_kept_and_the_rest_made_again(monkeypatch):
    monkeypatch.setattr("core.superpixels.N_KEPT_TILES", 2)
    image = blobs(2 * TILE, 2 * TILE)
    superpixels = Superpixels(image, 16)
    first = superpixels.labels(whole_of(image))
    assert np.array_equal(superpixels.labels(whole_of(image)), first)
    assert len(superpixels._tiles) == 2  # noqa: SLF001 - memory has no other face


@pytest.mark.parametrize("size", [MIN_SIZE - 1, MAX_SIZE + 1])
def test_a_size_outside_the_range_is_a_mistake(size):
    with pytest.raises(ValueError, match=f"superpixels of {size} pixels"):
        Superpixels(blobs(9, 9), size)


def test_a_point_that_is_no_number_is_a_mistake():
    with pytest.raises(ValueError, match="a stroke through"):
        Superpixels(blobs(9, 9), 4).area_under([(float("nan"), 1)])


images = st.builds(blobs, st.integers(1, 290), st.integers(1, 290), st.integers(0, 99))
sizes = st.integers(MIN_SIZE, 24)


@given(images, sizes)
@settings(max_examples=30, deadline=None)
def test_every_pixel_has_one_superpixel_that_begins_near_it(image, size):
    labels = Superpixels(image, size).labels(whole_of(image))
    height, width = labels.shape
    n_rows, n_columns = max(height // size, 1), max(width // size, 1)
    assert labels.min() >= 0 and labels.max() < n_rows * n_columns
    row, column = np.divmod(labels, n_columns)
    y, x = np.mgrid[:height, :width]
    reach = TILE + 3 * size
    assert (abs(row * size - y) < reach).all() and (abs(column * size - x) < reach).all()


@given(st.data(), images, sizes)
@settings(max_examples=40, deadline=None)
def test_the_area_under_a_pixel_is_the_area_under_each_of_its_pixels(data, image, size):
    height, width = image.shape[:2]
    superpixels = Superpixels(image, size)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    mask = whole(image, superpixels.area_under(middle(x, y)))
    assert mask[y, x]
    inside = np.argwhere(mask)
    other_y, other_x = inside[data.draw(st.integers(0, len(inside) - 1))]
    again = whole(image, Superpixels(image, size).area_under(middle(other_x, other_y)))
    assert np.array_equal(mask, again)
    assert len(np.unique(superpixels.labels(whole_of(image))[mask])) == 1


@given(st.data(), images, sizes)
@settings(max_examples=40, deadline=None)
def test_the_area_under_a_stroke_is_the_union_of_the_areas_under_its_pixels(data, image, size):
    height, width = image.shape[:2]
    superpixels = Superpixels(image, size)
    places = st.tuples(st.integers(0, width - 1), st.integers(0, height - 1))
    ends = data.draw(st.lists(places, min_size=1, max_size=3))
    rect, inside = superpixels.area_under([(x + 0.5, y + 0.5) for x, y in ends])
    mask = whole(image, (rect, inside))
    for x, y in ends:
        assert not (whole(image, superpixels.area_under(middle(x, y))) & ~mask).any()
    for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
        assert edge.any()
    row, column = np.argwhere(mask)[data.draw(st.integers(0, int(mask.sum()) - 1))]
    assert not (whole(image, superpixels.area_under(middle(column, row))) & ~mask).any()


def test_a_superpixel_is_in_one_piece_inside_a_tile():
    image = blobs(TILE, TILE, seed=5)
    labels = Superpixels(image, 16).labels(whole_of(image))
    parts = {int(i): n_parts(labels == i) for i in np.unique(labels)}
    assert set(parts.values()) == {1}
