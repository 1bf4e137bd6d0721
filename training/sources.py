"""open_data(): whatever a person names, as a dataset: a folder or a JSON."""

from pathlib import Path
from typing import Final

from core.errors import TrainingError
from training.augment import Augmentation
from training.coco_index import index_coco
from training.config import TrainConfig
from training.data import PanopticDataset
from training.files import PanopticFiles, hold_in_memory

COCO_JSONS: Final = (
    "panoptic_train*.json",
    "panoptic*.json",
    "annotations/panoptic_train*.json",
)


def open_data(path: Path, config: TrainConfig) -> PanopticDataset:
    """The training data at a path, in the form that a run needs.

    Photographs and clips are read when they are asked for. Pictures that have no up are held in
    memory, as each is drawn many times.

    Args:
        path: a COCO panoptic JSON or a folder with one.

    Raises:
        TrainingError: it is none of these, or has no pictures.
        AnnotateError: it cannot be read.
    """
    files = _index(path, config)
    _refuse_nothing(path, files)
    return hold_in_memory(files) if isinstance(config.augmentation, Augmentation) else files


def _index(path: Path, config: TrainConfig) -> PanopticFiles:
    past, has_stuff_ids = config.model.past_frames, config.model.has_stuff_ids
    json_path = _find_json(path)
    return index_coco(
        json_path,
        _find_images(json_path),
        has_stuff_ids=has_stuff_ids,
        crowds=config.crowds,
        past_frames=past,
    )


def _refuse_nothing(path: Path, files: PanopticFiles) -> None:
    if len(files):
        return
    if files.bad:
        raise TrainingError(f"{path} has no pictures that can be used: {files.bad[0]}")
    raise TrainingError(f"{path} has no pictures to train on; choose other data.")


def _find_json(path: Path) -> Path:
    if not path.is_dir():
        return path
    for pattern in COCO_JSONS:
        found = sorted(path.glob(pattern))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(p.name for p in found)
            raise TrainingError(f"{path} has {names}; give the path of one of them.")
    raise TrainingError(
        f"{path} is no training data; give a COCO panoptic JSON or the folder of COCO."
    )


def _find_images(json_path: Path) -> Path:
    """`images` beside a COCO JSON, or `train2017` beside `annotations`, as COCO has it."""
    published = json_path.parent.parent / json_path.stem.removeprefix("panoptic_")
    beside = json_path.parent / "images"
    return published if published.is_dir() and not beside.is_dir() else beside
