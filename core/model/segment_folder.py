"""The loop of the command line: image after image into a folder of COCO panoptic files."""

from collections.abc import Iterator
from pathlib import Path

from core.errors import ImageError
from core.jobs import SegmentJob
from core.model.samples import doubt_of, draw_samples
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
            for outcome in draw_samples(session, SegmentJob(path, options), n_samples):
                if isinstance(outcome, Proposal):
                    proposals.append(outcome)
                else:
                    yield path, outcome
        except ImageError as error:
            yield path, error
            continue
        doubt = doubt_of(proposals)
        output.add(path, to_map(proposals[0]), doubt.to_json() if doubt else None)
        yield path, proposals[0]


def to_map(proposal: Proposal) -> PanopticMap:
    """A proposal as a map of its own, with the model's categories."""
    segments = {
        segment_id: Segment(segment_id, category_id, Source.MODEL)
        for segment_id, category_id in proposal.category_ids.items()
    }
    next_id = max(segments, default=0) + 1
    return PanopticMap(proposal.segment_ids, segments, next_id)
