"""Pictures are read once while there is room, and training cannot tell."""

import numpy as np
import pytest

from training.picture_cache import PictureCache

IMAGE = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)


def reader(top: int = 9):
    """Reads a picture whose labels go up to a number, and counts how often."""
    labels = np.linspace(0, top, 200).astype(np.int32).reshape(10, 10, 2)
    times = []

    def read():
        times.append(1)
        return IMAGE, labels

    return read, labels, times


@pytest.mark.parametrize("top", [9, 255, 256, 65_535, 65_536])
def test_what_was_kept_is_what_was_read(top):
    cache, (read, labels, times) = PictureCache(10_000), reader(top)
    for _ in range(3):
        image, found = cache.fetch("a", read)
        assert np.array_equal(image, IMAGE) and np.array_equal(found, labels)
        assert found.dtype == np.int32
    assert len(times) == 1


def test_pictures_without_room_are_read_each_time():
    cache, (read, _, times) = PictureCache(600), reader()  # a picture takes 500
    for key in "abab":
        cache.fetch(key, read)
    assert len(times) == 3


def test_labels_that_were_read_can_be_changed_without_changing_what_is_kept():
    cache, (read, _, _) = PictureCache(10_000), reader(70_000)
    _, first = cache.fetch("a", read)
    before = first.copy()
    first[:] = 0
    _, second = cache.fetch("a", read)
    assert np.array_equal(second, before)
    second[:] = 0
    assert np.array_equal(cache.fetch("a", read)[1], before)


def test_a_picture_that_cannot_be_read_is_not_kept():
    def fail():
        raise OSError

    cache, (read, _, times) = PictureCache(10_000), reader()
    with pytest.raises(OSError):  # noqa: PT011 - of this test
        cache.fetch("a", fail)
    cache.fetch("a", read)
    assert len(times) == 1
