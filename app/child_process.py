"""How the program starts itself again as another process."""

import os
import sys
from pathlib import Path

import core


def python_command(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules, whatever lies in the current folder."""
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environment() -> dict[str, str]:
    """This process's environment, in which Python also finds our packages."""
    home = str(Path(core.__file__).parents[1])
    others = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [home, others]))}
