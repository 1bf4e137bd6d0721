"""Pixels agree on the middles of segments: one cell for each, and the id of what is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.model.bits import labels_to_x0
from core.model.config import PRESETS
from core.model.diffusion import Known
from core.model.middles import Agreement, agreed_places
from core.model.pix2seq_d import Pix2SeqD
from core.model.place import PlaceHead, place_code

CONFIG = replace(PRESETS["nuclei"], place_cell=6)
CELL = CONFIG.place_cell
SIZE = 48
Disc = tuple[int, int, int]  # row, column, radius


def is_in(disc: Disc) -> np.ndarray:
    rows, columns = np.indices((SIZE, SIZE))
    return (rows - disc[0]) ** 2 + (columns - disc[1]) ** 2 <= disc[2] ** 2


def votes_for(*discs: Disc, error: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Votes in cells, wrong by up to `error` map pixels, and how sure each pixel is."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices((SIZE, SIZE))
    votes = np.stack([columns, rows]) + rng.uniform(-9, 9, (2, SIZE, SIZE))
    sharp = np.full((SIZE, SIZE), 0.1, np.float32)
    for row, column, radius in discs:
        here = is_in((row, column, radius))
        for axis, middle in enumerate((column, row)):
            votes[axis][here] = middle + rng.uniform(-error, error, here.sum())
        sharp[here] = 8.0
    return ((votes + 0.5) / CELL).astype(np.float32), sharp


def none_known() -> np.ndarray:
    return np.zeros((SIZE, SIZE), np.int64)


def cells_in(places: np.ndarray, disc: Disc) -> set[tuple[int, int]]:
    """(row, column) of the cells that the pixels of a disc say."""
    return {(int(y), int(x)) for x, y in places[:, is_in(disc)].T}


def test_pixels_on_both_sides_of_a_cell_say_the_cell_that_most_of_them_mean():
    disc = (24, 20, 10)  # its middle is at the side between two rows of cells
    votes, sharp = votes_for(disc)
    assert len(cells_in(votes, disc)) > 1
    (cell,) = cells_in(agreed_places(votes, sharp, none_known(), CONFIG), disc)
    assert cell in {(3, 3), (4, 3)}


def test_two_segments_in_one_cell_get_a_cell_each():
    small, smaller = (20, 18, 2), (20, 23, 2)
    votes, sharp = votes_for(small, smaller, error=0.2)
    places = agreed_places(votes, sharp, none_known(), CONFIG)
    (first,), (second,) = cells_in(places, small), cells_in(places, smaller)
    assert first != second
    assert max(abs(a - b) for a, b in zip(first, second, strict=True)) == 1


def test_background_has_no_middles_and_alone_it_is_left_as_it_is():
    votes, sharp = votes_for()
    np.testing.assert_array_equal(agreed_places(votes, sharp, none_known(), CONFIG), votes)
    votes, sharp = votes_for((24, 24, 6))
    places = agreed_places(votes, sharp, none_known(), CONFIG)
    assert len(np.unique(places.reshape(2, -1), axis=1).T) == 1


def test_votes_that_are_no_numbers_stand():
    votes, sharp = votes_for((24, 24, 6))
    votes[0, 3, 3] = np.nan
    np.testing.assert_array_equal(agreed_places(votes, sharp, none_known(), CONFIG), votes)


def test_who_votes_with_known_pixels_takes_their_id():
    disc, other = (21, 21, 6), (21, 38, 5)
    votes, sharp = votes_for(disc, other)
    known = none_known()
    known[is_in(disc) & (np.arange(SIZE) < 19)] = place_code(4, 3, 4)  # not where votes say
    places = agreed_places(votes, sharp, known, CONFIG)
    assert cells_in(places, disc) == {(4, 3)}
    assert cells_in(places, other) == {(3, 6)}


def test_no_two_segments_take_a_known_id_unless_both_hold_its_pixels():
    disc, near = (21, 21, 4), (21, 28, 2)
    votes, sharp = votes_for(disc, near, error=0.2)
    known = none_known()
    known[is_in(disc)] = place_code(3, 4, 4)  # the cell in which the other one lies
    places = agreed_places(votes, sharp, known, CONFIG)
    assert cells_in(places, disc) == {(3, 4)}
    assert cells_in(places, near) != {(3, 4)}


def test_all_steps_say_what_was_agreed_on_in_the_first():
    votes, sharp = (torch.from_numpy(a) for a in votes_for((24, 20, 10)))
    agreement = Agreement(CONFIG)
    first = agreement.settle(votes[None], sharp.expand(1, 2, SIZE, SIZE))
    later = agreement.settle(votes[None] + 3, torch.zeros(1, 2, SIZE, SIZE))
    assert all(torch.equal(a, b) for a, b in zip(first, later, strict=True))
    assert len(cells_in(first[0][0].numpy(), (24, 20, 10))) == 1


def test_known_bits_reach_the_vote():
    votes, sharp = (torch.from_numpy(a) for a in votes_for((21, 21, 6)))
    labels = torch.zeros(1, 2, SIZE, SIZE, dtype=torch.long)
    where = torch.from_numpy(is_in((21, 21, 2)))
    labels[0, 0][where], labels[0, 1][where] = 1, place_code(2, 3, 4)
    known = Known(labels_to_x0(labels, CONFIG.groups, CONFIG.b), where[None, None])
    places, _ = Agreement(CONFIG, known).settle(votes[None], sharp.expand(1, 2, SIZE, SIZE))
    assert cells_in(places[0].numpy(), (21, 21, 6)) == {(2, 3)}


@pytest.mark.parametrize("prediction", ["x_sigmoid_xent", "x_softmax_xent"])
def test_sampling_lets_pixels_agree_and_training_does_not(prediction, monkeypatch):
    torch.manual_seed(0)
    model = Pix2SeqD(replace(CONFIG, prediction=prediction)).init_weights().eval()
    given = []
    forward = PlaceHead.forward
    monkeypatch.setattr(
        PlaceHead, "forward", lambda self, x, settle: given.append(settle) or forward(self, x)
    )
    encoding = model.encode(torch.rand(1, 3, 64, 64))
    noise = torch.randn(1, CONFIG.n_bits, 32, 32)
    list(model.sample(encoding, noise, 3))
    assert given[0] is not None and given == given[:1] * 3
    model.logits(noise, torch.tensor([0.5]), encoding, model.given(encoding))
    assert given[3] is None
