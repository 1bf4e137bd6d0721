"""Gallery: pictures of the images on which a new model wins or loses most, for a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.durable import replace_file
from core.gate_report import GALLERY_FOLDER
from core.images import Rgb
from core.palette import default_color
from core.panoptic import VOID

N_EACH: Final = 6  # wins, and as many losses
TILE: Final = 256  # the longer side of each map
GAP: Final = 6
EXTRA: Final = (235, 235, 235)  # of a segment over void
BORDER: Final = (0, 0, 0)

Ids = NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image and its maps beside each other, as a PNG.

    Attributes:
        name: of the image.
        difference: seconds to correct it that the new model costs more than the current one.
    """

    name: str
    difference: float
    png: bytes


class Gallery:
    """Keeps the biggest wins and losses of all images that it is offered."""

    def __init__(self, n_each: int = N_EACH) -> None:
        self._n_each = n_each
        self._wins: list[Picture] = []
        self._losses: list[Picture] = []

    def offer(self, name: str, difference: float, image: Rgb, maps: Sequence[Ids]) -> None:
        """Paint an image if it is among the biggest wins or losses so far.

        Args:
            difference: as of `Picture`; an image without one is neither.
            maps: [H, W] each: the approved one, the current model's, the new model's.
        """
        if difference == 0:
            return
        side = self._wins if difference < 0 else self._losses
        if len(side) == self._n_each and abs(difference) <= abs(side[-1].difference):
            return
        _, png = cv2.imencode(".png", paint_row(image, maps)[..., ::-1])
        side.append(Picture(name, difference, png.tobytes()))
        side.sort(key=lambda picture: -abs(picture.difference))
        del side[self._n_each :]

    def write(self, folder: Path) -> dict[str, Path]:
        """Write the pictures below a folder; returns where each is, by the image's name.

        Raises:
            OSError: they cannot be written.
        """
        (folder / GALLERY_FOLDER).mkdir(exist_ok=True)
        places = {}
        for number, picture in enumerate([*self._wins, *self._losses]):
            places[picture.name] = folder / GALLERY_FOLDER / f"{number}.png"
            replace_file(places[picture.name], picture.png)
        return places


def paint_row(image: Rgb, maps: Sequence[Ids]) -> NDArray[np.uint8]:
    """An image and its maps in one row [h, w, 3], segments in the colours of the first map's.

    A segment has the colour of the segment of the first map that it covers most of, so that
    parts of one look alike; one that lies over nothing but void is almost white.
    """
    height, width = image.shape[:2]
    scale = TILE / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    shrunk = [cv2.resize(ids.astype(np.uint16), size, interpolation=0) for ids in maps]
    truth = shrunk[0]
    tiles = [cv2.resize(image, size, interpolation=cv2.INTER_AREA)]
    tiles += [_paint(ids.astype(np.int64), truth.astype(np.int64)) for ids in shrunk]
    gap = np.full((size[1], GAP, 3), 255, np.uint8)
    row = [part for tile in tiles for part in (tile, gap)]
    return np.hstack(row[:-1])


def _paint(ids: NDArray[np.int64], truth: NDArray[np.int64]) -> NDArray[np.uint8]:
    """A map [h, w] in colours [h, w, 3] of another map's segments, with borders."""
    colors = np.zeros((int(ids.max()) + 1, 3), np.uint8)
    for segment_id in np.unique(ids[ids != VOID]).tolist():
        under = truth[(ids == segment_id) & (truth != VOID)]
        colors[segment_id] = EXTRA
        if under.size:
            colors[segment_id] = default_color(int(np.bincount(under).argmax()))
    painted = colors[ids]
    is_border = np.zeros(ids.shape, np.bool_)
    is_border[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    is_border[1:] |= ids[1:] != ids[:-1]
    painted[is_border] = BORDER
    return painted
