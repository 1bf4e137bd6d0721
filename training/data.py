"""PanopticDataset: pictures and their labels in memory, and batches of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.model.config import ModelConfig
from core.model.prepare import contrast_table, look_up, stretch_contrast
from core.panoptic import Category
from training.augment import Augmentation, View, draw_labels, random_view, shrink_labels


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One step's input.

    Attributes:
        images: [B, 3, H, W] float32 in [0, 1].
        labels: [B, 2, h, w] int64, category code and drawn id, at the size of the map; perhaps
            a third channel, 1 where a person made the pixel.
        past: [B, P, 2, h, w] int64, the same of earlier frames, oldest first; None for stills.
        skipped: what was wrong with pictures that others stand in for, one sentence each.
    """

    images: Tensor
    labels: Tensor
    past: Tensor | None = None
    skipped: tuple[str, ...] = ()

    def pin_memory(self) -> "Batch":
        """The same in memory that a GPU can copy from while the processor goes on."""
        past = None if self.past is None else self.past.pin_memory()
        return replace(
            self, images=self.images.pin_memory(), labels=self.labels.pin_memory(), past=past
        )


class PanopticDataset:
    """Pictures with their panoptic ground truth, held in memory.

    Attributes:
        categories: in the order of the semantic codes 1, 2, ...
        names: file name of each picture.
        bad: what was wrong with pictures that were left out, one sentence each.
    """

    def __init__(
        self,
        categories: Sequence[Category],
        names: Sequence[str],
        images: Sequence[NDArray[np.uint8]],
        labels: Sequence[NDArray[np.int32]],
        *,
        bad: Sequence[str] = (),
    ) -> None:
        self.categories, self.names = tuple(categories), tuple(names)
        self.bad = tuple(bad)
        self._images, self._labels = list(images), list(labels)
        self._tables: dict[int, NDArray[np.float32]] = {}  # contrast of pictures drawn before

    def __len__(self) -> int:
        return len(self._images)

    def view(self, index: int, config: ModelConfig) -> View:
        """The whole picture as the network sees it, segments numbered 1, 2, ..."""
        image, labels = self._images[index], self._labels[index]
        if not config.is_stretched:
            return to_view(image, labels, config)
        if index not in self._tables:
            self._tables[index] = contrast_table(image)
        return View(look_up(self._tables[index], image), labels)

    def clip(self, index: int, config: ModelConfig) -> list[View]:
        """A picture after its past frames, oldest first; here there are none."""
        return [self.view(index, config)]

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
            labels.append(draw_labels(coarse[np.newaxis], config, rng)[0])
        images_now, labels_now = (
            torch.from_numpy(np.stack(part)).permute(0, 3, 1, 2).contiguous()
            for part in (images, labels)
        )
        return Batch(images_now, labels_now.long())


def to_view(image: NDArray[np.uint8], labels: NDArray[np.int32], config: ModelConfig) -> View:
    """A whole picture as the network sees it."""
    return View(stretch_contrast(image) if config.is_stretched else image, labels)
