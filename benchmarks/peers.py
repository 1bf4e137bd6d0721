"""The same tasks in Bitbrush, napari and labelme, in one run on one machine.

    make bench-peers

makes an environment for each of the others below build/peers, then runs

    python -m benchmarks.peers [--folder build/peers]

The three take turns. napari draws with OpenGL and so gets a display, by xvfb-run where there is
none; Bitbrush and labelme draw with Qt's own painter and need none.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import startup
from benchmarks.report import print_conditions, print_report
from benchmarks.scenes import write_files
from benchmarks.tasks import (
    CHANGE,
    FILL_ALL,
    FILL_AROUND,
    FILL_SEGMENT,
    MOVE,
    MOVE_SHOWN,
    PAINT,
    PRESS,
    REDO,
    REDO_IT,
    STROKE_DONE,
    UNDO,
    UNDO_IT,
)

BITBRUSH, NAPARI, LABELME = "Bitbrush", "napari", "labelme"
PEERS = (NAPARI, LABELME)
MODULES = {BITBRUSH: "benchmarks.editing"} | {n: f"benchmarks.peer_{n}" for n in PEERS}
START = "window shown after start, warm"
N_STARTS = 5
FILLS = (FILL_SEGMENT, FILL_AROUND, FILL_ALL)
TASKS = (
    PRESS,
    MOVE,
    PAINT,
    MOVE_SHOWN,
    STROKE_DONE,
    UNDO,
    REDO,
    *(task for fill in FILLS for task in (fill, UNDO_IT.format(fill), REDO_IT.format(fill))),
    CHANGE,
    START,
)
SCREEN = "-screen 0 1600x1000x24"
VERSIONS = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"

Times = dict[str, list[float]]  # task -> milliseconds


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/peers"))
    folder = parser.parse_args().folder
    missing = [name for name in PEERS if not python_of(name, folder).exists()]
    if missing:
        sys.exit(f"{folder} has no environment for {', '.join(missing)}: run make bench-peers")
    print_conditions()
    names = [BITBRUSH, *PEERS]
    with tempfile.TemporaryDirectory() as home:
        environment = startup.make_environment(Path(home))
        times = {name: measure(name, folder, environment) for name in names}
        for name in names:
            times[name][START] = measure_starts(name, folder, environment)
    titles = [f"{name} {version_of(name, folder)}".strip() for name in names]
    rows = [[task, *describe(task, times)] for task in TASKS]
    print_report(
        "Milliseconds, p50 / p95; ratio: the better peer's p50 to ours",
        ["", *titles, "ratio"],
        rows,
    )
    return 0


def measure(name: str, folder: Path, environment: dict[str, str]) -> Times:
    """Let a program do all tasks, on files of its own: some write beside them."""
    with tempfile.TemporaryDirectory() as scene:
        write_files(Path(scene))
        command = command_of(name, folder, "-m", MODULES[name], scene)
        return json.loads(run(command, environment))


def measure_starts(name: str, folder: Path, environment: dict[str, str]) -> list[float]:
    """Start a program a few times; the first, which warms the disk's cache, does not count."""
    arguments = (
        ["-c", startup.BITBRUSH] if name == BITBRUSH else ["-m", MODULES[name], "--start"]
    )
    command = command_of(name, folder, *arguments)
    times = [startup.time_command(command, environment)[0] for _ in range(1 + N_STARTS)]
    return times[1:]


def describe(task: str, times: dict[str, Times]) -> list[str]:
    """The cells of a row: each program's times, and how many times ours the better peer is."""
    cells = []
    for taken in times.values():
        if taken.get(task):
            p50, p95 = np.quantile(taken[task], (0.5, 0.95))
            cells.append(f"{_short(p50)} / {_short(p95)}")
        else:
            cells.append("none")
    ours = np.median(times[BITBRUSH][task])
    theirs = [np.median(times[name][task]) for name in PEERS if times[name].get(task)]
    return [*cells, f"{min(theirs) / ours:.1f}" if theirs else ""]


def _short(ms: float) -> str:
    """Milliseconds as precise as they can be trusted."""
    return f"{ms:.0f}" if ms >= 100 else f"{ms:.1f}"


def command_of(name: str, folder: Path, *arguments: str) -> list[str]:
    """How to run Python in a program's environment; with a display if it needs one."""
    python = [str(python_of(name, folder)), *arguments]
    if name == NAPARI and not os.environ.get("DISPLAY"):
        xvfb = shutil.which("xvfb-run")
        if xvfb is None:
            sys.exit("napari needs a display or xvfb-run: apt-get install xvfb libgl1-mesa-dri")
        # Its Qt would take the platform that the others are given.
        return ["env", "-u", "QT_QPA_PLATFORM", xvfb, "-a", "-s", SCREEN, *python]
    return python


def python_of(name: str, folder: Path) -> Path:
    return Path(sys.executable) if name == BITBRUSH else folder / name / "bin" / "python"


def version_of(name: str, folder: Path) -> str:
    if name == BITBRUSH:
        return ""
    return run([str(python_of(name, folder)), "-c", VERSIONS, name], dict(os.environ)).strip()


def run(command: list[str], environment: dict[str, str]) -> str:
    """What a command writes; what it complains of is shown if it fails."""
    done = subprocess.run(  # noqa: S603 - our own modules
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
