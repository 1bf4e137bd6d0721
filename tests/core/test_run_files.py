"""Files of runs: those of a run that is decided on go, all but what tells of it."""

import pytest

from core.retraining import Outcome, RetrainPlan, close_run, models_folder, write_plan
from core.run_files import KEPT, count_bytes, drop_files, find_spent_files, say_size


@pytest.fixture
def project(tmp_path):
    """A project with two runs, each with everything a run has."""
    project = tmp_path / "a.bitbrush"
    for number in (1, 2):
        folder = models_folder(project) / f"run-{number}"
        (folder / "gallery").mkdir(parents=True)
        write_plan(folder, RetrainPlan("nuclei", f"nuclei-v{number}"))
        for name in ("log.jsonl", "comparison.json", "state.safetensors", "gallery/0.png"):
            (folder / name).write_bytes(b"x" * 1000)
    (models_folder(project) / "nuclei-v1.safetensors").write_bytes(b"x")
    return project


def test_a_run_is_thinned_out_once_it_is_decided_on(project):
    assert find_spent_files(project) == []
    first = models_folder(project) / "run-1"
    close_run(first, Outcome.USED)
    spent = find_spent_files(project)
    assert [path.name for path in spent] == ["0.png", "state.safetensors"]
    assert count_bytes(spent) == drop_files(spent) == 2000
    assert {path.name for path in first.iterdir() if path.is_file()} == KEPT
    assert (models_folder(project) / "nuclei-v1.safetensors").exists()
    assert (models_folder(project) / "run-2" / "state.safetensors").exists()
    assert find_spent_files(project) == [] and drop_files(spent) == 0


@pytest.mark.parametrize(
    ("n_bytes", "said"),
    [(0, "1 kB"), (58_400_000, "58 MB"), (999_000, "999 kB"), (1_230_000_000, "1.2 GB")],
)
def test_sizes_are_rounded(n_bytes, said):
    assert say_size(n_bytes) == said
