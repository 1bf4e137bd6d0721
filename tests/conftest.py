"""What every test may count on: no display, two threads, a home folder of its own."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Set before Qt or torch is imported, here and in every process that a test starts.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "2")

# A busy machine makes a property slow, not wrong.
settings.register_profile("bitbrush", parent=settings.default, deadline=None)
settings.load_profile("bitbrush")

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch) -> Path:
    """A fresh home folder, so that no test reads or leaves settings, caches or projects."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))  # Qt wants mode 0700, which this one has
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    return home


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real images, golden tensors and data sets beside the repository."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip(
            f"needs the data folder {folder.name}/ beside the repository; there is none"
        )
    return folder
