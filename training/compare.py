"""compare: two models segment the same images, and what each leaves to correct is counted."""

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from core.durable import replace_file
from core.errors import AnnotateError, TrainingError
from core.gate_report import GateReport
from core.images import read_image
from core.model.checkpoint import load_checkpoint
from core.model.pix2seq_d import Pix2SeqD
from core.model.segment import choose_device, segment_image
from core.model_card import ModelCard
from core.model_comparison import ImageScore, score_image
from core.proposals import Proposal, match_categories
from training.evaluate import load_truth
from training.reporting import print_line
from training.truth import Truth, open_truth

NAME: Final = "compare"
SUMMARY: Final = "measure a new model beside the current one, image by image"
SEED: Final = 0  # of both models


def add_compare(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `compare` to its parser."""
    command.add_argument("current", type=Path, help="model file")
    command.add_argument("candidate", type=Path, help="model file")
    command.add_argument("truth", type=Path, help="COCO panoptic JSON, or a project")
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
    models = [load_checkpoint(path, str(device)) for path in paths]
    truth = open_truth(arguments.truth)
    scores: list[list[ImageScore]] = []
    bad = list(truth.bad)
    for index in range(len(truth.images)):
        try:
            scores.append([score_one(*model, truth, index) for model in models])
        except AnnotateError as error:
            bad.append(str(error))
        print_line(json.dumps({"done": index + 1, "images": len(truth.images)}))
    if not scores:
        raise TrainingError(f"{truth.path} has no image that can be used: {bad[0]}")
    current, candidate = zip(*scores, strict=True)
    report = GateReport(truth.categories, current, candidate, tuple(bad))
    try:
        replace_file(arguments.out, report.to_json().encode())
    except OSError as error:
        raise TrainingError(
            f"{arguments.out} cannot be written ({error.strerror}); free some space."
        ) from error
    return 0


def score_one(model: Pix2SeqD, card: ModelCard, truth: Truth, index: int) -> ImageScore:
    """What one model makes of one image; segments of categories without truth are left out.

    Raises:
        AnnotateError: the image or its map cannot be read, or their sizes differ.
    """
    image = truth.images[index]
    options = replace(card.sampling, seed=SEED)
    *_, last = segment_image(model.eval(), card, read_image(image.path), options)
    if not isinstance(last, Proposal):
        raise TrainingError(f"{image.path} was not segmented to the end.")
    true_ids, segments = load_truth(truth, index, last.segment_ids.shape)
    to_truth = match_categories(card.categories, truth.categories).to_project
    found = {i: to_truth[c] for i, c in last.category_ids.items() if c in to_truth}
    kept = np.isin(last.segment_ids, list(found))
    return score_image(
        str(image.path),
        np.where(kept, last.segment_ids, 0),
        found,
        true_ids,
        {segment.id: segment.category_id for segment in segments},
        {segment.id for segment in segments if segment.is_crowd},
    )
