"""The command `segment`: images, folders or projects, by this process and others beside it."""

import argparse
import hashlib
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.argument_types import number
from core.bundled import DEFAULT_MODEL, find_model
from core.errors import CocoError, ImageError, ProjectError
from core.image_query import Condition
from core.images import check_file, list_images
from core.model_card import ModelCard
from core.output_folder import OutputFolder
from core.proposals import Preview, Proposal, SamplingOptions
from core.query_language import parse_query
from core.store import PROJECT_SUFFIX, AnnotationStore
from core.terminal import DONE, DONE_IN_PART, STOPPED, complain, count, progress_bar, say

if TYPE_CHECKING:
    from core.model.session import ModelSession

Outcomes = Iterator[tuple[str, Preview | Proposal | ImageError]]  # with the name of the image


def add_segment(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.description = (
        "Write COCO panoptic files for an image or a folder of images, or give each image of a "
        "project that nobody has worked on a proposal. A run that was stopped goes on when the "
        "same command is given again: images that have their map are not segmented again, "
        "unless an image, the model or, for a folder, an option has changed. The same command "
        "may run several times at once; the processes share the images."
    )
    parser.add_argument("images", type=Path, metavar="IMAGE_FOLDER_OR_PROJECT")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="for the maps; not of a project"
    )
    parser.add_argument(
        "--model",
        metavar="FILE",
        help="a model file, a starter model's name, or that of a version of the project's "
        f"model (default: the project's, or {DEFAULT_MODEL})",
    )
    parser.add_argument(
        "--where",
        metavar="QUERY",
        default="",
        help="only images of a project for which this holds, as it is typed into the filter of "
        "the window: 'state:empty -blurred'",
    )
    parser.add_argument(
        "--steps",
        type=number(int, 1),
        metavar="N",
        help="denoising steps (default: the model's)",
    )
    parser.add_argument(
        "--td",
        type=number(float, 0),
        metavar="X",
        help="the paper's td (default: the model's)",
    )
    parser.add_argument(
        "--seed", type=number(int, 0), metavar="S", help="of the noise (default: the model's)"
    )
    parser.add_argument(
        "--samples",
        type=number(int, 1),
        default=1,
        metavar="K",
        help="draw K maps of each image, with this seed and the next, and note how much they "
        "differ: as `expected_seconds` and `doubt` in the JSON, in a project as the work that "
        "is expected (default: 1)",
    )
    parser.add_argument(
        "--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 or mps"
    )
    parser.set_defaults(run=_segment)


def _segment(args: argparse.Namespace) -> int:
    return (
        _segment_project(args) if args.images.suffix == PROJECT_SUFFIX else _segment_files(args)
    )


def _segment_files(args: argparse.Namespace) -> int:
    if args.where:
        raise CocoError(f"{args.images} is no project; leave --where away.")
    if args.out is None:
        raise CocoError(f"The maps of {args.images} need a place; add --out DIR.")
    images = _find_images(args.images)
    model = find_model(args.model or DEFAULT_MODEL)
    session, card = _load(model, args.device)
    options = _choose_options(card.sampling, args)
    recipe = {"model": f"{card.name} {_hash_file(model)}", **asdict(options)}
    if args.samples > 1:  # without, maps that came with notes will do
        recipe["samples"] = args.samples
    output = OutputFolder(args.out, images, recipe, card.categories)
    if output.notice:
        complain(f"All maps in {args.out} are made again: {output.notice}.")
    elif n_there := len(images) - len(output.left):
        complain(f"Already there: the maps of {n_there} of {len(images)} images.")
    n_there = output.n_finished
    unreadable: list[ImageError] = []
    try:
        with _stopped_by_terminate():
            _show(
                _outcomes_of_folder(session, output, options, args.samples),
                len(output.left),
                options.steps * args.samples,
                unreadable,
                lambda: output.n_finished - n_there,
            )
    except KeyboardInterrupt:
        output.write_index()
        complain(f"Stopped; {_sum_up(output)} Run the same command again to go on.")
        return STOPPED
    output.write_index()
    say(_sum_up(output))
    return _end(unreadable, len(images))


def _outcomes_of_folder(
    session: "ModelSession", output: OutputFolder, options: SamplingOptions, n_samples: int
) -> Outcomes:
    from core.model.segment_folder import segment_folder  # noqa: PLC0415 - brings torch

    for path, outcome in segment_folder(session, output, options, n_samples):
        yield path.name, outcome


def _segment_project(args: argparse.Namespace) -> int:
    from core.model.segment_project import check_categories, find_waiting  # noqa: PLC0415

    if args.out is not None:
        raise ProjectError(f"{args.images} gets its maps itself; leave --out away.")
    where = parse_query(args.where)
    with AnnotationStore.open(args.images, is_read_only=True) as store:
        model = store.find_model(args.model or store.model or DEFAULT_MODEL)
        session, card = _load(model, args.device)
        if notice := check_categories(card, store.categories, store.renamed_categories):
            complain(notice)
        n_waiting = len(find_waiting(store, card.name, where))
    options = _choose_options(card.sampling, args)
    unreadable: list[ImageError] = []
    finished: list[str] = []
    n_steps = options.steps * args.samples
    outcomes = _outcomes_of_project(session, card, args.images, options, args.samples, where)
    try:
        with _stopped_by_terminate():
            _show(
                _noting(outcomes, finished),
                n_waiting,
                n_steps,
                unreadable,
                lambda: len(finished),
            )
    except KeyboardInterrupt:
        got = f"{count(len(finished), 'image')} of {args.images} got a proposal."
        complain(f"Stopped; {got} Run the same command again to go on.")
        return STOPPED
    say(f"{count(len(finished), 'image')} of {args.images} got a proposal.")
    return _end(unreadable, n_waiting)


def _outcomes_of_project(
    session: "ModelSession",
    card: ModelCard,
    project: Path,
    options: SamplingOptions,
    n_samples: int,
    where: tuple[Condition, ...],
) -> Outcomes:
    from core.model.segment_project import segment_project  # noqa: PLC0415 - brings torch

    for record, outcome in segment_project(session, card, project, options, n_samples, where):
        yield record.path.name, outcome


def _noting(outcomes: Outcomes, finished: list[str]) -> Outcomes:
    """The same outcomes; the names of images that got a proposal are noted."""
    for name, outcome in outcomes:
        if isinstance(outcome, Proposal):
            finished.append(name)
        yield name, outcome


def _load(model: Path, device: str) -> tuple["ModelSession", ModelCard]:
    from core.model.session import ModelSession  # noqa: PLC0415 - brings torch

    session = ModelSession()
    card = session.load(model, device)
    complain(session.device.note)
    return session, card


def _sum_up(output: OutputFolder) -> str:
    return f"{output.index} holds {count(output.n_finished, 'map')}."


def _show(
    outcomes: Outcomes,
    n_images: int,
    n_steps: int,
    unreadable: list[ImageError],
    count_done: Callable[[], int],
) -> None:
    """Have the work done under a progress bar, and collect what cannot be read.

    Args:
        n_images: that are left; n_steps: of each.
        count_done: how many of them have their map, made here or elsewhere.
    """
    with progress_bar() as progress:
        task = progress.add_task("", total=n_images * n_steps)
        for name, outcome in outcomes:
            if isinstance(outcome, ImageError):
                unreadable.append(outcome)
            n_done = count_done() + len(unreadable)
            steps = outcome.step if isinstance(outcome, Preview) else 0
            progress.update(
                task,
                completed=n_done * n_steps + steps,
                description=f"{name} ({min(n_done + 1, n_images)} of {n_images})",
            )


def _end(unreadable: Sequence[ImageError], n_images: int) -> int:
    """Name the images that could not be read, and say how the command ends."""
    if not unreadable:
        return DONE
    complain(f"{len(unreadable)} of {n_images} images could not be segmented:")
    for error in unreadable:
        complain(f"  {error}")
    return DONE_IN_PART


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
