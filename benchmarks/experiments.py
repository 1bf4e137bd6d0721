"""The paper's ablations on nuclei, with equal CPU minutes and several seeds.

    python -m benchmarks.experiments --data FOLDER --out DIR [--minutes 5] [--only b] [--report]

FOLDER holds `train` and `val` as COCO panoptic folders; only fluorescence pictures of 256 x 256
are used. Every run has a seed and as many minutes of process time on one thread. Its weights
and a line for each way of sampling, in DIR/results.jsonl, are kept: the same command leaves out
what is finished, and goes on with a stopped run from at most four minutes before the stop.
`--report` trains nothing, and writes docs/experiments.md of what is finished.

What all runs share is the recipe `nuclei` with evidence over two windows. Cross entropy and L2
are compared with evidence and on one network: its log-odds make an expected bit, b tanh(z / 2),
and L2 is between that and the true one. p weighs the id bits alone, as in the recipe.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.experiments_page import write_page
from benchmarks.natural import train_for
from benchmarks.report import describe_machine, print_conditions
from benchmarks.segment_errors import (
    ErrorCounts,
    Ids,
    count_errors,
    group_images,
    only_category,
)
from core.coco import read_coco
from core.durable import replace_file
from core.images import read_image
from core.model.checkpoint import load_checkpoint, save_checkpoint
from core.model.config import ModelConfig
from core.model.encoder import Encoding
from core.model.pix2seq_d import Pix2SeqD
from core.model.place import Settle
from core.model.postprocess import bring_up, to_segments
from core.model.prepare import Frame
from core.model.segment import encode_image
from core.model_card import ModelCard
from training.coco_index import index_coco
from training.config import TrainConfig
from training.data import PanopticDataset
from training.files import PanopticFiles, hold_in_memory
from training.recipes import RECIPES
from training.state import TrainState
from training.stepper import BatchLoss, Stepper, new_state
from training.validation import spread

NUCLEUS: Final = 1  # category id
GROUP: Final = "fluorescence, small"
SEEDS, PICTURES = (0, 1, 2), 12
LEAST_AREA: Final = 24  # image pixels
USUAL_WAY: Final = (20, 8.0)  # steps and td
STEPS, TDS = (1, 2, 5, 10, 20, 50), (0.0, 1.0, 2.0, 4.0, 8.0)
Way = tuple[int, float]
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one run is about; the defaults are what all runs share."""

    b: float = 0.5
    p: float = 0.4
    is_l2: bool = False
    is_plain: bool = False

    @property
    def name(self) -> str:
        loss = "l2" if self.is_l2 else "ce"
        return "plain" if self.is_plain else f"b{self.b:g}-p{self.p:g}-{loss}"

    @property
    def ways(self) -> list[Way]:
        """The ways of sampling that are scored; many for the shared run."""
        if self != Cell():
            return [USUAL_WAY]
        sweep = [(steps, td) for td in (2.0, USUAL_WAY[1]) for steps in STEPS]
        return list(dict.fromkeys([USUAL_WAY, *sweep, *((USUAL_WAY[0], td) for td in TDS)]))


EXPERIMENTS: Final[Mapping[str, Sequence[Cell]]] = {
    "sampling": [Cell()],
    "b": [Cell(b=b) for b in (0.03, 0.1, 0.3, 0.5, 1.0)],
    "loss": [Cell(), Cell(is_l2=True)],
    "p": [Cell(p=p) for p in (0.0, 0.2, 0.4, 0.6)],
    "plain": [Cell(is_plain=True)],
}


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A held-out picture [H, W, 3] and its true nuclei [H, W]."""

    image: NDArray[np.uint8]
    truth: Ids


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is not finished, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train and val")
    parser.add_argument("--out", type=Path, required=True, help="folder of runs and results")
    parser.add_argument("--minutes", type=float, default=5.0, help="of the CPU, for each run")
    parser.add_argument("--only", choices=list(EXPERIMENTS), help="one experiment")
    parser.add_argument("--report", action="store_true", help="write docs/experiments.md")
    parser.add_argument("--commit", default="", help="of the code, where git cannot tell")
    parsed = parser.parse_args(arguments)
    parsed.out.mkdir(parents=True, exist_ok=True)
    results = Results(parsed.out / "results.jsonl")
    if parsed.report:
        write_page(Path("docs"), results.lines)
        return 0
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print_conditions()
    made = {
        "minutes": parsed.minutes,
        "machine": describe_machine(),
        "torch": torch.__version__,
        "commit": parsed.commit or read_commit(),
    }
    chosen = [parsed.only] if parsed.only else list(EXPERIMENTS)
    run_all(
        base_config(),
        [(cell, seed) for cell, seed in plan_runs() if _is_in(cell, chosen)],
        read_views(parsed.data),
        read_pictures(parsed.data),
        results,
        made,
    )
    return 0


def _is_in(cell: Cell, names: Sequence[str]) -> bool:
    return any(cell in EXPERIMENTS[name] for name in names)


def plan_runs() -> Iterator[tuple[Cell, int]]:
    """All runs of the first seed, then those of the next; the plain one has one seed."""
    cells = dict.fromkeys(cell for group in EXPERIMENTS.values() for cell in group)
    for seed in SEEDS:
        yield from ((cell, seed) for cell in cells if seed == SEEDS[0] or not cell.is_plain)


def read_commit() -> str:
    git = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() or "unknown"


def base_config() -> TrainConfig:
    """What all runs share.

    The average forgets faster than the recipe's, as a run has some thousand steps.
    """
    recipe = RECIPES["nuclei"].config
    # Ids by position, where the network has them, would tell it what random ids must not.
    known = {field.name for field in fields(ModelConfig)}
    off = {name: 0 for name in ("place_cell",) if name in known}
    model = replace(recipe.model, evidence_dilations=(1, 3), semantic_loss_power=0.0, **off)
    return replace(recipe, model=model, place_weight=0.0, ema_decay=0.99)


def configure(base: TrainConfig, cell: Cell, seed: int) -> TrainConfig:
    """The run of a cell; the plain one has the paper's head and values."""
    changes: dict[str, Any] = {"b": cell.b, "loss_power": cell.p}
    if cell.is_plain:
        changes = {
            "evidence_dilations": (),
            "prediction": "x_softmax_xent",
            "b": 0.1,
            "loss_power": 0.2,
            "semantic_loss_power": None,
        }
    return replace(base, model=replace(base.model, **changes), seed=seed)


class ExpectedBits(nn.Module):
    """A network whose output is the bits that its log-odds lead to expect, for L2."""

    def __init__(self, model: Pix2SeqD) -> None:
        super().__init__()
        self.model = model
        plain = {"prediction": "x", "evidence_dilations": ()}
        self.config = replace(model.config, **plain)

    def encode(self, image: Tensor) -> Encoding:
        return self.model.encode(image)

    def given(
        self, encoding: Encoding, past: Tensor | None = None, estimate: Tensor | None = None
    ) -> Tensor:
        return self.model.given(encoding, past, estimate)

    def logits(
        self,
        x_t: Tensor,
        gamma: Tensor,
        encoding: Encoding,
        given: Tensor,
        settle: Settle | None = None,
    ) -> Tensor:
        """b tanh(z / 2) [B, n, h, w], as the sampler makes of log-odds z."""
        z = self.model.logits(x_t, gamma, encoding, given, settle)
        return self.config.b * torch.tanh(z / 2)


class SquaredStepper(Stepper):
    """Steps that minimise the squared error of the expected bits, with the same weights p."""

    def __init__(self, config: TrainConfig, state: TrainState) -> None:
        super().__init__(config, state)
        network = ExpectedBits(state.model)
        self._loss = BatchLoss(replace(config, model=network.config), network)


class Results:
    """The lines of a file, one for each run and way of sampling; it is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        text = path.read_text() if path.exists() else ""
        self.lines: list[Result] = [json.loads(line) for line in text.splitlines()]

    def has(self, cell: Cell, seed: int, way: Way) -> bool:
        return any(
            (line["run"], line["seed"], line["steps"], line["td"]) == (cell.name, seed, *way)
            for line in self.lines
        )

    def add(self, line: Result) -> None:
        self.lines.append(line)
        text = "".join(json.dumps(each) + "\n" for each in self.lines)
        replace_file(self._path, text.encode())
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    def folder(self, cell: Cell, seed: int) -> Path:
        """Where the run keeps its weights."""
        return self._path.parent / f"{cell.name}-seed{seed}"


def run_all(
    base: TrainConfig,
    runs: Sequence[tuple[Cell, int]],
    data: PanopticDataset,
    pictures: Sequence[Picture],
    results: Results,
    made: Mapping[str, Any],
) -> None:
    """Train and score what has no result yet.

    Args:
        made: the conditions, which become part of every result; `minutes` is one of them.
    """
    for cell, seed in runs:
        missing = [way for way in cell.ways if not results.has(cell, seed, way)]
        if not missing:
            continue
        out = results.folder(cell, seed)
        out.mkdir(exist_ok=True)
        path = out / "weights.safetensors"
        if not path.exists():
            train_cell(configure(base, cell, seed), cell, data, out, made["minutes"])
        model, card = load_checkpoint(path, "cpu")
        trained = {k: card.training[k] for k in ("train_steps", "train_cpu_s", "minutes")}
        if trained["minutes"] != made["minutes"]:
            raise ValueError(f"{path} was trained for {trained['minutes']} minutes")
        for way in missing:
            scores = score(model, card, pictures, way)
            about = {"run": cell.name, **asdict(cell), "seed": seed}
            results.add(about | {"steps": way[0], "td": way[1]} | scores | trained | made)


def train_cell(
    config: TrainConfig, cell: Cell, data: PanopticDataset, out: Path, minutes: float
) -> None:
    """Train until the minutes are over, and keep the averaged weights alone."""
    state = new_state(config)
    stepper = (SquaredStepper if cell.is_l2 else Stepper)(config, state)
    train_for(minutes, config, state, data, out, lambda batch: stepper.step(batch)[0])
    clock = json.loads((out / "seconds.json").read_text())
    record = {
        "train_steps": state.step,
        "train_cpu_s": round(clock["cpu_seconds"], 1),
        "minutes": minutes,
        "config": asdict(config),
    }
    card = ModelCard(cell.name, "A run of an experiment.", data.categories, training=record)
    save_checkpoint(out / "weights.safetensors", state.average, card)
    (out / "state.safetensors").unlink()


def score(
    model: Pix2SeqD, card: ModelCard, pictures: Sequence[Picture], way: Way
) -> dict[str, Any]:
    """PQ of nuclei over all pictures, ids as they are and split into connected parts."""
    began = time.process_time()
    counts = {True: ErrorCounts(), False: ErrorCounts()}
    for picture in pictures:
        for is_split, found in draw_maps(model, card, picture.image, way).items():
            counts[is_split].add(count_errors(found, picture.truth))
    return {
        "pq": counts[False].pq,
        "pq_split": counts[True].pq,
        "errors_split": counts[True].to_json(),
        "pictures": len(pictures),
        "cpu_s_a_picture": (time.process_time() - began) / len(pictures),
    }


@torch.inference_mode()
def draw_maps(
    model: Pix2SeqD, card: ModelCard, image: NDArray[np.uint8], way: Way
) -> dict[bool, Ids]:
    """Nuclei of one sample from the same noise for all networks: split into parts, and not."""
    encoding, frame = encode_image(model, image)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, model.config.n_bits, *frame.mask, generator=generator)
    *_, last = model.sample(encoding, noise, way[0], time_delta=way[1])
    codes, ids = model.to_labels(last.x0)[0].numpy()
    return {
        is_split: _find_nuclei(model.config, card, codes, ids, frame, is_split=is_split)
        for is_split in (True, False)
    }


def _find_nuclei(
    config: ModelConfig,
    card: ModelCard,
    codes: NDArray[np.int64],
    ids: NDArray[np.int64],
    frame: Frame,
    *,
    is_split: bool,
) -> Ids:
    numbers, category_ids = to_segments(
        codes,
        ids,
        card.categories,
        has_stuff_ids=config.has_stuff_ids,
        is_code_kept=True,
        min_area=round(LEAST_AREA / frame.stride**2),
        split_parts=is_split,
    )
    nuclei = [k for k, category_id in category_ids.items() if category_id == NUCLEUS]
    drawn = bring_up(numbers, frame)
    return np.where(np.isin(drawn, nuclei), drawn, 0)


def read_views(folder: Path) -> PanopticDataset:
    """The training pictures of the group, held in memory."""
    path = folder / "train" / "panoptic_train.json"
    wanted = group_images(path)[GROUP]
    names = {image.file_name for image in read_coco(path).images if image.id in wanted}
    files = index_coco(path, has_stuff_ids=False)
    entries = [entry for entry in files.entries() if entry.name in names]
    return hold_in_memory(PanopticFiles(files.categories, entries, bad=files.bad))


def read_pictures(folder: Path) -> list[Picture]:
    """Pictures of val, evenly spread over the group; the same in every run."""
    path = folder / "val" / "panoptic_val.json"
    dataset, wanted = read_coco(path), group_images(path)[GROUP]
    indices = [k for k, image in enumerate(dataset.images) if image.id in wanted]
    return [
        Picture(
            read_image(path.parent / "images" / dataset.images[k].file_name),
            only_category(*dataset.load(k), NUCLEUS),
        )
        for k in spread(indices, PICTURES)
    ]


if __name__ == "__main__":
    sys.exit(main())
