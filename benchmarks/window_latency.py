"""Whether the window stays awake while the model runs: a 16 ms timer in its thread.

    python -m benchmarks.window_latency [--model FILE] [--image FILE] [--steps N]

Lateness is counted for every tick that was due, also for those that Qt left out because the
thread was busy, so one long freeze counts as many late ticks.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer, SignalInstance, Slot
from PySide6.QtWidgets import QApplication

from app.intake import find_sources
from app.window import MainWindow
from benchmarks.report import print_conditions, print_report, quantiles
from core.bundled import DEFAULT_MODEL, SAMPLES, find_model
from core.images import read_size
from core.model_card import read_card
from core.store import AnnotationStore

PERIOD_MS = 16
LATE_MS = 50
IDLE_S = 10.0
SETTLING_S = 2.0
N_CANCELS = 5
PATIENCE_S = 600
SAMPLE = SAMPLES / "fluorescence_bright.jpg"
GOAL = "< 1 %"


class Ticks(QObject):
    """A precise timer that notes when it fires."""

    def __init__(self) -> None:
        super().__init__()
        self._times_ms: list[float] = []
        self._timer = QTimer(self, interval=PERIOD_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._note)

    def start(self) -> None:
        self._note()
        self._timer.start()

    def stop(self) -> list[float]:
        """How late each tick was that was due since the start."""
        self._timer.stop()
        self._note()
        lateness_ms: list[float] = []
        for before, now in zip(self._times_ms, self._times_ms[1:], strict=False):
            due = before + PERIOD_MS
            lateness_ms.append(max(now - due, 0))
            lateness_ms += np.arange(now - due - PERIOD_MS, 0, -PERIOD_MS).tolist()
        self._times_ms.clear()
        return lateness_ms

    @Slot()
    def _note(self) -> None:
        self._times_ms.append(1000 * time.perf_counter())


@dataclass(frozen=True, slots=True)
class Cancel:
    """How long one cancel took, and how long a step of that run."""

    taken_ms: float
    step_ms: float


def main() -> int:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="a starter's name or a file")
    parser.add_argument("--image", type=Path, default=SAMPLE, help="to segment")
    parser.add_argument("--steps", type=int, help="default: what the model was best with")
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    print_conditions()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    with (
        tempfile.TemporaryDirectory() as folder,
        make_project(Path(folder), arguments.image, arguments.model) as store,
    ):
        window = MainWindow(store)
        window.show()
        try:
            report(window, arguments.steps)
        finally:
            window.close()
    app.quit()
    return 0


def make_project(folder: Path, image: Path, model: str) -> AnnotationStore:
    """A project of one image."""
    path = find_model(model).resolve()
    copy = Path(shutil.copy(image, folder))
    store = AnnotationStore.create(
        folder / "benchmark.bitbrush", read_card(path).categories, str(path)
    )
    (source,) = find_sources(copy)
    store.add_images([(source, None, *read_size(source))])
    return store


def report(window: MainWindow, steps: int | None) -> None:
    """Measure a window and print what was found."""
    run = window.model_run
    window.start_model()
    wait_until(run.changed, lambda: run.can_begin)
    if steps is not None:
        window.step_panel.set_options(replace(window.step_panel.options(), steps=steps))
    wait(SETTLING_S)
    ticks = Ticks()
    ticks.start()
    wait(IDLE_S)
    idle = ticks.stop()
    ticks.start()
    taken_s = measure_run(window)
    busy = ticks.stop()
    n_steps = window.step_panel.options().steps
    print_report(
        f"Milliseconds that a {PERIOD_MS} ms timer in the window's thread is late",
        ["", "ticks due", "p50", "p95", "p99", "max", f"over {LATE_MS} ms", "goal"],
        [
            describe_ticks(f"idle, {IDLE_S:.0f} s", idle, ""),
            describe_ticks(f"{n_steps} steps, {taken_s:.1f} s", busy, GOAL),
        ],
    )
    report_cancels(window)


def report_cancelling() -> None:
    """Cancel runs of the default model over a sample image, and print how long it took."""
    with (
        tempfile.TemporaryDirectory() as folder,
        make_project(Path(folder), SAMPLE, DEFAULT_MODEL) as store,
    ):
        window = MainWindow(store)
        window.show()
        try:
            window.start_model()
            wait_until(window.model_run.changed, lambda: window.model_run.can_begin)
            report_cancels(window)
        finally:
            window.close()


def report_cancels(window: MainWindow) -> None:
    """Cancel some runs and print how long it took."""
    cancels = [measure_cancel(window, number / N_CANCELS) for number in range(N_CANCELS)]
    print_report(
        f"From cancel to cancelled, {N_CANCELS} runs",
        ["", "p50", "max", "goal"],
        [
            ["milliseconds", *quantiles([c.taken_ms for c in cancels], 0.5, 1), ""],
            ["steps", *quantiles([c.taken_ms / c.step_ms for c in cancels], 0.5, 1), "1"],
        ],
    )


def measure_run(window: MainWindow) -> float:
    """Segment the image and reject the proposal; returns the seconds that it took."""
    run = window.model_run
    began = time.perf_counter()
    run.begin()
    wait_until(run.changed, lambda: not run.is_running)
    taken_s = time.perf_counter() - began
    if not window.document.has_proposal:
        raise RuntimeError("the model made no proposal; the window's notices say why")
    window.document.reject()
    return taken_s


def describe_ticks(name: str, lateness_ms: Sequence[float], goal: str) -> list[str]:
    """A row of the table."""
    share = np.mean(np.asarray(lateness_ms) > LATE_MS)
    quarters = quantiles(lateness_ms, 0.5, 0.95, 0.99, 1)
    return [name, str(len(lateness_ms)), *quarters, f"{share:.2%}", goal]


def measure_cancel(window: MainWindow, phase: float) -> Cancel:
    """Cancel a run some steps after its start, at some part of a step."""
    run, arrivals = window.model_run, []
    note = window.segmenter.stepped.connect(lambda *_: arrivals.append(time.perf_counter()))
    options = window.step_panel.options()
    window.step_panel.set_options(replace(options, steps=1000))
    run.begin()
    wait_until(window.segmenter.stepped, lambda: len(arrivals) >= 4)
    step_s = statistics.median(np.diff(arrivals))
    wait(phase * step_s)
    began = time.perf_counter()
    run.cancel()
    wait_until(run.changed, lambda: not run.is_running)
    taken_s = time.perf_counter() - began
    window.segmenter.stepped.disconnect(note)
    window.step_panel.set_options(options)
    return Cancel(1000 * taken_s, 1000 * step_s)


def wait(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def wait_until(signal: SignalInstance, is_met: Callable[[], bool]) -> None:
    """Let the window live until a signal finds a condition met.

    Raises:
        TimeoutError: it never was.
    """
    loop = QEventLoop()
    patience = QTimer(loop, singleShot=True)
    patience.timeout.connect(loop.quit)
    patience.start(1000 * PATIENCE_S)
    connection = signal.connect(lambda *_: loop.quit() if is_met() else None)
    if not is_met():
        loop.exec()
    signal.disconnect(connection)
    if not is_met():
        raise TimeoutError(f"nothing happened for {PATIENCE_S} s")


if __name__ == "__main__":
    sys.exit(main())
