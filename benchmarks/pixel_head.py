"""The plain way with the same trunk: a category for each pixel, and parts that hang together.

What a user would try before a model that knows segments: the encoder of a preset, one
convolution to the categories, and connected components of each thing category as segments.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from core.model.checkpoint import load_checkpoint
from core.model.config import ModelConfig
from core.model.encoder import PixelEncoder
from core.model.layers import init_glorot
from core.model.prepare import frame_for, to_input
from core.panoptic import Category, Ids
from training.config import TrainConfig
from training.data import Batch
from training.state import TrainState
from training.stepper import make_optimizer, update_average


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """What is proposed for a picture.

    Attributes:
        ids: [H, W], 0 is void.
        categories, sureness: by segment id, the latter from 0 to 1.
    """

    ids: Ids
    categories: dict[int, int]
    sureness: dict[int, float]


class PixelHead(nn.Module):
    """An encoder and a category head."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = PixelEncoder(config)
        self.head = nn.Conv2d(config.fmap_width, config.n_codes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """From [B, 3, H, W] to logits [B, n_codes, h, w]; void, code 0, is never trained."""
        return self.head(self.encoder(images).fmap)


def new_head(config: TrainConfig) -> TrainState:
    """A fresh head with an optimizer, on the encoder that the configuration starts from."""
    torch.manual_seed(config.seed)
    model = PixelHead(config.model)
    model.encoder.init_weights()
    init_glorot(model.head)
    if config.start_encoder:
        source, _ = load_checkpoint(Path(config.start_encoder), "cpu")
        model.encoder.load_state_dict(source.encoder.state_dict())
    model.encoder.trunk.requires_grad_(config.trunk_rate > 0)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    return TrainState(model, copy.deepcopy(model), make_optimizer(config, model), scaler)


def head_step(config: TrainConfig, state: TrainState) -> Callable[[Batch], float]:
    """A function that optimizes by one batch and returns its loss."""
    state.model.to(memory_format=torch.channels_last)

    def step(batch: Batch) -> float:
        state.model.train()
        state.optimizer.zero_grad(set_to_none=True)
        codes = batch.labels[:, 0]
        logits = state.model(batch.images.to(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits, codes, ignore_index=0, reduction="sum")
        loss = loss / (codes != 0).sum().clamp(min=1)
        loss.backward()
        nn.utils.clip_grad_norm_(state.model.parameters(), config.clip_norm)
        state.optimizer.step()
        update_average(state.average, state.model, config.ema_decay)
        state.step += 1
        return float(loss.detach())

    return step


@torch.inference_mode()
def propose(
    model: PixelHead, image: NDArray[np.uint8], categories: tuple[Category, ...]
) -> Segments:
    """Segments of a picture [H, W, 3]."""
    frame = frame_for(model.config, *image.shape[:2])
    coarse = model(to_input(model.config, image, frame))
    logits = F.interpolate(coarse, frame.padded, mode="bilinear", align_corners=False)
    logits = logits[..., : frame.content[0], : frame.content[1]]
    logits = F.interpolate(logits, frame.image, mode="bilinear", align_corners=False)
    ids, category_ids = find_segments(logits[0, 1:].argmax(0).numpy() + 1, categories)
    height, width = (side // frame.stride for side in frame.content)
    coarse[:, 0] = -torch.inf
    chances = coarse[0, :, :height, :width].softmax(0).numpy()
    sureness = measure_sureness(chances, ids, category_ids, categories)
    return Segments(ids, category_ids, sureness)


def find_segments(
    codes: NDArray[np.int64], categories: tuple[Category, ...]
) -> tuple[Ids, dict[int, int]]:
    """Things as connected components, stuff as one segment a category.

    Args:
        codes: [H, W], 0 is void.
    """
    ids = np.zeros(codes.shape, np.uint16)
    category_ids: dict[int, int] = {}
    for code, category in enumerate(categories, start=1):
        here = (codes == code).astype(np.uint8)
        parts = cv2.connectedComponents(here)[1] if category.is_thing else here.astype(np.int32)
        n_parts = int(parts.max(initial=0))
        np.copyto(ids, parts + len(category_ids), where=here > 0, casting="unsafe")
        category_ids |= {len(category_ids) + k: category.id for k in range(1, n_parts + 1)}
    return ids, category_ids


def measure_sureness(
    chances: NDArray[np.float32],
    ids: Ids,
    category_ids: dict[int, int],
    categories: Sequence[Category],
) -> dict[int, float]:
    """The mean probability of each segment's category over its pixels, 0 without any.

    Args:
        chances: [n_codes, h, w] of each code, over the whole picture.
    """
    height, width = ids.shape
    areas = np.bincount(ids.ravel(), minlength=max(category_ids, default=0) + 1)
    found: dict[int, float] = {}
    for code, category in enumerate(categories, start=1):
        here = [i for i, category_id in category_ids.items() if category_id == category.id]
        if here:
            plane = cv2.resize(chances[code], (width, height), interpolation=cv2.INTER_LINEAR)
            sums = np.bincount(ids.ravel(), plane.ravel(), minlength=len(areas))
            found |= {i: float(sums[i] / max(areas[i], 1)) for i in here}
    return found


def keep_sure(segments: Segments, least_area: int, least_sureness: float) -> Segments:
    """The same, but segments that are smaller or less sure become void."""
    areas = np.bincount(segments.ids.ravel(), minlength=max(segments.categories, default=0) + 1)
    kept = {
        i: category
        for i, category in segments.categories.items()
        if areas[i] >= least_area and segments.sureness[i] >= least_sureness
    }
    table = np.zeros(len(areas), np.uint16)
    table[list(kept)] = list(kept)
    return Segments(table[segments.ids], kept, {i: segments.sureness[i] for i in kept})
