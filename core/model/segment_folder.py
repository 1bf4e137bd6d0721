"""The loop of the command line: image after image into a folder of COCO panoptic files."""

from collections.abc import Iterator
from pathlib import Path

from core.errors import ImageError
from core.jobs import SegmentJob
from core.model.session import ModelSession
from core.output_folder import OutputFolder
from core.panoptic import PanopticMap, Segment, Source
from core.proposals import Preview, Proposal, SamplingOptions


def segment_folder(
    session: ModelSession, output: OutputFolder, options: SamplingOptions
) -> Iterator[tuple[Path, Preview | Proposal | ImageError]]:
    """Segment the images that are left and write each map as soon as it is there.

    Yields:
        The image and: a preview after each step, then the proposal once its map is written; or
        instead of these why the image cannot be read.

    Raises:
        CocoError: a map cannot be written.
    """
    for path in output.left:
        try:
            for outcome in session.segment(SegmentJob(path, options)):
                if isinstance(outcome, Proposal):
                    output.add(path, to_map(outcome))
                yield path, outcome
        except ImageError as error:
            yield path, error


def to_map(proposal: Proposal) -> PanopticMap:
    """A proposal as a map of its own, with the model's categories."""
    segments = {
        segment_id: Segment(segment_id, category_id, Source.MODEL)
        for segment_id, category_id in proposal.category_ids.items()
    }
    next_id = max(segments, default=0) + 1
    return PanopticMap(proposal.segment_ids, segments, next_id)
