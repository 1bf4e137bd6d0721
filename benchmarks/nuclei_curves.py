"""Nuclei: PQ over CPU minutes, without and with what the preset adds, beside the peer.

    python -m benchmarks.nuclei_curves --data FOLDER --out DIR --peer DIR [--minutes 4 12]

FOLDER holds `train` and `val` as COCO panoptic folders; the peer's DIR is the `--out` of
`benchmarks.nuclei_peer`. All see the same kinds of views and are trained by the same rules: the
clock is the process time of training on one thread, and the rate falls until `--end`, so that
earlier points are of a run that was not finished. At each mark the average of the weights is
kept, its steps and td are chosen on training pictures, and val is scored with them: every so
many of its pictures, the same for all. The same command goes on with what was stopped, and
`--picture FILE.svg` draws the curves.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.experiments import NUCLEUS, Picture, Way
from benchmarks.natural import train_for
from benchmarks.nuclei_peer import as_counts, load_net, say
from benchmarks.peer_unet import Cutting, cut_segments, predict
from benchmarks.report import print_conditions, print_report
from benchmarks.segment_errors import (
    ErrorCounts,
    add_up,
    count_errors,
    group_images,
    only_category,
    print_errors,
)
from core.coco import CocoDataset, read_coco
from core.coco_json import CocoImage
from core.durable import replace_file
from core.images import read_image
from core.model.checkpoint import load_checkpoint, save_checkpoint
from core.model.pix2seq_d import Pix2SeqD
from core.model.prepare import stretch_contrast
from core.model.segment import Guesses, encode_image, final_segments
from core.model_card import ModelCard
from training.charts import Chart, draw_charts, picture_size, to_svg
from training.coco_index import index_coco
from training.config import Crops, TrainConfig
from training.data import PanopticDataset
from training.files import hold_in_memory
from training.recipes import RECIPES
from training.stepper import Stepper, new_state
from training.validation import spread

PEER: Final = "peer"
CROPS: Final = (Crops(128, 4, 0.8), Crops(256, 1, 0.2))  # those that the peer was measured on
STEPS: Final = 4_000  # about as many as 30 minutes are; the rate follows the minutes
TUNE_ON: Final = {"fluorescence, small": 8, "tissue": 4}  # training pictures
HEALING: Final = [(10, 4.0), (20, 12.0)]  # split segments, with ids that are drawn at random
Groups = dict[str, ErrorCounts]
Drawn = dict[bool, NDArray[Any]]  # nuclei split into connected parts, and as their ids are
Draw = Callable[[NDArray[np.uint8]], Drawn]


@dataclass(frozen=True, slots=True)
class Network:
    """What sets one network apart from the others.

    Attributes:
        ways: steps and td that are tried on training pictures.
    """

    changes: Mapping[str, Any]
    ways: Sequence[Way]


NETWORKS: Final[Mapping[str, Network]] = {
    "plain": Network({"evidence_dilations": (), "place_cell": 0, "b": 0.5}, HEALING),
    "evidence": Network({"evidence_dilations": (1, 3, 9), "place_cell": 0, "b": 0.5}, HEALING),
    "place": Network(
        {"evidence_dilations": (1, 3), "place_cell": 6, "b": 0.25}, [(2, 1.0), (5, 1.0)]
    ),
}


@dataclass(slots=True)
class Point:
    """What one network, or the peer, scores after some minutes.

    Attributes:
        way: how its maps are drawn; steps: of training.
        pictures: of val, and CPU seconds for each.
        split, whole: errors by group, of ids split into connected parts and as they are; the
            peer has only the former.
    """

    way: str
    steps: int = 0
    pictures: int = 0
    seconds_an_image: float = 0.0
    split: Groups = field(default_factory=dict)
    whole: Groups = field(default_factory=dict)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Point":
        groups = {
            kind: {name: as_counts(counts) for name, counts in values[kind].items()}
            for kind in ("split", "whole")
        }
        known = {f.name: values[f.name] for f in fields(cls)}
        return cls(**{**known, **groups})


Curves = dict[str, dict[float, Point]]  # by name and minutes


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, score what has no score yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train and val")
    parser.add_argument("--out", type=Path, required=True, help="folder of runs and scores")
    parser.add_argument("--peer", type=Path, help="folder of the peer's run")
    parser.add_argument("--minutes", type=float, nargs="+", default=[4, 12], help="marks")
    parser.add_argument("--end", type=float, default=30, help="when the rate has fallen")
    parser.add_argument("--only", choices=[*NETWORKS, PEER], nargs="+", help="of these alone")
    parser.add_argument("--every", type=int, default=1, help="every so many pictures of val")
    parser.add_argument("--picture", type=Path, help="SVG to draw the curves into")
    parsed = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print_conditions()
    parsed.out.mkdir(parents=True, exist_ok=True)
    marks = sorted(parsed.minutes)
    names = [n for n in (*NETWORKS, PEER) if n in (parsed.only or [*NETWORKS, PEER])]
    data = read_views(parsed.data / "train" / "panoptic_train.json")
    for minutes in marks:
        for name in names:
            if name != PEER:
                train_to(configure(name), data, parsed.out / name, minutes, parsed.end)
    curves = score_all(parsed.data, parsed.out, parsed.peer, names, marks, parsed.every)
    print_curves(curves)
    if parsed.picture:
        charts = make_charts(curves)
        drawing = draw_charts("Nuclei: PQ in percent over CPU minutes", charts)
        replace_file(parsed.picture, to_svg(drawing, picture_size(len(charts))))
    return 0


def configure(name: str) -> TrainConfig:
    """The recipe with one of the networks, on the views that the peer has.

    The average forgets faster than the recipe's, as a run has some thousand steps.
    """
    recipe = RECIPES["nuclei"].config
    model = replace(recipe.model, **NETWORKS[name].changes)
    return replace(
        recipe,
        model=model,
        place_weight=recipe.place_weight if model.place_cell else 0.0,
        crops=CROPS,
        steps=STEPS,
        ema_decay=0.99,
    )


def read_views(path: Path) -> PanopticDataset:
    return hold_in_memory(index_coco(path, has_stuff_ids=False))


def train_to(
    config: TrainConfig, data: PanopticDataset, out: Path, minutes: float, end: float
) -> None:
    """Train until some minutes are over, and keep the averaged weights of then."""
    path = weights_of(out, minutes)
    if path.exists():
        return
    out.mkdir(parents=True, exist_ok=True)
    state = new_state(config)
    stepper = Stepper(config, state)
    train_for(
        minutes, config, state, data, out, lambda b: stepper.step(b)[0], max(end, minutes)
    )
    card = ModelCard(
        out.name, "A point of a curve.", data.categories, training={"steps": state.step}
    )
    save_checkpoint(path, state.average, card)


def weights_of(out: Path, minutes: float) -> Path:
    return out / f"average-{minutes:g}.safetensors"


def score_all(
    folder: Path,
    out: Path,
    peer: Path | None,
    names: Sequence[str],
    marks: Sequence[float],
    every: int,
) -> Curves:
    """Score all points that are not scored yet; what was scored before is read back."""
    path = out / f"scores-every-{every}.json"
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for name, minutes in product(names, marks):
        where = peer if name == PEER else out / name
        key = f"{name} {minutes:g}"
        if key in kept or where is None or not weights_of(where, minutes).exists():
            continue
        draw, point = open_point(name, where, minutes, folder)
        score_pictures(point, draw, folder / "val" / "panoptic_val.json", every)
        kept[key] = asdict(point) | {"qualities": qualities(point)}
        replace_file(path, json.dumps(kept, indent=1).encode())
        say({"point": key, "way": point.way, "qualities": kept[key]["qualities"]})
    return read_curves(kept)


def read_curves(kept: Mapping[str, Mapping[str, Any]]) -> Curves:
    """The points of a file of scores, by name and by rising minutes."""
    curves: Curves = {}
    for key, values in sorted(kept.items(), key=lambda item: float(item[0].split(" ")[1])):
        name, minutes = key.split(" ")
        curves.setdefault(name, {})[float(minutes)] = Point.from_json(values)
    return {name: curves[name] for name in (*NETWORKS, PEER) if name in curves}


def open_point(name: str, where: Path, minutes: float, folder: Path) -> tuple[Draw, Point]:
    """How maps are drawn with the weights of a mark, and a point that says so."""
    weights = weights_of(where, minutes)
    if name == PEER:
        record = json.loads((where / "curve.json").read_text())[f"{minutes:g}"]
        cutting = Cutting(**record["cutting"])
        net = load_net(weights)

        def cut(image: NDArray[np.uint8]) -> Drawn:
            return {True: cut_segments(predict(net, stretch_contrast(image)), cutting)}

        return cut, Point("watershed", record["steps"])
    model, card = load_checkpoint(weights, "cpu")
    # Decoding is no part of the training: weights of any age are decoded as the preset is now.
    decoding = RECIPES["nuclei"].config.model.map_decoding
    model.config = replace(model.config, map_decoding=decoding)
    seen = pick_pictures(folder / "train" / "panoptic_train.json")
    way = max(NETWORKS[name].ways, key=lambda way: rate_way(model, card, seen, way))
    point = Point(f"{way[0]}, {way[1]:g}", card.training["steps"])
    return (lambda image: draw_nuclei(model, card, image, way)), point


def pick_pictures(path: Path) -> dict[str, list[Picture]]:
    """Pictures of some groups, on which the ways of sampling are tried."""
    groups = group_images(path)
    dataset = read_coco(path)
    return {
        group: [
            read_picture(path, dataset, index)
            for index in spread(
                [k for k, image in enumerate(dataset.images) if image.id in groups[group]], n
            )
        ]
        for group, n in TUNE_ON.items()
    }


def read_picture(path: Path, dataset: CocoDataset, index: int) -> Picture:
    image = read_image(path.parent / "images" / dataset.images[index].file_name)
    return Picture(image, only_category(*dataset.load(index), NUCLEUS))


def rate_way(
    model: Pix2SeqD, card: ModelCard, seen: Mapping[str, Sequence[Picture]], way: Way
) -> float:
    """The mean PQ of the groups, as the peer's thresholds are tuned."""
    found = []
    for pictures in seen.values():
        counts = ErrorCounts()
        for picture in pictures:
            drawn = draw_nuclei(model, card, picture.image, way)
            counts.add(count_errors(drawn[True], picture.truth))
        found.append(counts.pq)
    return float(np.mean(found))


@torch.inference_mode()
def draw_nuclei(model: Pix2SeqD, card: ModelCard, image: NDArray[np.uint8], way: Way) -> Drawn:
    """Nuclei as the program draws them, of one sample: ids split into parts, and not."""
    encoding, frame = encode_image(model, image)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, model.config.n_bits, *frame.mask, generator=generator)
    guesses, x0 = Guesses(model.config), noise
    for step in model.sample(encoding, noise, way[0], time_delta=way[1]):
        x0 = guesses.join(step.x0)
    drawn: Drawn = {}
    for is_split in (True, False):
        options = replace(RECIPES["nuclei"].sampling, split_parts=is_split)
        ids, category_ids = final_segments(model, card, x0, frame, options)
        nuclei = [k for k, category_id in category_ids.items() if category_id == NUCLEUS]
        drawn[is_split] = np.where(np.isin(ids, nuclei), ids, 0)
    return drawn


def score_pictures(point: Point, draw: Draw, path: Path, every: int) -> None:
    """Add up the errors on every so many pictures of val, in the order of kind and size."""
    dataset, groups = read_coco(path), group_images(path)
    chosen = thin_out(dataset.images, groups, every)
    by_image: dict[bool, dict[int, ErrorCounts]] = {True: {}, False: {}}
    began = time.process_time()
    for index in chosen:
        picture = read_picture(path, dataset, index)
        for is_split, found in draw(picture.image).items():
            counts = count_errors(found, picture.truth)
            by_image[is_split][dataset.images[index].id] = counts
    point.seconds_an_image = (time.process_time() - began) / len(chosen)
    point.pictures = len(chosen)
    point.split = add_up(by_image[True], groups)
    if by_image[False]:
        point.whole = add_up(by_image[False], groups)


def thin_out(
    images: Sequence[CocoImage], groups: Mapping[str, set[int]], every: int
) -> list[int]:
    """Every so many pictures, after sorting by group and size so that all kinds are kept."""

    def kind(index: int) -> tuple[Any, ...]:
        image = images[index]
        return [image.id in ids for ids in groups.values()], image.height, image.width, image.id

    return sorted(range(len(images)), key=kind)[::every]


def qualities(point: Point) -> dict[str, list[float]]:
    """PQ by group, of split ids and, if there are such, of whole ones."""
    return {
        group: [counts.pq, *(point.whole[group].pq for _ in "w" if point.whole)]
        for group, counts in point.split.items()
    }


def print_curves(curves: Curves) -> None:
    """PQ over minutes, then the kinds of errors of all points."""
    groups = list(
        dict.fromkeys(g for line in curves.values() for p in line.values() for g in p.split)
    )
    columns = ["", "min", "trained", "steps, td", "s", *groups]
    print_report(
        "PQ in percent: ids split into parts / as they are", columns, make_rows(curves, groups)
    )
    print_errors(
        {
            f"{name} {minutes:g}": point.split
            for name, line in curves.items()
            for minutes, point in line.items()
        }
    )


def make_rows(curves: Curves, groups: Sequence[str]) -> list[list[str]]:
    """A line for each point; s are CPU seconds a picture."""
    rows = []
    for name, line in curves.items():
        for minutes, point in line.items():
            cells = [f"{100 * point.split[group].pq:.1f}" for group in groups]
            if point.whole:
                cells = [
                    f"{cell} / {100 * point.whole[group].pq:.1f}"
                    for cell, group in zip(cells, groups, strict=True)
                ]
            about = [name, f"{minutes:g}", str(point.steps), point.way]
            rows.append([*about, f"{point.seconds_an_image:.1f}", *cells])
    return rows


def make_charts(curves: Curves) -> list[Chart]:
    """PQ over minutes, a chart for each group."""
    groups = dict.fromkeys(
        g for line in curves.values() for p in line.values() for g in p.split
    )
    return [
        Chart(
            group.rpartition(", ")[2],  # names of curves stand beside it
            {
                name: [
                    (minutes, 100 * point.split[group].pq) for minutes, point in line.items()
                ]
                for name, line in curves.items()
            },
        )
        for group in groups
    ]


if __name__ == "__main__":
    sys.exit(main())
