"""PanopticFiles: pictures and maps that are read when they are asked for, stills or clips.

Index builders (`training.coco_index`, `training.layouts`, `training.project_index`) make the
entries; nothing here knows a format.
"""

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import AnnotateError, TrainingError
from core.images import read_image
from core.model.config import ModelConfig
from core.panoptic import Category
from training.augment import View
from training.data import PanopticDataset, to_view
from training.labels import Labels
from training.picture_cache import PictureCache


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture and its map, on the disk.

    Attributes:
        read_labels: reads the map; it must be picklable, for worker processes.
        clip: the sequence that the picture is a frame of; empty for a still.
        frame: its number there.
    """

    image: Path
    read_labels: Callable[[], Labels]
    clip: str = ""
    frame: int = 0

    @property
    def name(self) -> str:
        return f"{self.clip}/{self.image.name}" if self.clip else self.image.name


class PanopticFiles(PanopticDataset):
    """A dataset of any size: what is held in memory is one entry a picture.

    Attributes:
        categories: in the order of the semantic codes 1, 2, ...
        bad: what was wrong with pictures that were left out, one sentence each.
        cache: where pictures are kept once they are read; by default none are.
    """

    def __init__(
        self,
        categories: Sequence[Category],
        entries: Sequence[Entry],
        *,
        past_frames: int = 0,
        bad: Sequence[str] = (),
    ) -> None:
        """Only frames that have all their past are sampled.

        Args:
            past_frames: earlier frames of the same clip that go with each picture.
        """
        super().__init__(categories, [], [], [], bad=bad)
        ordered = sorted(entries, key=lambda e: (e.clip, e.frame)) if past_frames else entries
        self._clips = _find_clips(ordered, past_frames)
        self.names = tuple(clip[-1].name for clip in self._clips)
        self.cache = PictureCache(0)

    def __len__(self) -> int:
        return len(self._clips)

    def view(self, index: int, config: ModelConfig) -> View:
        """The whole picture as the network sees it, without its past."""
        return _view(self._clips[index][-1], config, self.cache)

    def clip(self, index: int, config: ModelConfig) -> list[View]:
        """A picture after its past frames, oldest first.

        Raises:
            AnnotateError: a file is missing, damaged, or of another size than its map.
        """
        return [_view(entry, config, self.cache) for entry in self._clips[index]]

    def entries(self) -> list[Entry]:
        """Each picture without its past."""
        return [clip[-1] for clip in self._clips]

    def recoded(self, categories: Sequence[Category]) -> "PanopticFiles":
        """The same pictures with other codes.

        Args:
            categories: in the order of the new codes; all of these pictures are among them.
        """
        code_of = {category.id: code for code, category in enumerate(categories, start=1)}
        table = np.array([0, *(code_of[category.id] for category in self.categories)], np.int32)
        other = copy.copy(self)
        other.categories = tuple(categories)
        other._clips = [  # noqa: SLF001 - of this class
            tuple(
                replace(entry, read_labels=partial(_recode, entry.read_labels, table))
                for entry in clip
            )
            for clip in self._clips
        ]
        return other

    def content_hash(self) -> str:
        """SHA-256 over categories, names and sizes of files, which are not read for it."""
        digest = hashlib.sha256(repr(self.categories).encode())
        for entry in self.entries():
            size = entry.image.stat().st_size if entry.image.exists() else 0
            digest.update(f"{entry.name} {size}\n".encode())
        return digest.hexdigest()


def _recode(read_labels: Callable[[], Labels], table: NDArray[np.int32]) -> Labels:
    labels = read_labels()
    return np.concatenate([table.take(labels[..., :1]), labels[..., 1:]], -1)


def _find_clips(entries: Sequence[Entry], past_frames: int) -> list[tuple[Entry, ...]]:
    """Each entry after the `past_frames` before it, where there are so many in a row."""
    clips = []
    for last in range(past_frames, len(entries)):
        clip = tuple(entries[last - past_frames : last + 1])
        follow = (a.clip == b.clip and a.frame + 1 == b.frame for a, b in pairwise(clip))
        if all(follow):
            clips.append(clip)
    return clips


def hold_in_memory(files: PanopticFiles) -> PanopticDataset:
    """The same pictures, read once; those that cannot be are left out and named."""
    names, images, labels, bad = [], [], [], list(files.bad)
    for entry in files.entries():
        try:
            image, label = _read(entry)
        except AnnotateError as error:
            bad.append(str(error))
            continue
        names.append(entry.name)
        images.append(image)
        labels.append(label)
    return PanopticDataset(files.categories, names, images, labels, bad=bad)


def _read(entry: Entry) -> tuple[NDArray[np.uint8], Labels]:
    """A picture [H, W, 3] and its labels.

    Raises:
        AnnotateError: a file is missing, damaged, or of another size than its map.
    """
    image, labels = read_image(entry.image), entry.read_labels()
    if image.shape[:2] != labels.shape[:2]:
        raise TrainingError(
            f"{entry.image} is {image.shape[1]} x {image.shape[0]}, but its map "
            f"{labels.shape[1]} x {labels.shape[0]}; export the map again."
        )
    return image, labels


def _view(entry: Entry, config: ModelConfig, cache: PictureCache) -> View:
    """The whole picture; black, and not read, for a network that learns from maps alone."""
    if config.conditioning == "none":
        labels = entry.read_labels()
        return View(np.zeros((*labels.shape[:2], 3), np.float32), labels)
    return to_view(*cache.fetch(entry, partial(_read, entry)), config)
