"""Stills with their mirror image around them, so that things can come in at the borders."""

import numpy as np
from numpy.typing import NDArray

from training.augment import View


def mirror(
    view: View,
    rows: tuple[int, int],
    columns: tuple[int, int],
    is_thing: NDArray[np.bool_],
) -> View:
    """A still with its mirror image beyond its borders.

    Things at a border go on in their mirror image; others have numbers of their own there.

    Args:
        rows, columns: pixels to be added before and after.
    """
    for axis, wanted in ((0, rows), (1, columns)):
        before, after = wanted
        while before > 0 or after > 0:
            side = view.labels.shape[axis]
            view = _mirror_ends(view, (min(before, side), min(after, side)), axis, is_thing)
            before, after = before - side, after - side
    return view


def _mirror_ends(
    view: View, room: tuple[int, int], axis: int, is_thing: NDArray[np.bool_]
) -> View:
    labels, image = np.moveaxis(view.labels, axis, 0), np.moveaxis(view.image, axis, 0)
    before, after = max(room[0], 0), max(room[1], 0)
    largest = int(labels[..., 1].max(initial=0))
    numbered = []
    for times, end, border in (
        (1, labels[:before][::-1], labels[0]),
        (2, labels[len(labels) - after :][::-1], labels[-1]),
    ):
        flipped = end.copy()
        is_at_border = np.zeros(largest + 1, np.bool_)
        is_at_border[border[..., 1]] = True
        is_new = is_thing[flipped[..., 0]] & ~is_at_border[flipped[..., 1]]
        flipped[..., 1] += (is_new & (flipped[..., 1] > 0)) * (largest * times)
        numbered.append(flipped)
    pixels = [image[:before][::-1], image, image[len(image) - after :][::-1]]
    whole = np.concatenate([numbered[0], labels, numbered[1]])
    return View(
        np.ascontiguousarray(np.moveaxis(np.concatenate(pixels), 0, axis)),
        np.ascontiguousarray(np.moveaxis(whole, 0, axis)),
    )


def cut_window(
    view: View, side: int, margin: int, is_thing: NDArray[np.bool_], rng: np.random.Generator
) -> View:
    """A random square of a still, which may reach beyond it by a margin, or more if it must."""
    spans, rooms = [], []
    for length in view.labels.shape[:2]:
        first = min(-margin, (length - side) // 2)
        last = max(length + margin - side, first)
        start = int(rng.integers(first, last + 1))
        spans.append(slice(max(start, 0), min(start + side, length)))
        rooms.append((max(-start, 0), max(start + side - length, 0)))
    inside = View(view.image[tuple(spans)], view.labels[tuple(spans)])
    return mirror(inside, rooms[0], rooms[1], is_thing)
