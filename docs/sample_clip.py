"""A clip for pictures of the timeline: a window that moves over a sample of nuclei."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image

from core.authors import Author, AuthorKind
from core.borders import grow
from core.images import Rgb
from core.panoptic import Category, Edit, Ids, PanopticMap, Segment
from core.store import AnnotationStore, Review
from core.whole_maps import import_map

N_FRAMES: Final = 72
SIZE: Final = (340, 480)  # height, width
MIN_AREA: Final = 300
PROPAGATED: Final = Author(AuthorKind.PROPAGATED, "starter", 0, 8)
N_APPROVED: Final = 14
IN_WORK: Final = (20, 31, 44, 52)
REJECTED: Final = 60
N_DONE: Final = 66


def make_clip(store: AnnotationStore, sample: Path, nucleus: Category) -> None:
    """Add a folder of numbered files beside the project, most with a map."""
    image = np.asarray(Image.open(sample).convert("RGB"))
    ids = _find_nuclei(image)
    folder = store.path.parent / "nuclei"
    folder.mkdir()
    paths = [folder / f"frame_{number:03}.png" for number in range(N_FRAMES)]
    places = list(_places(image))
    for path, (rows, columns) in zip(paths, places, strict=True):
        Image.fromarray(image[rows, columns]).save(path)
    image_ids = store.add_images((path, None, *SIZE) for path in paths)
    rng = np.random.default_rng(0)
    for number, image_id in enumerate(image_ids[:N_DONE]):
        shown = ids[places[number]].copy()
        segments = {int(i): Segment(int(i), nucleus.id) for i in np.unique(shown[shown > 0])}
        edit = import_map(store.load_map(image_id), PanopticMap(shown, segments), ())
        store.append_edit(image_id, edit, PROPAGATED)
        store.set_expected_work(image_id, float(rng.random()))
        if number < N_APPROVED:
            store.set_review(image_id, Review.APPROVED)
        elif number in IN_WORK:
            store.append_edit(image_id, _touch(store.load_map(image_id)))
        elif number == REJECTED:
            store.set_review(image_id, Review.REJECTED, "out of focus")


def _find_nuclei(image: Rgb) -> Ids:
    """A number for each bright spot that is large enough."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    _, bright = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(bright)
    is_large = stats[:, cv2.CC_STAT_AREA] >= MIN_AREA
    is_large[0] = False
    return np.where(is_large, np.cumsum(is_large), 0).astype(np.uint16)[parts]


def _places(image: Rgb) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the window in each frame: to the right and back again."""
    height, width = image.shape[:2]
    for turn in np.linspace(0, 2 * np.pi, N_FRAMES):
        top = round((height - SIZE[0]) * (0.5 - 0.5 * np.sin(2 * turn)))
        left = round((width - SIZE[1]) * (0.5 - 0.5 * np.cos(turn)))
        yield slice(top, top + SIZE[0]), slice(left, left + SIZE[1])


def _touch(map: PanopticMap) -> Edit:
    """A person's edit that moves the border of a nucleus."""
    return grow(map, min(map.segments), 2)
