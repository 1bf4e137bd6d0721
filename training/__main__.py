"""The command line of training: recipes make model files, and scores go into their cards.

For a machine, every step is a line of JSON on the standard output; for a person it is a bar.
Exit codes: 0 done, 2 not done, 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from core.errors import AnnotateError
from core.model.checkpoint import load_checkpoint, save_checkpoint
from core.model.segment import choose_device
from core.proposals import SamplingOptions
from training import compare
from training.evaluate import Scored, evaluate, images_with, sampling_grid
from training.fine_tune import NAME, SUMMARY, add_fine_tune, prepare_run
from training.options import change, list_settings, split_changes
from training.plot import plot_run
from training.processes import join_processes
from training.recipes import RECIPES, Recipe
from training.reporting import print_line
from training.run import Run, run_recipe
from training.stopping import RunStopped, exit_code, raising_terminated
from training.train import STATE_NAME


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a recipe, or score a model; returns the exit code."""
    parser = _parser()
    parsed, changes = parser.parse_known_args(arguments)
    if parsed.plot is not None:
        parsed.run = _plot
    elif parsed.recipe is None:
        parser.error("name a recipe or --plot RUN_DIR; --help lists the recipes")
    if changes and parsed.run not in {_train, _fine_tune}:
        parser.error(f"'{changes[0]}' is not understood")
    if parsed.threads < 0:
        parser.error(f"--threads cannot be {parsed.threads}; give 0 or more")
    if parsed.threads:
        torch.set_num_threads(parsed.threads)
    parsed.changes = changes
    parsed.command = (sys.executable, "-m", "training", *(arguments or sys.argv[1:]))
    try:
        with raising_terminated():
            return int(parsed.run(parsed))
    except AnnotateError as error:
        rank = os.environ.get("RANK")
        where = "" if rank is None else f"Process {rank}: "
        print(f"{where}{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stopped:
        if os.environ.get("RANK", "0") == "0":
            print(_say_stopped(parsed, stopped), file=sys.stderr)
        return exit_code(stopped)


def _say_stopped(arguments: argparse.Namespace, stopped: KeyboardInterrupt) -> str:
    """Where a process that was stopped is, and how to go on."""
    if isinstance(stopped, RunStopped):
        return str(stopped)
    if arguments.run not in {_train, _fine_tune}:
        return "Stopped; give the same command again."
    if (arguments.out / STATE_NAME).exists():
        return f"Stopped; the same command goes on from the checkpoint in {arguments.out}."
    return "Stopped before the first step; give the same command again."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bitbrush train", description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        "--threads", type=int, default=0, help="CPU threads; 0 lets torch choose"
    )
    parser.add_argument("--plot", type=Path, metavar="RUN_DIR", help="draw the curves of a run")
    commands = parser.add_subparsers(dest="recipe")
    for name, recipe in RECIPES.items():
        _add_recipe(name, recipe, commands)
    tune = commands.add_parser(NAME, help=SUMMARY, description=SUMMARY, allow_abbrev=False)
    add_fine_tune(tune)
    tune.set_defaults(run=_fine_tune)
    against = commands.add_parser(compare.NAME, help=compare.SUMMARY, allow_abbrev=False)
    compare.add_compare(against)
    against.set_defaults(run=compare.compare)
    score = commands.add_parser("score", help="PQ of a model file over steps and td")
    score.add_argument("model", type=Path)
    score.add_argument("truth", type=Path, help="COCO panoptic JSON, or a project")
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


def _add_recipe(
    name: str, recipe: Recipe, commands: "argparse._SubParsersAction[argparse.ArgumentParser]"
) -> None:
    command = commands.add_parser(
        name,
        help=recipe.summary,
        description=recipe.summary,
        epilog="settings, each of which can be given another value:\n"
        + "\n".join(list_settings(recipe.config)).replace("%", "%%"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument(
        "--data", type=Path, required=True, help="folder, COCO panoptic JSON or project"
    )
    command.add_argument("--out", type=Path, required=True, help="folder of checkpoints")
    command.add_argument(
        "--val", type=Path, help="COCO panoptic JSON, its folder or project to evaluate on"
    )
    command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    command.add_argument(
        "--json", action="store_true", help="a line of JSON a step also on a terminal"
    )
    command.add_argument(
        "--allow-changes",
        action="store_true",
        help="go on from a checkpoint of a run with other settings",
    )
    command.set_defaults(run=_train)


def _plot(arguments: argparse.Namespace) -> int:
    for path in plot_run(arguments.plot):
        print(path)
    return 0


def _train(arguments: argparse.Namespace) -> int:
    recipe = RECIPES[arguments.recipe]
    is_for_machines = arguments.json or not sys.stdout.isatty()
    run = Run(
        arguments.recipe,
        recipe,
        change(recipe.config, split_changes(recipe.config, arguments.changes)),
        arguments.data,
        arguments.out,
        arguments.val,
        may_differ=arguments.allow_changes,
        is_for_machines=is_for_machines,
        command=arguments.command,
    )
    return _carry_out(run, arguments.device)


def _fine_tune(arguments: argparse.Namespace) -> int:
    run = prepare_run(arguments, arguments.changes)
    return _carry_out(replace(run, command=arguments.command), arguments.device)


def _carry_out(run: Run, wanted_device: str) -> int:
    device, _ = choose_device(wanted_device)
    with join_processes(device) as processes:
        path = run_recipe(run, processes)
    if processes.is_first:
        print_line(
            json.dumps({"model": str(path)}) if run.is_for_machines else f"Model: {path}"
        )
    return 0


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
