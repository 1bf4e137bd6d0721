"""Copy and paste: real things of one picture laid over another, for data that is scarce.

Source: Ghiasi et al. 2021, arXiv:2012.07177, section 3, without blending, which they found to
make no difference.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.augment import View


@dataclass(frozen=True, slots=True)
class Pasting:
    """How much is pasted.

    Attributes:
        share: of the views that things are pasted into; 0 is none.
        things: share of the other view's things that are pasted, each drawn alone.
    """

    share: float = 0.0
    things: float = 0.5

    def __post_init__(self) -> None:
        for name in ("share", "things"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} cannot be {getattr(self, name)}; give 0 to 1")


def paste_things(
    view: View,
    other: View,
    is_thing: NDArray[np.bool_],
    chance: float,
    rng: np.random.Generator,
) -> View:
    """A view with some of another's things over it, pixels and labels alike.

    Segments of the view that are covered whole are gone from its labels; those covered in part
    keep what is left. Pasted ones get numbers after the view's own.

    Args:
        view, other: of the same size.
        is_thing: by semantic code; void and stuff are not pasted.
        chance: of each thing.
    """
    codes, numbers = other.labels[..., 0], other.labels[..., 1]
    is_candidate = is_thing[codes] & (numbers > 0)
    candidates = np.unique(numbers[is_candidate])
    chosen = candidates[rng.random(len(candidates)) < chance]
    where = is_candidate & np.isin(numbers, chosen)
    image, labels = view.image.copy(), view.labels.copy()
    image[where] = other.image[where]
    first: Any = view.labels[..., 1].max(initial=0)
    labels[where] = other.labels[where]
    labels[where, 1] += first
    return View(image, labels)
