"""The table of budgets: what an annotator waits for, measured, beside what is allowed.

    python -m benchmarks.budgets [--without-model]

Each time is that of the real window, from the event until the canvas is painted; a row is kept
if the 95th percentile is. `--without-model` leaves out the cancelling of a run.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.window import MainWindow
from benchmarks import large_project, startup, window_latency
from benchmarks.editing import PAN, ZOOM, Stage, measure_all, measure_strokes, measure_views
from benchmarks.limits import measure_limits
from benchmarks.report import print_conditions, print_report, quantiles
from benchmarks.scenes import (
    add_image,
    make_image,
    make_project,
    make_segments,
    write_files,
    write_image,
)
from benchmarks.tasks import (
    CHANGE,
    FILL_ALL,
    FILL_AROUND,
    FILL_SEGMENT,
    HUGE,
    LARGE_SEGMENTS,
    MOVE,
    PAINT,
    PRESS,
    REDO,
    REDO_IT,
    STROKE_DONE,
    UNDO,
    UNDO_IT,
    Stopwatch,
)

FILLS = (FILL_SEGMENT, FILL_AROUND, FILL_ALL)
STROKE_MS = {PRESS: 24, MOVE: 8, PAINT: 16, STROKE_DONE: None, UNDO: 30, REDO: 30}
EDIT_MS: dict[str, float | None] = STROKE_MS | dict.fromkeys(FILLS, 60)
EDIT_MS |= {kind.format(task): 30 for task in FILLS for kind in (UNDO_IT, REDO_IT)}
EDIT_MS |= {CHANGE: 150}
HUGE_MS: dict[str, float | None] = STROKE_MS | {PAN: 16, ZOOM: 16}
START_MS = 1000
N_STARTS = 8
PROJECT_MS = 300


@dataclass(slots=True)
class Budgets:
    """The rows of the table."""

    rows: list[list[str]] = field(default_factory=list)

    def add(
        self,
        what: str,
        times_ms: list[float],
        budget: float | None,
        worked_ms: Sequence[float] = (),
    ) -> None:
        """Judge some times, in milliseconds."""
        p50, p95, most = quantiles(times_ms, 0.5, 0.95, 1)
        verdict = "" if budget is None else "kept" if float(p95) <= budget else "MISSED"
        limit = "" if budget is None else f"{budget:g}"
        worked = quantiles(worked_ms, 0.5) if worked_ms else [""]
        self.rows.append([what, p50, p95, most, limit, verdict, *worked])

    def add_all(self, watch: Stopwatch, budgets: dict[str, float | None]) -> None:
        for task, budget in budgets.items():
            self.add(task, watch.taken[task], budget, watch.worked[task])

    def show(self, title: str) -> None:
        """Print the rows added since the last table."""
        columns = ["", "p50", "p95", "max", "budget", "", "CPU p50"]
        print_report(title, columns, self.rows)
        self.rows.clear()


def main() -> int:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--without-model", action="store_true", help="do not measure cancelling"
    )
    has_model = not parser.parse_args().without_model
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    print_conditions()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    budgets = Budgets()
    report_editing(budgets)
    report_start(budgets)
    report_project(budgets)
    if has_model:
        window_latency.report_cancelling()
    app.quit()
    return 0


def report_editing(budgets: Budgets) -> None:
    """Print what is drawn, filled, taken back and opened, at two sizes."""
    watch, huge_watch = Stopwatch(), Stopwatch()
    with (
        tempfile.TemporaryDirectory() as folder,
        make_project(write_files(Path(folder))) as store,
    ):
        stage = Stage(MainWindow(store))
        measure_all(stage, watch)
        path = Path(folder) / "huge.jpg"
        write_image(path, make_image(HUGE))
        huge = add_image(store, path, HUGE, make_segments(HUGE, LARGE_SEGMENTS))
        stage.window.reload_images()
        measure_strokes(stage, huge, huge_watch)
        measure_views(stage, huge_watch)
        limits = measure_limits(stage.canvas.size(), Path(folder))
        stage.window.close()
    budgets.add_all(watch, EDIT_MS)
    budgets.add_all(limits, dict.fromkeys(limits.taken))
    budgets.show("4096 x 4096 pixels, 500 segments; milliseconds")
    budgets.add_all(huge_watch, HUGE_MS)
    budgets.show("100 megapixels, 500 segments; milliseconds")


def report_start(budgets: Budgets) -> None:
    """Print the time from the start of the process to the painted window."""
    with tempfile.TemporaryDirectory() as home:
        environment = startup.make_environment(Path(home))
        _, *counted = (
            startup.time_start(startup.BITBRUSH, environment)[0] for _ in range(1 + N_STARTS)
        )
    budgets.add("window shown after start, warm", counted, START_MS)
    budgets.show("Start; milliseconds")


def report_project(budgets: Budgets) -> None:
    """Print what the size of a project costs."""
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        grown = large_project.measure(Path(folder), watch)
    budgets.add_all(watch, dict.fromkeys(watch.taken, PROJECT_MS))
    budgets.show("A project of 100,000 images; milliseconds")
    rows = [[what, f"{mib:.0f}"] for what, mib in grown.items()]
    print_report("Its memory; MiB", ["", "more"], rows)


if __name__ == "__main__":
    sys.exit(main())
