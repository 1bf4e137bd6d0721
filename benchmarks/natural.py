"""Photographs: the model against a plain category head on the same trunk, for equal minutes.

    python -m benchmarks.natural train model --data DIR --start FILE --out DIR --minutes 20
    python -m benchmarks.natural train head  --data DIR --start FILE --out DIR --minutes 20
    python -m benchmarks.natural score --data DIR --out DIR

DIR is `coco_panoptic` of the shared data. Both see the same views in the same order; minutes
are those of the CPU, and the learning rate follows them, so a busy machine changes nothing. A
run that was stopped goes on from its last checkpoint. `score` prints PQ on the held-out
photographs and the actions that mend the proposals, beside those that an empty map takes;
segments below an area are left out, and s are CPU seconds a photograph.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.pixel_head import head_step, new_head, propose
from benchmarks.report import print_conditions, print_report
from core.coco import CocoDataset, read_coco
from core.correction_cost import ACTIONS, CorrectionCost, measure_cost
from core.durable import replace_file
from core.images import read_image
from core.model.pix2seq_d import Pix2SeqD
from core.model.segment import encode_image, segment_image
from core.model_card import ModelCard
from core.panoptic import Ids
from core.proposals import Proposal, SamplingOptions
from core.quality import Tallies, add_tallies, compare_maps, report_quality
from training.batches import make_batch
from training.config import TrainConfig
from training.data import Batch, PanopticDataset
from training.recipes import RECIPES
from training.sources import open_data
from training.start import load_start
from training.state import TrainState, load_state, save_state
from training.stepper import Stepper, new_state, set_rates

RECIPE = RECIPES["natural-14"]
TRAIN, VAL = "train/panoptic_coarse_train.json", "val/panoptic_coarse_val.json"
SAVE_SECONDS = 240.0
LEAST_AREAS = (100, 400, 1_600, 6_400)  # pixels of a proposed segment
SAMPLING = SamplingOptions(steps=10, min_area=LEAST_AREAS[0], split_parts=True)
KINDS = tuple(kind for kind in ACTIONS if kind != "redraw")  # borders are not looked at
COLUMNS = ["segments of", "PQ", "Th", "St", "total", *KINDS, "s"]
Segments = tuple[Ids, dict[int, int]]
Step = Callable[[Batch], float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Train one of both, or rate both."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train")
    train.add_argument("which", choices=["model", "head"])
    train.add_argument("--start", type=Path, required=True, help="of `import-weights`")
    train.add_argument("--minutes", type=float, default=20.0, help="of the CPU")
    train.set_defaults(run=_train)
    score = commands.add_parser("score")
    score.add_argument("--images", type=int, default=0, help="only so many; 0 is all")
    score.add_argument("--td", type=float, nargs="+", default=[1.0, 3.0, 6.0, 12.0])
    score.add_argument(
        "--live",
        action="store_true",
        help="the last weights, not their average, which after a short run is of its beginning",
    )
    score.set_defaults(run=_score)
    for command in (train, score):
        command.add_argument("--data", type=Path, required=True)
        command.add_argument("--out", type=Path, required=True)
    parsed = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print_conditions()
    parsed.run(parsed)
    return 0


def _train(arguments: argparse.Namespace) -> None:
    config = replace(RECIPE.config, start_encoder=str(arguments.start))
    data = open_data(arguments.data / TRAIN, config)
    out = arguments.out / arguments.which
    out.mkdir(parents=True, exist_ok=True)
    if arguments.which == "model":
        state = new_state(config)
        load_start(config, state.model)
        state.average.load_state_dict(state.model.state_dict())
        stepper = Stepper(config, state)
        train_for(arguments.minutes, config, state, data, out, lambda b: stepper.step(b)[0])
    else:
        state = new_head(config)
        step = head_step(config, state)
        train_for(arguments.minutes, config, state, data, out, step)


def train_for(
    minutes: float,
    config: TrainConfig,
    state: TrainState,
    data: PanopticDataset,
    out: Path,
    step: Step,
    end: float | None = None,
) -> None:
    """Train until so many CPU minutes are spent, those of earlier starts included.

    The learning rate is the recipe's at the share of its steps that of the minutes is over;
    `end` is when it will have fallen, if the run is to go on after this.
    """
    path, clock = out / "state.safetensors", out / "seconds.json"
    spent = 0.0
    if path.exists():
        load_state(path, state, config)
        spent = json.loads(clock.read_text())["cpu_seconds"]
    saved_at, losses = time.monotonic(), []
    while spent < 60 * minutes:
        began = time.process_time()
        share = spent / (60 * (end or minutes))
        set_rates(config, state.optimizer, int(config.steps * share))
        losses.append(step(make_batch(config, data, state.step)))
        spent += time.process_time() - began
        is_over = spent >= 60 * minutes
        if is_over or time.monotonic() - saved_at > SAVE_SECONDS:
            line = {"step": state.step, "cpu_seconds": spent, "loss": float(np.mean(losses))}
            replace_file(clock, json.dumps(line).encode())
            save_state(path, state, config)
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
            saved_at, losses = time.monotonic(), []


@dataclass(slots=True)
class Scores:
    """What one way of proposing comes to, with segments below an area left out."""

    name: str
    tallies: Tallies = field(default_factory=dict)
    corrections: CorrectionCost = CorrectionCost()
    seconds: float = 0.0

    def add(self, segments: Segments, truth: CocoDataset, index: int, seconds: float) -> None:
        """Compare one image's segments with the truth."""
        true_ids, true_segments = truth.load(index)
        true_categories = {s.id: s.category_id for s in true_segments}
        crowds = {s.id for s in true_segments if s.is_crowd}
        sides = (*segments, true_ids, true_categories, crowds)
        add_tallies(self.tallies, compare_maps(*sides))
        self.corrections += measure_cost(*sides)
        self.seconds += seconds

    def row(self, truth: CocoDataset, n_images: int) -> list[str]:
        """One line of the table."""
        report = report_quality(self.tallies, truth.categories)
        means = (report.all, report.things, report.stuff)
        counts = [getattr(self.corrections, kind) for kind in KINDS]
        return [
            self.name,
            *(f"{100 * mean.pq:.1f}" for mean in means),
            *map(str, (sum(counts), *counts)),
            f"{self.seconds / n_images:.1f}",
        ]


def _score(arguments: argparse.Namespace) -> None:
    truth = read_coco(arguments.data / VAL)
    indices = range(len(truth.images))[: arguments.images or None]
    proposers = dict(find_proposers(arguments.out, truth, arguments.td, is_live=arguments.live))
    scores = {"empty map": Scores("empty map")} | {
        f"{name}, {area} px": Scores(f"{name}, {area} px")
        for name in proposers
        for area in LEAST_AREAS
    }
    for index in indices:
        image = read_image(arguments.data / "val" / "images" / truth.images[index].file_name)
        nothing: Segments = (np.zeros(image.shape[:2], np.uint16), {})
        scores["empty map"].add(nothing, truth, index, 0.0)
        for name, propose_for in proposers.items():
            began = time.process_time()
            segments = propose_for(image)
            seconds = time.process_time() - began
            for area in LEAST_AREAS:
                kept = without_small(segments, area)
                scores[f"{name}, {area} px"].add(kept, truth, index, seconds)
    rows = [score.row(truth, len(indices)) for score in scores.values()]
    title = f"{len(indices)} photographs; td: the model at {SAMPLING.steps} steps"
    print_report(title, COLUMNS, rows)


def without_small(segments: Segments, least_area: int) -> Segments:
    """The same segments, but those of fewer pixels, which become void."""
    ids, categories = segments
    areas = np.bincount(ids.ravel(), minlength=max(categories, default=0) + 1)
    kept = {i: category for i, category in categories.items() if areas[i] >= least_area}
    table = np.zeros(len(areas), np.uint16)
    table[list(kept)] = list(kept)
    return table[ids], kept


def find_proposers(
    out: Path, truth: CocoDataset, tds: Sequence[float], *, is_live: bool
) -> Iterator[tuple[str, Callable[[np.ndarray], Segments]]]:
    """What was trained, by name: the head, and the model in several ways of sampling."""
    config = RECIPE.config
    for which in ("head", "model"):
        path = out / which / "state.safetensors"
        if not path.exists():
            continue
        state = new_head(config) if which == "head" else new_state(config)
        load_state(path, state, config, may_differ=True)
        network = (state.model if is_live else state.average).eval()
        if which == "head":
            yield "head", partial(propose, network, categories=truth.categories)
            continue
        card = ModelCard("natural-14", RECIPE.summary, truth.categories)
        for td in tds:
            way = replace(SAMPLING, time_delta=td)
            yield f"td {td:g}", partial(_sample, network, card, options=way)


def _sample(
    model: Pix2SeqD, card: ModelCard, image: np.ndarray, options: SamplingOptions
) -> Segments:
    encoded = encode_image(model, image)
    *_, last = segment_image(model, card, image, options, encoded=encoded)
    if not isinstance(last, Proposal):
        raise TypeError("the last that a sampler yields is the proposal")
    return last.segment_ids, dict(last.category_ids)


if __name__ == "__main__":
    sys.exit(main())
