"""The command line of training: arguments in, a JSON line a step out, at last a model file."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from core.errors import AnnotateError
from core.model.checkpoint import load_checkpoint, save_checkpoint
from core.model_card import ModelCard
from core.proposals import SamplingOptions
from training.config import TrainConfig
from training.data import PanopticDataset, read_coco_folder
from training.evaluate import Scored, evaluate, images_with, sampling_grid
from training.recipes import RECIPES, Recipe
from training.train import load_average, train


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a recipe, or score a model; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    if parsed.threads:
        torch.set_num_threads(parsed.threads)
    try:
        return int(parsed.run(parsed))
    except AnnotateError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from the last checkpoint.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitbrush train", description=__doc__)
    parser.add_argument(
        "--threads", type=int, default=0, help="CPU threads; 0 lets torch choose"
    )
    commands = parser.add_subparsers(dest="recipe", required=True)
    for name, recipe in RECIPES.items():
        command = commands.add_parser(name, help=recipe.summary)
        command.add_argument("--data", type=Path, required=True, help="COCO panoptic JSON")
        command.add_argument("--out", type=Path, required=True, help="folder of checkpoints")
        command.add_argument(
            "--steps", type=int, help="optimizer steps, instead of the recipe's"
        )
        command.add_argument("--seed", type=int, help="of weights, views and noise")
        command.set_defaults(run=_train)
    score = commands.add_parser("score", help="PQ of a model file over steps and td")
    score.add_argument("model", type=Path)
    score.add_argument("truth", type=Path, help="COCO panoptic JSON")
    score.add_argument("--steps", type=int, nargs="+", default=[20])
    score.add_argument("--td", type=float, nargs="+", default=[2.0])
    score.add_argument("--min-area", type=int)
    score.add_argument(
        "--only", metavar="FIELD=VALUE", help="pictures whose JSON entry says so"
    )
    score.add_argument(
        "--record",
        action="store_true",
        help="write the scores and the best options into the model's card",
    )
    score.set_defaults(run=_score)
    return parser


def _train(arguments: argparse.Namespace) -> int:
    recipe = RECIPES[arguments.recipe]
    changes = {
        k: getattr(arguments, k) for k in ("steps", "seed") if getattr(arguments, k) is not None
    }
    config = replace(recipe.config, **changes)
    data = read_coco_folder(arguments.data, has_stuff_ids=config.model.has_stuff_ids)
    began = time.monotonic()
    for step in train(config, data, arguments.out):
        print(json.dumps(asdict(step)), flush=True)
    path = arguments.out / f"{arguments.recipe}.safetensors"
    seconds = time.monotonic() - began
    model = load_average(config, arguments.out / "state.safetensors")
    save_checkpoint(path, model, make_card(arguments.recipe, recipe, config, data, seconds))
    print(json.dumps({"model": str(path)}), flush=True)
    return 0


def make_card(
    name: str, recipe: Recipe, config: TrainConfig, data: PanopticDataset, seconds: float
) -> ModelCard:
    """The card of a trained model: what it knows, and how to train it again."""
    record: dict[str, Any] = {
        "recipe": name,
        "command": f"bitbrush train {name} --data TRAIN.json --out DIR",
        "config": asdict(config),
        "data_sha256": data.content_hash(),
        "images": len(data),
        "seconds_of_last_start": round(seconds),
        "cpus": os.cpu_count(),
        "torch": torch.__version__,
    }
    return ModelCard(
        name=name,
        summary=recipe.summary,
        categories=data.categories,
        sampling=recipe.sampling,
        licence=recipe.licence,
        training=record,
    )


def _score(arguments: argparse.Namespace) -> int:
    model, card = load_checkpoint(arguments.model, "cpu")
    base: SamplingOptions = card.sampling
    if arguments.min_area is not None:
        base = replace(base, min_area=arguments.min_area)
    image_ids = None
    if arguments.only:
        field, _, value = arguments.only.partition("=")
        image_ids = images_with(arguments.truth, field, value)
    ways = sampling_grid(base, arguments.steps, arguments.td)
    scores = evaluate(model, card, arguments.truth, ways, image_ids=image_ids)
    for scored in scores:
        print(json.dumps(_row(scored)), flush=True)
    if arguments.record:
        best = max(scores, key=lambda scored: scored.report.things.pq)
        record = {
            "truth": arguments.truth.name,
            "only": arguments.only,
            "rows": [_row(scored) for scored in scores],
        }
        training = {**card.training, "scores": record}
        card = replace(card, sampling=best.options, training=training)
        save_checkpoint(arguments.model, model, card)
    return 0


def _row(scored: Scored) -> dict[str, Any]:
    return {
        "options": asdict(scored.options),
        "images": scored.images,
        "seconds_an_image": round(scored.seconds / max(scored.images, 1), 3),
        **scored.report.to_json(),
    }


if __name__ == "__main__":
    sys.exit(main())
