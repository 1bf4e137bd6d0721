"""Curves of a run as an SVG picture: loss, learning rate, speed, and PQ.

Drawn here, since four plain line charts need no plotting library among the dependencies; SVG,
since every browser shows it and text in it stays sharp.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from core.durable import replace_file
from core.errors import TrainingError
from training.run_log import LOG_NAME, read_log

PLOT_NAME: Final = "curves.svg"
WIDTH, HEIGHT = 420, 260  # of one chart
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 34  # its edges, which hold titles and numbers
MAX_POINTS: Final = 400
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: named curves over the steps, on a logarithmic scale if all are above 0."""

    title: str
    curves: dict[str, Points]
    is_logarithmic: bool = False


COLORS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def plot_run(out: Path) -> Path:
    """Draw the log of a run; returns the picture's path.

    Raises:
        TrainingError: the folder has no log with steps.
    """
    log = read_log(out)
    if not log:
        raise TrainingError(f"{out / LOG_NAME} has no steps to draw; choose a run's folder.")
    path = out / PLOT_NAME
    replace_file(path, draw_charts(out.name, charts_of(log)).encode())
    return path


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


def draw_charts(title: str, charts: Sequence[Chart]) -> str:
    """An SVG document with the charts two in a row."""
    height = 40 + HEIGHT * -(-len(charts) // 2)
    size = f'width="{2 * WIDTH}" height="{height}"'
    font = 'font-family="sans-serif" font-size="11"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f'<rect {size} fill="white"/>',
        f'<text x="{LEFT}" y="26" font-size="16">{escape(title)}</text>',
    ]
    for k, chart in enumerate(charts):
        place = f"translate({k % 2 * WIDTH} {40 + k // 2 * HEIGHT})"
        parts += [f'<g transform="{place}">', *_draw(chart), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _draw(chart: Chart) -> Iterator[str]:
    points = [point for curve in chart.curves.values() for point in curve]
    is_log = chart.is_logarithmic and min(y for _, y in points) > 0
    across = Axis.over([x for x, _ in points])
    up = Axis.over([math.log10(y) if is_log else y for _, y in points])
    yield f'<text x="{LEFT}" y="18" font-size="13">{escape(chart.title)}</text>'
    yield from _grid(across, up, is_log=is_log)
    for k, (name, curve) in enumerate(chart.curves.items()):
        path = " ".join(
            f"{_x(across.share(x)):.1f},{_y(up.share(math.log10(y) if is_log else y)):.1f}"
            for x, y in curve
        )
        color = COLORS[k]
        yield f'<polyline fill="none" stroke="{color}" stroke-width="1.5" points="{path}"/>'
        if len(curve) == 1:
            x, y = path.split(",")
            yield f'<circle cx="{x}" cy="{y}" r="3" fill="{color}"/>'
        if len(chart.curves) > 1:
            at = WIDTH - RIGHT - 60 * (len(chart.curves) - k)
            yield f'<text x="{at}" y="18" fill="{color}">{escape(name)}</text>'


def _grid(across: "Axis", up: "Axis", *, is_log: bool) -> Iterator[str]:
    """Lines and numbers at round values."""
    style = 'stroke="#ddd"'
    for tick in across.ticks():
        x = _x(across.share(tick))
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" {style}/>'
        under = HEIGHT - BOTTOM + 15
        yield f'<text x="{x:.1f}" y="{under}" text-anchor="middle">{tick:g}</text>'
    for tick in up.ticks():
        y = _y(up.share(tick))
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" {style}/>'
        label = f"{10**tick:.3g}" if is_log else f"{tick:.4g}"
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values with some room at its ends, and round values in it."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float]) -> "Axis":
        low, high = min(values), max(values)
        room = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
        return cls(low - room, high + room)

    def share(self, value: float) -> float:
        """0 at the low end, 1 at the high one."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Three to eight multiples of 1, 2 or 5 times a power of ten."""
        power = 10.0 ** math.floor(math.log10((self.high - self.low) / 4))
        wanted = (self.high - self.low) / 5
        step = min((power * n for n in (1, 2, 5, 10)), key=lambda size: abs(size - wanted))
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [round(k * step, 12) for k in range(first, last + 1)]
