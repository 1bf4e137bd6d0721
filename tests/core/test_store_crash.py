"""kill -9 at random moments of a session costs nothing that was committed.

Run as a program, this file is the session: it edits a project until it is killed, and prints
the map's fingerprint before each commit ("will ...") and after it ("did ...").
"""

import os
import random
import sqlite3
import subprocess
import sys
import time
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np

from core.edits import brush_stroke, erase_stroke, new_segment
from core.panoptic import Category, Edit, PanopticMap
from core.proposals import Proposal, SamplingOptions
from core.store import AnnotationStore
from core.whole_maps import accept_proposal

N_KILLS = 10
HEIGHT, WIDTH = 60, 80
CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
DISH = Category(2, "dish", is_thing=False, color=(0, 0, 255))


def fingerprint(panoptic: PanopticMap) -> str:
    segments = repr(sorted(panoptic.segments.items()))
    return f"{zlib.crc32(panoptic.segment_ids.tobytes())}-{zlib.crc32(segments.encode())}"


def any_edit(panoptic: PanopticMap, dice: random.Random) -> Edit:
    """A stroke of the brush or eraser, or sometimes a whole map."""
    if dice.random() < 0.02:
        ids = np.full(panoptic.segment_ids.shape, dice.randrange(3), np.uint16)
        proposal = Proposal(ids, {1: 1, 2: 2}, SamplingOptions(), "tiny", 0.1)
        return accept_proposal(panoptic, proposal, {1: CELL.id, 2: DISH.id}, {DISH.id})
    points = [(dice.uniform(-5, panoptic.width), dice.uniform(-5, panoptic.height))] * 2
    points[1] = (points[0][0] + dice.uniform(-20, 20), points[0][1] + dice.uniform(-20, 20))
    if dice.random() < 0.2:
        return erase_stroke(panoptic, points, dice.uniform(1, 15))
    segment = new_segment(panoptic, dice.choice([CELL, DISH]))
    return brush_stroke(panoptic, points, dice.uniform(1, 9), segment)


def scribble(store: AnnotationStore, image_id: int, dice: random.Random) -> None:
    """Edit, undo and redo for ever."""
    panoptic = store.load_map(image_id)
    done, undone = list(store.edits(image_id)), []
    while True:
        step = dice.choice(["edit"] * 6 + ["undo"] * 3 + ["redo"])
        if step == "undo" and done:
            undone.append(done.pop())
            commit(panoptic, undone[-1].inverted(), lambda _: store.undo(image_id))
        elif step == "redo" and undone:
            done.append(undone.pop())
            commit(panoptic, done[-1], lambda _: store.redo(image_id))
        elif not (edit := any_edit(panoptic, dice)).is_empty:
            undone.clear()
            done.append(edit)
            commit(panoptic, edit, lambda edit: store.append_edit(image_id, edit))


def commit(panoptic: PanopticMap, edit: Edit, save) -> None:
    panoptic.apply(edit)
    say("will", panoptic)
    save(edit)
    say("did", panoptic)


def say(word: str, panoptic: PanopticMap) -> None:
    sys.stdout.write(f"{word} {fingerprint(panoptic)}\n")
    sys.stdout.flush()


def test_killed_sessions_lose_nothing_that_was_committed(tmp_path):
    path = tmp_path / "my project ä.bitbrush"
    with AnnotationStore.create(path, [CELL, DISH]) as store:
        store.add_images([(tmp_path / "a.png", None, HEIGHT, WIDTH)])
    dice = random.Random(5)  # noqa: S311 - no secrets here
    state, n_commits = fingerprint(PanopticMap.empty(HEIGHT, WIDTH)), 0
    for seed in range(N_KILLS):
        lines = [f"did {state}", *killed_session(path, seed, dice.uniform(0, 0.4))]
        n_commits += sum(line.startswith("did") for line in lines[1:])
        state = fingerprint_of(path)
        assert state in possible_fingerprints(lines)
    assert n_commits > 128


def fingerprint_of(path: Path) -> str:
    """Of the map in the file, which is sound and the same with and without snapshots."""
    with AnnotationStore.open(path) as store:
        panoptic, journal = store.load_map(1), PanopticMap.empty(HEIGHT, WIDTH)
        for edit in store.edits(1):
            journal.apply(edit)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert fingerprint(journal) == fingerprint(panoptic)
    return fingerprint(panoptic)


def killed_session(path: Path, seed: int, delay_s: float) -> list[str]:
    """What a session says until it is killed, some time after its first commit."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, __file__, path, str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with process:
        lines = [process.stdout.readline()]
        time.sleep(delay_s)
        process.kill()
        lines += process.stdout.readlines()
    assert lines[0].startswith("will")
    return [line for line in lines if line.endswith("\n")]


def possible_fingerprints(lines: list[str]) -> set[str]:
    """The last state that was committed, and the one that was being committed, if any."""
    last_two = [line.split() for line in lines[-2:]]
    return {state for word, state in last_two if word == "did" or lines[-1].startswith("will")}


if __name__ == "__main__":
    seeded = random.Random(int(sys.argv[2]))  # noqa: S311 - no secrets here
    with AnnotationStore.open(Path(sys.argv[1])) as project:
        scribble(project, 1, seeded)
