"""A disk that is really full costs the step that did not fit, and nothing before it.

Run as a program, this file works in a folder of two megabytes, which the test has mounted for
it alone.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import ProjectError
from core.panoptic import Category, Edit, PanopticMap, Segment
from core.recovery import recover_project
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
SIDE = 200
MOUNT = 'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$2" "$3" "$1" "$4"'


@pytest.mark.parametrize("scene", ["append", "compact", "recover", "create"])
def test_a_full_disk(tmp_path, scene):
    ran = run_in_small_disk([tmp_path, sys.executable, __file__, scene])
    assert ran.returncode == 0, ran.stderr


def run_in_small_disk(arguments):
    if shutil.which("unshare") is None:
        pytest.skip("a small disk is mounted on Linux only")
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"]
    ran = subprocess.run(  # noqa: S603 - our own
        [*command, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    if "unshare: " in ran.stderr or "mount: " in ran.stderr:
        pytest.skip(f"a small disk cannot be mounted here: {ran.stderr}")
    return ran


def noise(map: PanopticMap, seed: int) -> Edit:
    """An edit that takes some forty kilobytes."""
    ids = np.random.default_rng(seed).integers(1, 3, map.segment_ids.shape, np.uint16)
    segments = {1: Segment(1, CELL.id), 2: Segment(2, CELL.id)}
    return Edit(0, 0, map.segment_ids.copy(), ids, dict(map.segments), segments, "noise")


def draw(store: AnnotationStore, map: PanopticMap, seed: int) -> None:
    edit = noise(map, seed)
    store.append_edit(1, edit)
    map.apply(edit)


def same(one: PanopticMap, other: PanopticMap) -> bool:
    return np.array_equal(one.segment_ids, other.segment_ids) and one.segments == other.segments


def fill(folder: Path) -> Path:
    """A file that takes all that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(512))
        except OSError:
            return filler


class refused:  # noqa: N801 - reads as a statement
    """The block fails for want of space."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> bool:
        assert isinstance(error, ProjectError), error
        assert "disk is full" in str(error) or "No space left" in str(error), error
        return True


def make_project(folder: Path, n_edits: int) -> tuple[Path, PanopticMap]:
    path = folder / "a.bitbrush"
    with AnnotationStore.create(path, [CELL]) as store:
        store.add_images([(folder / "a.png", None, SIDE, SIDE)])
        map = store.load_map(1)
        for seed in range(n_edits):
            draw(store, map, seed)
    return path, map


def append(folder: Path) -> None:
    path, map = make_project(folder, 3)
    with AnnotationStore.open(path) as store:
        filler = fill(folder)
        with refused():
            for seed in range(99):
                draw(store, map, 10 + seed)
        assert same(store.load_map(1), map)
        filler.unlink()
        draw(store, map, 999)
        assert same(store.load_map(1), map)
    with AnnotationStore.open(path) as store:
        assert same(store.load_map(1), map)


def compact(folder: Path) -> None:
    """Which needs little, and goes on without making the file smaller."""
    path, map = make_project(folder, 20)
    with AnnotationStore.open(path) as store:
        filler = fill(folder)
        steps = store.history(1)[1]
        try:
            store.compact(5)
        except ProjectError as error:
            assert "disk is full" in str(error), error  # noqa: PT017 - no test, a program
            assert store.history(1)[1] == steps
        assert same(store.load_map(1), map)
        filler.unlink()
        store.compact(4)
        assert store.history(1)[1] == 4
        assert same(store.load_map(1), map)


def recover(folder: Path) -> None:
    path, map = make_project(folder, 9)
    before = path.read_bytes()
    filler = fill(folder)
    with refused():
        recover_project(path)
    assert path.read_bytes() == before
    assert {file.name for file in folder.iterdir()} == {path.name, filler.name}
    filler.unlink()
    recover_project(path)
    with AnnotationStore.open(path) as store:
        assert same(store.load_map(1), map)


def create(folder: Path) -> None:
    filler = fill(folder)
    with refused():
        AnnotationStore.create(folder / "a.bitbrush", [CELL])
    assert list(folder.iterdir()) == [filler]


if __name__ == "__main__":
    globals()[sys.argv[2]](Path(sys.argv[1]))
