"""What may lie behind a thing: holes in pictures and labels, filled from around them."""

import cv2
import numpy as np
from numpy.typing import NDArray

SMALLEST = 2  # pixels of the finest blur that holes are filled by


def fill_from_around(
    image: NDArray[np.float32], holes: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """A picture with the colours, and the grain, of their surroundings in its holes.

    Colours are means over windows, the smallest that reach out of the hole; the grain is that
    of other places of the picture.

    Args:
        image: [H, W, 3]; holes: [H, W].
    """
    if not holes.any() or holes.all():
        return image
    known = (~holes).astype(np.float32)
    smooth, is_filled = np.zeros_like(image), np.zeros_like(holes)
    width = SMALLEST
    while not is_filled.all():
        window = (2 * width + 1, 2 * width + 1)
        share = cv2.blur(known, window)
        sums = cv2.blur(image * known[..., np.newaxis], window)
        is_new = (share > 0.05) & ~is_filled
        means = sums / np.maximum(share, 0.01)[..., np.newaxis]
        np.copyto(smooth, means, where=is_new[..., np.newaxis])
        is_filled |= is_new
        if width > max(holes.shape):
            break
        width *= 4
    smooth = np.asarray(cv2.blur(smooth, (5, 5)))
    grain = _spread_grain((image - smooth) * known[..., np.newaxis], holes)
    filled = np.where(holes[..., np.newaxis], (smooth + grain).clip(0, 1), image)
    return filled.astype(np.float32)


def _spread_grain(grain: NDArray[np.float32], holes: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Grain in the holes too, taken from as far away as is needed."""
    height, width = holes.shape
    has_none = holes.copy()
    filled = grain.copy()
    for down, along in ((0, 3), (3, 0), (2, 5), (5, 2), (4, 7), (7, 4)):
        shift = (height * down // 11, width * along // 11)
        from_there = has_none & ~np.roll(holes, shift, (0, 1))
        moved = np.roll(grain, shift, (0, 1))
        np.copyto(filled, moved, where=from_there[..., np.newaxis])
        has_none &= ~from_there
    return filled


def fill_labels(labels: NDArray[np.int32], holes: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Labels [H, W, 2] whose holes are as the nearest pixel outside of them."""
    if not holes.any() or holes.all():
        return labels
    _, nearest = cv2.distanceTransformWithLabels(
        holes.astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(nearest.max()) + 1, 2), np.int32)
    table[nearest[~holes]] = labels[~holes]
    return np.where(holes[..., np.newaxis], table[nearest], labels)
