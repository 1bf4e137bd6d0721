"""Scene: a still taken apart into its background and its things, each cut out."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from training.augment import View, to_unit
from training.holes import fill_from_around, fill_labels

HALO = 4  # pixels around a thing that are too much of its colour to be background
RIM = 2  # pixels over which a thing fades into what lies behind it


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """A segment, cut out.

    Attributes:
        code, number: its labels.
        left, top: where its patch lies in the still.
        patch: float32 [m, n, 3]; cover: [m, n], 1 inside and fading outside of its border;
            shape: [m, n], 1 inside.
    """

    code: int
    number: int
    left: int
    top: int
    patch: NDArray[np.float32]
    cover: NDArray[np.float32]
    shape: NDArray[np.float32]

    @property
    def middle(self) -> tuple[float, float]:
        """Of its patch, x and y."""
        height, width = self.shape.shape
        return self.left + (width - 1) / 2, self.top + (height - 1) / 2


class Scene:
    """A still taken apart."""

    def __init__(self, view: View, is_thing: NDArray[np.bool_]) -> None:
        """Take a still apart.

        Args:
            is_thing: by semantic code; all else is background, and void things too.
        """
        self._view = View(to_unit(view.image), view.labels)
        numbers = np.where(is_thing[view.labels[..., 0]], view.labels[..., 1], 0)
        self._numbers = numbers.astype(np.int32)

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        """Of the background alone; where things were is what lies around them."""
        labels = self._view.labels.copy()
        is_hole = self._numbers > 0
        labels[is_hole] = 0
        return fill_labels(labels, is_hole)

    @cached_property
    def image(self) -> NDArray[np.float32]:
        """Of the background alone."""
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * HALO + 1,) * 2)
        holes = cv2.dilate((self._numbers > 0).astype(np.uint8), kernel) > 0
        return fill_from_around(self._view.image, holes)

    @cached_property
    def things(self) -> tuple[Thing, ...]:
        """All of them, by number."""
        boxes = _bounding_boxes(self._numbers)
        return tuple(self._cut_out(number, box) for number, box in boxes.items())

    def _cut_out(self, number: int, box: tuple[int, int, int, int]) -> Thing:
        top, left = max(box[0] - RIM - 1, 0), max(box[1] - RIM - 1, 0)
        window = slice(top, box[2] + RIM + 1), slice(left, box[3] + RIM + 1)
        numbers = self._numbers[window]
        shape = (numbers == number).astype(np.float32)
        others = ((numbers != number) & (numbers > 0)).astype(np.uint8)
        near = cv2.dilate(others, np.ones((3, 3), np.uint8))
        soft = cv2.GaussianBlur(shape, (2 * RIM + 1,) * 2, RIM / 2)
        cover = np.maximum((2 * soft).clip(max=1) * (near == 0), shape)
        y, x = np.argwhere(shape)[0]
        code = int(self._view.labels[top + y, left + x, 0])
        patch = np.ascontiguousarray(self._view.image[window], np.float32)
        return Thing(code, number, left, top, patch, cover.astype(np.float32), shape)


def _bounding_boxes(numbers: NDArray[np.int32]) -> dict[int, tuple[int, int, int, int]]:
    """Top, left, bottom, right of each number but 0."""
    ys, xs = np.nonzero(numbers)
    found, which = np.unique(numbers[ys, xs], return_inverse=True)
    low = np.full((len(found), 2), 1 << 30)
    high = np.zeros((len(found), 2), np.int64)
    for axis, values in enumerate((ys, xs)):
        np.minimum.at(low[:, axis], which, values)
        np.maximum.at(high[:, axis], which, values + 1)
    return {
        int(number): (int(a), int(b), int(c), int(d))
        for number, (a, b), (c, d) in zip(found, low, high, strict=True)
    }
