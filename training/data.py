"""PanopticDataset: pictures and labels of a COCO panoptic folder, and batches of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.coco import read_coco
from core.images import read_image
from core.model.config import ModelConfig
from core.model.prepare import stretch_contrast
from core.panoptic import Category
from training.augment import Augmentation, View, draw_ids, random_view, shrink_labels


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One step's input.

    Attributes:
        images: [B, 3, H, W] float32 in [0, 1].
        labels: [B, 2, h, w] int64, category code and drawn id, at the size of the map.
        past: [B, P, 2, h, w] int64, the same of earlier frames, oldest first; None for stills.
        skipped: what was wrong with pictures that others stand in for, one sentence each.
    """

    images: Tensor
    labels: Tensor
    past: Tensor | None = None
    skipped: tuple[str, ...] = ()


class PanopticDataset:
    """Pictures with their panoptic ground truth, held in memory.

    Attributes:
        categories: in the order of the semantic codes 1, 2, ...
        names: file name of each picture.
    """

    def __init__(
        self,
        categories: Sequence[Category],
        names: Sequence[str],
        images: Sequence[NDArray[np.uint8]],
        labels: Sequence[NDArray[np.int32]],
    ) -> None:
        self.categories, self.names = tuple(categories), tuple(names)
        self._images, self._labels = list(images), list(labels)

    def __len__(self) -> int:
        return len(self._images)

    def view(self, index: int, config: ModelConfig) -> View:
        """The whole picture as the network sees it, segments numbered 1, 2, ..."""
        image = self._images[index]
        scaled = (
            stretch_contrast(image)
            if config.is_stretched
            else image.astype(np.float32) / np.float32(255)
        )
        return View(scaled, self._labels[index])

    def content_hash(self) -> str:
        """SHA-256 over pictures, labels and categories: which data a model has seen."""
        digest = hashlib.sha256(repr(self.categories).encode())
        for image, labels in zip(self._images, self._labels, strict=True):
            digest.update(image.tobytes())
            digest.update(labels.tobytes())
        return digest.hexdigest()

    def draw_batch(
        self,
        config: ModelConfig,
        augmentation: Augmentation,
        size: int,
        batch: int,
        rng: np.random.Generator,
    ) -> Batch:
        """Random views of random pictures, ids drawn anew.

        Args:
            size: side of the views in image pixels.
        """
        images, labels = [], []
        for index in rng.integers(len(self), size=batch):
            view = random_view(self.view(int(index), config), size, augmentation, rng)
            images.append(view.image)
            coarse = shrink_labels(view.labels, config.stride)
            ids = draw_ids(coarse[..., 1], config.n_ids, rng)
            labels.append(np.stack([coarse[..., 0], ids]))
        return Batch(
            torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(),
            torch.from_numpy(np.stack(labels)).long(),
        )


def read_coco_folder(json_path: Path, *, has_stuff_ids: bool) -> PanopticDataset:
    """All pictures and maps of a COCO panoptic JSON; pictures lie in `images` beside it.

    Crowds become void, as in the authors' recipe.

    Args:
        has_stuff_ids: whether stuff segments get numbers of their own, or 0.

    Raises:
        CocoError: the JSON or a PNG cannot be used; ImageError: a picture cannot be read.
    """
    dataset = read_coco(json_path)
    code_of = {category.id: code for code, category in enumerate(dataset.categories, start=1)}
    with_ids = {c.id for c in dataset.categories if c.is_thing or has_stuff_ids}
    images, labels = [], []
    for index, entry in enumerate(dataset.images):
        images.append(read_image(json_path.parent / "images" / entry.file_name))
        panoptic_map = dataset.load_map(index)
        codes = np.zeros(panoptic_map.next_id, np.int32)
        numbers = np.zeros(panoptic_map.next_id, np.int32)
        for segment in panoptic_map.segments.values():
            if not segment.is_crowd:
                codes[segment.id] = code_of[segment.category_id]
                numbers[segment.id] = segment.id if segment.category_id in with_ids else 0
        ids = panoptic_map.segment_ids
        labels.append(np.stack([codes[ids], numbers[ids]], -1))
    names = [entry.file_name for entry in dataset.images]
    return PanopticDataset(dataset.categories, names, images, labels)
