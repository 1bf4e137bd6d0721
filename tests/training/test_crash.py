"""kill -9 costs at most the time since the last checkpoint, and a full disk keeps that one.

Run as a program, this file trains in a folder of six megabytes, which the test has mounted.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from core.errors import CheckpointError, TrainingError
from tests.training.tiny_run import CONFIGS, PLAIN, Pictures, read_notes
from training.run_log import RunLog
from training.train import train

MOUNT = 'mount -t tmpfs -o size=6m tmpfs "$1" && exec "$2" "$3" "$1"'


def last_step(path):
    with safe_open(path, framework="pt") as file:
        return int(file.metadata()["step"])


def test_killed_at_any_time_a_run_goes_on_from_its_last_checkpoint(repository, tmp_path):
    out, rng, before = tmp_path / "endless", np.random.default_rng(0), 0
    for _ in range(3):
        child = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "tests.training.tiny_run", "endless", str(tmp_path)],
            cwd=repository,
        )
        n_noted = len(read_notes(out, 0))
        while len(read_notes(out, 0)) < n_noted + 3:
            assert child.poll() is None
            time.sleep(0.01)
        time.sleep(float(rng.uniform(0, 0.3)))
        child.kill()
        child.wait()
        noted = [note["step"] for note in read_notes(out, 0)[n_noted:] if "step" in note]
        assert noted == list(range(before + 1, before + 1 + len(noted)))
        before = last_step(out / "state.safetensors")
        assert before in {noted[-1], noted[-1] + 1}  # every step of this run is saved
    assert next(train(CONFIGS["endless"], Pictures(), out)).step == before + 1


def test_a_full_disk_keeps_the_last_checkpoint(repository, tmp_path):
    if shutil.which("unshare") is None:
        pytest.skip("a small disk is mounted on Linux only")
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"]
    ran = subprocess.run(  # noqa: S603 - our own
        [*command, str(tmp_path), sys.executable, __file__],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(repository)},
    )
    if "unshare: " in ran.stderr or "mount: " in ran.stderr:
        pytest.skip(f"a small disk cannot be mounted here: {ran.stderr}")
    assert ran.returncode == 0, ran.stderr
    said, noted, kept, resumed = ran.stdout.splitlines()
    assert said.startswith("Step 3 cannot be saved to ") and "free some space" in said
    assert noted.startswith("Step 2 cannot be noted in ") and "free some space" in noted
    assert (kept, resumed) == ("kept 2", "resumed at 3")


def fill_the_disk(out: Path) -> None:
    """Train until the disk is full, then make room and go on."""
    steps = train(PLAIN, Pictures(), out)
    _, second = next(steps), next(steps)
    ballast = out / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        next(steps)
    except CheckpointError as error:
        sys.stdout.write(f"{error}\n")
    try:
        with RunLog(out) as log:
            log.add(second, None)
    except TrainingError as error:
        sys.stdout.write(f"{error}\n")
    sys.stdout.write(f"kept {last_step(out / 'state.safetensors')}\n")
    ballast.unlink()
    sys.stdout.write(f"resumed at {next(train(PLAIN, Pictures(), out)).step}\n")


if __name__ == "__main__":
    fill_the_disk(Path(sys.argv[1]))
