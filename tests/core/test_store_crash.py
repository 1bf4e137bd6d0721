"""kill -9 at random moments of a session costs nothing that was committed.

Run as a program, this file is a nursery: for each seed it is given it forks a session, which
works on a project until it is killed, and says what the project will hold before each commit
("will ...") and what it holds after it ("did ...").
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from core.edits import brush_stroke, erase_stroke, new_segment
from core.panoptic import Category, Edit, PanopticMap
from core.proposals import Proposal, SamplingOptions
from core.store import AnnotationStore
from core.whole_maps import accept_proposal

N_KILLS = 200
LONGEST_S = 0.12
HEIGHT, WIDTH = 120, 160
CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
DISH = Category(2, "dish", is_thing=False, color=(0, 0, 255))
STEPS = {"draw": 12, "undo": 6, "redo": 3, "travel": 2, "snapshot": 2, "checkpoint": 1}
STEPS["compact"] = 4
MOST_STATEMENTS = 300


def fingerprint(map: PanopticMap) -> str:
    segments = repr(sorted(map.segments.items()))
    return f"{zlib.crc32(map.segment_ids.tobytes())}-{zlib.crc32(segments.encode())}"


def any_edit(map: PanopticMap, dice: random.Random) -> Edit:
    """A stroke of the brush or eraser, or sometimes a whole map."""
    if dice.random() < 0.05:
        ids = np.full(map.segment_ids.shape, dice.randrange(3), np.uint16)
        proposal = Proposal(ids, {1: 1, 2: 2}, SamplingOptions(), "tiny", 0.1)
        return accept_proposal(map, proposal, {1: CELL.id, 2: DISH.id}, {DISH.id})
    points = [(dice.uniform(-5, map.width), dice.uniform(-5, map.height))] * 2
    points[1] = (points[0][0] + dice.uniform(-20, 20), points[0][1] + dice.uniform(-20, 20))
    if dice.random() < 0.2:
        return erase_stroke(map, points, dice.uniform(1, 15))
    segment = new_segment(map, dice.choice([CELL, DISH]))
    return brush_stroke(map, points, dice.uniform(1, 9), segment)


class Session:
    """Somebody who works on a project and says so, until killed.

    Attributes:
        states: fingerprints of the maps along the history that is kept.
        position: the one that is in effect.
    """

    def __init__(self, store: AnnotationStore, dice: random.Random) -> None:
        self.store, self.dice = store, dice
        self.map = store.base_map(1)
        self.position = store.history(1)[1]
        self.states = [fingerprint(self.map)]
        for edit in list(all_edits(store)):
            self.map.apply(edit)
            self.states.append(fingerprint(self.map))
        self.map = store.load_map(1)

    def work(self) -> None:
        while True:
            (step,) = self.dice.choices(list(STEPS), list(STEPS.values()))
            getattr(self, step)()

    def commit(self, states: list[str], position: int, save: Callable[[], object]) -> object:
        """Say what will be, make it so, and say that it is."""
        said = states[position], position, len(states)
        say("will", *said)
        result = save()
        self.states, self.position = states, position
        say("did", *said)
        return result

    def draw(self) -> None:
        edit = any_edit(self.map, self.dice)
        if edit.is_empty:
            return
        self.map.apply(edit)
        states = [*self.states[: self.position + 1], fingerprint(self.map)]
        self.commit(states, self.position + 1, lambda: self.store.append_edit(1, edit))

    def undo(self) -> None:
        if self.position > 0:
            self.map.apply(
                self.commit(self.states, self.position - 1, lambda: self.store.undo(1))
            )

    def redo(self) -> None:
        if self.position < len(self.states) - 1:
            self.map.apply(
                self.commit(self.states, self.position + 1, lambda: self.store.redo(1))
            )

    def travel(self) -> None:
        goal = self.dice.randrange(len(self.states))
        for edit in self.commit(self.states, goal, lambda: self.store.travel(1, goal)):
            self.map.apply(edit)

    def compact(self) -> None:
        limit = self.dice.randrange(20, 60)
        states = self.states[max(self.position - limit, 0) :]
        self.commit(states, min(self.position, limit), lambda: self.store.compact(limit))

    def snapshot(self) -> None:
        self.store.take_snapshot(1)

    def checkpoint(self) -> None:
        """Which also makes a snapshot in a thread, while the session goes on."""
        self.store.checkpoint()


def all_edits(store: AnnotationStore) -> Iterator[Edit]:
    """Those that were taken back as well."""
    here, n_steps = store.history(1)[1], len(store.history(1)[0])
    store.travel(1, n_steps)
    yield from store.edits(1)
    store.travel(1, here)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="sessions are forked, to start fast")
def test_killed_sessions_lose_nothing_that_was_committed(tmp_path):
    path = tmp_path / "my project ä.bitbrush"
    with AnnotationStore.create(path, [CELL, DISH]) as store:
        store.add_images([(tmp_path / "a.png", None, HEIGHT, WIDTH)])
        store.set_last_image(1)
    dice = random.Random(5)  # noqa: S311 - no secrets here
    state, n_commits, n_unsure = found_in(path), 0, 0
    with nursery(path) as killed_session:
        for seed in range(N_KILLS):
            lines = [f"did {state}", *killed_session(seed, dice.uniform(0, LONGEST_S))]
            n_commits += sum(line.startswith("did") for line in lines[1:])
            n_unsure += lines[-1].startswith("will")
            state = found_in(path)
            assert state in possible_states(lines)
    assert n_commits > N_KILLS
    assert n_unsure > N_KILLS / 10  # that many were killed while they committed


def found_in(path: Path) -> str:
    """What the project holds: it is sound, and the same with and without its snapshots."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with AnnotationStore.open(path) as store:
        labels, position = store.history(1)
        states = [store.base_map(1)]
        for edit in all_edits(store):
            states.append(states[-1].copy())
            states[-1].apply(edit)
        assert len(states) == len(labels) + 1
        assert fingerprint(store.load_map(1)) == fingerprint(states[position])
        return f"{fingerprint(states[position])} {position} {len(states)}"


@contextmanager
def nursery(path: Path) -> Iterator[Callable[[int, float], list[str]]]:
    """What lets a session run until it is killed, and returns its lines.

    Of its two numbers the second is how many seconds after its first word it is killed.
    """
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, __file__, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:

        def killed_session(seed: int, delay_s: float) -> list[str]:
            process.stdin.write(f"{seed}\n")
            process.stdin.flush()
            pid = int(process.stdout.readline())
            lines = []
            if not ends_itself(seed):
                lines.append(process.stdout.readline())
                time.sleep(delay_s)
                os.kill(pid, signal.SIGKILL)
            while not (line := process.stdout.readline()).endswith("killed\n"):
                assert line.startswith(("will", "did"))
                lines.append(line)
            return [line for line in lines if line.endswith("\n")]

        yield killed_session
        process.stdin.close()


def possible_states(lines: list[str]) -> set[str]:
    """The last state that was committed, and the one that was being committed, if any."""
    last_two = [line.strip().partition(" ") for line in lines[-2:]]
    is_unsure = lines[-1].startswith("will")
    return {state for word, _, state in last_two if word == "did" or is_unsure}


def ends_itself(seed: int) -> bool:
    """Whether a session is killed at a statement; the others at a time."""
    return seed % 2 == 1


def die_at_statement(store: AnnotationStore, number: int) -> None:
    """Kill the process before its next statement but so many: time rarely hits between two."""
    countdown = iter(range(number, -1, -1))

    def count(_statement: str) -> None:
        if next(countdown) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    store._connection.set_trace_callback(count)  # noqa: SLF001 - where statements are seen


def fork_sessions(path: Path) -> None:
    """Until there are no more seeds."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            say(os.getpid())
            dice = random.Random(int(line))  # noqa: S311 - no secrets here
            with AnnotationStore.open(path) as store:
                session = Session(store, dice)
                if ends_itself(int(line)):
                    die_at_statement(store, dice.randrange(MOST_STATEMENTS))
                session.work()
        _, status = os.waitpid(pid, 0)
        say("killed" if os.WTERMSIG(status) == signal.SIGKILL else "failed")


if __name__ == "__main__":
    fork_sessions(Path(sys.argv[1]))
