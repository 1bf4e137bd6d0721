"""Which pixels a drawn outline encloses: exactly, and the same in whatever order it was drawn.

The pixel in column x and row y has its centre at (x + 0.5, y + 0.5), and belongs to the shape
when that centre lies inside. So two outlines that share a border share no pixel and leave none
between them. An outline that runs between the centres of the pixels, however long, encloses
nothing: who wants a thin line draws a stroke.
"""

import numpy as np
from numpy.typing import ArrayLike

from core.giving import Mask
from core.panoptic import Rect
from core.spans import fill_spans, point_downwards, row_crossings


def cover_polygon(points: ArrayLike, height: int, width: int) -> tuple[Rect, Mask]:
    """Fill a closed polygon.

    Where the outline crosses itself, what it goes around an even number of times is outside.
    A centre exactly on the outline belongs to what lies to the right of it, or below.

    Args:
        points: [N, 2] x and y in image pixels, in or outside the image; the last one is joined
            to the first.
        height: of the image.
        width: of the image.

    Returns:
        The smallest rectangle of the image that holds the area, and which pixels [m, n] of it
        belong to it.

    Raises:
        ValueError: a point is no usable number.
    """
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    if not np.isfinite(corners).all():
        raise ValueError(f"a polygon through {corners.tolist()}")
    starts, ends = point_downwards(corners, np.roll(corners, -1, axis=0))
    _, rows, x = row_crossings(starts, ends, height)
    order = np.lexsort((x, rows))
    rows, columns = rows[order], np.ceil(x[order] - 0.5)  # the first centre at or past each
    return fill_spans(rows[::2], columns[::2], columns[1::2] - 1, width)
