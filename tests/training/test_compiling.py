"""Where torch.compile does not work, a run says so and goes on without."""

import os
import subprocess
import sys

import pytest

from tests.training.tiny_run import read_notes, run


@pytest.mark.skipif(sys.platform == "win32", reason="names no compiler by CXX")
def test_a_machine_without_a_compiler_trains_as_if_nothing_was_asked(repository, tmp_path):
    run("plain", tmp_path)
    changed = {"CXX": "/no/compiler", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.training.tiny_run", "compiled", str(tmp_path)],
        cwd=repository,
        env={**os.environ, **changed},
        check=True,
        capture_output=True,
    )
    plain, compiled = (read_notes(tmp_path / name, 0)[1:] for name in ("plain", "compiled"))
    assert [note["loss"] for note in compiled] == [note["loss"] for note in plain]
    assert compiled[0]["notice"].startswith("torch.compile does not work here (")
    assert compiled[0]["notice"].endswith("): training goes on without it.")
    assert compiled[1]["notice"] == ""
