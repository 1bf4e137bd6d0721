"""How clips are drawn follows from what a model's card says of pictures."""

import pytest

from core.propagation import ENOUGH, VideoOptions, options_for
from core.proposals import SamplingOptions


@pytest.mark.parametrize(("of_a_picture", "later"), [(2, 2), (8, 8), (20, 8)])
def test_a_frame_takes_no_more_steps_than_a_picture(of_a_picture, later):
    options = options_for(SamplingOptions(steps=of_a_picture, min_area=40))
    assert options == VideoOptions(32, later, settled_share=ENOUGH, min_area=40)
