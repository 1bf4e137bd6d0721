"""Where the program keeps what belongs to the user: logs, settings, caches, the samples."""

import os
import sys
from pathlib import Path
from typing import Final

NAME: Final = "bitbrush"


def state_folder() -> Path:
    """Logs: what may be lost without harm. The folder exists on return."""
    return _make("XDG_STATE_HOME", Path(".local", "state"), "Logs")


def data_folder() -> Path:
    """The sample project: what the user may have worked on. The folder exists on return."""
    return _make("XDG_DATA_HOME", Path(".local", "share"), "Data")


def config_folder() -> Path:
    """Settings. The folder exists on return."""
    return _make("XDG_CONFIG_HOME", Path(".config"), "Settings")


def cache_folder() -> Path:
    """What can be made again at any time. The folder exists on return."""
    return _make("XDG_CACHE_HOME", Path(".cache"), "Cache")


def _make(variable: str, below_home: Path, part: str) -> Path:
    """Find a folder by the custom of the system.

    Args:
        variable: names the parent folder, where the freedesktop.org rules hold.
        below_home: the parent folder when the variable is not set.
        part: name below the program's one folder, on systems that have just one place.
    """
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA", Path.home())) / NAME / part
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support" / NAME / part
    else:
        folder = Path(os.environ.get(variable) or Path.home() / below_home) / NAME
    folder.mkdir(parents=True, exist_ok=True)
    return folder
