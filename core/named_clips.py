"""The clips of a project that are worth exporting, each under a name of its own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.store import AnnotationStore, ImageRecord
from core.video import read_rate

IMAGES_FPS: Final = 10.0  # of numbered files, which do not say how fast they were taken


@dataclass(frozen=True, slots=True)
class NamedClip:
    """A clip of which at least one frame has a map that is exported.

    Attributes:
        name: of its video or files; no two clips of a project have the same.
        path: of the video, or the folder of the files.
        frames: all images of the clip, in order.
        exported: ids of those that have a map worth exporting.
    """

    name: str
    path: Path
    frames: tuple[ImageRecord, ...]
    exported: frozenset[int]

    def index_of(self, place: int) -> int:
        """The number of a frame in its video, or its place among the files; from 0."""
        frame = self.frames[place].frame
        return place if frame is None else frame

    @property
    def fps(self) -> float:
        """Frames a second; 10 if that is not known."""
        is_video = self.frames[0].frame is not None
        return (read_rate(self.path) if is_video else 0.0) or IMAGES_FPS


def list_clips(store: AnnotationStore, exported: Sequence[int]) -> list[NamedClip]:
    """Find the clips of the images that an export writes; perhaps there is none."""
    clips, seen, names = list[NamedClip](), set[int](), set[str]()
    for image_id in exported:
        if image_id in seen:
            continue
        image_ids = store.images_like(image_id)
        seen.update(image_ids)
        if len(image_ids) > 1:
            frames = store.image_records(image_ids)
            clips.append(_name_clip(frames, frozenset(exported).intersection(image_ids), names))
    return clips


def _name_clip(
    frames: Sequence[ImageRecord], exported: frozenset[int], names: set[str]
) -> NamedClip:
    path = frames[0].path
    stem = path.stem
    if frames[0].frame is None:
        stem = re.sub(r"[ _.\-]*[0-9]+$", "", stem) or path.parent.name
        path = path.parent
    name, number = stem or "clip", 2
    while name.casefold() in names:
        name, number = f"{stem}_{number}", number + 1
    names.add(name.casefold())
    return NamedClip(name, path, tuple(frames), exported)
