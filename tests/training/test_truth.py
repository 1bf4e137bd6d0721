"""What void means to whoever rates a model: nothing there, or not looked at."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.correction_cost import measure_cost
from core.panoptic import Segment
from core.proposals import Proposal, SamplingOptions
from core.quality import Tally
from tests.training.conftest import CATEGORIES
from training.evaluate import compare_with_truth
from training.truth import Truth, TruthImage

NUCLEUS, BACKGROUND = CATEGORIES
TRUE = np.repeat([[1, 1, 1, 0, 0, 0, 0, 0, 0]], 4, 0).astype(np.uint16)
PROPOSED = np.repeat([[1, 1, 1, 0, 0, 2, 2, 0, 0]], 4, 0).astype(np.uint16)


@pytest.fixture
def proposal() -> Proposal:
    """A nucleus that is there, and one too many."""
    return Proposal(PROPOSED, {1: 1, 2: 1}, SamplingOptions(), "m", 0.0)


def truth_of(*categories) -> Truth:
    image = TruthImage(1, Path("a.png"), lambda: (TRUE, [Segment(1, NUCLEUS.id)]))
    return Truth(Path("t.json"), categories, (image,))


def test_a_segment_too_many_counts_where_there_is_no_category_for_the_rest(proposal) -> None:
    tallies = compare_with_truth(proposal, truth_of(NUCLEUS), 0)
    assert tallies[NUCLEUS.id] == Tally(iou=1.0, tp=1, fp=1)


def test_it_is_forgiven_on_what_nobody_has_named(proposal) -> None:
    tallies = compare_with_truth(proposal, truth_of(NUCLEUS, BACKGROUND), 0)
    assert tallies[NUCLEUS.id] == Tally(iou=1.0, tp=1)


def test_removing_it_is_work(proposal) -> None:
    truth = truth_of(NUCLEUS)
    true = truth.judge(TRUE, {1: NUCLEUS.id})
    cost = measure_cost(*truth.judge(proposal.segment_ids, proposal.category_ids), *true)
    assert cost.remove == cost.actions == 1
    unlike = truth_of(replace(NUCLEUS, is_thing=False))
    assert unlike.judge(TRUE, {1: NUCLEUS.id})[0] is TRUE
