"""PQ of a model on a COCO panoptic folder."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.coco_json import CocoSegment
from core.errors import TrainingError
from core.images import read_image
from core.model.pix2seq_d import Pix2SeqD
from core.model.segment import encode_image, segment_image
from core.model_card import ModelCard
from core.panoptic import Segment
from core.proposals import Proposal, SamplingOptions
from core.quality import QualityReport, Tallies, add_tallies, compare_maps, report_quality
from training.truth import Truth, open_truth


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model scores on some pictures, sampled in one way."""

    options: SamplingOptions
    report: QualityReport
    images: int
    seconds: float


def evaluate(
    model: Pix2SeqD,
    card: ModelCard,
    truth_path: Path,
    options: Iterable[SamplingOptions],
    *,
    image_ids: Collection[int] | None = None,
) -> list[Scored]:
    """Segment every picture in every way and compare with the truth; encoding is shared.

    Args:
        truth_path: as `open_truth` takes it.
        image_ids: of the pictures to use; None is all.

    Raises:
        AnnotateError: the truth or a picture cannot be read.
    """
    truth = open_truth(truth_path)
    wanted = [
        index
        for index, image in enumerate(truth.images)
        if image_ids is None or image.id in image_ids
    ]
    ways = list(options)
    tallies, seconds = tally_images(model, card, truth, wanted, ways)
    return [
        Scored(sampling, report_quality(tally, truth.categories), len(wanted), spent)
        for sampling, tally, spent in zip(ways, tallies, seconds, strict=True)
    ]


def tally_images(
    model: Pix2SeqD,
    card: ModelCard,
    truth: Truth,
    indices: Iterable[int],
    ways: Sequence[SamplingOptions],
) -> tuple[list[Tallies], list[float]]:
    """Hits and misses over some pictures of the truth, and the seconds spent, for each way.

    Raises:
        AnnotateError: a true map or a picture cannot be read, or their sizes differ.
    """
    tallies: list[Tallies] = [{} for _ in ways]
    seconds = [0.0] * len(ways)
    for index in indices:
        image = read_image(truth.images[index].path)
        encoded = encode_image(model, image)
        for way, sampling in enumerate(ways):
            *_, last = segment_image(model, card, image, sampling, encoded=encoded)
            if isinstance(last, Proposal):
                add_tallies(tallies[way], compare_with_truth(last, truth, index))
                seconds[way] += last.elapsed_s
    return tallies, seconds


def images_with(truth_json: Path, field: str, value: str) -> set[int]:
    """Ids of the images whose entry in a COCO JSON has that value in an extra field.

    Raises:
        TrainingError: it is no JSON.
    """
    if truth_json.suffix != ".json":
        raise TrainingError(f"{truth_json} has no fields; --only needs a COCO panoptic JSON.")
    images = json.loads(truth_json.read_text())["images"]
    return {image["id"] for image in images if str(image.get(field)) == value}


def compare_with_truth(proposal: Proposal, truth: Truth, index: int) -> Tallies:
    """Hits and misses of one proposal whose category ids are the truth's.

    Raises:
        TrainingError: the picture has another size than the true map.
    """
    true_ids, segments = load_truth(truth, index, proposal.segment_ids.shape)
    return compare_maps(
        *truth.judge(proposal.segment_ids, proposal.category_ids),
        *truth.judge(true_ids, {segment.id: segment.category_id for segment in segments}),
        {segment.id for segment in segments if segment.is_crowd},
    )


def load_truth(
    truth: Truth, index: int, shape: tuple[int, ...]
) -> tuple[NDArray[np.unsignedinteger], tuple[CocoSegment | Segment, ...]]:
    """The ids of a true map, and what they are.

    Args:
        shape: of the picture, which the map has to have.

    Raises:
        TrainingError: it has another.
    """
    true_ids, segments = truth.images[index].load()
    if true_ids.shape != shape:
        (height, width), size = shape, true_ids.shape
        raise TrainingError(
            f"{truth.images[index].path} is {width} x {height}, but its map {size[1]} x "
            f"{size[0]}; put the picture back that the map is of."
        )
    return true_ids, tuple(segments)


def sampling_grid(
    base: SamplingOptions, steps: Iterable[int], tds: Iterable[float]
) -> list[SamplingOptions]:
    """Every combination of step counts and td, all else as in `base`."""
    deltas = list(tds)
    return [replace(base, steps=n, time_delta=td) for n in steps for td in deltas]
