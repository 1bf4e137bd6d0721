"""What the window asks the inference process for, and what comes back, as messages.

To the process: `load`, `segment`, `cancel`, `quit`. From it: `ready`, `loaded`, `load_failed`,
`stepped`, `finished`, `cancelled`, `failed`. A ticket is a number that the asker gives a job.
`core.video_jobs` adds what is said about clips.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.messages import Message
from core.model_card import ModelCard
from core.panoptic import Category, PanopticMap, Rect, Segment, Source
from core.proposals import Known, Preview, Proposal, SamplingOptions


@dataclass(frozen=True, slots=True)
class SegmentJob:
    """Segment one image, or one frame of a video.

    Attributes:
        path: of the image, or of the video when `frame` is given.
        known: segments to keep, when the annotator vouches for some.
        has_previews: whether somebody looks at its steps.
    """

    path: Path
    options: SamplingOptions
    frame: int | None = None
    known: Known | None = None
    has_previews: bool = True


@dataclass(frozen=True, slots=True)
class Device:
    """What the model runs on: a short name, and a sentence that says how it was chosen."""

    name: str
    note: str


def load_message(path: Path, device: str) -> Message:
    """Ask for the model of a file on a device: auto, cpu, cuda, cuda:1, mps."""
    return Message("load", {"path": str(path), "device": device})


def segment_message(ticket: int, job: SegmentJob) -> Message:
    """Ask for a job to be done."""
    fields = {
        "ticket": ticket,
        "path": str(job.path),
        "frame": job.frame,
        "options": asdict(job.options),
        "has_previews": job.has_previews,
    }
    if job.known is None:
        return Message("segment", fields)
    fields["known"] = describe_known(job.known)
    return Message("segment", fields, {"known_ids": job.known.map.segment_ids})


def read_segment(message: Message) -> tuple[int, SegmentJob]:
    """The ticket and the job that `segment_message` wrote."""
    fields = message.fields
    job = SegmentJob(
        path=Path(fields["path"]),
        options=SamplingOptions(**fields["options"]),
        frame=fields["frame"],
        known=read_known(fields["known"], message.arrays["known_ids"])
        if "known" in fields
        else None,
        has_previews=fields["has_previews"],
    )
    return fields["ticket"], job


def loaded_message(card: ModelCard, device: Device) -> Message:
    """Say that a model is loaded, and where."""
    return Message("loaded", {"card": card.to_json(), "device": asdict(device)})


def read_loaded(message: Message) -> tuple[ModelCard, Device]:
    """The card and the device that `loaded_message` wrote."""
    card = ModelCard.from_json(message.fields["card"])
    return card, Device(**message.fields["device"])


def stepped_message(ticket: int, preview: Preview) -> Message:
    """Show the map after one denoising step."""
    fields = {
        "ticket": ticket,
        "step": preview.step,
        "steps": preview.steps,
        "t": preview.t,
        "elapsed_s": preview.elapsed_s,
        "category_ids": to_pairs(preview.category_ids),
    }
    return Message("stepped", fields, {"segment_ids": preview.segment_ids})


def read_stepped(message: Message) -> Preview:
    """The preview that `stepped_message` wrote."""
    fields = message.fields
    return Preview(
        step=fields["step"],
        steps=fields["steps"],
        t=fields["t"],
        elapsed_s=fields["elapsed_s"],
        segment_ids=message.arrays["segment_ids"],
        category_ids=dict(fields["category_ids"]),
    )


def finished_message(ticket: int, proposal: Proposal) -> Message:
    """Hand over the map at the size of the image."""
    fields = {
        "ticket": ticket,
        "category_ids": to_pairs(proposal.category_ids),
        "options": asdict(proposal.options),
        "model": proposal.model,
        "elapsed_s": proposal.elapsed_s,
    }
    return Message("finished", fields, {"segment_ids": proposal.segment_ids})


def read_finished(message: Message) -> Proposal:
    """The proposal that `finished_message` wrote."""
    fields = message.fields
    return Proposal(
        segment_ids=message.arrays["segment_ids"],
        category_ids=dict(fields["category_ids"]),
        options=SamplingOptions(**fields["options"]),
        model=fields["model"],
        elapsed_s=fields["elapsed_s"],
    )


def to_pairs(category_ids: Mapping[int, int]) -> list[tuple[int, int]]:
    """JSON would turn the keys of an object into text."""
    return [(int(segment_id), int(category)) for segment_id, category in category_ids.items()]


def describe_known(known: Known) -> dict[str, Any]:
    """What is known of an image, but for the ids of its map, which are an array."""
    return {
        "segments": [asdict(segment) for segment in known.map.segments.values()],
        "categories": [asdict(category) for category in known.categories],
        "region": None if known.region is None else asdict(known.region),
    }


def read_known(known: Mapping[str, Any], segment_ids: NDArray[Any]) -> Known:
    """What `describe_known` wrote, with the ids of its map."""
    segments = [
        Segment(**{**fields, "source": Source(fields["source"])})
        for fields in known["segments"]
    ]
    categories = [
        Category(**{**fields, "color": tuple(fields["color"])})
        for fields in known["categories"]
    ]
    panoptic_map = PanopticMap(
        segment_ids.astype(np.uint16, copy=False),
        {segment.id: segment for segment in segments},
        1 + max((segment.id for segment in segments), default=0),
    )
    region = None if known["region"] is None else Rect(**known["region"])
    return Known(panoptic_map, categories, region)
