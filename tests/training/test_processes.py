"""Training in two processes equals training in one, also when one of them is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest
from safetensors.torch import load_file

from tests.training.tiny_run import read_notes, run

ALIKE = (
    "plain",
    "batch-norm",
    "uneven",
    "decoder",
    "damaged",
    "frozen",
    "estimating",
    "recomputed",
)
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone")


def start_two(repository, name, out, pause_s=0.0):
    command = [*TORCHRUN, "--nproc-per-node", "2", "--max-restarts", "1"]
    command += ["-m", "tests.training.tiny_run", name, str(out), str(pause_s)]
    return subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0 and "Warning" not in output, output


def steps_of(out, rank):
    """What counts in the end: of a step that was done twice, the second time."""
    return {note["step"]: note for note in read_notes(out, rank) if "step" in note}


def largest_difference(one, two):
    first, second = (load_file(out / "state.safetensors") for out in (one, two))
    assert first.keys() == second.keys()
    return max(
        float((first[name] - second[name]).abs().max())
        for name in first
        if name.startswith(("model.", "average."))
    )


@pytest.fixture(scope="module")
def runs(repository, tmp_path_factory):
    """Folders of the same runs in one process and in two."""
    one, two = (tmp_path_factory.mktemp(name) for name in ("one", "two"))
    run(",".join(ALIKE), one)
    finish(start_two(repository, ",".join(ALIKE), two))
    return one, two


@pytest.mark.parametrize("name", ALIKE)
def test_two_processes_learn_what_one_does(runs, name):
    one, two = (folder / name for folder in runs)
    expected = [steps_of(one, 0)[step]["loss"] for step in range(1, 6)]
    for rank in (0, 1):
        losses = [steps_of(two, rank)[step]["loss"] for step in range(1, 6)]
        assert losses == pytest.approx(expected, rel=1e-5)
    assert largest_difference(one, two) < 1e-5


def test_what_one_process_finds_damaged_all_of_them_know(runs):
    one, two = (folder / "damaged" for folder in runs)
    found = [[n["skipped"] for n in read_notes(out, 0)[1:]] for out in (one, two)]
    found.append([n["skipped"] for n in read_notes(two, 1)[1:]])
    assert sorted(found[0]) == [[], [], [], [], ["5.png is damaged; copy it again."]]
    assert found[1] == found[2] == found[0]


def test_a_killed_process_costs_no_batch(repository, tmp_path):
    killed = tmp_path / "killed" / "long"
    process = start_two(repository, "long", killed.parent, pause_s=0.05)
    deadline = time.monotonic() + 200
    while len(steps_of(killed, 1)) < 6:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    os.kill(read_notes(killed, 1)[0]["pid"], signal.SIGKILL)
    finish(process)
    assert len([n for n in read_notes(killed, 0) if "pid" in n]) == 2
    ranks = [steps_of(killed, rank) for rank in (0, 1)]
    assert [sorted(steps) for steps in ranks] == [list(range(1, 22))] * 2
    seen = [p for step in range(1, 22) for steps in ranks for p in steps[step]["pictures"]]
    assert sorted(seen) == sorted([*range(14)] * 6)  # 21 batches of 4 are six epochs
    run("long", tmp_path / "whole")
    assert largest_difference(tmp_path / "whole" / "long", killed) < 1e-4
