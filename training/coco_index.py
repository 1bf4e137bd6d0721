"""COCO panoptic data, as entries to be read later."""

from functools import partial
from pathlib import Path

from core.coco import CocoDataset, read_coco
from core.coco_json import CocoImage, CocoJson
from training.files import Entry, PanopticFiles
from training.labels import Crowds, Labels, codes_of, label_map, with_numbers


def index_coco(
    json_path: Path,
    images: Path | None = None,
    *,
    has_stuff_ids: bool,
    crowds: Crowds = "void",
    past_frames: int = 0,
) -> PanopticFiles:
    """The images of a COCO panoptic JSON; those that contradict it are left out and named.

    Args:
        images: folder of the pictures; None is `images` beside the JSON.
        past_frames: for clips, whose frames are named `<sequence>_<number>`.

    Raises:
        CocoError: the JSON cannot be read at all.
    """
    bad: list[str] = []
    dataset = read_coco(json_path, bad=bad)
    folder = images or json_path.parent / "images"
    codes = codes_of(dataset.categories)
    numbered = with_numbers(dataset.categories, has_stuff_ids=has_stuff_ids)
    entries = []
    for image in dataset.images:
        read = partial(_read_labels, dataset.folder, json_path, image, codes, numbered, crowds)
        clip, _, number = Path(image.file_name).stem.rpartition("_")
        is_frame = past_frames > 0 and number.isdecimal()
        place = (clip, int(number)) if is_frame else ("", 0)
        entries.append(Entry(folder / image.file_name, read, *place))
    return PanopticFiles(dataset.categories, entries, past_frames=past_frames, bad=bad)


def _read_labels(
    folder: Path,
    json_path: Path,
    image: CocoImage,
    codes: dict[int, int],
    numbered: frozenset[int],
    crowds: Crowds,
) -> Labels:
    alone = CocoDataset(json_path, folder, CocoJson((), (image,)))
    return label_map(alone.load_map(0), codes, numbered, crowds)
