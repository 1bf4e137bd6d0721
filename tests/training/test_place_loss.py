"""The loss of votes for middles: how far they lie outside of the cell that an id names."""

from dataclasses import replace

import pytest
import torch

from core.model.config import PRESETS
from core.model.pix2seq_d import Pix2SeqD
from core.model.place import place_code, places_of_codes
from training.config import TrainConfig
from training.loss import place_loss
from training.stepper import BatchLoss

CONFIG = PRESETS["nuclei"]


def votes_for(row: float, column: float, size: int = 12) -> torch.Tensor:
    """The same vote of all pixels, in cells."""
    return torch.tensor([column, row]).view(1, 2, 1, 1).expand(1, 2, size, size).clone()


def lost(votes: torch.Tensor, code: int) -> torch.Tensor:
    ids = torch.full((1, *votes.shape[-2:]), code)
    return place_loss(CONFIG, votes, ids, torch.ones(ids.shape))


def test_every_code_has_its_cell():
    cells = places_of_codes(CONFIG)
    assert cells[place_code(5, 3, 4)].tolist() == [3, 5]
    assert len({tuple(cell) for cell in cells.tolist()}) == 256


def test_votes_inside_of_the_cell_cost_nothing_and_outside_what_lies_between():
    code = place_code(1, 2, 4)
    assert lost(votes_for(1.01, 2.99), code) == 0
    torch.testing.assert_close(lost(votes_for(1.5, 4.2), code), torch.tensor(1.2))
    torch.testing.assert_close(lost(votes_for(0.5, 1.5), code), torch.tensor(1.0))


def test_the_cell_that_is_meant_is_the_nearest_to_the_pixel_with_that_code():
    size = 18 * CONFIG.place_cell  # the code of column 16 is that of column 0
    ids = torch.zeros(1, size, size, dtype=torch.long)
    ids[:, 6:12, -12:] = place_code(1, 16, 4)
    away = place_loss(CONFIG, votes_for(0.5, 16.5, size), ids, torch.ones(ids.shape))
    torch.testing.assert_close(away, torch.tensor(0.5 * 6 * 12 / size**2))


def test_pixels_of_no_segment_vote_as_they_like_and_weights_count():
    assert lost(votes_for(9.0, 9.0), 0) == 0
    ids = torch.full((1, 12, 12), place_code(1, 2, 4))
    away = place_loss(CONFIG, votes_for(1.5, 4.5), ids, torch.full(ids.shape, 0.5))
    torch.testing.assert_close(away, torch.tensor(0.75))


def test_it_falls_all_the_way_to_a_far_cell():
    along = torch.arange(0.05, 9, 0.1).view(1, 1, 9, 10)
    votes = torch.cat([along, torch.full_like(along, 1.5)], 1).requires_grad_()
    lost(votes, place_code(1, 5, 4)).backward()
    slope = votes.grad[0, 0].flatten().sign()
    assert (slope[:50] == -1).all() and (slope[50:60] == 0).all() and (slope[60:] == 1).all()


def test_a_batch_is_charged_for_its_votes_by_the_weight_that_was_set():
    torch.manual_seed(0)
    model = Pix2SeqD(CONFIG).init_weights()
    labels = torch.ones(1, 2, 32, 32, dtype=torch.long)
    labels[:, 1] = place_code(0, 3, 4)
    given = (
        torch.rand(1, 3, 64, 64),
        labels,
        None,
        torch.tensor([0.5]),
        torch.randn(1, 10, 32, 32),
    )
    plain, half, whole = (
        BatchLoss(TrainConfig(CONFIG, place_weight=weight), model)(*given)
        for weight in (0.0, 0.5, 1.0)
    )
    assert half > plain
    torch.testing.assert_close(whole - plain, 2 * (half - plain))


def test_it_is_refused_where_ids_are_not_by_place():
    with pytest.raises(ValueError, match=r"set model\.place_cell"):
        TrainConfig(replace(CONFIG, place_cell=0), place_weight=1.0)
