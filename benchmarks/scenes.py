"""Images and maps made up for measuring: full of segments, the same at every run."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.tasks import LARGE, LARGE_SEGMENTS, MEDIUM, MEDIUM_SEGMENTS, SceneFiles
from core.bundled import SAMPLES
from core.images import Rgb, read_image
from core.panoptic import VOID, Category, Edit, Ids, Segment
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(229, 134, 6))
N_CORNERS = 40
MAX_EXACT = 4096  # pixels a side; larger maps are drawn at a quarter and stretched


def make_image(side: int) -> Rgb:
    """uint8 [side, side, 3] RGB: a sample image, repeated."""
    tile = read_image(SAMPLES / "fluorescence_crowded.jpg")
    repeats = -(-side // min(tile.shape[:2]))
    return np.ascontiguousarray(np.tile(tile, (repeats, repeats, 1))[:side, :side])


def make_segments(side: int, n_segments: int) -> Ids:
    """uint16 [side, side] without void: each pixel joins the nearest of some seeds."""
    if side > MAX_EXACT:
        coarse = make_segments(side // 4, n_segments)
        return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_NEAREST))
    places = np.random.default_rng(0).integers(0, side, (n_segments, 2))
    is_far = np.ones((side, side), np.uint8)
    is_far[places[:, 0], places[:, 1]] = 0
    _, nearest = cv2.distanceTransformWithLabels(
        is_far, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    return nearest.astype(np.uint16)


def make_cells(side: int, n_segments: int) -> Ids:
    """uint16 [side, side]: discs that do not touch, around which all is void."""
    ids = np.zeros((side, side), np.uint16)
    per_row = int(np.ceil(np.sqrt(n_segments)))
    pitch = side // per_row
    random = np.random.default_rng(0)
    for number in range(n_segments):
        row, column = divmod(number, per_row)
        radius = int(random.integers(pitch // 5, pitch // 3))
        centre = (column * pitch + pitch // 2, row * pitch + pitch // 2)
        cv2.circle(ids, centre, radius, number + 1, cv2.FILLED)
    return ids


def fill_edit(ids: Ids) -> Edit:
    """The edit that makes an empty map this one."""
    named = (int(i) for i in np.unique(ids) if i != VOID)
    segments = {i: Segment(i, CELL.id) for i in named}
    return Edit(0, 0, np.zeros_like(ids), ids, {}, segments, "fill")


def write_files(folder: Path) -> SceneFiles:
    """Write the images and maps that every program opens."""
    files = SceneFiles(folder)
    segments = make_segments(LARGE, LARGE_SEGMENTS)
    np.save(files.segments, segments)
    np.save(files.cells, make_cells(LARGE, LARGE_SEGMENTS))
    write_image(files.large, make_image(LARGE))
    write_polygons(files.large, segments)
    medium = make_segments(MEDIUM, MEDIUM_SEGMENTS)
    for path, map_path in zip(files.medium, files.medium_maps, strict=True):
        write_image(path, make_image(MEDIUM))
        cv2.imwrite(str(map_path), medium)
        write_polygons(path, medium)
    return files


def write_image(path: Path, image: Rgb) -> None:
    """Write an RGB image in the format that its name asks for."""
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def write_polygons(image: Path, ids: Ids) -> None:
    """Write a map beside its image as labelme would: a polygon for each segment."""
    height, width = ids.shape
    shapes = [_shape(ids == segment_id) for segment_id in np.unique(ids) if segment_id != VOID]
    content = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": image.name,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }
    image.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")


def _shape(where: NDArray[np.bool_]) -> dict[str, Any]:
    """One segment as a polygon of `N_CORNERS` corners, evenly along its border."""
    borders, _ = cv2.findContours(
        where.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    border = max(borders, key=len)[:, 0]
    corners = border[np.linspace(0, len(border), N_CORNERS, endpoint=False).astype(int)]
    return {
        "label": CELL.name,
        "points": corners.astype(float).tolist(),
        "group_id": None,
        "description": "",
        "shape_type": "polygon",
        "flags": {},
        "mask": None,
    }


def make_project(files: SceneFiles) -> AnnotationStore:
    """A project of these images: the large one thrice, with its two maps and without any."""
    store = AnnotationStore.create(files.folder / "benchmark.bitbrush", [CELL])
    segments, cells = np.load(files.segments), np.load(files.cells)
    for path, ids in (
        (files.large, segments),
        (files.large.with_name("cells.jpg"), cells),
        (files.large.with_name("empty.jpg"), None),
        *((path, make_segments(MEDIUM, MEDIUM_SEGMENTS)) for path in files.medium),
    ):
        if not path.exists():
            path.write_bytes(files.large.read_bytes())
        add_image(store, path, MEDIUM if path in files.medium else LARGE, ids)
    return store


def add_image(store: AnnotationStore, path: Path, side: int, ids: Ids | None) -> int:
    """Add a square image with its map to a project; returns its id."""
    (image_id,) = store.add_images([(path, None, side, side)])
    if ids is not None:
        store.append_edit(image_id, fill_edit(ids))
    return image_id
