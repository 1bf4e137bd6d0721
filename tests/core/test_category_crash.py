"""kill -9 amid a change of categories leaves a valid project, and the change can be finished.

Run as a program, this file is the change, one line an image.
"""

import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from core.category_changes import begin_change, begun_change, carry_out, plan_change
from core.panoptic import Category, Edit, Segment
from core.store import AnnotationStore

N_IMAGES, N_KILLS = 30, 6
CAR = Category(1, "car", is_thing=True, color=(1, 1, 1))
ROAD = Category(2, "road", is_thing=False, color=(2, 2, 2))


def make_project(path: Path) -> None:
    """Two cars and a road in each image."""
    ids = np.repeat(np.arange(1, 4, dtype=np.uint16), 4).reshape(3, 4)
    segments = {1: Segment(1, CAR.id), 2: Segment(2, CAR.id), 3: Segment(3, ROAD.id)}
    with AnnotationStore.create(path, [CAR, ROAD]) as store:
        rows = [(path.with_name(f"{i}.png"), None, 3, 4) for i in range(N_IMAGES)]
        for image_id in store.add_images(rows):
            store.append_edit(image_id, Edit(0, 0, ids * 0, ids, {}, segments, "brush"))


def change(path: Path) -> None:
    """Make the cars road, or go on with that."""
    with AnnotationStore.open(path) as store:
        begun = begun_change(store)
        if begun is None:
            plan = plan_change(store.categories, [ROAD], {CAR.id: ROAD.id}, 3)
            begin_change(store, plan)
            begun = plan.change
        for _ in carry_out(store, begun):
            sys.stdout.write("done\n")
            sys.stdout.flush()


def run_and_kill(path: Path, n_lines: int) -> None:
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, __file__, path],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with process:
        for _ in range(n_lines):
            process.stdout.readline()
        process.kill()


def n_changed(path: Path) -> int:
    """How many images are changed, each of them wholly or not at all; all lists are whole."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    n_done = 0
    with AnnotationStore.open(path) as store:
        known = {category.id for category in store.categories}
        for image_id in store.image_ids():
            panoptic = store.load_map(image_id)
            assert {s.category_id for s in panoptic.segments.values()} <= known
            assert sorted(panoptic.segments) in ([1, 2, 3], [3])
            assert set(np.unique(panoptic.segment_ids)) == panoptic.segments.keys()
            n_done += len(panoptic.segments) == 1
            assert len(list(store.edits(image_id))) == (2 if len(panoptic.segments) == 1 else 1)
    return n_done


def test_a_killed_change_is_valid_and_can_be_finished(tmp_path):
    path = tmp_path / "my project ä.bitbrush"
    make_project(path)
    dice = random.Random(3)  # noqa: S311 - no secrets here
    counts = [0]
    for _ in range(N_KILLS):
        run_and_kill(path, counts[-1] + dice.randrange(4))
        counts.append(n_changed(path))
    assert counts == sorted(counts) and 0 < counts[-1] < N_IMAGES
    change(path)
    assert n_changed(path) == N_IMAGES
    with AnnotationStore.open(path) as store:
        assert (store.categories, begun_change(store)) == ((ROAD,), None)


if __name__ == "__main__":
    change(Path(sys.argv[1]))
