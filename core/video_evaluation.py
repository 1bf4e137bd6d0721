"""evaluate_clips(): J&F and STQ of COCO panoptic files whose images are frames of clips.

Frames belong together by `video_id` and are ordered by `frame_index`; where a JSON has neither,
by their names, `<sequence>_<number>`. A segment keeps its id through its clip.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.coco import CocoDataset, read_coco
from core.coco_json import CocoImage, CocoSegment
from core.errors import CocoError
from core.object_quality import ObjectQuality, ObjectTally, rate_objects
from core.video_quality import SequenceTally, TrackingQuality, rate_tracking

VOID_CLASS: Final = -1
Place = tuple[str, int]  # clip, frame
Frame = tuple[NDArray[np.unsignedinteger], tuple[CocoSegment, ...]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ClipReport:
    """How well the objects of some clips are followed.

    Attributes:
        objects: with proposals assigned to objects, as in the unsupervised protocol of DAVIS;
        same_ids: with ids as they are, as in the semi-supervised one.
        clips: `objects` of each clip alone, by name.
    """

    objects: ObjectQuality
    same_ids: ObjectQuality
    tracking: TrackingQuality
    clips: Mapping[str, ObjectQuality]

    def to_json(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return {
            "unsupervised": _plain(self.objects),
            "semi_supervised": _plain(self.same_ids),
            "stq": self.tracking.stq,
            "aq": self.tracking.association,
            "miou": self.tracking.iou,
            "clips": {name: _plain(quality) for name, quality in self.clips.items()},
        }


def evaluate_clips(
    prediction: Path, truth: Path, *, progress: Progress | None = None
) -> ClipReport:
    """Compare two COCO panoptic JSONs and the PNGs beside them, clip by clip.

    Things are objects; stuff counts for STQ alone.

    Args:
        progress: told how many frames are compared, of how many; an exception cancels.

    Raises:
        CocoError: a file is missing, damaged or contradicts itself or the other, a frame of
            the truth has no prediction, or the truth has no things.
    """
    true_set = read_coco(truth)
    predicted_set = read_coco(prediction, like=true_set)
    frame_of = {image.id: index for index, image in enumerate(predicted_set.images)}
    clips = group_frames(truth, true_set.images)
    n_frames, done = len(true_set.images), 0
    objects: dict[str, ObjectTally] = {}
    tracks: list[SequenceTally] = []
    classes = {category.id: k for k, category in enumerate(true_set.categories)}
    things = {category.id for category in true_set.categories if category.is_thing}
    for name, indices in clips.items():
        tally = objects[name] = ObjectTally()
        tracked = SequenceTally(len(classes), [classes[i] for i in things])
        for index in indices:
            true = _load(true_set, index)
            found = _load_prediction(predicted_set, frame_of, true_set.images[index], truth)
            if true[0].shape != found[0].shape:
                raise CocoError(
                    f"{true_set.images[index].file_name} has maps of {true[0].shape} and "
                    f"{found[0].shape} pixels in {truth} and {prediction}; export one again."
                )
            tally.add(_objects(true, things), _objects(found, things))
            tracked.add(_classes(true, classes), _classes(found, classes))
            done += 1
            if progress is not None:
                progress(done, n_frames)
        tracks.append(tracked)
    free = {name: tally.scores() for name, tally in objects.items()}
    fixed = [tally.scores("semi-supervised") for tally in objects.values()]
    if not any(len(scores.j) for scores in free.values()):
        raise CocoError(f"{truth} has no things, so there is nothing to follow.")
    return ClipReport(
        rate_objects(free.values()),
        rate_objects(fixed),
        rate_tracking(tracks),
        {name: rate_objects([scores]) for name, scores in free.items() if len(scores.j)},
    )


def group_frames(json_path: Path, images: Sequence[CocoImage]) -> dict[str, list[int]]:
    """Indices of the images of each clip, in order of their frames.

    Raises:
        CocoError: an image says nothing of its clip, or two are the same frame of one.
    """
    document = json.loads(json_path.read_text())
    names = {entry["id"]: str(entry.get("name", "")) for entry in document.get("videos", [])}
    entries = {entry["id"]: entry for entry in document["images"]}
    places: dict[Place, int] = {}
    for index, image in enumerate(images):
        place = _place(json_path, image, entries.get(image.id, {}), names)
        if place in places:
            raise CocoError(f"{json_path} has frame {place[1]} of the clip {place[0]} twice.")
        places[place] = index
    clips: dict[str, list[int]] = {}
    for (clip, _), index in sorted(places.items()):
        clips.setdefault(clip, []).append(index)
    return clips


def _place(
    json_path: Path, image: CocoImage, entry: Mapping[str, Any], names: Mapping[Any, str]
) -> Place:
    video, frame = entry.get("video_id"), entry.get("frame_index")
    if video is not None and isinstance(frame, int):
        return names.get(video) or str(video), frame
    match = re.fullmatch(r"(.*?)[_-]?(\d+)", Path(image.file_name).with_suffix("").as_posix())
    if match is None:
        raise CocoError(
            f"{json_path} does not say which clip {image.file_name} is of; give its images a "
            "video_id and a frame_index, or name them sequence_number."
        )
    return match[1], int(match[2])


def _load_prediction(
    dataset: CocoDataset, frame_of: Mapping[int, int], image: CocoImage, truth: Path
) -> Frame:
    if image.id not in frame_of:
        raise CocoError(
            f"{dataset.path} has no map for {image.file_name} of {truth}; predict every frame, "
            "or leave it out of the truth."
        )
    return _load(dataset, frame_of[image.id])


def _load(dataset: CocoDataset, index: int) -> Frame:
    ids, segments = dataset.load(index)
    return ids, tuple(segments)


def _objects(frame: Frame, things: set[int]) -> NDArray[np.int64]:
    """Ids of the things, 0 elsewhere and on crowds."""
    ids, segments = frame
    kept = [s.id for s in segments if s.category_id in things and not s.is_crowd]
    return np.where(np.isin(ids, kept), ids, 0).astype(np.int64)


def _classes(
    frame: Frame, classes: Mapping[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Class and id of each pixel; void is no class, and crowds have id 0."""
    ids, segments = frame
    values, inverse = np.unique(ids, return_inverse=True)
    by_id = {segment.id: segment for segment in segments}
    table = np.full((len(values), 2), (VOID_CLASS, 0), np.int64)
    for row, value in enumerate(values.tolist()):
        if (segment := by_id.get(value)) is not None:
            table[row] = classes[segment.category_id], 0 if segment.is_crowd else value
    both = table[inverse.reshape(ids.shape)]
    return both[..., 0], both[..., 1]


def _plain(quality: ObjectQuality) -> dict[str, Any]:
    return {"jf": quality.jf, **asdict(quality)}
