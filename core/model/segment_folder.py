"""The loop of the command line: image after image into a folder of COCO panoptic files."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core.doubt import find_doubt
from core.errors import ImageError
from core.jobs import SegmentJob
from core.model.session import ModelSession
from core.output_folder import OutputFolder
from core.panoptic import PanopticMap, Segment, Source
from core.proposals import Preview, Proposal, SamplingOptions


def segment_folder(
    session: ModelSession, output: OutputFolder, options: SamplingOptions, n_samples: int = 1
) -> Iterator[tuple[Path, Preview | Proposal | ImageError]]:
    """Segment the images that are left and write each map as soon as it is there.

    Other processes may do the same in the same folder; they share the images.

    Args:
        n_samples: maps drawn of each image, with this seed and those after it. The first is
            written; if there are more, its entry says how much they differ.

    Yields:
        The image and: a preview after each step, then the proposal once its map is written; or
        instead of these why the image cannot be read.

    Raises:
        CocoError: a map cannot be written.
    """
    for path in output.claim_left():
        proposals = []
        try:
            for outcome in draw_samples(session, path, options, n_samples):
                if isinstance(outcome, Proposal):
                    proposals.append(outcome)
                else:
                    yield path, outcome
        except ImageError as error:
            yield path, error
            continue
        output.add(path, to_map(proposals[0]), expect_work(proposals))
        yield path, proposals[0]


def draw_samples(
    session: ModelSession, path: Path, options: SamplingOptions, n_samples: int
) -> Iterator[Preview | Proposal]:
    """Segment an image with several seeds; previews count the steps of all together."""
    for number in range(n_samples):
        seeded = replace(options, seed=options.seed + number)
        for outcome in session.segment(SegmentJob(path, seeded)):
            if isinstance(outcome, Proposal):
                yield outcome
            else:
                step = number * options.steps + outcome.step
                yield replace(outcome, step=step, steps=n_samples * options.steps)


def expect_work(proposals: Sequence[Proposal]) -> dict[str, float]:
    """What an image's entry says of samples that differ; nothing of a single one."""
    if len(proposals) < 2:
        return {}
    doubt = find_doubt([(p.segment_ids, p.category_ids) for p in proposals])
    return {"expected_seconds": round(doubt.seconds, 1), "doubt": round(doubt.share, 5)}


def to_map(proposal: Proposal) -> PanopticMap:
    """A proposal as a map of its own, with the model's categories."""
    segments = {
        segment_id: Segment(segment_id, category_id, Source.MODEL)
        for segment_id, category_id in proposal.category_ids.items()
    }
    next_id = max(segments, default=0) + 1
    return PanopticMap(proposal.segment_ids, segments, next_id)
