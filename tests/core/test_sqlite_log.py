"""Damage in the log of a killed process is noticed, and its edits come back all the same."""

import random
import shutil

import pytest

from core.edits import brush_stroke, new_segment
from core.errors import DamagedProjectError
from core.panoptic import Category
from core.recovery import recover_project
from core.sqlite_log import WriteAheadLog
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
N_EDITS = 12
FRAME = 24 + 4096


@pytest.fixture
def killed(tmp_path):
    """A project whose edits are in the log only, and the fingerprints of its maps."""
    path, killed = tmp_path / "a.bitbrush", tmp_path / "killed.bitbrush"
    with AnnotationStore.create(path, [CELL]) as store:
        store.add_images([(tmp_path / "a.png", None, 60, 80)])
        store.checkpoint()
        map = store.load_map(1)
        states = [map.segment_ids.tobytes()]
        for number in range(N_EDITS):
            points = [(5 * number, 9), (30, 4 * number)]
            edit = brush_stroke(map, points, 3, new_segment(map, CELL))
            store.append_edit(1, edit)
            map.apply(edit)
            states.append(map.segment_ids.tobytes())
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{killed}{end}")
    return killed, states


def log_of(path):
    return path.with_name(f"{path.name}-wal")


def flip(path, place):
    data = bytearray(log_of(path).read_bytes())
    data[place] ^= 16
    log_of(path).write_bytes(data)


def last_map(path):
    with AnnotationStore.open(path) as store:
        return store.load_map(1).segment_ids.tobytes()


def test_a_log_as_it_was_written_is_read(killed):
    path, states = killed
    assert not WriteAheadLog(log_of(path).read_bytes()).is_damaged
    assert last_map(path) == states[-1]


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_bit_is_noticed_and_costs_little(killed, seed):
    path, states = killed
    size = log_of(path).stat().st_size
    n_last = 4 * FRAME  # of the last commits, which might have been under way
    place = random.Random(seed).randrange(32, size - n_last)  # noqa: S311 - no secrets here
    flip(path, place)
    with pytest.raises(DamagedProjectError, match=r"damaged \(in its write-ahead log\)"):
        AnnotationStore.open(path)
    report = recover_project(path)
    assert last_map(path) in states
    assert report.n_lost_steps <= N_EDITS
    assert log_of(report.kept_aside).stat().st_size == size


@pytest.mark.parametrize("place", [0, 9, 17, 25])
def test_a_damaged_beginning_of_the_log_costs_nothing(killed, place):
    path, states = killed
    flip(path, place)
    with pytest.raises(DamagedProjectError, match=r"damaged \(in its write-ahead log\)"):
        AnnotationStore.open(path)
    recover_project(path)
    assert last_map(path) == states[-1]


@pytest.mark.parametrize("n_lost", [1, 100, FRAME, FRAME + 1])
def test_a_log_that_ends_early_is_that_of_a_power_failure(killed, n_lost):
    path, states = killed
    data = log_of(path).read_bytes()
    log_of(path).write_bytes(data[: len(data) - n_lost])
    assert last_map(path) in states[-3:]


def test_an_empty_log_is_none(killed):
    path, states = killed
    log_of(path).write_bytes(b"")
    assert last_map(path) == states[0]
