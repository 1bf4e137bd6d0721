"""Truth: images with the maps that a model is rated by, from a COCO JSON or a project."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.coco import read_coco
from core.coco_json import CocoSegment
from core.correction_cost import Pixels, judge_void
from core.errors import TrainingError
from core.panoptic import Category, Segment
from core.store import PROJECT_SUFFIX, AnnotationStore
from training.project_index import Which, list_images
from training.sources import find_images, find_truth

Segments = Iterable[CocoSegment | Segment]


@dataclass(frozen=True, slots=True)
class TruthImage:
    """An image and the way to its true map.

    Attributes:
        load: reads the ids [H, W] of its segments, and what each of them is.
    """

    id: int
    path: Path
    load: Callable[[], tuple[NDArray[np.unsignedinteger], Segments]]


@dataclass(frozen=True, slots=True)
class Truth:
    """What a model is compared with.

    Attributes:
        path: of the JSON or the project.
        bad: what is wrong with images that are left out, one sentence each.
    """

    path: Path
    categories: tuple[Category, ...]
    images: tuple[TruthImage, ...]
    bad: tuple[str, ...] = ()

    def judge(
        self, ids: Pixels, categories: Mapping[int, int]
    ) -> tuple[Pixels, Mapping[int, int]]:
        """A map, true or predicted, as it is compared: with void as a segment, or as void.

        Where no category is stuff, void says that nothing is there, and a segment too many
        counts. With stuff there is a name for the rest, and void is what nobody has named.
        """
        if any(not category.is_thing for category in self.categories):
            return ids, categories
        return judge_void(ids, categories)


def open_truth(path: Path, which: Which = "approved") -> Truth:
    """The truth at a path; maps are read when they are asked for.

    Args:
        path: a COCO panoptic JSON, its folder, or a project, which may be open elsewhere.
        which: images of a project.

    Raises:
        TrainingError: it has no images.
        AnnotateError: it cannot be read.
    """
    truth = _of_project(path, which) if path.suffix == PROJECT_SUFFIX else _of_json(path)
    if not truth.images:
        reason = truth.bad[0] if truth.bad else "choose another file."
        if path.suffix == PROJECT_SUFFIX and which == "approved" and not truth.bad:
            reason = "approve some, or give --project-images edited."
        raise TrainingError(f"{path} has no images to evaluate on: {reason}")
    return truth


def _of_json(path: Path) -> Truth:
    path = find_truth(path)
    dataset, folder = read_coco(path), find_images(path)
    images = (
        TruthImage(image.id, folder / image.file_name, partial(dataset.load, index))
        for index, image in enumerate(dataset.images)
    )
    return Truth(path, dataset.categories, tuple(images))


def _of_project(path: Path, which: Which) -> Truth:
    categories, records, bad = list_images(path, which)
    images = (
        TruthImage(record.id, record.path, partial(_load, path, record.id))
        for record in records
    )
    return Truth(path, categories, tuple(images), bad)


def _load(path: Path, image_id: int) -> tuple[NDArray[np.uint16], Segments]:
    with AnnotationStore.open(path, is_read_only=True) as store:
        panoptic_map = store.load_map(image_id)
    return panoptic_map.segment_ids, panoptic_map.segments.values()
