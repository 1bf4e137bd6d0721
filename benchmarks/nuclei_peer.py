"""A peer of the nuclei model, trained for some CPU minutes: PQ over minutes, and its errors.

    python -m benchmarks.nuclei_peer --data FOLDER --out DIR [--minutes 4 12 30]

FOLDER holds `train` and `val` as COCO panoptic folders. The peer of `benchmarks.peer_unet`
sees the views that the recipe `nuclei` sees: the same pictures, crops and augmentations. Its
clock is the process time of training, reading of views included and evaluation left out, on one
thread. At each mark the average of its weights is kept, its thresholds are tuned on training
pictures, and a point is added to DIR/curve.json. A stop costs at most five minutes; the same
command goes on. The rate falls until the last mark, so the others are points of one long run.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmarks.peer_unet import (
    Cutting,
    Ids,
    Image,
    UNet,
    cut_segments,
    make_targets,
    peer_loss,
    predict,
)
from benchmarks.report import print_conditions
from benchmarks.segment_errors import (
    ErrorCounts,
    add_up,
    count_errors,
    group_images,
    only_category,
    print_errors,
)
from core.coco import CocoDataset, read_coco
from core.durable import replace_file, replacing
from core.images import read_image
from core.model.prepare import stretch_contrast
from training.batches import make_batch
from training.coco_index import index_coco
from training.config import TrainConfig
from training.data import PanopticDataset
from training.files import hold_in_memory
from training.recipes import RECIPES

NUCLEUS: Final = 1  # code and category id
SAVE_SECONDS: Final = 240.0
WARMUP_STEPS: Final = 100
RATE, LAST_SHARE = 2e-3, 0.02
EMA_DECAY: Final = 0.998
TUNE_EVERY: Final = 8  # of the training pictures
CHOICES: Final[dict[str, Sequence[float]]] = {  # of each field of a cutting
    "seed": (0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
    "boundary": (0.0, 0.25, 0.5, 1.0),
    "foreground": (0.4, 0.5, 0.6),
    "min_area": (12, 24, 40),
}


@dataclass(slots=True)
class Run:
    """What changes while the peer is trained.

    Attributes:
        step: steps done; seconds: of process time they took.
    """

    net: UNet
    average: UNet
    optimizer: torch.optim.AdamW
    step: int = 0
    seconds: float = 0.0


def main() -> int:
    """Train up to each mark, score there, and print the curve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train and val")
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--minutes", type=float, nargs="+", default=[4, 12, 30])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print_conditions()
    arguments.out.mkdir(parents=True, exist_ok=True)
    points = make_curve(
        arguments.data, arguments.out, sorted(arguments.minutes), arguments.seed
    )
    print_errors({f"{minutes} min": groups for minutes, groups in points.items()})
    return 0


def make_curve(
    folder: Path, out: Path, marks: Sequence[float], seed: int
) -> dict[str, dict[str, ErrorCounts]]:
    """Errors of each group of val at each mark; what was scored before is read back."""
    path = out / "curve.json"
    curve: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    train_json = folder / "train" / "panoptic_train.json"
    data = hold_in_memory(index_coco(train_json, has_stuff_ids=False))
    run = new_run(seed)
    state = out / "state.safetensors"
    if state.exists():
        load_run(state, run)
    for minutes in marks:
        name = f"{minutes:g}"
        weights = out / f"average-{name}.safetensors"
        if not weights.exists():
            train_until(run, data, view_config(seed), 60 * minutes, 60 * marks[-1], state)
            save_tensors(weights, run.average.state_dict(), {})
        if name not in curve:
            curve[name] = score_point(load_net(weights), folder, run.step)
            replace_file(path, json.dumps(curve, indent=1).encode())
    return {
        name: {group: as_counts(values) for group, values in curve[name]["groups"].items()}
        for name in (f"{minutes:g}" for minutes in marks)
    }


def as_counts(values: dict[str, Any]) -> ErrorCounts:
    """The counts that a point of the curve holds beside what follows from them."""
    return ErrorCounts(**{k: values[k] for k in asdict(ErrorCounts())})


def view_config(seed: int) -> TrainConfig:
    """The recipe of our model, with labels at the size of the views."""
    config = RECIPES["nuclei"].config
    model = replace(config.model, mask_size=config.model.image_size, has_stem_skip=False)
    return replace(config, model=model, seed=seed)


def new_run(seed: int) -> Run:
    """Fresh weights of a seed."""
    torch.manual_seed(seed)
    net, average = (UNet().to(memory_format=torch.channels_last) for _ in "ab")
    average.load_state_dict(net.state_dict())
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0}]
    return Run(net, average.eval(), torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.99)))


def train_until(
    run: Run, data: PanopticDataset, config: TrainConfig, stop: float, end: float, state: Path
) -> None:
    """Train until `stop` seconds of process time have gone into it; the rate falls to `end`."""
    saved = time.monotonic()
    run.net.train()
    while run.seconds < stop:
        began = time.process_time()
        share = min(run.seconds / end, 1.0)
        rate = RATE * (1 - share * (1 - LAST_SHARE)) * min((run.step + 1) / WARMUP_STEPS, 1)
        loss = train_step(run, data, config, rate)
        run.seconds += time.process_time() - began
        if run.step % 50 == 0:
            say({"step": run.step, "loss": loss, "seconds": run.seconds})
        if time.monotonic() - saved > SAVE_SECONDS or run.seconds >= stop:
            save_run(state, run)
            saved = time.monotonic()


def train_step(run: Run, data: PanopticDataset, config: TrainConfig, rate: float) -> float:
    """One batch of the recipe's views; returns its loss."""
    batch = make_batch(config, data, run.step)
    ids = np.where(batch.labels[:, 0] == NUCLEUS, batch.labels[:, 1], 0).astype(np.int32)
    targets = torch.from_numpy(np.stack([make_targets(view) for view in ids]))
    images = batch.images.contiguous(memory_format=torch.channels_last)
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    loss = peer_loss(run.net(images), targets, batch.labels[:, :1] != 0)
    run.optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(run.net.parameters(), 1.0)
    run.optimizer.step()
    run.step += 1
    update_average(run)
    return float(loss.detach())


def say(line: dict[str, Any]) -> None:
    """A line of JSON for whoever follows the run."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


@torch.no_grad()
def update_average(run: Run) -> None:
    """Weights and norm statistics into their running average, faster in the beginning."""
    decay = min(EMA_DECAY, (1 + run.step) / (10 + run.step))
    live = run.net.state_dict()
    for name, value in run.average.state_dict().items():
        if value.is_floating_point():
            value.lerp_(live[name], 1 - decay)
        else:
            value.copy_(live[name])


def score_point(net: UNet, folder: Path, step: int) -> dict[str, Any]:
    """Tune the cutting on training pictures, and count the errors of val."""
    cutting = tune(net, folder / "train" / "panoptic_train.json")
    path = folder / "val" / "panoptic_val.json"
    by_image, began = {}, time.process_time()
    for image_id, maps, truth in look_at(net, path):
        by_image[image_id] = count_errors(cut_segments(maps, cutting), truth)
    seconds = (time.process_time() - began) / len(by_image)
    groups = add_up(by_image, group_images(path))
    for name, counts in groups.items():
        say({"step": step, "group": name, "pq": counts.pq, "sq": counts.sq, "rq": counts.rq})
    return {
        "steps": step,
        "cutting": asdict(cutting),
        "seconds_an_image": seconds,
        "groups": {name: counts.to_json() for name, counts in groups.items()},
    }


def tune(net: UNet, train_json: Path) -> Cutting:
    """The cutting with the best mean of PQ on fluorescence and on tissue.

    Field after field, and the first two once more.
    """
    seen = list(look_at(net, train_json, TUNE_EVERY))
    groups = group_images(train_json)
    del groups["fluorescence, small"]

    def quality(cutting: Cutting) -> float:
        by_image = {i: count_errors(cut_segments(maps, cutting), t) for i, maps, t in seen}
        return float(np.mean([counts.pq for counts in add_up(by_image, groups).values()]))

    best = Cutting()
    for name in (*CHOICES, "seed", "boundary"):
        best = max((replace(best, **{name: value}) for value in CHOICES[name]), key=quality)
    return best


def look_at(net: UNet, path: Path, every: int = 1) -> Iterator[tuple[int, Image, Ids]]:
    """Image id, maps of the network and true nuclei of every so many pictures."""
    dataset: CocoDataset = read_coco(path)
    for index, image in list(enumerate(dataset.images))[::every]:
        pixels = stretch_contrast(read_image(path.parent / "images" / image.file_name))
        yield image.id, predict(net, pixels), only_category(*dataset.load(index), NUCLEUS)


def save_run(path: Path, run: Run) -> None:
    """Everything that the run needs to go on, written beside and renamed."""
    tensors: dict[str, Tensor] = {}
    tensors |= {f"net.{name}": value for name, value in run.net.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in run.average.state_dict().items()}
    for name, weight in run.net.named_parameters():
        moments = run.optimizer.state[weight]
        tensors |= {f"adam.{kind}.{name}": value for kind, value in moments.items()}
    metadata = {"step": str(run.step), "seconds": str(run.seconds)}
    save_tensors(path, tensors, metadata)


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file beside its place, and rename it."""
    with replacing(path) as partial:
        save_file({k: v.contiguous() for k, v in tensors.items()}, partial, metadata)


def load_run(path: Path, run: Run) -> None:
    """Fill a fresh run from what `save_run` wrote."""
    tensors = load_file(path)
    for prefix, net in (("net.", run.net), ("average.", run.average)):
        own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        net.load_state_dict(own)
    for name, weight in run.net.named_parameters():
        kinds = ("step", "exp_avg", "exp_avg_sq")
        run.optimizer.state[weight] = {kind: tensors[f"adam.{kind}.{name}"] for kind in kinds}
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    run.step, run.seconds = int(metadata["step"]), float(metadata["seconds"])


def load_net(path: Path) -> UNet:
    net = UNet().to(memory_format=torch.channels_last)
    net.load_state_dict(load_file(path))
    return net.eval()


if __name__ == "__main__":
    sys.exit(main())
