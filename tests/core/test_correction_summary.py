"""Corrections summed up by model and in time."""

from dataclasses import replace

import pytest

from core.correction_summary import Measure, ModelMean, in_order, mean_by_model, running_mean
from core.corrections import Correction

ONE = Correction("a.png", None, "v1", 0, 8, 100, 2, 5, 30.0, 1000)


def test_models_come_in_the_order_in_which_they_were_used() -> None:
    later = replace(ONE, model="a-later-one", n_gestures=1, approved_at=3000)
    more = replace(ONE, n_gestures=7, approved_at=2000)
    assert mean_by_model([later, more, ONE], Measure.GESTURES) == [
        ModelMean("v1", 6, 2),
        ModelMean("a-later-one", 1, 1),
    ]
    assert in_order([later, more, ONE]) == [ONE, more, later]


def test_what_is_not_known_does_not_count() -> None:
    unknown = replace(ONE, n_pixels=None, n_segments=None)
    assert mean_by_model([ONE, unknown], Measure.PIXELS) == [ModelMean("v1", 100, 1)]
    assert mean_by_model([unknown], Measure.SEGMENTS) == [ModelMean("v1", None, 0)]
    assert mean_by_model([ONE, unknown], Measure.SECONDS) == [ModelMean("v1", 30, 2)]


def test_a_running_mean_forgets_what_is_long_ago() -> None:
    assert running_mean([None, 4, None, 8, 0, 0], 3) == [None, 4, 4, 6, 4, 8 / 3]
    with pytest.raises(ValueError, match="a mean of 0"):
        running_mean([1], 0)
