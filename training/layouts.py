"""Folders of Cityscapes, DAVIS 2017 and KITTI-STEP, as entries to be read later.

Cityscapes and KITTI-STEP count the 19 evaluated categories from 0 and call void 255; codes are
these plus one, and 0. In DAVIS every object is of one kind, so that the codes are all 0.

Source: cityscapesscripts; davischallenge.org; Weber et al. 2021, arXiv:2102.11859.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from core.errors import ImageError, TrainingError
from core.images import read_image
from core.palette import default_color
from core.panoptic import Category
from training.files import Entry, PanopticFiles
from training.labels import Labels

STUFF: Final = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light"),
    *("traffic sign", "vegetation", "terrain", "sky"),
)
THINGS: Final = (*("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),)
CITYSCAPES_IDS: Final = (
    7,
    8,
    11,
    12,
    13,
    17,
    19,
    20,
    21,
    22,
    23,
    24,
    25,
    26,
    27,
    28,
    31,
    32,
    33,
)
KITTI_THINGS: Final = ("person", "car")
VOID: Final = 255
DIVISOR: Final = 1000


def street_categories(things: tuple[str, ...] = THINGS) -> tuple[Category, ...]:
    """The 19 evaluated categories of Cityscapes, in order, with ids 1..19."""
    names = enumerate((*STUFF, *THINGS), start=1)
    return tuple(Category(i, name, name in things, default_color(i)) for i, name in names)


def index_cityscapes(root: Path, split: str = "train") -> PanopticFiles:
    """`leftImg8bit/SPLIT/CITY/*_leftImg8bit.png` with `gtFine/.../*_gtFine_instanceIds.png`.

    Every segment has an id, stuff too.

    Raises:
        TrainingError: there are no pictures there.
    """
    folder, maps = root / "leftImg8bit" / split, root / "gtFine" / split
    entries = []
    for image in _files(folder, "*/*_leftImg8bit.png"):
        stem = image.name.removesuffix("_leftImg8bit.png")
        path = maps / image.parent.name / f"{stem}_gtFine_instanceIds.png"
        entries.append(Entry(image, partial(_read_map, path, cityscapes_labels)))
    return PanopticFiles(street_categories(), entries)


def index_davis(
    root: Path, names: Path | None = None, *, past_frames: int = 2
) -> PanopticFiles:
    """`JPEGImages/480p/VIDEO/*.jpg` with `Annotations_unsupervised/480p/VIDEO/*.png`.

    Args:
        names: a text file of the videos to take, one a line; None is all.

    Raises:
        TrainingError: there are no pictures there, or `names` cannot be read.
    """
    folder, maps = root / "JPEGImages" / "480p", root / "Annotations_unsupervised" / "480p"
    wanted = None if names is None else _read_names(names)
    entries = [
        Entry(image, read, image.parent.name, int(image.stem))
        for image in _files(folder, "*/*.jpg")
        if wanted is None or image.parent.name in wanted
        for read in [
            partial(_read_map, maps / image.parent.name / f"{image.stem}.png", davis_labels)
        ]
    ]
    return PanopticFiles((), entries, past_frames=past_frames)


def index_kitti_step(
    root: Path, split: str = "train", *, past_frames: int = 2
) -> PanopticFiles:
    """`panoptic_maps/SPLIT/SEQUENCE/*.png` with pictures of the same name; things have ids.

    Pictures lie in `images/SPLIT/SEQUENCE`, where the authors' tools want them, or where the
    archive of KITTI has them, in `training/image_02/SEQUENCE`.

    Raises:
        TrainingError: there are no maps there.
    """
    wanted, as_downloaded = root / "images" / split, root / "training" / "image_02"
    images = wanted if wanted.is_dir() else as_downloaded
    entries = []
    for path in _files(root / "panoptic_maps" / split, "*/*.png"):
        image = images / path.parent.name / path.name
        read = partial(_read_map, path, kitti_labels)
        entries.append(Entry(image, read, path.parent.name, int(path.stem)))
    return PanopticFiles(street_categories(KITTI_THINGS), entries, past_frames=past_frames)


def cityscapes_labels(values: NDArray[np.int32]) -> Labels:
    """Labels of instanceIds [H, W]: a category's own number, or 1000 times it plus a number."""
    kinds = np.where(values >= DIVISOR, values // DIVISOR, values)
    table = np.zeros(max(256, int(kinds.max()) + 1), np.int32)
    table[list(CITYSCAPES_IDS)] = np.arange(1, len(CITYSCAPES_IDS) + 1)
    return _with_numbers(table[kinds], values)


def kitti_labels(rgb: NDArray[np.uint8]) -> Labels:
    """Labels of panoptic maps [H, W, 3]: R is the category, 256 G + B the number of a thing."""
    kinds = rgb[..., 0].astype(np.int32)
    numbers = rgb[..., 1].astype(np.int32) * 256 + rgb[..., 2]
    return kitti_codes(kinds, numbers)


def kitti_codes(kinds: NDArray[np.int32], numbers: NDArray[np.int32]) -> Labels:
    """Labels of categories and numbers; both are kept as they are, but void is code 0."""
    return np.stack([np.where(kinds == VOID, 0, kinds + 1), numbers], -1).astype(np.int32)


def davis_labels(values: NDArray[np.int32]) -> Labels:
    """Labels of object numbers [H, W]; 255, which one video has, follows the largest other."""
    others = values[values != VOID]
    largest = int(others.max()) if others.size else 0
    numbers = np.where(values == VOID, largest + 1, values)
    return np.stack([np.zeros_like(numbers), numbers], -1).astype(np.int32)


def _with_numbers(codes: NDArray[np.int32], values: NDArray[np.int32]) -> Labels:
    """Each distinct value is a segment, numbered from 1; void has none."""
    _, numbers = np.unique(values, return_inverse=True)
    numbers = numbers.reshape(values.shape) + 1
    return np.stack([codes, np.where(codes == 0, 0, numbers)], -1).astype(np.int32)


def _read_map(path: Path, decode: Callable[..., Labels]) -> Labels:
    """A map as its file stores it: RGB where it has colours, else its indices or values.

    Raises:
        ImageError: the file is missing or damaged.
    """
    if decode is kitti_labels:
        return decode(read_image(path))
    try:
        with Image.open(path, formats=("PNG",)) as image:  # indices, which OpenCV paints over
            return decode(np.array(image).astype(np.int32))
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise ImageError(f"The map {path} cannot be read ({error}); copy it again.") from error


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise TrainingError(f"{folder} has no {pattern}; choose the folder of the data set.")
    return iter(found)


def _read_names(path: Path) -> set[str]:
    try:
        return set(path.read_text().split())
    except OSError as error:
        raise TrainingError(f"{path} cannot be read ({error.strerror}).") from error
