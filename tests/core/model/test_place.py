"""Ids by place: what the codes say, and that head, training and held pixels mean the same."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from core.model.bits import int_to_bits
from core.model.config import PRESETS, ModelConfig
from core.model.pix2seq_d import Pix2SeqD
from core.model.place import PlaceHead, bit_distances, place_code, place_ids
from training.augment import draw_labels

CONFIG = replace(PRESETS["nuclei"], place_cell=6, instance_bits=8, n_ids=256)


def discs(*middles: tuple[int, int], size: int = 64, radius: int = 3) -> np.ndarray:
    rows, columns = np.indices((size, size))
    numbers = np.zeros((size, size), np.int64)
    for number, (row, column) in enumerate(middles, start=1):
        numbers[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = number
    return numbers


def test_codes_of_neighbouring_cells_differ_in_one_bit_and_repeat_after_a_period():
    codes = [place_code(0, column, 4) for column in range(17)]
    assert len(set(codes[:16])) == 16
    assert all((a ^ b).bit_count() == 1 for a, b in pairwise(codes))
    assert codes[16] == codes[0]
    assert place_code(5, 3, 4) == place_code(5, 0, 4) | place_code(0, 3, 4)


@pytest.mark.parametrize("n_bits", [1, 2, 3, 4])
def test_distances_are_positive_just_where_the_bit_is_set(n_bits):
    places = torch.arange(0.05, 40, 0.1).view(1, 1, -1)
    codes = torch.tensor([[[place_code(0, int(p), n_bits) for p in places[0, 0]]]])
    distances = bit_distances(places, n_bits)
    torch.testing.assert_close((distances > 0).float(), int_to_bits(codes[0], n_bits))
    slopes = distances.diff(dim=-1).abs()
    assert slopes.max() <= 0.1001  # no jump: a pixel that errs a little is wrong a little


def test_a_segment_has_the_code_of_the_cell_of_its_middle():
    ids = place_ids(discs((15, 33), (50, 9)), CONFIG)
    assert set(ids[discs((15, 33)) == 1]) == {place_code(2, 5, 4)}
    assert set(ids[discs((50, 9)) == 1]) == {place_code(8, 1, 4)}
    assert set(np.unique(ids)) == {0, place_code(2, 5, 4), place_code(8, 1, 4)}


def test_of_two_segments_in_one_cell_the_larger_keeps_it_and_the_other_moves_next_door():
    numbers = np.zeros((64, 64), np.int64)
    numbers[12:18, 12:15], numbers[12:18, 15:17] = 7, 9
    ids = place_ids(numbers, CONFIG)
    first, second = ids[14, 13], ids[14, 15]
    assert first == place_code(2, 2, 4)
    assert second in {place_code(2, 1, 4), place_code(2, 3, 4), place_code(1, 2, 4)}


def test_no_segment_has_the_id_that_says_there_is_none():
    assert place_code(0, 0, 4) == 0
    assert place_ids(discs((3, 3)), CONFIG)[3, 3] != 0


def test_the_codes_move_with_the_segments_by_whole_periods():
    period = 16 * CONFIG.place_cell
    ids = place_ids(discs((20, 20), (20, 20 + period), size=period + 64), CONFIG)
    assert ids[20, 20] == ids[20, 20 + period] != 0


def test_training_gives_the_ids_of_places_and_voids_what_has_none():
    numbers = discs((15, 33), (50, 9)).astype(np.int32)
    labels = np.stack([np.where(numbers > 0, 1, 2), numbers], -1).astype(np.int32)[None]
    drawn = draw_labels(labels, CONFIG, np.random.default_rng(0))[0]
    np.testing.assert_array_equal(drawn[..., 1], place_ids(numbers, CONFIG))
    np.testing.assert_array_equal(drawn[..., 0], labels[0, ..., 0])


def test_a_head_that_knows_the_way_to_the_middles_says_the_ids():
    head = PlaceHead(CONFIG)
    numbers = discs((15, 33), (50, 9))
    ids = torch.from_numpy(place_ids(numbers, CONFIG))[None]
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    way = torch.zeros(1, 4, 64, 64)
    for row, column in ((15, 33), (50, 9)):
        here = torch.from_numpy(discs((row, column)) == 1)
        way[0, 1][here] = (row - rows[here]) / CONFIG.place_cell
        way[0, 0][here] = (column - columns[here]) / CONFIG.place_cell
    head.way = torch.nn.Identity()  # type: ignore[assignment]
    logits = head(way)
    said = (logits[:, CONFIG.semantic_bits :] > 0).float()
    where = (ids > 0)[:, None].expand_as(said)
    torch.testing.assert_close(said[where], int_to_bits(ids, 8)[where])
    assert (logits[:, : CONFIG.semantic_bits] == 0).all()


@pytest.mark.parametrize("prediction", ["x_sigmoid_xent", "x_softmax_xent"])
def test_a_network_with_places_says_where_a_pixel_lies_before_it_has_learned_anything(
    prediction,
):
    torch.manual_seed(0)
    model = Pix2SeqD(
        replace(CONFIG, prediction=prediction, evidence_dilations=())
    ).init_weights()
    with torch.no_grad():
        model.decoder.place.way.weight.zero_()
    noise = torch.randn(1, CONFIG.n_bits, 32, 32)
    encoding = model.encode(torch.rand(1, 3, 64, 64))
    x0 = model.predict(noise, torch.tensor([0.5]), encoding, model.given(encoding))
    ids = model.to_labels(x0)[0, 1]
    assert ids[8, 20] == place_code(1, 3, 4)
    assert ids[27, 3] == place_code(4, 0, 4)


@pytest.mark.parametrize(
    "wrong",
    [{"instance_bits": 7, "n_ids": 100}, {"past_frames": 1}, {"prediction": "eps"}],
)
def test_settings_that_have_no_places_are_refused(wrong):
    with pytest.raises(ValueError, match="by place need"):
        replace(CONFIG, evidence_dilations=(), **wrong)


def test_the_papers_presets_draw_their_ids():
    assert ModelConfig().place_cell == 0
    assert not any(PRESETS[name].place_cell for name in ("coco", "coco-1024", "davis"))
