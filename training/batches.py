"""make_batch(): what a step trains on, as a pure function of configuration, data and step.

Sample k of step s is drawn from the seed, s and k alone, and process r of n takes samples
r, r + n, ...: whatever the number of processes, all of them together see the same batch.
"""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from core.model.config import ModelConfig
from training.augment import Augmentation, View, draw_ids
from training.config import TrainConfig
from training.data import Batch, PanopticDataset
from training.photo_views import Size, draw_view, resize_labels, take_view


def make_batch(
    config: TrainConfig, data: PanopticDataset, step: int, rank: int = 0, n_ranks: int = 1
) -> Batch:
    """The part of step's batch that one process computes.

    Raises:
        ValueError: there are fewer samples than processes.
    """
    rng = np.random.default_rng([config.seed, step])
    size, n_samples = choose_views(config, rng)
    if not 0 <= rank < n_ranks <= n_samples:
        raise ValueError(f"process {rank} of {n_ranks} has no part in a batch of {n_samples}")
    if isinstance(config.augmentation, Augmentation):
        # One stream of random numbers runs through the whole batch.
        whole = data.draw_batch(config.model, config.augmentation, size[0], n_samples, rng)
        return Batch(whole.images[rank::n_ranks], whole.labels[rank::n_ranks])
    samples = [
        make_sample(config, data, size, step, k) for k in range(rank, n_samples, n_ranks)
    ]
    images, labels = (np.stack(parts) for parts in zip(*samples, strict=True))
    return Batch(
        torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(labels).permute(0, 3, 1, 2).long(),
    )


def choose_views(config: TrainConfig, rng: np.random.Generator) -> tuple[Size, int]:
    """Size and number of a step's views."""
    if not config.crops:
        return config.model.image_size, config.batch
    shares = np.array([crop.share for crop in config.crops])
    crop = config.crops[int(rng.choice(len(shares), p=shares / shares.sum()))]
    return (crop.size, crop.size), crop.batch


def make_sample(
    config: TrainConfig, data: PanopticDataset, size: Size, step: int, k: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Sample k of a step: image [H, W, 3], and labels [h, w, 2] with their drawn ids."""
    augmentation = config.augmentation
    if isinstance(augmentation, Augmentation):
        raise TypeError("samples that share one stream of random numbers come in batches")
    rng = np.random.default_rng([config.seed, step, k + 1])  # 0 would be the step's own stream
    number = step * config.batches[0] + k
    index = sample_index(config.order, config.seed, number, len(data), rng)
    view = data.view(index, config.model)
    n_segments = count_segments(view)
    view = take_view(view, size, draw_view(augmentation, rng), augmentation.resize)
    labels = resize_labels(view.labels, mask_size(config.model, size))
    n_shuffled = n_segments if config.ids == "shuffle" else None
    ids = draw_ids(labels[..., 1], config.model.n_ids, rng, n_shuffled)
    is_dropped = (labels[..., 1] != 0) & (ids == 0)  # more segments than ids: the rest is void
    codes = np.where(is_dropped, 0, labels[..., 0])
    return view.image, np.stack([codes, ids], -1)


def sample_index(
    order: str, seed: int, number: int, n_pictures: int, rng: np.random.Generator
) -> int:
    """Which picture the number-th sample of a run shows.

    In epochs each picture comes once, in an order that is new for each epoch.
    """
    if order == "draws":
        return int(rng.integers(n_pictures))
    epoch, place = divmod(number, n_pictures)
    return int(_epoch_order(seed, epoch, n_pictures)[place])


@lru_cache(maxsize=4)
def _epoch_order(seed: int, epoch: int, n_pictures: int) -> NDArray[np.intp]:
    return np.random.default_rng([seed, epoch, 0, 1]).permutation(n_pictures)


def mask_size(config: ModelConfig, size: Size) -> Size:
    """Size of the map of a view."""
    return size[0] // config.stride, size[1] // config.stride


def count_segments(view: View) -> int:
    """How many ids the whole picture needs."""
    return int(np.count_nonzero(np.bincount(view.labels[..., 1].ravel())[1:]))
