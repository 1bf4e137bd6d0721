"""Tone: how the values of an image become what is seen of it; the model sees none of this.

Brightness, contrast and gamma make one table, which is applied to the device pixels that are
drawn. An image of more than 8 bits keeps its values until then, so that a stretch between two
of its percentiles shows what a scale from its minimum to its maximum would lose.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.depth import value_range
from core.images import Values

MAX_SAMPLE: Final = 250_000  # pixels that percentiles are taken from
DARK_SHARE: Final = 1 / 16  # of the range: half of a dark image's pixels are below it
TABLE_SIZE: Final = 65_536
GREATEST_GAMMA: Final = 4.0
LUMINANCE: Final = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601
STEEPEST: Final = 0.98  # contrast; 1 would be a step

Seen = NDArray[np.uint8]  # [m, n] or [m, n, 3]


class Channel(StrEnum):
    """What of a colour is seen."""

    COLOR = "Colour"
    RED = "Red"
    GREEN = "Green"
    BLUE = "Blue"
    GREY = "Grey"


class Stretch(StrEnum):
    """Whether an image's values are stretched over all that a display can show."""

    AUTO = "Dark and deep images"
    ON = "Every image"
    OFF = "Off"


@dataclass(frozen=True, slots=True)
class Tone:
    """What was asked for.

    Attributes:
        brightness: -1 to 1, added.
        contrast: -1 to 1, 0 changes nothing.
        gamma: 1/4 to 4; more makes middle tones brighter.
        channel: what of a colour is seen.
        stretch: of which images the values are stretched.
        cut: percent of the values that a stretch makes black, and as many white.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 1.0
    channel: Channel = Channel.COLOR
    stretch: Stretch = Stretch.AUTO
    cut: float = 0.5


PLAIN: Final = Tone()


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A tone for the values of one image.

    Attributes:
        channel: what of a colour is seen.
        table: uint8, the seen value of each value of uint8 and uint16; of other kinds, that of
            equal steps from `low` to `high`.
        low: what becomes black.
        high: what becomes white.
    """

    channel: Channel
    table: NDArray[np.uint8]
    low: float
    high: float

    @property
    def _is_identity(self) -> bool:
        """Whether values of 8 bits stay as they are."""
        return len(self.table) == 256 and bool((self.table == np.arange(256)).all())

    def apply(self, values: Values) -> Seen:
        """What is seen of values [m, n] or [m, n, 3]; grey stays without a third axis."""
        values = pick_channel(values, self.channel)
        if values.dtype == np.uint8:
            return values if self._is_identity else np.asarray(cv2.LUT(values, self.table))
        if values.dtype == np.uint16:
            return self.table.take(values)
        span = self.high - self.low
        with np.errstate(invalid="ignore", over="ignore"):
            steps = (values - self.low) * ((len(self.table) - 1) / span if span else 0.0)
        steps = np.nan_to_num(np.clip(steps, 0, len(self.table) - 1))
        return self.table.take(np.rint(steps).astype(np.uint16))


class ValueRanges:
    """What the values of one image range over.

    Attributes:
        dtype: of the values.
        whole: what becomes black and white without a stretch, as in `core.images.read_image`.
        is_stretchable: whether the image is dark or has more than 8 bits.
    """

    def __init__(self, values: Values) -> None:
        """Look at values [H, W] or [H, W, 3] once.

        Percentiles are taken from at most a quarter of a megapixel, evenly spread.
        """
        step = max(math.ceil(math.sqrt(values.shape[0] * values.shape[1] / MAX_SAMPLE)), 1)
        self.dtype = values.dtype
        self._sample = np.ascontiguousarray(values[::step, ::step])
        self._percentiles: dict[tuple[Channel, float], tuple[float, float]] = {}
        if values.dtype == np.uint8:
            self.whole = (0.0, 255.0)
            self.is_stretchable = _is_dark(self._sample)
        else:
            self.whole = value_range(values)
            self.is_stretchable = True

    def between(self, channel: Channel, cut: float) -> tuple[float, float]:
        """The values of a channel that `cut` percent of all are below, and above."""
        key = channel, cut
        if key not in self._percentiles:
            finite = _finite(pick_channel(self._sample, channel))
            cuts = np.percentile(finite, [cut, 100 - cut]) if finite.size else np.zeros(2)
            self._percentiles[key] = float(cuts[0]), float(cuts[1])
        return self._percentiles[key]


def make_curve(tone: Tone, ranges: ValueRanges) -> Curve:
    """The curve that gives an image of those values a tone."""
    is_stretched = tone.stretch is Stretch.ON or (
        tone.stretch is Stretch.AUTO and ranges.is_stretchable
    )
    low, high = ranges.between(tone.channel, tone.cut) if is_stretched else ranges.whole
    return Curve(tone.channel, _table(tone, ranges.dtype, low, high), low, high)


def pick_channel(values: Values, channel: Channel) -> Values:
    """One channel of colours, or all; grey has but one."""
    if values.ndim == 2 or channel is Channel.COLOR:
        return values
    if channel is Channel.GREY:
        if values.dtype == np.float64:
            return values @ LUMINANCE
        return cv2.cvtColor(values, cv2.COLOR_RGB2GRAY)
    return values[..., [Channel.RED, Channel.GREEN, Channel.BLUE].index(channel)]


def _is_dark(values: Values) -> bool:
    """Whether half of the pixels of an 8-bit image are almost black in every channel."""
    brightest = values
    if values.ndim == 3:
        brightest = np.maximum(np.maximum(values[..., 0], values[..., 1]), values[..., 2])
    return bool(np.count_nonzero(brightest < DARK_SHARE * 256) * 2 > brightest.size)


def _finite(values: Values) -> Values:
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values


def _table(tone: Tone, kind: np.dtype[Any], low: float, high: float) -> NDArray[np.uint8]:
    if kind in {np.dtype(np.uint8), np.dtype(np.uint16)}:
        values = np.arange(np.iinfo(kind).max + 1, dtype=np.float64)
        span = high - low
        scaled = (np.clip(values, low, high) - low) * (255 / span if span else 0.0)
    else:
        scaled = np.linspace(0, 255, TABLE_SIZE)
    if (tone.brightness, tone.contrast, tone.gamma) != (0, 0, 1):
        share = (scaled / 255) ** (1 / tone.gamma)
        slope = math.tan((1 + min(tone.contrast, STEEPEST)) * math.pi / 4)
        scaled = 255 * np.clip((share - 0.5) * slope + 0.5 + tone.brightness, 0, 1)
    return (scaled + 0.5).astype(np.uint8)
