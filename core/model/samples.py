"""Several samples of an image, of which the first is the proposal."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.doubt import Doubt, find_doubt
from core.jobs import SegmentJob
from core.model.session import ModelSession
from core.proposals import Preview, Proposal


def draw_samples(
    session: ModelSession, job: SegmentJob, n_samples: int
) -> Iterator[Preview | Proposal]:
    """Segment an image with a seed and those after it; previews count the steps of all.

    Raises:
        AnnotateError: there is no model, or the image cannot be read.
    """
    steps = job.options.steps
    for number in range(n_samples):
        seeded = replace(job.options, seed=job.options.seed + number)
        for outcome in session.segment(replace(job, options=seeded)):
            if isinstance(outcome, Proposal):
                yield outcome
            else:
                step = number * steps + outcome.step
                yield replace(outcome, step=step, steps=n_samples * steps)


def doubt_of(proposals: Sequence[Proposal]) -> Doubt | None:
    """How much samples differ; None of a single one."""
    if len(proposals) < 2:
        return None
    return find_doubt([(p.segment_ids, p.category_ids) for p in proposals])
