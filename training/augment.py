"""Random views of a picture and its labels: scale, crop, flip, turn, brightness."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.model.config import ModelConfig
from core.model.place import place_ids

IMAGE_PADDING = 0.3  # of the paper's input pipeline


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a random view may differ from the picture.

    Attributes:
        scale: range of the factor on the picture's size.
        has_turns: whether quarter turns are drawn (a microscope has no up).
        gamma: range of the exponent on the intensities.
        gain: range of the factor on the intensities.
    """

    scale: tuple[float, float] = (0.75, 1.4)
    has_flips: bool = True
    has_turns: bool = True
    gamma: tuple[float, float] = (0.7, 1.4)
    gain: tuple[float, float] = (0.7, 1.2)

    def __post_init__(self) -> None:
        for name in ("scale", "gamma", "gain"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name} cannot be {(low, high)}; give a range above 0")


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture as the network sees it.

    Attributes:
        image: [H, W, 3], float32 in [0, 1], or uint8 as long as it is not scaled.
        labels: int32 [H, W, 2], category code and segment number; 0 is void. A third channel
            is 1 where a person made the pixel.
    """

    image: NDArray[Any]
    labels: NDArray[Any]


def to_unit(image: NDArray[Any]) -> NDArray[np.float32]:
    """Grey values as float32 in [0, 1], bytes or not."""
    if image.dtype == np.uint8:
        return image.astype(np.float32) / np.float32(255)
    return image


def random_view(
    view: View, size: int, augmentation: Augmentation, rng: np.random.Generator
) -> View:
    """A square view of a picture, padded at the bottom and right where the picture ends.

    The order is the paper's: scale, crop, flip, colour, pad; quarter turns go with the flip.
    """
    view = View(to_unit(view.image), view.labels)
    scaled = _scale(view, float(rng.uniform(*augmentation.scale)))
    image, labels = _crop(scaled, size, rng)
    if augmentation.has_flips and rng.random() < 0.5:
        image, labels = image[:, ::-1], labels[:, ::-1]
    if augmentation.has_turns:
        turns = int(rng.integers(4))
        image, labels = np.rot90(image, turns), np.rot90(labels, turns)
    gamma, gain = rng.uniform(*augmentation.gamma), rng.uniform(*augmentation.gain)
    image = np.clip(image**gamma * gain, 0, 1)
    below, right = size - image.shape[0], size - image.shape[1]
    return View(
        np.pad(image, ((0, below), (0, right), (0, 0)), constant_values=IMAGE_PADDING).astype(
            np.float32
        ),
        np.pad(labels, ((0, below), (0, right), (0, 0))),
    )


def _scale(view: View, factor: float) -> View:
    height, width = (max(int(side * factor), 1) for side in view.image.shape[:2])
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    image = cv2.resize(view.image, (width, height), interpolation=how)
    labels = cv2.resize(view.labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return View(image, labels)


def _crop(
    view: View, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    top, left = (int(rng.integers(max(side - size, 0) + 1)) for side in view.image.shape[:2])
    rows, columns = slice(top, top + size), slice(left, left + size)
    return view.image[rows, columns], view.labels[rows, columns]


def shrink_labels(labels: NDArray[np.int32], stride: int) -> NDArray[np.int32]:
    """Labels [H, W, 2] at the size of the map: nearest with half-pixel centres."""
    start = stride // 2
    return labels[start::stride, start::stride]


def draw_ids(
    numbers: NDArray[np.int32],
    n_ids: int,
    rng: np.random.Generator,
    n_shuffled: int | None = None,
) -> NDArray[np.int32]:
    """Give the segments of a view random distinct ids 1..n_ids - 1; 0 stays 0.

    When a view has more segments than ids, the smallest go without (0, as void).

    Args:
        numbers: [...] any numbers that tell segments apart.
        n_shuffled: the ids are of 1..n_shuffled, the number of segments in the whole picture;
            None is mode `random` of the authors' code, a number their mode `shuffle`.

    Source: arXiv:2210.06366, section 3.2.
    """
    values, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    ids = np.zeros(len(values), np.int32)
    by_size = np.argsort(-counts, kind="stable")
    kept = by_size[values[by_size] != 0][: n_ids - 1]
    most = n_ids - 1 if n_shuffled is None else min(max(n_shuffled, len(kept)), n_ids - 1)
    ids[kept] = rng.permutation(most)[: len(kept)] + 1
    return ids[inverse].reshape(numbers.shape)


def draw_labels(
    labels: NDArray[np.int32],
    config: ModelConfig,
    rng: np.random.Generator,
    n_shuffled: int | None = None,
) -> NDArray[np.int32]:
    """Labels with ids instead of segment numbers, drawn by `draw_ids` or given by place.

    Segments for which no id is left become void. Further channels stay as they are.

    Args:
        labels: [P + 1, h, w, 2 or more] of a clip, or of a picture alone.
    """
    if config.place_cell:
        ids = np.stack([place_ids(frame, config) for frame in labels[..., 1]]).astype(np.int32)
    else:
        ids = draw_ids(labels[..., 1], config.n_ids, rng, n_shuffled)
    is_left_out = (labels[..., 1] != 0) & (ids == 0)
    drawn = np.stack([np.where(is_left_out, 0, labels[..., 0]), ids], -1)
    return np.concatenate([drawn, labels[..., 2:]], -1)
