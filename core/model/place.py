"""Ids by place: codes that say where a segment's middle lies, and logits of a guess of it.

Random ids are blind to the picture: where one guess meets another inside a segment, a border is
left that later steps must heal. A code of the cell that the segment's middle falls into can be
read from the picture, so that all pixels of a segment agree from the first step; what is left
to the diffusion is doubt about the cell. Off in the paper's model.

Each axis has the cyclic Gray code of n bits over 2^n cells, repeated over the map: between
neighbouring cells one bit differs, and the doubt is about that bit alone.
"""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.model.config import ModelConfig

Settle = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # of places and logits a cell
REACH = 3  # cells that a segment may be moved, where another has its cell


def place_code(row: int, column: int, n_bits: int) -> int:
    """The id of a cell: Gray code of its column in the low n_bits, of its row above."""
    row, column = row % 2**n_bits, column % 2**n_bits
    return (row ^ (row >> 1)) << n_bits | (column ^ (column >> 1))


def places_of_codes(config: ModelConfig) -> NDArray[np.int64]:
    """Column and row of the first cell with each code: [2**instance_bits, 2]."""
    n_bits = config.instance_bits // 2
    cells = np.zeros((2**config.instance_bits, 2), np.int64)
    for row, column in product(range(2**n_bits), repeat=2):
        cells[place_code(row, column, n_bits)] = column, row
    return cells


def place_ids(numbers: NDArray[Any], config: ModelConfig) -> NDArray[np.int64]:
    """Give each segment the code of the cell that its middle lies in.

    Where two have one cell, or the code is 0, which says "no segment", the smaller one has the
    nearest cell that is free.

    Args:
        numbers: [h, w] integers that tell segments apart, on the map's grid; 0 has no id.

    Returns:
        [h, w]; 0 also for segments that found no free cell.
    """
    n_bits = config.instance_bits // 2
    values, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    inverse = inverse.reshape(numbers.shape)
    middles = [
        np.bincount(inverse.ravel(), axis.ravel() + 0.5) / counts / config.place_cell
        for axis in np.indices(numbers.shape)
    ]
    ids = np.zeros(len(values), np.int64)
    taken: set[tuple[int, int]] = set()
    for k in np.argsort(-counts, kind="stable"):
        if values[k] == 0:
            continue
        for cell in cells_near(float(middles[0][k]), float(middles[1][k])):
            code = place_code(*cell, n_bits)
            if cell not in taken and is_free_code(code, config):
                ids[k] = code
                taken.add(cell)
                break
    return ids[inverse]


def is_free_code(code: int, config: ModelConfig) -> bool:
    """Whether a segment may have that id; 0 says "no segment"."""
    return 0 < code < config.n_ids


def cells_near(y: float, x: float) -> list[tuple[int, int]]:
    """Cells (row, column) around a place, in cells, the nearest first."""
    near = range(-REACH, REACH + 1)
    cells = [(int(y) + down, int(x) + along) for down, along in product(near, near)]
    return sorted(cells, key=lambda c: max(abs(c[0] + 0.5 - y), abs(c[1] + 0.5 - x)))


def bit_distances(places: Tensor, n_bits: int) -> Tensor:
    """How far places lie inside (above 0) or outside of where each bit of their code is set.

    Args:
        places: [B, h, w] along one axis, in cells; place 3.5 is the middle of cell 3.

    Returns:
        [B, n_bits, h, w] in cells, least significant bit first; 0 where the bit flips.
    """
    parts = []
    for k in range(n_bits):
        is_top = k == n_bits - 1
        half = 2 ** (k - 1) if is_top else 2**k  # half of the stretch where the bit is set
        middle = 3 * half if is_top else 2 * half
        period = 4 * half
        away = ((places - middle + period / 2) % period - period / 2).abs()
        parts.append(half - away)
    return torch.stack(parts, 1)


class PlaceHead(nn.Module):
    """Guesses each pixel's way to the middle of its segment, and says it in logits of bits.

    Channels: the way along and down in cells, then how sure it is of either: logits a cell
    are e^c / 2.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.cell, self.n_bits = config.place_cell, config.instance_bits // 2
        self.n_semantic = config.semantic_bits
        self.way = nn.Conv2d(config.level_widths[0], 4, 3, padding=1)

    def init_weights(self) -> None:
        """Begin with every pixel as the middle of its own segment, in doubt of two cells."""
        nn.init.xavier_uniform_(self.way.weight, gain=0.1)
        nn.init.zeros_(self.way.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, settle: Settle | None = None) -> Tensor:
        """Logits to add to the bits'.

        Args:
            features: [B, C, h, w] the decoder's last features.
            settle: what makes pixels agree on middles; without it each says its own.

        Returns:
            [B, n_s + n_i, h, w]; 0 for the semantic bits; ids have their columns' bits first.
        """
        batch, _, height, width = features.shape
        way = self.way(features).float()
        sharp = way[:, 2:].exp().clamp(max=100.0) / 2
        down = torch.arange(height, device=way.device).view(1, -1, 1) + 0.5
        along = torch.arange(width, device=way.device).view(1, 1, -1) + 0.5
        places = torch.stack(
            [along / self.cell + way[:, 0], down / self.cell + way[:, 1]], 1
        )  # [B, 2, h, w] in cells
        if settle is not None:
            places, sharp = settle(places, sharp)
        x, y = (bit_distances(places[:, axis], self.n_bits) for axis in (0, 1))
        logits = [x * sharp[:, :1], y * sharp[:, 1:]]
        return torch.cat([way.new_zeros(batch, self.n_semantic, height, width), *logits], 1)
