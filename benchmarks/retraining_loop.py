"""The loop of correcting and retraining: how much sooner does the starter model get there?

    python -m benchmarks.retraining_loop --data FOLDER/val --out DIR [--minutes 10]

The domain is new to the starter: the fluorescence pictures of val, which it has not seen, as a
bright field would show them (`benchmarks.looks`). Of these 5, 10, 20 and 40 are labelled, each
lot with the one before in it; their true maps stand for the person. After each lot a model is
trained for some CPU minutes, once from the starter as `fine-tune` does it and once from
nothing by the recipe `nuclei`, and segments 40 other pictures. What is left to correct there is
priced as the gate does it. Each score is a line of DIR/rounds.jsonl and is not made again.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.looks import to_bright_field
from benchmarks.natural import train_for
from benchmarks.report import print_conditions, print_report
from core.bundled import DEFAULT_MODEL, find_model
from core.coco import CocoDataset, read_coco
from core.correction_cost import CorrectionCost, measure_cost
from core.durable import replace_file
from core.images import read_image
from core.model.checkpoint import load_checkpoint
from core.model.pix2seq_d import Pix2SeqD
from core.model.segment import segment_image
from core.model_card import ModelCard, read_card
from core.panoptic import PanopticMap
from core.proposals import Proposal
from core.quality import Tallies, add_tallies, compare_maps, report_quality
from training.budget import fit_steps
from training.charts import Chart, draw_charts, picture_size, to_svg
from training.config import TrainConfig
from training.data import PanopticDataset
from training.evaluate import images_with
from training.fine_tune import start_config
from training.labels import codes_of, label_map, with_numbers
from training.recipes import RECIPES
from training.start import load_start
from training.stepper import Stepper, new_state

N_UNSEEN: Final = 40
LOTS: Final = (5, 10, 20, 40)
STEPS_A_MINUTE: Final = 140  # about; the rate follows the minutes
TUNED, FRESH = "starter", "scratch"
NUCLEUS: Final = 1


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture of the domain with its true map."""

    name: str
    image: NDArray[np.uint8]
    map: PanopticMap


@dataclass(frozen=True, slots=True)
class Round:
    """What a model scores on the unseen pictures.

    Attributes:
        start: "starter" or "scratch"; labelled: pictures that it was trained on.
        minutes: of a processor, and the steps made in them.
        pq, sq, rq: of nuclei.
        seconds: of a person, to correct a picture; cost: of all pictures together.
    """

    start: str
    labelled: int
    minutes: float
    steps: int
    pq: float
    sq: float
    rq: float
    seconds: float
    cost: CorrectionCost

    @property
    def key(self) -> tuple[str, int, float]:
        return self.start, self.labelled, self.minutes

    @classmethod
    def from_line(cls, line: str) -> "Round":
        """The round that a line of `rounds.jsonl` is about."""
        fields = json.loads(line)
        return cls(**{**fields, "cost": CorrectionCost(**fields["cost"])})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds that have no line yet, and print all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="COCO folder, as nuclei/val")
    parser.add_argument("--out", type=Path, required=True, help="folder of runs and scores")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="the starter: a name or a file")
    parser.add_argument("--minutes", type=float, default=10, help="of a processor, a round")
    parser.add_argument("--lots", type=int, nargs="+", default=LOTS, help="labelled pictures")
    parser.add_argument("--picture", type=Path, help="SVG to draw the curves into")
    parsed = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print_conditions()
    parsed.out.mkdir(parents=True, exist_ok=True)
    pictures = read_domain(parsed.data)
    unseen, pool = pictures[:N_UNSEEN], pictures[N_UNSEEN:]
    done = read_rounds(parsed.out)
    wanted = [(TUNED, 0), *((start, n) for n in parsed.lots for start in (TUNED, FRESH))]
    for start, n in wanted:
        if (start, n, parsed.minutes if n else 0.0) not in {r.key for r in done}:
            starter = find_model(parsed.model)
            done.append(run_round(start, starter, pool[:n], unseen, parsed.minutes, parsed.out))
    rounds = [r for r in done if r.minutes in {0.0, parsed.minutes}]
    print_rounds(rounds)
    if parsed.picture:
        charts = make_charts(rounds)
        drawing = draw_charts(f"Retraining for {parsed.minutes:g} CPU minutes a round", charts)
        replace_file(parsed.picture, to_svg(drawing, picture_size(len(charts))))
    return 0


def read_domain(folder: Path) -> list[Picture]:
    """The pictures of the domain, in an order that is drawn once."""
    path = folder / "panoptic_val.json"
    dataset, wanted = read_coco(path), images_with(path, "modality", "fluorescence")
    indices = [k for k, image in enumerate(dataset.images) if image.id in wanted]
    order = np.random.default_rng(0).permutation(indices).tolist()
    return [read_picture(dataset, folder, index) for index in order]


def read_picture(dataset: CocoDataset, folder: Path, index: int) -> Picture:
    """A picture as a bright field shows it."""
    name = dataset.images[index].file_name
    seen = to_bright_field(read_image(folder / "images" / name), seed=index)
    return Picture(name, seen, dataset.load_map(index))


def read_rounds(out: Path) -> list[Round]:
    """The rounds that have their line."""
    path = out / "rounds.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [Round.from_line(line) for line in lines]


def run_round(
    start: str,
    path: Path,
    labelled: Sequence[Picture],
    unseen: Sequence[Picture],
    minutes: float,
    out: Path,
) -> Round:
    """Train a model if anything is labelled, and add the line of what it scores."""
    card = read_card(path)
    if labelled:
        model, steps = train_model(start, path, labelled, minutes, out)
    else:
        (model, _), steps, minutes = load_checkpoint(path, "cpu"), 0, 0.0
    tallies, cost = score_model(model, card, unseen)
    quality = report_quality(tallies, card.categories).per_category[NUCLEUS]
    seconds = cost.seconds() / len(unseen)
    scores = quality.pq, quality.sq, quality.rq, seconds, cost
    made = Round(start, len(labelled), minutes, steps, *scores)
    with (out / "rounds.jsonl").open("a") as file:
        file.write(json.dumps(asdict(made)) + "\n")
    return made


def train_model(
    start: str, starter: Path, labelled: Sequence[Picture], minutes: float, out: Path
) -> tuple[Pix2SeqD, int]:
    """The averaged weights after some minutes, and the steps that were made in them."""
    card = read_card(starter)
    config = make_config(start, starter, card, minutes)
    folder = out / f"{start}-{len(labelled)}-{minutes:g}"
    folder.mkdir(exist_ok=True)
    state = new_state(config)
    load_start(config, state.model)
    state.average.load_state_dict(state.model.state_dict())
    stepper, data = Stepper(config, state), make_data(labelled, card)
    train_for(minutes, config, state, data, folder, lambda batch: stepper.step(batch)[0])
    return state.average.eval(), state.step


def make_config(start: str, starter: Path, card: ModelCard, minutes: float) -> TrainConfig:
    """As `fine-tune` does it, or by the recipe, in about as many steps as there is time for."""
    config = start_config(starter, card) if start == TUNED else RECIPES["nuclei"].config
    return fit_steps(config, max(round(STEPS_A_MINUTE * minutes), 1))


def make_data(labelled: Sequence[Picture], card: ModelCard) -> PanopticDataset:
    """The labelled pictures in the codes of the model."""
    codes = codes_of(card.categories)
    numbered = with_numbers(card.categories, has_stuff_ids=False)
    return PanopticDataset(
        card.categories,
        [picture.name for picture in labelled],
        [picture.image for picture in labelled],
        [label_map(picture.map, codes, numbered) for picture in labelled],
    )


def score_model(
    model: Pix2SeqD, card: ModelCard, pictures: Sequence[Picture]
) -> tuple[Tallies, CorrectionCost]:
    """Hits, misses and what is left to correct, with the options that the card has."""
    tallies: Tallies = {}
    cost = CorrectionCost()
    for picture in pictures:
        *_, last = segment_image(model, card, picture.image, replace(card.sampling, seed=0))
        if not isinstance(last, Proposal):
            raise TypeError("the last that is yielded is the proposal")
        truth = {s.id: s.category_id for s in picture.map.segments.values()}
        sides = last.segment_ids, last.category_ids, picture.map.segment_ids, truth
        add_tallies(tallies, compare_maps(*sides))
        cost += measure_cost(*sides)
    return tallies, cost


def print_rounds(rounds: Sequence[Round]) -> None:
    """A line a round, the starter alone first."""
    rows = [
        [
            f"{r.start}, {r.labelled} labelled",
            f"{r.minutes:g}",
            str(r.steps),
            *(f"{100 * value:.1f}" for value in (r.pq, r.sq, r.rq)),
            f"{r.seconds:.0f}",
            *(str(getattr(r.cost, kind)) for kind in ("add", "remove", "split", "merge")),
        ]
        for r in sorted(rounds, key=lambda r: (r.labelled, r.start != TUNED))
    ]
    columns = ["from", "min", "steps", "PQ", "SQ", "RQ", "s", "add", "remove", "split", "merge"]
    print_report(f"{N_UNSEEN} unseen pictures; s to correct one", columns, rows)


def make_charts(rounds: Sequence[Round]) -> list[Chart]:
    """PQ and seconds over labelled pictures, a curve a start."""
    ordered = sorted(rounds, key=lambda r: r.labelled)
    lines = {start: [r for r in ordered if r.start == start] for start in (TUNED, FRESH)}
    return [
        Chart(
            "PQ of nuclei, %",
            {name: [(r.labelled, 100 * r.pq) for r in line] for name, line in lines.items()},
        ),
        Chart(
            "Seconds to correct one",
            {name: [(r.labelled, r.seconds) for r in line] for name, line in lines.items()},
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
