"""open_data(): whatever a person names, as a dataset: a folder, a JSON or a project."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.errors import TrainingError
from core.panoptic import Category
from core.store import PROJECT_SUFFIX
from training.augment import Augmentation
from training.coco_index import index_coco
from training.config import TrainConfig
from training.data import PanopticDataset
from training.files import PanopticFiles, hold_in_memory
from training.layouts import index_cityscapes, index_davis, index_kitti_step
from training.picture_cache import CACHE_BYTES, PictureCache
from training.project_index import index_project

DAVIS_TRAINING: Final = Path("ImageSets/2017/train.txt")
Order = Callable[[Sequence[Category]], Sequence[Category]]
COCO_JSONS: Final = (
    "panoptic_{split}*.json",
    "panoptic*.json",
    "annotations/panoptic_{split}*.json",
)


def open_data(path: Path, config: TrainConfig, order: Order | None = None) -> PanopticDataset:
    """The training data at a path, in the form that a run needs.

    Photographs and clips are read when they are asked for, and kept while there is room.
    Pictures that have no up are held in memory, as each is drawn many times.

    Args:
        path: a COCO panoptic JSON or a folder with one; a folder of Cityscapes, DAVIS or
            KITTI-STEP as it is published; a project.
        order: makes of the data's categories those of the codes 1, 2, ...; None keeps them.

    Raises:
        TrainingError: it is none of these, or has no pictures.
        AnnotateError: it cannot be read.
    """
    files = _index(path, config)
    _refuse_nothing(path, config, files)
    if order is not None:
        files = files.recoded(order(files.categories))
    if isinstance(config.augmentation, Augmentation):
        data = hold_in_memory(files)
        if len(data) == 0:
            raise TrainingError(f"{path} has no pictures that can be used: {data.bad[0]}")
        return data
    files.cache = PictureCache(CACHE_BYTES // max(config.workers, 1))  # each has its own
    return files


def fit_codes(config: TrainConfig, data: PanopticDataset) -> TrainConfig:
    """The same run, with as many semantic codes as the data has categories.

    Bits are added where they cannot hold so many, and none are taken away.

    Raises:
        TrainingError: the network's head cannot have so many.
    """
    model, n_codes = config.model, len(data.categories) + 1
    if n_codes == model.n_codes:
        return config
    bits = max(model.semantic_bits, (n_codes - 1).bit_length())
    groups = model.softmax_groups
    if groups[:1] == (model.semantic_bits,):
        groups = (bits, *groups[1:])
    try:
        model = replace(model, n_codes=n_codes, semantic_bits=bits, softmax_groups=groups)
    except ValueError as error:
        raise TrainingError(
            f"The network has no room for the {n_codes - 1} categories of the data: {error}."
        ) from error
    return replace(config, model=model)


def _index(path: Path, config: TrainConfig) -> PanopticFiles:
    past = 0 if config.motion.is_on else config.model.past_frames
    has_stuff_ids = config.model.has_stuff_ids
    if path.suffix == PROJECT_SUFFIX:
        _refuse_clips(path, past)
        return index_project(
            path,
            has_stuff_ids=has_stuff_ids,
            crowds=config.crowds,
            which=config.project_images,
            is_marked=config.human_weight != 1,
        )
    if (path / "leftImg8bit").is_dir():
        _refuse_clips(path, past)
        return index_cityscapes(path)
    if (path / "JPEGImages").is_dir():
        names = path / DAVIS_TRAINING
        return index_davis(path, names if names.exists() else None, past_frames=past)
    if (path / "panoptic_maps").is_dir():
        return index_kitti_step(path, past_frames=past)
    json_path = _find_json(path)
    return index_coco(
        json_path,
        find_images(json_path),
        has_stuff_ids=has_stuff_ids,
        crowds=config.crowds,
        past_frames=past,
    )


def _refuse_nothing(path: Path, config: TrainConfig, files: PanopticFiles) -> None:
    if len(files):
        return
    if files.bad:
        raise TrainingError(f"{path} has no pictures that can be used: {files.bad[0]}")
    if path.suffix == PROJECT_SUFFIX and config.project_images == "approved":
        raise TrainingError(
            f"{path} has no approved images to train on; approve some, or give "
            "--project-images edited."
        )
    raise TrainingError(f"{path} has no pictures to train on; choose other data.")


def _refuse_clips(path: Path, past_frames: int) -> None:
    if past_frames:
        raise TrainingError(
            f"{path} holds single pictures, but the network looks at {past_frames} frames "
            "before each; choose a folder of videos, or give --model.past-frames 0."
        )


def _find_json(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = find_coco(path, "train")
    if found is None:
        raise TrainingError(
            f"{path} is no training data; give a COCO panoptic JSON, a project "
            f"({PROJECT_SUFFIX}), or the folder of COCO, Cityscapes, DAVIS or KITTI-STEP."
        )
    return found


def find_truth(path: Path) -> Path:
    """The COCO panoptic JSON to evaluate on, by its own path or its folder's.

    Raises:
        TrainingError: the folder has none, or several.
    """
    found = find_coco(path, "val") if path.is_dir() else path
    if found is None:
        raise TrainingError(
            f"{path} has no COCO panoptic JSON to evaluate on; give the path of one."
        )
    return found


def find_coco(folder: Path, split: str) -> Path | None:
    """The COCO panoptic JSON of a split in a folder, or in its `annotations`.

    Raises:
        TrainingError: there are several.
    """
    for pattern in COCO_JSONS:
        found = sorted(folder.glob(pattern.format(split=split)))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(p.name for p in found)
            raise TrainingError(f"{folder} has {names}; give the path of one of them.")
    return None


def find_images(json_path: Path) -> Path:
    """`images` beside a COCO JSON, or `train2017` beside `annotations`, as COCO has it."""
    published = json_path.parent.parent / json_path.stem.removeprefix("panoptic_")
    beside = json_path.parent / "images"
    return published if published.is_dir() and not beside.is_dir() else beside
