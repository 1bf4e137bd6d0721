"""Where samples of a model disagree, and how much work that promises in an image.

Each sample is a map that the model holds possible. The first is the proposal that a person
gets; the others stand for what the truth might be. Segments are matched before pixels are
compared, since an id says nothing in itself, and a band along borders is left out: samples
never agree there, and it costs nobody anything. Void in a sample says that nothing is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.correction_cost import PRICES, Pixels, Prices, judge_void, measure_cost, near_borders
from core.panoptic import Ids
from core.quality import match_segments

BAND: Final = 3  # pixels on each side of a border of the proposal
N_SAMPLES: Final = 4

Sample = tuple[Ids, Mapping[int, int]]  # a map, and the category id of each segment id
Judged = tuple[Pixels, Mapping[int, int]]  # the same with void as a segment
Plane = NDArray[np.float32]  # [H, W]


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """How unsure a model is of its proposal.

    Attributes:
        plane: float32 [H, W], the share of the other samples in which a pixel belongs to
            another segment or category; 0 along the proposal's borders.
        seconds: the mean cost of correcting the proposal into one of the other samples; of
            two images, that with more of it is likely to need more work.
    """

    plane: Plane
    seconds: float

    @property
    def share(self) -> float:
        """The mean of the plane, in [0, 1]."""
        return float(self.plane.mean(dtype=np.float64))

    def to_json(self) -> dict[str, float]:
        """What the entry of an image in a JSON says of it."""
        return {"expected_seconds": round(self.seconds, 1), "doubt": round(self.share, 5)}


def find_doubt(
    samples: Sequence[Sample], *, band: int = BAND, prices: Prices = PRICES
) -> Doubt:
    """Compare a proposal with other samples of the same image.

    Args:
        samples: the proposal, then at least one other.
        band: pixels on each side of the proposal's borders that do not count.

    Raises:
        ValueError: there are fewer than two samples, or they differ in size.
    """
    if len(samples) < 2:
        raise ValueError(f"doubt needs at least two samples, not {len(samples)}")
    (ids, categories), *others = (judge_void(*sample) for sample in samples)
    disagreeing = np.zeros(ids.shape, np.float32)
    seconds = 0.0
    for other_ids, other_categories in others:
        disagreeing += ~_agrees((ids, categories), (other_ids, other_categories))
        cost = measure_cost(ids, categories, other_ids, other_categories, prices=prices)
        seconds += cost.seconds(prices)
    disagreeing[near_borders(ids, band)] = 0
    return Doubt(disagreeing / np.float32(len(others)), seconds / len(others))


def _agrees(proposal: Judged, other: Judged) -> NDArray[np.bool_]:
    """Pixels [H, W] whose two segments are each other's match and of one category."""
    (ids, categories), (other_ids, other_categories) = proposal, other
    partners = np.full(max(categories) + 1, -1, np.int64)
    for theirs, ours in match_segments(ids, categories, other_ids, other_categories).pairs:
        if categories[ours] == other_categories[theirs]:
            partners[ours] = theirs
    return partners[ids] == other_ids
