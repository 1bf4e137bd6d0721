"""Curves of a run as pictures: loss, learning rate, speed, and PQ where it was rated."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from core.durable import replace_file
from core.errors import TrainingError
from core.run_folder import LOG_NAME
from training.charts import Chart, Points, draw_charts, picture_size, to_png, to_svg
from training.run_log import read_log

SVG_NAME, PNG_NAME = "curves.svg", "curves.png"
MAX_POINTS: Final = 400


def plot_run(out: Path) -> list[Path]:
    """Draw the log of a run; returns the pictures' paths, an SVG and a PNG.

    Raises:
        TrainingError: the folder has no log with steps, or cannot be written to.
    """
    log = read_log(out)
    if not log:
        raise TrainingError(f"{out / LOG_NAME} has no steps to draw; choose a run's folder.")
    charts = charts_of(log)
    shapes, size = draw_charts(out.resolve().name, charts), picture_size(len(charts))
    pictures = {SVG_NAME: to_svg(shapes, size), PNG_NAME: to_png(shapes, size)}
    try:
        for name, data in pictures.items():
            replace_file(out / name, data)
    except OSError as error:
        raise TrainingError(
            f"The curves cannot be written into {out} ({error}); free some space, or see who "
            "may write there."
        ) from error
    return [out / name for name in pictures]


def charts_of(log: Sequence[dict[str, Any]]) -> list[Chart]:
    """What is worth seeing in a log; PQ only where there was an evaluation."""

    def curve(name: str) -> list[tuple[float, float]]:
        return [(line["step"], line[name]) for line in log]

    speed = [(line["step"], line["images"] / max(line["seconds"], 1e-9)) for line in log]
    charts = [
        Chart("loss", {"mean": bin_means(curve("loss"), MAX_POINTS // 4)}, is_logarithmic=True),
        Chart("learning rate", {"rate": bin_means(curve("learning_rate"), MAX_POINTS)}),
        Chart("images a second", {"mean": bin_means(speed, MAX_POINTS // 4)}),
    ]
    rated = [line for line in log if "evaluation" in line]
    if rated:
        kinds = ("all", "things", "stuff")
        scores = {k: [(e["step"], e["evaluation"][k]["pq"]) for e in rated] for k in kinds}
        charts.append(Chart("PQ of the averaged weights", dict(scores)))
    return charts


def bin_means(points: Points, n_bins: int) -> list[tuple[float, float]]:
    """At most n_bins points, each the mean of as many neighbours."""
    size = -(-len(points) // n_bins)
    parts = [points[k : k + size] for k in range(0, len(points), size)]
    return [
        (sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part))
        for part in parts
    ]
