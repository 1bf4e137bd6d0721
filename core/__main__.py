"""The command line: segment, evaluate, import-weights, and the commands on projects.

A command imports torch only if it needs the model. Exit codes: 0 done, 1 done but for images
that cannot be read, 2 not done, 130 stopped.
"""

import argparse
import hashlib
import json
import math
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from core.bundled import DEFAULT_MODEL, MODEL_SUFFIX, find_model
from core.coco import read_coco
from core.errors import AnnotateError, ImageError
from core.images import check_file, list_images
from core.output_folder import OutputFolder
from core.project_commands import add_project_commands
from core.proposals import Preview, SamplingOptions
from core.quality import evaluate_files
from core.quality_table import tabulate
from core.terminal import (
    DONE,
    DONE_IN_PART,
    FAILED,
    STOPPED,
    complain,
    count,
    progress_bar,
    say,
)

if TYPE_CHECKING:
    from core.model.session import ModelSession

MAX_NUMBER: Final = 2**63  # of a seed


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
    _add_segment(commands.add_parser("segment", help="segment images with a model"))
    _add_evaluate(commands.add_parser("evaluate", help="measure panoptic quality"))
    add_project_commands(commands.add_parser)
    _add_import(commands.add_parser("import-weights", help="make a model file of weights"))
    return parser


def _add_segment(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write COCO panoptic files for an image or a folder of images. A run that was stopped "
        "goes on when the same command is given again: images that have their map are not "
        "segmented again, unless an image, the model or an option has changed."
    )
    parser.add_argument("images", type=Path, metavar="IMAGE_OR_FOLDER")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the maps")
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="FILE",
        help=f"a model file, or a starter model's name (default: {DEFAULT_MODEL})",
    )
    parser.add_argument(
        "--steps",
        type=_number(int, 1),
        metavar="N",
        help="denoising steps (default: the model's)",
    )
    parser.add_argument(
        "--td",
        type=_number(float, 0),
        metavar="X",
        help="the paper's td (default: the model's)",
    )
    parser.add_argument(
        "--seed", type=_number(int, 0), metavar="S", help="of the noise (default: the model's)"
    )
    parser.add_argument(
        "--samples",
        type=_number(int, 1),
        default=1,
        metavar="K",
        help="draw K maps of each image, with this seed and the next, and note how much they "
        "differ: `expected_seconds` of correction and `doubt` in the JSON (default: 1)",
    )
    parser.add_argument(
        "--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 or mps"
    )
    parser.set_defaults(run=_segment)


def _segment(args: argparse.Namespace) -> int:
    images = _find_images(args.images)
    from core.model.session import ModelSession  # noqa: PLC0415 - brings torch

    model = find_model(args.model)
    session = ModelSession()
    card = session.load(model, args.device)
    complain(session.device.note)
    options = _choose_options(card.sampling, args)
    recipe = {"model": f"{card.name} {_hash_file(model)}", **asdict(options)}
    if args.samples > 1:  # without, maps that came with notes will do
        recipe["samples"] = args.samples
    output = OutputFolder(args.out, images, recipe, card.categories)
    if output.notice:
        complain(f"All maps in {args.out} are made again: {output.notice}.")
    elif n_there := len(images) - len(output.left):
        complain(f"Already there: the maps of {n_there} of {len(images)} images.")
    unreadable: list[ImageError] = []
    try:
        with _stopped_by_terminate():
            _segment_left(session, output, options, args.samples, unreadable)
    except KeyboardInterrupt:
        output.write_index()
        complain(f"Stopped; {_sum_up(output)} Run the same command again to go on.")
        return STOPPED
    output.write_index()
    say(_sum_up(output))
    if unreadable:
        complain(f"{len(unreadable)} of {len(images)} images could not be segmented:")
    for error in unreadable:
        complain(f"  {error}")
    return DONE_IN_PART if unreadable else DONE


def _sum_up(output: OutputFolder) -> str:
    return f"{output.index} holds {count(output.n_finished, 'map')}."


def _segment_left(
    session: "ModelSession",
    output: OutputFolder,
    options: SamplingOptions,
    n_samples: int,
    unreadable: list[ImageError],
) -> None:
    """Segment what is left under a progress bar, and collect what cannot be read."""
    from core.model.segment_folder import segment_folder  # noqa: PLC0415 - brings torch

    n_there, n_left = output.n_finished, len(output.left)
    n_all_steps = options.steps * n_samples
    with progress_bar() as progress:
        task = progress.add_task("", total=n_left * n_all_steps)
        for path, outcome in segment_folder(session, output, options, n_samples):
            if isinstance(outcome, ImageError):
                unreadable.append(outcome)
            n_done = output.n_finished - n_there + len(unreadable)  # here or elsewhere
            n_steps = outcome.step if isinstance(outcome, Preview) else 0
            progress.update(
                task,
                completed=n_done * n_all_steps + n_steps,
                description=f"{path.name} ({min(n_done + 1, n_left)} of {n_left})",
            )


def _find_images(path: Path) -> list[Path]:
    if not path.is_dir():
        check_file(path)
        return [path]
    images = list_images(path)
    if not images:
        raise ImageError(f"The folder {path} holds no images; choose another one.")
    return images


def _choose_options(best: SamplingOptions, args: argparse.Namespace) -> SamplingOptions:
    """The model's own options, but for those that were given."""
    given = {"steps": args.steps, "time_delta": args.td, "seed": args.seed}
    return replace(best, **{name: value for name, value in given.items() if value is not None})


def _hash_file(path: Path) -> str:
    """Enough of the SHA-256 to tell two files apart."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


@contextmanager
def _stopped_by_terminate() -> Iterator[None]:
    """Let a kill (SIGTERM) stop the work as Ctrl+C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Compare two COCO panoptic JSONs, with the PNGs in the folders beside them, by COCO's "
        "rules for void and crowds."
    )
    parser.add_argument("prediction", type=Path, metavar="PRED.json")
    parser.add_argument("truth", type=Path, metavar="GT.json")
    parser.add_argument("--json", action="store_true", help="for machines: fractions as JSON")
    parser.set_defaults(run=_evaluate)


def _evaluate(args: argparse.Namespace) -> int:
    with progress_bar() as progress:
        task = progress.add_task("Comparing images", total=None)
        report = evaluate_files(
            args.prediction,
            args.truth,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if args.json:
        say(json.dumps(report.to_json(), indent=1))
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
        "--seed", type=_number(int, 0), default=0, help="of what the checkpoint lacks"
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


def _number(kind: type[int] | type[float], least: int) -> Callable[[str], float]:
    """A number that is not below the least, for argparse."""

    def parse(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not least <= number < MAX_NUMBER:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"'{text}' is not {what} from {least} on")
        return number

    return parse


def _model_path(text: str) -> Path:
    """A file to write a model to, for argparse."""
    path = Path(text)
    if path.suffix != MODEL_SUFFIX:
        raise argparse.ArgumentTypeError(f"{text} does not end in {MODEL_SUFFIX}")
    return path


if __name__ == "__main__":
    sys.exit(main())
