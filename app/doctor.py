"""`bitbrush doctor`: what the program finds on this computer, and what it lacks."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from app.child_process import child_environment, python_command
from app.folders import data_folder, state_folder
from app.startup import find_obstacle
from core.bundled import starter_models
from core.errors import AnnotateError
from core.messages import MessageReader
from core.model_card import read_card

PACKAGES: Final = (
    "bitbrush",
    "torch",
    "PySide6-Essentials",
    "numpy",
    "av",
    "opencv-python-headless",
    "pycocotools",
    "safetensors",
    "pillow",
)
PATIENCE_S: Final = 120
READ_BYTES: Final = 65_536


def print_report() -> int:
    """Print what there is.

    Returns:
        0 when a window can open and the inference process starts, else 1.
    """
    obstacle = find_obstacle(os.environ)
    device, is_well = _ask_inference()
    lines = [
        ("system", f"{platform.platform()}, {os.cpu_count()} cores"),
        ("python", f"{platform.python_version()} at {sys.executable}"),
        *((name, _version(name)) for name in PACKAGES),
        ("window", obstacle or "A window can open."),
        ("inference", device),
        *(("model", f"{name}: {_describe(path)}") for name, path in starter_models().items()),
        ("logs", str(state_folder())),
        ("samples", str(data_folder())),
    ]
    width = max(len(name) for name, _ in lines)
    sys.stdout.writelines(f"{name:<{width}}  {text}\n" for name, text in lines)
    return 0 if obstacle is None and is_well else 1


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing; install it with pip"


def _describe(path: Path) -> str:
    try:
        return read_card(path).summary
    except AnnotateError as error:
        return str(error)


def _ask_inference() -> tuple[str, bool]:
    """Start the inference process as the window does and hear what it runs on."""
    with subprocess.Popen(  # noqa: S603 - our own module
        python_command("core.model.server"),
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        reader = MessageReader()
        while data := os.read(stdout.fileno(), READ_BYTES) if stdout else b"":
            for message in reader.feed(data):
                if stdin is not None:
                    stdin.close()
                return str(message.fields["note"]), True
        _, said = process.communicate(timeout=PATIENCE_S)
    last = said.decode(errors="replace").strip().rpartition("\n")[2]
    return f"The inference process does not start ({last or 'it says nothing'}).", False
