"""What corrections took, summed up: by the model that proposed, and over time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Final

from core.corrections import Correction

WINDOW: Final = 10  # corrections that a running mean is of


class Measure(StrEnum):
    """What is counted of a correction, as it is called in plots."""

    PIXELS = "pixels changed"
    SEGMENTS = "segments touched"
    GESTURES = "gestures"
    SECONDS = "active seconds"

    def of(self, correction: Correction) -> float | None:
        """The value; None if it is not known."""
        match self:
            case Measure.PIXELS:
                return correction.n_pixels
            case Measure.SEGMENTS:
                return correction.n_segments
            case Measure.GESTURES:
                return correction.n_gestures
            case Measure.SECONDS:
                return correction.active_s


@dataclass(frozen=True, slots=True)
class ModelMean:
    """What correcting one model's proposals took, in the mean.

    Attributes:
        mean: an image; None if it is known of none.
        n_images: that it is known of.
    """

    model: str
    mean: float | None
    n_images: int


def in_order(corrections: Iterable[Correction]) -> list[Correction]:
    """The same corrections, those approved first at the beginning."""
    return sorted(corrections, key=lambda c: c.approved_at)


def mean_by_model(corrections: Sequence[Correction], measure: Measure) -> list[ModelMean]:
    """The mean of each model, in the order in which they first proposed something approved."""
    values: dict[str, list[float]] = {}
    for correction in in_order(corrections):
        known = values.setdefault(correction.model, [])
        value = measure.of(correction)
        if value is not None:
            known.append(value)
    return [
        ModelMean(model, fmean(known) if known else None, len(known))
        for model, known in values.items()
    ]


def running_mean(values: Sequence[float | None], window: int = WINDOW) -> list[float | None]:
    """At each place, the mean of what is known of the last `window`; None if that is nothing.

    Raises:
        ValueError: the window holds nothing.
    """
    if window < 1:
        raise ValueError(f"a mean of {window} values")
    means: list[float | None] = []
    for end in range(1, len(values) + 1):
        known = [v for v in values[max(end - window, 0) : end] if v is not None]
        means.append(fmean(known) if known else None)
    return means
