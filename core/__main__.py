"""The command line: segment, propagate, evaluate, import-weights, and the commands on projects.

A command imports torch only if it needs the model. Exit codes: 0 done, 1 done but for images
that cannot be read, 2 not done, 130 stopped.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from core.argument_types import number
from core.bundled import MODEL_SUFFIX
from core.coco import read_coco
from core.errors import AnnotateError
from core.project_commands import add_project_commands
from core.propagate_command import add_propagate
from core.quality import evaluate_files
from core.quality_table import tabulate, tabulate_objects, tabulate_tracking
from core.segment_command import add_segment
from core.terminal import DONE, FAILED, STOPPED, complain, progress_bar, say
from core.video_evaluation import ClipReport, evaluate_clips


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = make_parser().parse_args(argv)
    try:
        return args.run(args)
    except AnnotateError as error:
        complain(str(error))
        return FAILED
    except KeyboardInterrupt:
        complain("Stopped; run the same command again to have it done.")
        return STOPPED


def make_parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    parser = argparse.ArgumentParser(prog="bitbrush", description="Commands without a window.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_segment(commands.add_parser("segment", help="segment images with a model"))
    add_propagate(commands.add_parser("propagate", help="follow segments through a clip"))
    _add_evaluate(commands.add_parser("evaluate", help="measure panoptic quality"))
    add_project_commands(commands.add_parser)
    _add_import(commands.add_parser("import-weights", help="make a model file of weights"))
    return parser


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Compare two COCO panoptic JSONs, with the PNGs in the folders beside them, by COCO's "
        "rules for void and crowds."
    )
    parser.add_argument("prediction", type=Path, metavar="PRED.json")
    parser.add_argument("truth", type=Path, metavar="GT.json")
    parser.add_argument("--json", action="store_true", help="for machines: fractions as JSON")
    parser.add_argument(
        "--video",
        action="store_true",
        help="images are frames of clips: J and F as DAVIS has them, and STQ",
    )
    parser.set_defaults(run=_evaluate)


def _evaluate(args: argparse.Namespace) -> int:
    with progress_bar() as progress:
        task = progress.add_task("Comparing images", total=None)
        evaluate = evaluate_clips if args.video else evaluate_files
        report = evaluate(
            args.prediction,
            args.truth,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if args.json:
        say(json.dumps(report.to_json(), indent=1))
    elif isinstance(report, ClipReport):
        Console().print(tabulate_objects(report), tabulate_tracking(report))
    else:
        Console().print(tabulate(report))
    return DONE


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make a model file of a TensorFlow checkpoint of Pix2Seq-D or of a detector with the "
        "same encoder, of a ResNet-50 of torchvision or timm as safetensors, or of an "
        "EfficientNet-lite0 as safetensors."
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument("out", type=_model_path, metavar="OUT.safetensors")
    parser.add_argument(
        "--config",
        metavar="NAME_OR_FILE",
        help="of the network: a preset, or a JSON file, also of the authors' settings "
        "(default: told by the weights' shapes)",
    )
    parser.add_argument(
        "--categories", type=Path, metavar="JSON", help="a COCO panoptic JSON that names them"
    )
    parser.add_argument(
        "--live", action="store_true", help="take the last weights, not their average (EMA)"
    )
    parser.add_argument(
        "--seed", type=number(int, 0), default=0, help="of what the checkpoint lacks"
    )
    parser.set_defaults(run=_import_weights)


def _import_weights(args: argparse.Namespace) -> int:
    from core.model.foreign_config import read_config  # noqa: PLC0415 - brings torch
    from core.model.import_weights import import_weights  # noqa: PLC0415 - brings torch

    report = import_weights(
        args.checkpoint,
        args.out,
        read_config(args.config) if args.config else None,
        categories=read_coco(args.categories).categories if args.categories else (),
        use_average=not args.live,
        seed=args.seed,
    )
    say(report.describe())
    return DONE


def _model_path(text: str) -> Path:
    """A file to write a model to, for argparse."""
    path = Path(text)
    if path.suffix != MODEL_SUFFIX:
        raise argparse.ArgumentTypeError(f"{text} does not end in {MODEL_SUFFIX}")
    return path


if __name__ == "__main__":
    sys.exit(main())
