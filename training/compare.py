"""compare: two models segment the same images, and what each leaves to correct is counted."""

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.durable import replace_file
from core.errors import AnnotateError, TrainingError
from core.gate_report import GateReport
from core.images import Rgb, read_image
from core.model.checkpoint import load_checkpoint
from core.model.pix2seq_d import Pix2SeqD
from core.model.segment import choose_device, segment_image
from core.model_card import ModelCard
from core.model_comparison import ImageScore, score_image
from core.proposals import Proposal, match_categories
from training.evaluate import load_truth
from training.gallery import Gallery
from training.reporting import print_line
from training.truth import Truth, open_truth

NAME: Final = "compare"
SUMMARY: Final = "measure a new model beside the current one, image by image"
SEED: Final = 0  # of both models

Model = tuple[Pix2SeqD, ModelCard]


def add_compare(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `compare` to its parser."""
    command.add_argument("current", type=Path, help="model file")
    command.add_argument("candidate", type=Path, help="model file")
    command.add_argument("truth", type=Path, help="COCO panoptic JSON, or a project")
    command.add_argument(
        "--renamed",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="a model's category OLD is NEW in the truth",
    )
    command.add_argument("--out", type=Path, required=True, help="JSON that is written")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    command.add_argument("--threads", type=int, default=argparse.SUPPRESS, help="CPU threads")
    command.add_argument(
        "--nice", type=int, default=0, help="how far other programs come first, to 19"
    )


def compare(arguments: argparse.Namespace) -> int:
    """Write the report; returns the exit code.

    Raises:
        AnnotateError: a model or all images cannot be read, or the report cannot be written.
    """
    if hasattr(os, "nice"):
        os.nice(arguments.nice)
    device, _ = choose_device(arguments.device)
    paths = arguments.current, arguments.candidate
    names = dict(text.split("=", 1) for text in arguments.renamed if "=" in text)
    models = [renamed(load_checkpoint(path, str(device)), names) for path in paths]
    truth, gallery = open_truth(arguments.truth), Gallery()
    scores: list[tuple[ImageScore, ImageScore]] = []
    bad = list(truth.bad)
    for index in range(len(truth.images)):
        try:
            scores.append(score_both(models[0], models[1], truth, index, gallery))
        except AnnotateError as error:
            bad.append(str(error))
        print_line(json.dumps({"done": index + 1, "images": len(truth.images)}))
    if not scores:
        raise TrainingError(f"{truth.path} has no image that can be used: {bad[0]}")
    current, candidate = zip(*scores, strict=True)
    try:
        pictures = gallery.write(arguments.out.parent)
        report = GateReport(truth.categories, current, candidate, tuple(bad), pictures)
        replace_file(arguments.out, report.to_json().encode())
    except OSError as error:
        raise TrainingError(
            f"{arguments.out} cannot be written ({error.strerror}); free some space."
        ) from error
    return 0


def renamed(model: Model, names: Mapping[str, str]) -> Model:
    """The same model, whose categories have the names of the truth.

    Args:
        names: of the model -> of the truth, where these differ.
    """
    network, card = model
    categories = tuple(replace(c, name=names.get(c.name, c.name)) for c in card.categories)
    return network, replace(card, categories=categories)


def score_both(
    current: Model, candidate: Model, truth: Truth, index: int, gallery: Gallery
) -> tuple[ImageScore, ImageScore]:
    """What both models make of one image, which may come into the gallery.

    Raises:
        AnnotateError: the image or its map cannot be read, or their sizes differ.
    """
    path = truth.images[index].path
    image = read_image(path)
    true_ids, segments = load_truth(truth, index, image.shape[:2])
    true = truth.judge(true_ids, {segment.id: segment.category_id for segment in segments})
    crowds = {segment.id for segment in segments if segment.is_crowd}
    maps, scores = [], []
    for model, card in (current, candidate):
        ids, found = segment_one(model, card, truth, image)
        maps.append(ids)
        scores.append(score_image(str(path), *truth.judge(ids, found), *true, crowds))
    old, new = scores
    difference = new.cost.seconds() - old.cost.seconds()
    gallery.offer(str(path), difference, image, [true_ids, *maps])
    return old, new


def segment_one(
    model: Pix2SeqD, card: ModelCard, truth: Truth, image: Rgb
) -> tuple[NDArray[np.uint16], dict[int, int]]:
    """One model's map of one image, and the truth's category of each of its segments.

    Segments of categories that the truth does not know are left out.
    """
    options = replace(card.sampling, seed=SEED)
    *_, last = segment_image(model.eval(), card, image, options)
    if not isinstance(last, Proposal):
        raise TrainingError(f"The model {card.name} came to no end.")
    to_truth = match_categories(card.categories, truth.categories).to_project
    found = {i: to_truth[c] for i, c in last.category_ids.items() if c in to_truth}
    is_kept = np.isin(last.segment_ids, list(found))
    return np.where(is_kept, last.segment_ids, 0).astype(np.uint16), found
