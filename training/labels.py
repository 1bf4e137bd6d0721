"""Labels of a map: a category code and a segment number for each pixel."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import TrainingError
from core.panoptic import Category, PanopticMap

# [H, W, 2] category code and segment number, 0 is void; a third channel says who made a pixel.
Labels = NDArray[np.int32]
Crowds = Literal["void", "segment"]


def label_map(
    panoptic_map: PanopticMap,
    codes: Mapping[int, int],
    with_numbers: frozenset[int],
    crowds: Crowds = "void",
) -> Labels:
    """Codes and segment numbers [H, W, 2] of a map.

    Args:
        codes: semantic code of each category id.
        with_numbers: categories whose segments have numbers; those of others share 0.
        crowds: "void" trains a crowd as nothing, "segment" as a segment like any other.

    Raises:
        TrainingError: a segment has another category.
    """
    table = np.zeros((panoptic_map.next_id, 2), np.int32)
    for segment in panoptic_map.segments.values():
        if segment.is_crowd and crowds == "void":
            continue
        if segment.category_id not in codes:
            raise TrainingError(
                f"A segment has category {segment.category_id}, which is no longer in the list "
                "of categories; give it another."
            )
        number = segment.id if segment.category_id in with_numbers else 0
        table[segment.id] = codes[segment.category_id], number
    return table.take(panoptic_map.segment_ids, 0)  # 10 times as fast as by brackets


def mark_pixels(labels: Labels, is_human: NDArray[np.bool_]) -> Labels:
    """The same labels with a third channel: 1 where a person made a pixel, else 0."""
    return np.concatenate([labels, is_human[..., None].astype(np.int32)], -1)


def codes_of(categories: tuple[Category, ...]) -> dict[int, int]:
    """The semantic code of each category id: 1, 2, ... in their order."""
    return {category.id: code for code, category in enumerate(categories, start=1)}


def with_numbers(categories: tuple[Category, ...], *, has_stuff_ids: bool) -> frozenset[int]:
    """The categories whose segments are told apart by numbers."""
    return frozenset(c.id for c in categories if c.is_thing or has_stuff_ids)
