"""make_batch(): what a step trains on, as a pure function of configuration, data and step.

Sample k of step s is drawn from the seed, s and k alone, and process r of n takes samples
r, r + n, ...: whatever the number of processes, all of them together see the same batch.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import AnnotateError, TrainingError
from core.model.config import ModelConfig
from training.augment import Augmentation, View, draw_labels
from training.clip_generator import random_clip
from training.config import TrainConfig
from training.copy_paste import paste_things
from training.data import Batch, PanopticDataset
from training.map_faults import add_faults
from training.photo_views import PhotoAugmentation, Size, draw_view, resize_labels, take_view


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
    if isinstance(config.augmentation, Augmentation) and not config.motion.is_on:
        # One stream of random numbers runs through the whole batch.
        whole = data.draw_batch(config.model, config.augmentation, size[0], n_samples, rng)
        return Batch(whole.images[rank::n_ranks], whole.labels[rank::n_ranks])
    parts = [make_sample(config, data, size, step, k) for k in range(rank, n_samples, n_ranks)]
    images = torch.from_numpy(np.stack([part.image for part in parts]))
    labels = torch.from_numpy(np.stack([part.labels for part in parts])).long()
    return Batch(
        images.permute(0, 3, 1, 2).contiguous(),
        labels[:, -1],
        labels[:, :-1] if config.model.past_frames else None,
        tuple(sentence for part in parts for sentence in part.skipped),
    )


def choose_views(config: TrainConfig, rng: np.random.Generator) -> tuple[Size, int]:
    """Size and number of a step's views."""
    if not config.crops:
        return config.model.image_size, config.batch
    shares = np.array([crop.share for crop in config.crops])
    crop = config.crops[int(rng.choice(len(shares), p=shares / shares.sum()))]
    return (crop.size, crop.size), crop.batch


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One view of a batch.

    Attributes:
        image: [H, W, 3], of the last frame.
        labels: [P + 1, 2, h, w], code and drawn id, of the past frames and of the last.
        skipped: what was wrong with pictures that came before this one.
    """

    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    skipped: tuple[str, ...]


def make_sample(
    config: TrainConfig, data: PanopticDataset, size: Size, step: int, k: int
) -> Sample:
    """Sample k of a step; all frames of a clip have the same geometry and the same ids.

    Raises:
        TrainingError: no picture can be read.
    """
    rng = np.random.default_rng([config.seed, step, k + 1])  # 0 would be the step's own stream
    number = step * config.batches[0] + k
    index = sample_index(config.order, config.seed, number, len(data), rng)
    clip, skipped = read_clip(config, data, index)
    if config.motion.is_on:
        clip = set_in_motion(config, data, clip[-1], size, rng)
    views, also_skipped = clip, tuple[str, ...]()
    if isinstance(config.augmentation, PhotoAugmentation):
        views, also_skipped = take_views(config, config.augmentation, data, clip, size, rng)
    skipped += also_skipped
    grid = mask_size(config.model, size)
    labels = np.stack([resize_labels(view.labels, grid) for view in views])
    n_shuffled = count_segments(clip) if config.ids == "shuffle" else None
    labels = draw_labels(labels, config.model, rng, n_shuffled).transpose(0, 3, 1, 2)
    for past in labels[:-1]:
        if config.faults.share and rng.random() < config.faults.share:
            past[:] = add_faults(past, config.model.n_ids, config.faults, rng)
    labels[:-1][rng.random(len(labels) - 1) < config.past_dropout] = 0
    return Sample(views[-1].image, labels, skipped)


def set_in_motion(
    config: TrainConfig,
    data: PanopticDataset,
    still: View,
    size: Size,
    rng: np.random.Generator,
) -> list[View]:
    """A clip made of a still; a view of it already, where the still has no up."""
    augmentation = config.augmentation
    is_view = isinstance(augmentation, Augmentation)
    return random_clip(
        still,
        things_of(data),
        config.model.past_frames + 1,
        config.motion,
        rng,
        size=size[0] if is_view else None,
        augmentation=augmentation if isinstance(augmentation, Augmentation) else None,
    )


def take_views(
    config: TrainConfig,
    augmentation: PhotoAugmentation,
    data: PanopticDataset,
    clip: list[View],
    size: Size,
    rng: np.random.Generator,
) -> tuple[list[View], tuple[str, ...]]:
    """Views of a clip's photographs, all alike, and what was wrong with others on the way."""
    draws = draw_view(augmentation, rng)
    views = [take_view(view, size, draws, augmentation.resize) for view in clip]
    if not config.pasting.share or rng.random() >= config.pasting.share:
        return views, ()
    other, skipped = read_clip(config, data, int(rng.integers(len(data))))
    above = take_view(other[-1], size, draw_view(augmentation, rng), augmentation.resize)
    pasted = paste_things(views[-1], above, things_of(data), config.pasting.things, rng)
    return [pasted], skipped


def things_of(data: PanopticDataset) -> NDArray[np.bool_]:
    """Whether each semantic code is of a thing."""
    return np.array([False, *(category.is_thing for category in data.categories)])


def read_clip(
    config: TrainConfig, data: PanopticDataset, index: int
) -> tuple[list[View], tuple[str, ...]]:
    """A clip, or the next one that can be read, and what was wrong with those before it.

    Raises:
        TrainingError: there are more bad ones in a row than a run may have, or no others.
    """
    skipped: list[str] = []
    for offset in range(min(len(data), config.max_bad_samples + 1)):
        try:
            return data.clip((index + offset) % len(data), config.model), tuple(skipped)
        except AnnotateError as error:
            skipped.append(str(error))
    raise TrainingError(
        f"{len(skipped)} pictures in a row cannot be used, the last because: {skipped[-1]} "
        f"Repair the data, or raise --max-bad-samples (now {config.max_bad_samples})."
    )


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


def count_segments(clip: list[View]) -> int:
    """How many ids the whole clip needs."""
    numbers = [np.unique(view.labels[..., 1]) for view in clip]
    return int(np.count_nonzero(np.unique(np.concatenate(numbers))))
