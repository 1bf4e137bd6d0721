"""Line charts in a picture, as SVG or PNG.

Drawn here, since a few plain line charts need no plotting library among the dependencies.
"""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final, Literal

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 420, 260  # of one chart
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 34  # its edges, which hold titles and numbers
HEAD: Final = 40  # above all charts
GREY: Final = "#dddddd"
COLORS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
FINE: Final = 3  # PNGs are drawn so much larger, then shrunk, which smooths their lines
ANCHORS: Final = {"start": "ls", "middle": "ms", "end": "rs"}
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points in pixels; a dot if it is one point."""

    points: Points
    color: str = GREY
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Text:
    """A word at a place in pixels, on its base line."""

    at: tuple[float, float]
    text: str
    size: int = 11
    anchor: Literal["start", "middle", "end"] = "start"
    color: str = "#000000"


Shape = Line | Text


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values above which a chart stands, with some room at its ends."""

    low: float
    high: float
    is_logarithmic: bool = False

    @classmethod
    def over(cls, values: Sequence[float], *, is_logarithmic: bool = False) -> "Axis":
        """The range of some values; logarithmic only if all of them are above 0."""
        is_logarithmic = is_logarithmic and min(values) > 0
        low, high = min(values), max(values)
        if is_logarithmic:
            low, high = math.log10(low), math.log10(high)
        room = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
        return cls(low - room, high + room, is_logarithmic)

    def share(self, value: float) -> float:
        """0 at the low end, 1 at the high one."""
        place = math.log10(value) if self.is_logarithmic else value
        return (place - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """A few round values: 1, 2 and 5 times powers of ten, or multiples of one of these."""
        if self.is_logarithmic and self.high - self.low > 0.5:
            powers = range(math.floor(self.low), math.ceil(self.high) + 1)
            values = [n * 10.0**power for power in powers for n in (1, 2, 5)]
            return [value for value in values if 0 <= self.share(value) <= 1]
        low, high = self.low, self.high
        if self.is_logarithmic:
            low, high = 10.0**low, 10.0**high
        step = round_step((high - low) / 5)
        first, last = math.ceil(low / step), math.floor(high / step)
        return [round(k * step, 12) for k in range(first, last + 1)]


def round_step(wanted: float) -> float:
    """The nearest of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return min((power * n for n in (1, 2, 5, 10)), key=lambda size: abs(size - wanted))


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: named curves, each of points from left to right.

    Attributes:
        is_logarithmic, is_logarithmic_across: the axis of the values, and that along them.
        spreads: by name of a curve, how far each of its points may be off, up and down.
    """

    title: str
    curves: Mapping[str, Points] = field(default_factory=dict)
    is_logarithmic: bool = False
    is_logarithmic_across: bool = False
    spreads: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def bars(self, name: str) -> list[Points]:
        """Upright lines through the points of a curve, as far as they may be off."""
        spreads = self.spreads.get(name, ())
        pairs = zip(self.curves[name], spreads, strict=False)
        return [[(x, y - spread), (x, y + spread)] for (x, y), spread in pairs if spread]


def draw_charts(title: str, charts: Sequence[Chart]) -> list[Shape]:
    """The shapes of some charts, two in a row under a title."""
    shapes: list[Shape] = [Text((LEFT, 26), title, 16)]
    for k, chart in enumerate(charts):
        left, top = k % 2 * WIDTH, HEAD + k // 2 * HEIGHT
        shapes += _draw(chart, left, top)
    return shapes


def picture_size(n_charts: int) -> tuple[int, int]:
    """Width and height of the picture that so many charts fill."""
    return 2 * WIDTH, HEAD + HEIGHT * -(-n_charts // 2)


def _draw(chart: Chart, left: float, top: float) -> Iterator[Shape]:
    points = [point for curve in chart.curves.values() for point in curve]
    points += [end for name in chart.curves for bar in chart.bars(name) for end in bar]
    across = Axis.over([x for x, _ in points], is_logarithmic=chart.is_logarithmic_across)
    up = Axis.over([y for _, y in points], is_logarithmic=chart.is_logarithmic)

    def x_of(value: float) -> float:
        return left + LEFT + across.share(value) * (WIDTH - LEFT - RIGHT)

    def y_of(value: float) -> float:
        return top + HEIGHT - BOTTOM - up.share(value) * (HEIGHT - TOP - BOTTOM)

    yield Text((left + LEFT, top + 18), chart.title, 13)
    bottom = top + HEIGHT - BOTTOM
    for tick in across.ticks():
        yield Line([(x_of(tick), top + TOP), (x_of(tick), bottom)])
        yield Text((x_of(tick), bottom + 15), f"{tick:g}", anchor="middle")
    for tick in up.ticks():
        yield Line([(left + LEFT, y_of(tick)), (left + WIDTH - RIGHT, y_of(tick))])
        yield Text((left + LEFT - 6, y_of(tick) + 4), f"{tick:.4g}", anchor="end")
    for k, (name, curve) in enumerate(chart.curves.items()):
        yield Line([(x_of(x), y_of(y)) for x, y in curve], COLORS[k], 1.5)
        for bar in chart.bars(name):
            yield Line([(x_of(x), y_of(y)) for x, y in bar], COLORS[k], 1.5)
        if len(chart.curves) > 1:
            at = left + WIDTH - RIGHT - 60 * (len(chart.curves) - k)
            yield Text((at, top + 18), name, color=COLORS[k])


def to_svg(shapes: Sequence[Shape], size: tuple[int, int]) -> bytes:
    """A document of a width and height in pixels."""
    extent = f'width="{size[0]}" height="{size[1]}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {extent} font-family="sans-serif">',
        f'<rect {extent} fill="white"/>',
        *(_tag(shape) for shape in shapes),
        "</svg>\n",
    ]
    return "\n".join(parts).encode()


def _tag(shape: Shape) -> str:
    if isinstance(shape, Text):
        place = f'x="{shape.at[0]:.1f}" y="{shape.at[1]:.1f}" text-anchor="{shape.anchor}"'
        look = f'font-size="{shape.size}" fill="{shape.color}"'
        return f"<text {place} {look}>{escape(shape.text)}</text>"
    if len(shape.points) == 1:
        ((x, y),) = shape.points
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 * shape.width}" fill="{shape.color}"/>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    look = f'fill="none" stroke="{shape.color}" stroke-width="{shape.width}"'
    return f'<polyline {look} points="{points}"/>'


def to_png(shapes: Sequence[Shape], size: tuple[int, int]) -> bytes:
    """An image of a width and height in pixels."""
    image = Image.new("RGB", (size[0] * FINE, size[1] * FINE), "white")
    pen = ImageDraw.Draw(image)
    for shape in shapes:
        if isinstance(shape, Text):
            font = ImageFont.load_default(shape.size * FINE)
            at = (shape.at[0] * FINE, shape.at[1] * FINE)
            pen.text(at, shape.text, shape.color, font, ANCHORS[shape.anchor])
            continue
        points = [(x * FINE, y * FINE) for x, y in shape.points]
        if len(points) == 1:
            pen.circle(points[0], 2 * shape.width * FINE, shape.color)
        pen.line(points, shape.color, round(shape.width * FINE), joint="curve")
    data = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(data, "PNG")
    return data.getvalue()
