"""Agreement on middles: pixels vote where their segment has its middle, and take a common one.

With ids by place (`core.model.place`), a pixel that errs a little near the side of a cell says
another id than its neighbours, and large segments fall into pieces. So while sampling, the
votes of the first step are gathered on the map, their peaks are the middles of segments, and
each pixel says in all steps the cell of the peak that is nearest to its vote.

Source of the vote: Cheng et al. 2020, Panoptic-DeepLab, arXiv:1911.10194, section 3.
"""

from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.model.bits import bits_to_int
from core.model.config import ModelConfig
from core.model.diffusion import Known
from core.model.place import cells_near, is_free_code, place_code

BLUR: Final = 0.25  # cells; votes of one segment scatter by about as much
APART: Final = 1 / 3  # cells between two middles, at least
SURE: Final = 5.0  # logits a cell of a full vote; nuclei say as much, background a tenth
MIN_VOTES: Final = 1.5  # full votes at a peak, were they all in one place


class Agreement:
    """The middles of one sample: found at the first call, and kept.

    Args:
        known: segments whose pixels are given; who votes with them takes their id.
    """

    def __init__(self, config: ModelConfig, known: Known | None = None) -> None:
        self.config, self.known = config, known
        self._settled: tuple[Tensor, Tensor] | None = None

    def settle(self, places: Tensor, sharp: Tensor) -> tuple[Tensor, Tensor]:
        """Where each pixel's segment has its middle, all pixels of one segment saying the same.

        Args:
            places: [B, 2, h, w] votes along and down, in cells from the map's top left corner.
            sharp: [B, 2, h, w] how sure of them: logits a cell; next to none in background.

        Returns:
            Middles of cells, one cell a segment, and `sharp`, both of the first call.
        """
        if self._settled is None:
            given = (places, sharp.amin(1), self._known_ids(places))
            maps = zip(*(tensor.cpu().numpy() for tensor in given), strict=True)
            agreed = np.stack([agreed_places(v, s, k, self.config) for v, s, k in maps])
            self._settled = torch.from_numpy(agreed).to(places), sharp
        return self._settled

    def _known_ids(self, votes: Tensor) -> Tensor:
        """[B, h, w] ids of known pixels, 0 elsewhere."""
        ids = torch.zeros_like(votes[:, 0], dtype=torch.long)
        if self.known is None:
            return ids
        given = bits_to_int(self.known.x0[:, self.config.semantic_bits :])
        return torch.where(self.known.where[:, 0], given, ids)


def agreed_places(
    votes: NDArray[np.float32],
    sharp: NDArray[np.float32],
    known_ids: NDArray[np.int64],
    config: ModelConfig,
) -> NDArray[np.float32]:
    """The middle of the cell of each pixel's peak; where nobody is sure, votes stand.

    Votes that are no numbers, as weights make them that a training has spoilt, stand as well.

    Args:
        votes: [2, h, w]; sharp: [h, w]; as for `Agreement.settle`.
        known_ids: [h, w] of known pixels, 0 elsewhere.
    """
    cell = config.place_cell
    height, width = sharp.shape
    if not (np.isfinite(votes).all() and np.isfinite(sharp).all()):
        return votes
    columns = np.clip(votes[0] * cell, 0, width - 1).astype(np.intp)
    rows = np.clip(votes[1] * cell, 0, height - 1).astype(np.intp)
    heat = np.zeros((height, width), np.float32)
    np.add.at(heat, (rows, columns), np.minimum(sharp, SURE) / SURE)
    heat = np.asarray(cv2.GaussianBlur(heat, (0, 0), BLUR * cell), np.float32)
    side = 2 * round(APART * cell) + 1
    lowest = MIN_VOTES / (2 * np.pi * (BLUR * cell) ** 2)
    is_peak = (heat == cv2.dilate(heat, np.ones((side, side), np.uint8))) & (heat > lowest)
    if not is_peak.any():
        return votes
    _, nearest = cv2.distanceTransformWithLabels(
        (~is_peak).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    peak_of_pixel = nearest[rows, columns]
    order = np.argsort(-heat[is_peak], kind="stable")
    numbers, peaks = nearest[is_peak][order], (np.argwhere(is_peak)[order] + 0.5) / cell
    table = np.zeros((int(nearest.max()) + 1, 2), np.float32)
    table[numbers] = _cells_of(peaks, _ids_of(numbers, peak_of_pixel, known_ids), config)
    return table[peak_of_pixel].transpose(2, 0, 1)


def _ids_of(
    numbers: NDArray[np.int32],
    peak_of_pixel: NDArray[np.int32],
    known_ids: NDArray[np.int64],
) -> list[int]:
    """The known id that most pixels of each peak have, 0 for none."""
    n_ids = int(known_ids.max()) + 1
    keys = peak_of_pixel.astype(np.int64) * n_ids + known_ids
    counts = np.bincount(keys.ravel(), minlength=(int(numbers.max()) + 1) * n_ids)
    counts = counts.reshape(-1, n_ids)[numbers]
    counts[:, 0] = 0
    return np.where(counts.any(1), counts.argmax(1), 0).tolist()


def _cells_of(
    peaks: NDArray[np.float64], known_ids: list[int], config: ModelConfig
) -> NDArray[np.float32]:
    """Middles (along, down) of cells for peaks (row, column), those with a known id first."""
    places = peaks[:, ::-1].astype(np.float32)
    taken: set[tuple[int, int]] = set()
    order = sorted(range(len(peaks)), key=lambda k: known_ids[k] == 0)
    for k in order:
        for row, column in cells_near(*map(float, peaks[k])):
            code = place_code(row, column, config.instance_bits // 2)
            wanted = known_ids[k]
            is_fit = code == wanted if wanted else (row, column) not in taken
            if is_fit and is_free_code(code, config):
                places[k] = column + 0.5, row + 0.5
                taken.add((row, column))
                break
    return places
