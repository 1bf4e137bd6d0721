"""Photographs: the model against a plain category head on the same trunk, for equal minutes.

    python -m benchmarks.natural train model --data DIR --start FILE --out DIR --minutes 20
    python -m benchmarks.natural train head  --data DIR --start FILE --out DIR --minutes 20
    python -m benchmarks.natural score --data DIR --out DIR

DIR is `coco_panoptic` of the shared data. Both see the same views in the same order; minutes
are those of the CPU, and the learning rate follows them, so a busy machine changes nothing. A
run that was stopped goes on from its last checkpoint. `score` prints PQ on the held-out
photographs and the actions that mend the proposals, beside those that an empty map takes. A
person's seconds are those of `core.correction_cost`, borders included; s are CPU seconds, both
for a photograph. Small segments and those in doubt are left out, from which size
and how much doubt is chosen on every second photograph, for both alike.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.pixel_head import (
    Segments,
    head_step,
    keep_sure,
    measure_sureness,
    new_head,
    propose,
)
from benchmarks.report import print_conditions, print_report
from core.coco import CocoDataset, read_coco
from core.correction_cost import ACTIONS, CorrectionCost, measure_cost
from core.durable import replace_file
from core.images import read_image
from core.model.pix2seq_d import Pix2SeqD
from core.model.segment import encode_image, segment_image
from core.model_card import ModelCard
from core.panoptic import Category
from core.proposals import Proposal, SamplingOptions
from core.quality import (
    QualityReport,
    Tallies,
    add_tallies,
    compare_maps,
    report_quality,
)
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
LEAST_AREAS = (100, 400, 1_600, 6_400, 25_600)  # pixels of a proposed segment
LEAST_SURENESS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
SAMPLING = SamplingOptions(steps=10, min_area=LEAST_AREAS[0], split_parts=True)
KINDS = tuple(kind for kind in ACTIONS if kind != "redraw")  # borders are not looked at
SHORT = {"remove": "rem", "recategorise": "recat"}
COLUMNS = ["", "PQ", "Th", "St", "acts", *(SHORT.get(k, k) for k in KINDS), "pers", "s"]
ALL, EVEN, ODD = slice(None), slice(0, None, 2), slice(1, None, 2)  # of the photographs
Step = Callable[[Batch], float]
Proposer = Callable[[NDArray[np.uint8]], Segments]


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
    score.add_argument("--steps", type=int, default=SAMPLING.steps)
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
    """What one way of proposing comes to, photograph by photograph.

    Attributes:
        family: "empty map", "head" or "model"; name: the way of proposing in it.
        least_area, least_sureness: of the segments that are kept.
    """

    family: str
    name: str
    least_area: int = 0
    least_sureness: float = 0.0
    tallies: list[Tallies] = field(default_factory=list)
    costs: list[CorrectionCost] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, measured: tuple[Tallies, CorrectionCost], seconds: float) -> None:
        """Take in one photograph."""
        self.tallies.append(measured[0])
        self.costs.append(measured[1])
        self.seconds += seconds

    def cost(self, of: slice = ALL) -> CorrectionCost:
        """What is to be done on some of the photographs."""
        return sum(self.costs[of], CorrectionCost())

    def actions(self, of: slice = ALL) -> int:
        """Actions on segments; what it takes to mend borders is not among them."""
        cost = self.cost(of)
        return sum(getattr(cost, kind) for kind in KINDS)

    def report(self, categories: Sequence[Category], of: slice = ALL) -> QualityReport:
        """PQ on some of the photographs."""
        total: Tallies = {}
        for tallies in self.tallies[of]:
            add_tallies(total, tallies)
        return report_quality(total, categories)

    def row(self, categories: Sequence[Category], of: slice = ALL) -> list[str]:
        """One line of the table."""
        report, cost = self.report(categories, of), self.cost(of)
        kept = f"{self.least_area}, {self.least_sureness:g}" if self.least_area else ""
        return [
            f"{self.name}, {kept}" if kept else self.name,
            *(f"{100 * mean.pq:.1f}" for mean in (report.all, report.things, report.stuff)),
            *map(str, (self.actions(of), *(getattr(cost, kind) for kind in KINDS))),
            f"{cost.seconds() / len(self.costs[of]):.0f}",
            f"{self.seconds / len(self.costs):.1f}",
        ]


def _score(arguments: argparse.Namespace) -> None:
    truth = read_coco(arguments.data / VAL)
    n_images = min(arguments.images or len(truth.images), len(truth.images))
    proposers = find_proposers(
        arguments.out, truth, arguments.td, arguments.steps, is_live=arguments.live
    )
    empty = Scores("empty map", "empty map")
    scores = {
        name: [
            Scores(family, name, area, sureness)
            for area in LEAST_AREAS
            for sureness in LEAST_SURENESS
        ]
        for family, name, _ in proposers
    }
    for index in range(n_images):
        image = read_image(arguments.data / "val" / "images" / truth.images[index].file_name)
        nothing = Segments(np.zeros(image.shape[:2], np.uint16), {}, {})
        empty.add(measure(nothing, truth, index), 0.0)
        for _, name, propose_for in proposers:
            began = time.process_time()
            segments = propose_for(image)
            seconds = time.process_time() - began
            measured: dict[tuple[int, ...], tuple[Tallies, CorrectionCost]] = {}
            for way in scores[name]:
                kept = keep_sure(segments, way.least_area, way.least_sureness)
                key = tuple(kept.categories)
                measured[key] = measured.get(key) or measure(kept, truth, index)
                way.add(measured[key], seconds)
    _print_scores(empty, scores, truth.categories)


def measure(
    segments: Segments, truth: CocoDataset, index: int
) -> tuple[Tallies, CorrectionCost]:
    """Compare the segments of one photograph with the truth."""
    true_ids, true_segments = truth.load(index)
    true_categories = {s.id: s.category_id for s in true_segments}
    crowds = {s.id for s in true_segments if s.is_crowd}
    sides = (segments.ids, segments.categories, true_ids, true_categories, crowds)
    return compare_maps(*sides), measure_cost(*sides)


def _print_scores(
    empty: Scores, scores: dict[str, list[Scores]], categories: Sequence[Category]
) -> None:
    """All that is not left out, then what was chosen, then PQ by category."""
    every = [way for ways in scores.values() for way in ways]
    shown = [empty, *(way for way in every if way.least_sureness == 0)]
    n_images = len(empty.costs)
    print_report(
        f"{n_images} photographs; least area and sureness of the segments that are kept",
        COLUMNS,
        [way.row(categories) for way in shown],
    )
    chosen = choose_ways(every)
    print_report(
        "Chosen on every second photograph for the fewest actions, counted on the others",
        COLUMNS,
        [way.row(categories, ODD) for way in (empty, *chosen)],
    )
    reports = [way.report(categories).per_category for way in chosen]
    print_report(
        f"PQ by category of these, {n_images} photographs",
        ["category", *(way.name for way in chosen)],
        [
            [category.name, *(f"{100 * report[category.id].pq:.1f}" for report in reports)]
            for category in categories
        ],
    )


def choose_ways(ways: Sequence[Scores]) -> list[Scores]:
    """Of each family the way that costs the fewest actions on every second photograph."""
    families = dict.fromkeys(way.family for way in ways)
    return [
        min((w for w in ways if w.family == family), key=lambda way: way.actions(EVEN))
        for family in families
    ]


def find_proposers(
    out: Path, truth: CocoDataset, tds: Sequence[float], steps: int, *, is_live: bool
) -> list[tuple[str, str, Proposer]]:
    """What was trained: family, name and how it proposes; the model in several ways."""
    config, found = RECIPE.config, []
    for which in ("head", "model"):
        path = out / which / "state.safetensors"
        if not path.exists():
            continue
        state = new_head(config) if which == "head" else new_state(config)
        load_state(path, state, config, may_differ=True)
        network = (state.model if is_live else state.average).eval()
        if which == "head":
            head: Proposer = partial(propose, network, categories=truth.categories)
            found.append((which, which, head))
            continue
        card = ModelCard("natural-14", RECIPE.summary, truth.categories)
        for td in tds:
            options = replace(SAMPLING, steps=steps, time_delta=td)
            model: Proposer = partial(sample_segments, network, card, options=options)
            found.append((which, f"td {td:g}", model))
    return found


@torch.inference_mode()
def sample_segments(
    model: Pix2SeqD, card: ModelCard, image: NDArray[np.uint8], options: SamplingOptions
) -> Segments:
    """A proposal, as sure as the network is of its categories when it has seen noise alone.

    What it says after the last step follows from what it has said before, and is too sure.
    """
    encoded = encoding, frame = encode_image(model, image)
    *_, last = segment_image(model, card, image, options, encoded=encoded)
    if not isinstance(last, Proposal):
        raise TypeError("the last that a sampler yields is the proposal")
    generator = torch.Generator().manual_seed(options.seed)
    noise = torch.randn(1, model.config.n_bits, *frame.mask, generator=generator)
    gamma = model.config.sampling_schedule.gamma(torch.ones(1))
    logits = model.logits(noise, gamma, encoding, model.given(encoding))
    height, width = (side // frame.stride for side in frame.content)
    codes = logits[0, : model.config.n_codes, :height, :width]
    codes[0] = -torch.inf
    categories = dict(last.category_ids)
    sureness = measure_sureness(
        codes.softmax(0).numpy(), last.segment_ids, categories, card.categories
    )
    return Segments(last.segment_ids, categories, sureness)


if __name__ == "__main__":
    sys.exit(main())
