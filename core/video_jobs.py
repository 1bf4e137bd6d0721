"""What is said about clips, beside what `core.jobs` says about images.

To the inference process: `propagate`. From it: `frame_stepped`, `frame_done` for each frame,
and `propagated` at the end in place of `finished`.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.jobs import describe_known, read_known, to_pairs
from core.messages import Message
from core.panoptic import PanopticMap
from core.propagation import (
    FrameProposal,
    FrameSource,
    FrameStep,
    PropagationJob,
    Start,
    VideoOptions,
)
from core.proposals import Known, Preview


def propagate_message(ticket: int, job: PropagationJob) -> Message:
    """Ask for segments to be followed through a clip."""
    start = job.start
    past = [Known(map, start.categories) for map in start.past]
    fields = {
        "ticket": ticket,
        "frames": [[source.number, str(source.path), source.frame] for source in job.frames],
        "next_id": start.next_id,
        "past": [describe_known(known) for known in past],
        "categories": describe_known(_nothing_of(start))["categories"],
        "options": asdict(job.options),
        "known": [[number, describe_known(known)] for number, known in job.known.items()],
        "has_previews": job.has_previews,
    }
    arrays = {f"past_{k}": known.map.segment_ids for k, known in enumerate(past)}
    arrays |= {f"known_{number}": k.map.segment_ids for number, k in job.known.items()}
    return Message("propagate", fields, arrays)


def read_propagate(message: Message) -> tuple[int, PropagationJob]:
    """The ticket and the job that `propagate_message` wrote."""
    fields, arrays = message.fields, message.arrays
    past = [read_known(text, arrays[f"past_{k}"]) for k, text in enumerate(fields["past"])]
    nothing: dict[str, Any] = {"segments": [], "categories": fields["categories"]}
    empty = PanopticMap.empty(0, 0).segment_ids
    categories = read_known({**nothing, "region": None}, empty).categories
    job = PropagationJob(
        frames=tuple(FrameSource(k, Path(path), frame) for k, path, frame in fields["frames"]),
        start=Start(tuple(known.map for known in past), tuple(categories), fields["next_id"]),
        options=VideoOptions(**fields["options"]),
        known={k: read_known(text, arrays[f"known_{k}"]) for k, text in fields["known"]},
        has_previews=fields["has_previews"],
    )
    return fields["ticket"], job


def frame_stepped_message(ticket: int, step: FrameStep) -> Message:
    """Tell of a denoising step of a frame, and show its map if that was asked for."""
    fields: dict[str, Any] = {
        "ticket": ticket,
        "number": step.number,
        "step": step.step,
        "steps": step.steps,
    }
    preview = step.preview
    if preview is None:
        return Message("frame_stepped", fields)
    fields["preview"] = {
        "t": preview.t,
        "elapsed_s": preview.elapsed_s,
        "category_ids": to_pairs(preview.category_ids),
    }
    return Message("frame_stepped", fields, {"segment_ids": preview.segment_ids})


def read_frame_stepped(message: Message) -> FrameStep:
    """The step that `frame_stepped_message` wrote."""
    fields, preview = message.fields, None
    if "preview" in fields:
        preview = Preview(
            step=fields["step"],
            steps=fields["steps"],
            t=fields["preview"]["t"],
            elapsed_s=fields["preview"]["elapsed_s"],
            segment_ids=message.arrays["segment_ids"],
            category_ids=dict(fields["preview"]["category_ids"]),
        )
    return FrameStep(fields["number"], fields["step"], fields["steps"], preview)


def frame_done_message(ticket: int, proposal: FrameProposal) -> Message:
    """Hand over the map of a frame."""
    fields = {
        "ticket": ticket,
        "number": proposal.number,
        "category_ids": to_pairs(proposal.category_ids),
        "steps": proposal.steps,
        "elapsed_s": proposal.elapsed_s,
        "notes": list(proposal.notes),
    }
    return Message("frame_done", fields, {"segment_ids": proposal.segment_ids})


def read_frame_done(message: Message) -> FrameProposal:
    """The proposal that `frame_done_message` wrote."""
    fields = message.fields
    return FrameProposal(
        number=fields["number"],
        segment_ids=message.arrays["segment_ids"],
        category_ids=dict(fields["category_ids"]),
        steps=fields["steps"],
        elapsed_s=fields["elapsed_s"],
        notes=tuple(fields["notes"]),
    )


def _nothing_of(start: Start) -> Known:
    return Known(PanopticMap.empty(0, 0), start.categories)
