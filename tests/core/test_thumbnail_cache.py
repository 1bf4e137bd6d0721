"""A cache gives back what was put in, stays below its size, and never fails anybody."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.thumbnail_cache import ThumbnailCache


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache ä" / "thumbnails.db"


def test_pictures_are_there_after_a_restart(path):
    with ThumbnailCache(path) as cache:
        assert cache.get("a") is None
        cache.put("a", b"one")
        cache.put("a", b"two")
        assert cache.get("a") == b"two"
    with ThumbnailCache(path) as cache:
        assert cache.get("a") == b"two"


def test_those_not_asked_for_the_longest_go_first(path):
    with ThumbnailCache(path, max_size=1000) as cache:
        for number in range(10):
            cache.put(str(number), bytes(100))
        cache.get("0")
        cache.put("new", bytes(100))
        left = {key for key in map(str, range(10)) if cache.get(key)}
        assert left == {"0", "3", "4", "5", "6", "7", "8", "9"}
        assert cache.get("new")


def test_a_picture_larger_than_the_cache_is_not_kept(path):
    with ThumbnailCache(path, max_size=10) as cache:
        cache.put("small", b"small")
        cache.put("large", bytes(11))
        assert cache.get("large") is None and cache.get("small") == b"small"


def test_a_damaged_cache_is_begun_anew(path):
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 999)
    with ThumbnailCache(path) as cache:
        cache.put("a", b"one")
        assert cache.get("a") == b"one"


@pytest.mark.parametrize("seed", range(30))
def test_damage_is_never_an_error(path, seed):
    with ThumbnailCache(path) as cache:
        for number in range(50):
            cache.put(str(number), bytes(400))
    dice = random.Random(seed)  # noqa: S311 - no secrets here
    data = bytearray(path.read_bytes())
    for _ in range(60):
        data[dice.randrange(len(data))] = dice.randrange(256)
    path.write_bytes(data)
    with ThumbnailCache(path) as cache:
        for number in range(50):
            cache.get(str(number))
            cache.put(str(number), bytes(500))


def test_a_place_that_cannot_be_used_is_an_empty_cache(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with ThumbnailCache(tmp_path / "file" / "thumbnails.db") as cache:
        cache.put("a", b"one")
        assert cache.get("a") is None


def test_threads_share_a_cache(path):
    with ThumbnailCache(path) as cache, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: cache.put(str(n), str(n).encode()), range(100)))
        found = list(pool.map(lambda n: cache.get(str(n)), range(100)))
    assert found == [str(n).encode() for n in range(100)]


def test_a_closed_cache_is_empty(path):
    cache = ThumbnailCache(path)
    cache.put("a", b"one")
    cache.close()
    assert cache.get("a") is None
