"""A run begins with the weights of other runs, whole or by halves."""

import tarfile
from dataclasses import replace

import pytest
import torch

from core.errors import CheckpointError, TrainingError
from core.model.checkpoint import load_checkpoint, save_checkpoint
from core.model.foreign_config import read_config
from core.model.import_weights import import_weights
from core.model.pix2seq_d import Pix2SeqD
from core.model_card import ModelCard
from core.proposals import SamplingOptions
from tests.training.tiny_run import MODEL, PLAIN, SQUARE, Pictures
from training.start import load_start
from training.train import load_average, train


def saved(path, config, seed=7):
    torch.manual_seed(seed)
    model = Pix2SeqD(config).init_weights()
    categories = (SQUARE,)
    card = ModelCard("m", "for a test", categories, SamplingOptions(), "CC0-1.0", {})
    save_checkpoint(path, model, card)
    return model.state_dict()


def started(config, **fields):
    torch.manual_seed(1)
    model = Pix2SeqD(config).init_weights()
    fresh = {name: value.clone() for name, value in model.state_dict().items()}
    load_start(replace(PLAIN, model=config, **fields), model)
    return fresh, model.state_dict()


@pytest.mark.parametrize("half", ["encoder", "decoder"])
def test_one_half_is_taken_and_the_other_stays_fresh(half, tmp_path):
    other = saved(tmp_path / "m.safetensors", MODEL)
    fresh, now = started(MODEL, **{f"start_{half}": str(tmp_path / "m.safetensors")})
    for name, value in now.items():
        assert torch.equal(value, (other if name.startswith(half) else fresh)[name])


def test_a_decoder_of_maps_alone_keeps_fresh_cross_attention(tmp_path):
    other = saved(tmp_path / "m.safetensors", replace(MODEL, conditioning="none"))
    fresh, now = started(MODEL, start_decoder=str(tmp_path / "m.safetensors"))
    for name, value in now.items():
        is_taken = name.startswith("decoder") and "cross" not in name
        assert torch.equal(value, (other if is_taken else fresh)[name])
    assert any("cross" in name for name in now)


def test_a_network_for_stills_becomes_one_for_clips(tmp_path):
    other = saved(tmp_path / "m.safetensors", MODEL)
    clips = replace(MODEL, past_frames=2)
    _, now = started(clips, start_weights=str(tmp_path / "m.safetensors"))
    n = MODEL.noisy_width
    assert torch.equal(now["decoder.conv_in.weight"][:, :n], other["decoder.conv_in.weight"])
    assert not now["decoder.conv_in.weight"][:, n:].any()


def test_weights_of_the_authors_code_are_the_start_of_an_encoder(shared_dir, tmp_path):
    golden = shared_dir / "golden"
    config = read_config(str(golden / "config.json"))
    with tarfile.open(golden / "checkpoint.tar.gz") as file:
        file.extractall(tmp_path, filter="data")
    path = tmp_path / "m.safetensors"
    import_weights(tmp_path / "checkpoint", path, config)
    other = load_checkpoint(path, "cpu")[0].state_dict()
    fresh, now = started(config, start_encoder=str(path))
    for name, value in now.items():
        assert torch.equal(value, (other if name.startswith("encoder") else fresh)[name])


def test_each_half_can_come_from_a_file_of_its_own(tmp_path):
    encoder = saved(tmp_path / "e.safetensors", MODEL)
    decoder = saved(tmp_path / "d.safetensors", replace(MODEL, conditioning="none"), seed=8)
    paths = {
        f"start_{half}": str(tmp_path / f"{half[0]}.safetensors")
        for half in ("encoder", "decoder")
    }
    _, now = started(MODEL, **paths)
    name = next(k for k in now if k.startswith("encoder") and now[k].ndim == 4)
    assert torch.equal(now[name], encoder[name])
    assert torch.equal(now["decoder.conv_in.weight"], decoder["decoder.conv_in.weight"])


def test_other_widths_are_a_sentence(tmp_path):
    saved(tmp_path / "m.safetensors", replace(MODEL, decoder_width=32))
    with pytest.raises(CheckpointError, match=r"cannot begin with .*m\.safetensors"):
        started(MODEL, start_weights=str(tmp_path / "m.safetensors"))


def test_a_run_and_its_average_begin_with_the_file(tmp_path):
    other = saved(tmp_path / "m.safetensors", MODEL)
    path = str(tmp_path / "m.safetensors")
    config = replace(PLAIN, start_weights=path, learning_rate=0.0, steps=1)
    list(train(config, Pictures(), tmp_path / "out"))
    average = load_average(config, tmp_path / "out" / "state.safetensors").state_dict()
    assert all(torch.allclose(average[name], other[name]) for name in other)


def test_a_batch_larger_than_the_data_is_a_sentence(tmp_path):
    with pytest.raises(
        TrainingError, match="A batch of 16 is larger than the data, which has 14"
    ):
        next(train(replace(PLAIN, batch=16), Pictures(), tmp_path))


def test_data_of_other_categories_than_the_network_codes_for_is_a_sentence(tmp_path):
    config = replace(PLAIN, model=replace(MODEL, n_codes=4))
    with pytest.raises(
        TrainingError, match=r"1 categories, .* codes for 3; give --model\.n-codes 2"
    ):
        next(train(config, Pictures(), tmp_path))
