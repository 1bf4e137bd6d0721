"""From the start of the process to the painted window, beside bare Qt in the same run.

    python -m benchmarks.startup [--runs N]

The first run of each program warms the disk's cache and is not counted.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import print_conditions, print_report, quantiles

# Each child prints when it got there, by the clock that all processes share.
ARRIVE = "print(time.monotonic_ns(), *{'torch', 'core.model', 'training'} & sys.modules.keys())"
PYTHON = f"import sys, time; {ARRIVE}"
WIDGETS = f"import sys, time, PySide6.QtWidgets; {ARRIVE}"
SHOW = f"""
import sys, time

def show_until_painted(base):
    class Shown(base):
        def paintEvent(self, event):
            super().paintEvent(event)
            QTimer.singleShot(0, self.arrive)  # once all that is in the window is painted too

        def arrive(self):
            {ARRIVE}
            QApplication.quit()
    return Shown
"""
EMPTY = f"""{SHOW}
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

app = QApplication([])
window = show_until_painted(QMainWindow)()
window.show()
app.exec()
"""
BITBRUSH = f"""{SHOW}
from app.__main__ import lean_imports, main
with lean_imports():
    from app import program
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

program.MainWindow = show_until_painted(program.MainWindow)
main([])
"""
PROGRAMS = {
    "python, nothing imported": PYTHON,
    "python, import PySide6.QtWidgets": WIDGETS,
    "an empty QMainWindow, painted": EMPTY,
    "bitbrush, the sample project painted": BITBRUSH,
}
BUDGET_MS = "1000"


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="of each program (default: 10)")
    n_runs = parser.parse_args().runs
    print_conditions()
    starts: dict[str, list[tuple[float, list[str]]]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as home:
        environment = make_environment(Path(home))
        for _ in range(1 + n_runs):  # in turns, so that other load meets all alike
            for name, code in PROGRAMS.items():
                starts[name].append(time_start(code, environment))
    rows = []
    for name, (_, *counted) in starts.items():
        heavy = {module for _, imported in counted for module in imported}
        budget = BUDGET_MS if PROGRAMS[name] == BITBRUSH else ""
        ms = quantiles([ms for ms, _ in counted], 0, 0.5, 1)
        rows.append([name, *ms, budget, ", ".join(sorted(heavy)) or "none"])
    columns = ["", "min", "p50", "max", "budget", "heavy imports"]
    print_report("Start, milliseconds", columns, rows)
    return 0


def make_environment(home: Path) -> dict[str, str]:
    """A home folder of its own, and no display unless one was chosen."""
    folders = {f"XDG_{name}_HOME": str(home) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    platform = os.environ.get("QT_QPA_PLATFORM", "offscreen")
    return {**os.environ, **folders, "HOME": str(home), "QT_QPA_PLATFORM": platform}


def time_start(code: str, environment: dict[str, str]) -> tuple[float, list[str]]:
    """Milliseconds until a program has got there, and which heavy modules it has imported."""
    return time_command([sys.executable, "-c", code], environment)


def time_command(command: list[str], environment: dict[str, str]) -> tuple[float, list[str]]:
    """As `time_start`, of any command that writes what `ARRIVE` does."""
    began_ns = time.monotonic_ns()
    done = subprocess.run(  # noqa: S603 - our own programs
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    arrived_ns, *heavy = done.stdout.split()
    return (int(arrived_ns) - began_ns) / 1e6, heavy


if __name__ == "__main__":
    sys.exit(main())
