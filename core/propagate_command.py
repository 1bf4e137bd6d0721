"""The command `propagate`: follow segments from a frame of a project through its clip."""

import argparse
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core.argument_types import number
from core.bundled import find_model
from core.errors import ProjectError
from core.model_card import ModelCard
from core.propagation import ENOUGH, FrameProposal, FrameStep, VideoOptions, options_for
from core.propagation_plan import RunPlan, RunRequest, plan_run
from core.store import AnnotationStore
from core.terminal import DONE, STOPPED, complain, count, progress_bar, say

if TYPE_CHECKING:
    from core.model.session import ModelSession

_DEFAULTS = VideoOptions(settled_share=ENOUGH)


def add_propagate(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.description = (
        "Give the frames after one of a project's clip, or before it, maps in which the "
        "segments of that frame are followed. Approved and rejected frames end the run; what "
        "people drew or another program brought in stays. In the window, all frames of a run "
        "are one step of undo."
    )
    parser.add_argument("project", type=Path, metavar="PROJECT", help="a .bitbrush file")
    parser.add_argument(
        "--from",
        required=True,
        dest="start",
        metavar="NAME",
        help="the frame to begin from: a file's name, or VIDEO#N for the N-th frame",
    )
    parser.add_argument(
        "--frames",
        type=number(int, 1),
        metavar="N",
        help="to give maps to (default: to the end of the clip)",
    )
    parser.add_argument("--back", action="store_true", help="go back in time")
    parser.add_argument(
        "--first-steps",
        type=number(int, 1),
        default=_DEFAULTS.first_steps,
        metavar="N",
        help="of a frame before which there is no map (default: %(default)s)",
    )
    parser.add_argument(
        "--steps",
        type=number(int, 1),
        metavar="N",
        help="of every other frame (default: the model's for an image, at most 8)",
    )
    parser.add_argument(
        "--settled",
        type=number(float, 0),
        default=_DEFAULTS.settled_share,
        metavar="SHARE",
        help="end a frame's steps once a step changes less than this share of the map "
        "(default: %(default)s; 0 takes all steps)",
    )
    parser.add_argument(
        "--td",
        type=number(float, 0),
        default=_DEFAULTS.time_delta,
        metavar="X",
        help="the paper's td (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=number(int, 0), default=0, metavar="S", help="of the noise (default: 0)"
    )
    parser.add_argument(
        "--model",
        metavar="FILE",
        help="a model file, or a starter model's name (default: the project's)",
    )
    parser.add_argument(
        "--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 or mps"
    )
    parser.set_defaults(run=_propagate)


def _propagate(args: argparse.Namespace) -> int:
    from core.model.session import ModelSession  # noqa: PLC0415 - brings torch

    with AnnotationStore.open(args.project) as store:
        model = args.model or store.model
        if not model:
            raise ProjectError(f"The project {args.project} has no model; add --model FILE.")
        image_id = find_frame(store, args.start)
        session = ModelSession()
        card = session.load(find_model(model), args.device)
        options = options_for(card.sampling)
        later = args.steps or options.later_steps
        steps, least = (args.first_steps, later), options.min_area
        options = VideoOptions(*steps, args.td, args.settled, least, args.seed)
        plan = plan_run(store, RunRequest(image_id, not args.back, args.frames, options))
        complain(session.device.note)
        done: list[FrameProposal] = []
        began, code = time.monotonic(), DONE
        try:
            _show(session, card, store, plan, done)
        except KeyboardInterrupt:
            complain("Stopped; the frames that are done have their maps.")
            code = STOPPED
    say(_sum_up(done, time.monotonic() - began))
    return code


def _show(
    session: "ModelSession",
    card: ModelCard,
    store: AnnotationStore,
    plan: RunPlan,
    done: list[FrameProposal],
) -> None:
    """Have the work done under a progress bar, and collect the frames that are done."""
    from core.model.propagate_project import propagate_project  # noqa: PLC0415 - brings torch

    n_frames = len(plan.image_ids)
    with progress_bar() as progress:
        task = progress.add_task("", total=n_frames)
        for outcome in propagate_project(session, card, store, plan):
            part = outcome.step / outcome.steps if isinstance(outcome, FrameStep) else 0
            if isinstance(outcome, FrameProposal):
                done.append(outcome)
                for note in outcome.notes:
                    complain(note)
            text = f"Frame {min(len(done) + 1, n_frames)} of {n_frames}"
            progress.update(task, completed=len(done) + part, description=text)


def _sum_up(done: list[FrameProposal], seconds: float) -> str:
    if not done:
        return "No frame got a map."
    mean_steps = sum(proposal.steps for proposal in done) / len(done)
    fps = len(done) / max(seconds, 1e-3)
    return (
        f"{count(len(done), 'frame')} got a map, in {mean_steps:.1f} steps each and at "
        f"{fps:.2f} frames a second."
    )


def find_frame(store: AnnotationStore, name: str) -> int:
    """The image that a name means: of a file, or VIDEO#N for the N-th frame of a video.

    Raises:
        ProjectError: there is none or more than one.
    """
    parts = re.fullmatch(r"(.+)#([0-9]+)", name)
    file, frame = (parts[1], int(parts[2]) - 1) if parts else (name, None)
    found = [
        record.id
        for record in store.images()
        if record.path.name == file and record.frame == frame
    ] or [record.id for record in store.images() if str(record.path) == name]
    if len(found) != 1:
        raise ProjectError(
            f"The project has {len(found) or 'no'} images called {name}; name a file, or "
            "VIDEO#1 for the first frame of a video."
        )
    return found[0]
