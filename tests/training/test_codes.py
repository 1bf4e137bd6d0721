"""Codes of categories in a model that goes on: what is known keeps its code."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import CheckpointError
from core.model.checkpoint import save_checkpoint
from core.model.more_codes import with_codes
from core.model.pix2seq_d import Pix2SeqD
from core.model_card import ModelCard
from core.panoptic import Category
from tests.training.tiny_run import MODEL, PLAIN
from training.codes import assign_codes
from training.files import Entry, PanopticFiles
from training.start import load_start
from training.stepper import new_state


def named(*names, first_id=1):
    kinds = enumerate(names, start=first_id)
    return tuple(Category(id_, name, name.islower(), (id_, 0, 0)) for id_, name in kinds)


def names_of(categories):
    return [category.name for category in categories]


KNOWN = named("nucleus", "crowd", "Background")


def test_known_categories_keep_their_codes_whatever_their_place_and_id():
    wanted = named("Background", "Nucleus", "crowd", first_id=7)
    codes = assign_codes(KNOWN, wanted)
    assert names_of(codes) == ["Nucleus", "crowd", "Background"]
    assert [category.id for category in codes] == [8, 9, 7]


def test_new_categories_come_after_the_known_ones():
    codes = assign_codes(KNOWN, named("lumen", "crowd", "Background", "nucleus", "vessel"))
    assert names_of(codes) == ["nucleus", "crowd", "Background", "lumen", "vessel"]


def test_new_categories_take_the_codes_of_those_that_are_gone():
    codes = assign_codes(KNOWN, named("nucleus", "lumen", "vessel"))
    assert names_of(codes) == ["nucleus", "lumen", "vessel"]


def test_a_gap_keeps_the_models_category_under_an_id_of_its_own():
    codes = assign_codes(KNOWN, named("Background", "nucleus", first_id=2))
    assert names_of(codes) == ["nucleus", "crowd", "Background"]
    assert [category.id for category in codes] == [3, 4, 2]
    assert names_of(assign_codes(KNOWN, named("nucleus"))) == ["nucleus"]


def test_renamed_and_merged_categories_are_mapped():
    wanted = named("Background", "cell")
    codes = assign_codes(KNOWN, wanted, {"nucleus": "cell", "crowd": "cell"})
    assert names_of(codes) == ["cell", "crowd", "Background"] and codes[0].id == 2


def test_nothing_known_or_nothing_wanted():
    assert assign_codes((), KNOWN) == KNOWN and assign_codes(KNOWN, ()) == ()


def test_labels_follow_the_codes(tmp_path):
    labels = np.array([[[0, 0], [1, 4], [2, 5]]], np.int32)
    files = PanopticFiles(named("a", "b"), [Entry(tmp_path / "x.png", labels.copy)])
    recoded = files.recoded((files.categories[1], *named("c", first_id=9), files.categories[0]))
    (entry,) = recoded.entries()
    assert entry.read_labels().tolist() == [[[0, 0], [3, 4], [1, 5]]]
    assert len(recoded) == 1 and names_of(files.categories) == ["a", "b"]
    assert files.entries()[0].read_labels().tolist() == labels.tolist()


CONFIGS = {
    "softmax": MODEL,
    "bits": replace(MODEL, prediction="x_sigmoid_xent", evidence_dilations=(1,)),
    "past and estimate": replace(MODEL, past_frames=2, self_condition="x0"),
    "groups": replace(MODEL, softmax_groups=(2, 1, 1, 1, 1), evidence_dilations=(1,)),
}


def outputs_of(model, x_t, places):
    """What a model makes of noisy bits, of which it has only some."""
    generator = torch.Generator().manual_seed(1)
    encoding = model.encode(torch.rand(1, 3, 32, 32, generator=generator))
    given = model.given(encoding)
    return model.predict(x_t[:, places], torch.tensor([0.6]), encoding, given)


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_a_network_with_more_bits_does_what_it_did(name):
    config = CONFIGS[name]
    model = new_state(replace(PLAIN, model=config)).model.eval()
    for weight in model.decoder.parameters():
        weight.normal_(std=0.1, generator=torch.Generator().manual_seed(int(weight.numel())))
    groups = (4, *config.softmax_groups[1:]) if config.softmax_groups else ()
    wider = with_codes(
        model, replace(config, n_codes=9, semantic_bits=4, softmax_groups=groups)
    )
    x_t = torch.randn(1, 8, 16, 16, generator=torch.Generator().manual_seed(2))
    old = [0, 1, 4, 5, 6, 7]
    before, after = outputs_of(model, x_t, old), outputs_of(wider, x_t, list(range(8)))
    exact = slice(None) if config.prediction == "x_sigmoid_xent" else slice(2, None)
    assert torch.allclose(after[:, old][:, exact], before[:, exact], atol=1e-6)
    assert after.shape == (1, 8, 16, 16) and not wider.training


def test_a_new_code_begins_between_the_known_ones():
    model = Pix2SeqD(replace(MODEL, n_codes=3))
    grown = with_codes(model, replace(MODEL, n_codes=4))
    for name in ("weight", "bias"):
        old, new = (getattr(m.decoder.conv_out, name) for m in (model, grown))
        assert torch.equal(new[3], old[1:3].mean(0))
        assert torch.equal(new[:3], old[:3]) and torch.equal(new[4:], old[4:])


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="only the number of codes"):
        with_codes(Pix2SeqD(MODEL), replace(MODEL, merge_width=32, n_codes=3))
    with pytest.raises(ValueError, match="more bits"):
        with_codes(Pix2SeqD(MODEL), replace(MODEL, semantic_bits=1))


def test_a_run_begins_with_a_model_of_fewer_categories(tmp_path):
    path = tmp_path / "base.safetensors"
    base = new_state(PLAIN).model
    save_checkpoint(path, base, ModelCard("base", "One.", named("nucleus")))
    wanted = replace(MODEL, n_codes=6, semantic_bits=3)
    config = replace(PLAIN, model=wanted, start_weights=str(path))
    state = new_state(config)
    load_start(config, state.model)
    found = state.model.state_dict()["decoder.conv_in.weight"]
    expected = base.state_dict()["decoder.conv_in.weight"]
    assert torch.equal(found[:, :2], expected[:, :2]) and not found[:, 2].any()
    assert torch.equal(found[:, 3:], expected[:, 2:])
    narrow = replace(config, model=replace(wanted, decoder_width=8))
    with pytest.raises(CheckpointError, match="would not fit its network"):
        load_start(narrow, new_state(narrow).model)
