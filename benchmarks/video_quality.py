"""How well the video model follows things: on generated clips of held-out nuclei, and on DAVIS.

Three ways from a correct first map, each judged by fixed ids (the semi-supervised protocol of
DAVIS 2017, objects of the first frame alone) and by ids assigned (the unsupervised one, all
objects): the model's own propagation; the first map copied to every frame; and each frame
segmented alone by the still model, its segments matched to those before by IoU.

    python -m benchmarks.video_quality nuclei --model assets/models/nuclei-video.safetensors
    python -m benchmarks.video_quality davis --model ...
    python -m benchmarks.video_quality steps --model ...
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.assignment import best_assignment
from core.coco import read_coco
from core.images import read_image
from core.model.checkpoint import load_checkpoint
from core.model.config import NUCLEI
from core.model.pix2seq_d import Pix2SeqD
from core.model.segment import segment_image
from core.model.segment_video import VideoFrame, segment_video
from core.model_card import ModelCard
from core.object_quality import ObjectQuality, ObjectScores, ObjectTally, rate_objects
from core.panoptic import PanopticMap, Segment, Source
from core.propagation import FrameProposal, Start, VideoOptions
from core.proposals import Proposal
from core.quality import count_overlaps
from core.video_evaluation import group_frames
from training.clip_generator import Motion, make_clip
from training.coco_index import index_coco
from training.mirror import mirror

Model = tuple[Pix2SeqD, ModelCard]
Ids = NDArray[np.uint16]
DATA = Path(__file__).resolve().parents[2] / "shared/data"
STARTER = Path(__file__).resolve().parents[1] / "assets/models/nuclei.safetensors"
NUCLEUS, BACKGROUND = 1, 2  # categories of the nuclei models
N_FRAMES = 20
LEAST_AREA = 40  # pixels of an object in a frame that ids are judged on
LEAST_IOU = 0.1  # of a match in the way of single frames
PATIENCE = 3  # frames that a segment without a match is remembered there


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Frames with their true ids; things have the same one through the clip, 0 is none."""

    name: str
    images: list[NDArray[np.uint8]]
    ids: list[Ids]


@dataclass(slots=True)
class Result:
    """What one way made of a clip."""

    fixed: ObjectScores
    free: ObjectScores
    n_same: int
    n_found: int
    n_object_frames: int
    steps: float
    seconds: float


def generated_clips(n: int, modality: str, n_frames: int = N_FRAMES) -> Iterator[Clip]:
    """Clips of held-out pictures of at most 320 x 256, spread over them."""
    path = DATA / "nuclei/val/panoptic_val.json"
    entries = json.loads(path.read_text())["images"]
    data = index_coco(path, has_stuff_ids=False)
    kept = [
        k
        for k, entry in enumerate(entries)
        if entry["modality"] == modality and max(entry["width"], entry["height"]) <= 320
    ]
    chosen = [kept[(2 * k + 1) * len(kept) // (2 * n)] for k in range(n)]
    is_thing = np.array([False, True, False])
    motion = Motion(is_on=True)
    plain = replace(NUCLEI, is_stretched=False)  # the model stretches frames by itself
    for k in chosen:
        margin = motion.margin(n_frames)
        still = mirror(data.view(k, plain), (margin, margin), (margin, margin), is_thing)
        rng = np.random.default_rng(k)
        frames = make_clip(still, is_thing, n_frames, motion, rng, margin=margin)
        yield Clip(
            data.names[k],
            [(frame.image * 255).round().astype(np.uint8) for frame in frames],
            compact([frame.labels[..., 1] for frame in frames]),
        )


def davis_clips(n_frames: int) -> Iterator[Clip]:
    """The first frames of the three sequences."""
    for part in ("val", "train"):
        path = DATA / f"davis/{part}/panoptic_{part}.json"
        dataset = read_coco(path)
        for name, indices in group_frames(path, dataset.images).items():
            images = [dataset.images[k] for k in indices[:n_frames]]
            yield Clip(
                name,
                [read_image(path.parent / "images" / image.file_name) for image in images],
                compact([dataset.load(k)[0] for k in indices[:n_frames]]),
            )


def compact(maps: Sequence[NDArray[Any]]) -> list[Ids]:
    """The same maps with ids 1, 2, ..."""
    values = np.unique(np.stack(maps))
    values = values[values != 0]
    return [(np.searchsorted(values, ids) + 1).astype(np.uint16) * (ids != 0) for ids in maps]


def propagate(model: Model, clip: Clip, options: VideoOptions) -> tuple[list[Ids], float]:
    """Maps of all frames, the first as it is given, and the mean steps of the others."""
    network, card = model
    start = Start((as_map(clip.ids[0]),), card.categories, int(max(map(np.max, clip.ids))) + 3)
    frames = [VideoFrame(k, image) for k, image in enumerate(clip.images)][1:]
    maps, steps = [clip.ids[0]], []
    for step in segment_video(network, card, frames, options, start):
        if isinstance(step, FrameProposal):
            things = [i for i, c in step.category_ids.items() if c == NUCLEUS]
            maps.append(step.segment_ids * np.isin(step.segment_ids, things))
            steps.append(step.steps)
    return maps, float(np.mean(steps))


def as_map(ids: Ids) -> PanopticMap:
    """A map in which all that has no id is background."""
    background = int(ids.max()) + 1
    segments = {int(i): Segment(int(i), NUCLEUS, Source.HUMAN) for i in np.unique(ids) if i}
    segments[background] = Segment(background, BACKGROUND, Source.HUMAN)
    return PanopticMap(np.where(ids == 0, background, ids).astype(np.uint16), segments)


def copy_first(clip: Clip) -> list[Ids]:
    """The first map for every frame."""
    return [clip.ids[0]] * len(clip.ids)


def match_frames(starter: Model, clip: Clip) -> list[Ids]:
    """Each frame segmented alone; segments go on those before that they overlap most."""
    network, card = starter
    known = {int(i): (clip.ids[0] == i, 0) for i in np.unique(clip.ids[0]) if i}
    next_id = int(clip.ids[0].max()) + 1
    maps = [clip.ids[0]]
    for k, image in enumerate(clip.images[1:], 1):
        *_, last = segment_image(network, card, image, card.sampling)
        assert isinstance(last, Proposal)  # noqa: S101 - the loop ends with it
        found = [i for i, c in last.category_ids.items() if c == NUCLEUS]
        known = {i: (mask, seen) for i, (mask, seen) in known.items() if k - seen <= PATIENCE}
        names = list(known)
        ious = np.array(
            [[iou(known[n][0], last.segment_ids == i) for i in found] for n in names]
        )
        pairs = best_assignment(ious) if ious.size else []
        owner = {found[c]: names[r] for r, c in pairs if ious[r, c] >= LEAST_IOU}
        ids = np.zeros(clip.ids[0].shape, np.uint16)
        for i in found:
            if i not in owner:
                owner[i], next_id = next_id, next_id + 1
            mask = last.segment_ids == i
            ids[mask] = owner[i]
            known[owner[i]] = mask, k
        maps.append(ids)
    return maps


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Of two masks."""
    overlap = np.count_nonzero(a & b)
    return overlap / np.count_nonzero(a | b) if overlap else 0.0


def judge(clip: Clip, maps: list[Ids], steps: float = 0.0, seconds: float = 0.0) -> Result:
    """Rate the maps of all frames."""
    first = np.unique(clip.ids[0])
    fixed, free = ObjectTally(), ObjectTally()
    own: dict[int, int] = {int(i): int(i) for i in first if i}
    same = found = total = 0
    for true, ids in zip(clip.ids, maps, strict=True):
        fixed.add(np.where(np.isin(true, first), true, 0), ids)
        free.add(true, ids)
    for true, ids in zip(clip.ids[1:], maps[1:], strict=True):
        best: dict[int, tuple[int, int]] = {}
        areas: dict[int, int] = {}
        for (i, p), area in count_overlaps(true, ids).items():
            areas[i] = areas.get(i, 0) + area
            if p and area > best.get(i, (0, 0))[0]:
                best[i] = area, p
        for i, area in areas.items():
            if i == 0 or area < LEAST_AREA:
                continue
            total += 1
            covered, p = best.get(i, (0, 0))
            if 2 * covered < area:
                continue  # lost
            found += 1
            same += own.setdefault(i, p) == p
    return Result(
        fixed.scores("semi-supervised"), free.scores(), same, found, total, steps, seconds
    )


def add_up(name: str, results: Sequence[Result]) -> dict[str, Any]:
    """One row of a table, in percent."""
    total = sum(result.n_object_frames for result in results)
    found = sum(result.n_found for result in results)
    same = sum(result.n_same for result in results)
    fixed = rate_objects([result.fixed for result in results])
    free = rate_objects([result.free for result in results])
    return {
        "way": name,
        "clips": len(results),
        "object_frames": total,
        "same_id": round(100 * same / max(total, 1), 1),
        "same_id_of_found": round(100 * same / max(found, 1), 1),
        "fixed": _row(fixed),
        "assigned": _row(free),
        "steps": round(float(np.mean([result.steps for result in results])), 2),
        "seconds_a_frame": round(float(np.mean([result.seconds for result in results])), 2),
    }


def _row(quality: ObjectQuality) -> dict[str, float]:
    numbers = {
        "jf": quality.jf,
        "j": quality.j.mean,
        "j_recall": quality.j.recall,
        "j_decay": quality.j.decay,
        "f": quality.f.mean,
        "f_recall": quality.f.recall,
        "f_decay": quality.f.decay,
        "n": quality.n_objects,
    }
    return {k: round(100 * v, 1) if k != "n" else v for k, v in numbers.items()}


def compare_ways(
    model: Model, starter: Model, clips: Sequence[Clip], options: VideoOptions
) -> Iterator[dict[str, Any]]:
    """The three ways on the same clips."""
    results = []
    for clip in clips:
        began = time.process_time()
        maps, steps = propagate(model, clip, options)
        spent = (time.process_time() - began) / (len(clip.ids) - 1)
        results.append(judge(clip, maps, steps, spent))
    yield add_up("propagation", results)
    yield add_up("copy of the first map", [judge(clip, copy_first(clip)) for clip in clips])
    results = []
    for clip in clips:
        began = time.process_time()
        maps = match_frames(starter, clip)
        spent = (time.process_time() - began) / (len(clip.ids) - 1)
        results.append(judge(clip, maps, 2.0, spent))
    yield add_up("each frame alone, matched", results)


def compare_steps(
    model: Model, clips: Sequence[Clip], options: VideoOptions
) -> Iterator[dict[str, Any]]:
    """Fixed numbers of steps, and as many as a map needs to settle."""
    ways = [(f"{n} steps", replace(options, later_steps=n)) for n in (1, 2, 4, 8)]
    ways += [
        (f"until {share:.1%} change", replace(options, later_steps=8, settled_share=share))
        for share in (0.02, 0.005)
    ]
    for name, way in ways:
        results = []
        for clip in clips:
            began = time.process_time()
            maps, steps = propagate(model, clip, way)
            spent = (time.process_time() - began) / (len(clip.ids) - 1)
            results.append(judge(clip, maps, steps, spent))
        yield add_up(name, results)


def show(row: dict[str, Any]) -> None:
    """Print a line of JSON, as soon as it is known."""
    sys.stdout.write(f"{json.dumps(row)}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print one line of JSON a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("nuclei", "davis", "steps"))
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--starter", type=Path, default=STARTER)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=N_FRAMES)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--td", type=float, default=1.0)
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    model, starter = load_checkpoint(args.model, "cpu"), load_checkpoint(args.starter, "cpu")
    options = VideoOptions(later_steps=args.steps, time_delta=args.td, min_area=20)
    if args.what == "davis":
        for clip in davis_clips(args.frames):
            for row in compare_ways(model, starter, [clip], options):
                show({"clip": clip.name, **row})
        return 0
    for modality in ("fluorescence", "histology"):
        n = args.clips if modality == "fluorescence" else max(args.clips // 4, 1)
        clips = list(generated_clips(n, modality, args.frames))
        rows = (
            compare_steps(model, clips, options)
            if args.what == "steps"
            else compare_ways(model, starter, clips, options)
        )
        for row in rows:
            show({"pictures": modality, **row})
    return 0


if __name__ == "__main__":
    sys.exit(main())
