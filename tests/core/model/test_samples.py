"""Samples of an image say how much work it promises."""

import numpy as np

from core.correction_cost import PRICES
from core.model.samples import doubt_of
from core.proposals import Proposal, SamplingOptions


def propose(*columns: int) -> Proposal:
    """Segments as wide as told, from left to right, of one category."""
    row = np.repeat(np.arange(1, len(columns) + 1), columns).astype(np.uint16)
    names = dict.fromkeys(range(1, len(columns) + 1), 1)
    return Proposal(np.tile(row, (20, 1)), names, SamplingOptions(), "tiny", 0.0)


def test_samples_that_differ_promise_work() -> None:
    notes = doubt_of([propose(20, 20), propose(40), propose(20, 20)]).to_json()
    assert notes["expected_seconds"] == PRICES.merge / 2
    assert 0 < notes["doubt"] < 0.5


def test_a_single_sample_promises_nothing() -> None:
    assert doubt_of([propose(40)]) is None
