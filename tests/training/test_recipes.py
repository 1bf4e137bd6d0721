"""The recipes of the paper train, on real frames, and each starts from the one before."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.model.checkpoint import load_checkpoint
from core.model.config import ModelConfig
from training import __main__ as command
from training.coco_index import index_coco
from training.config import TrainConfig
from training.recipes import RECIPES
from training.sources import fit_codes
from training.stepper import new_state
from training.train import load_average, train


def shrink(config: TrainConfig) -> TrainConfig:
    """The same run of the same kind of network, small enough for a test."""
    model = replace(
        config.model,
        image_size=(32, 64),
        mask_size=(16, 32),
        resnet_stem_width=8,
        resnet_widths=(4, 8, 8),
        resnet_blocks=(1, 1, 1),
        encoder_width=16,
        encoder_layers=1,
        encoder_heads=2,
        merge_width=16,
        decoder_width=16,
        channel_multipliers=(1, 2),
        residual_blocks=(1, 1),
        transformer_width=32,
        transformer_layers=1,
        transformer_head_width=8,
    )
    return replace(config, model=model, batch=2, steps=2, warmup_steps=0, workers=0)


def read_frames(shared_dir, model: ModelConfig):
    path = shared_dir / "data/davis/val/panoptic_val.json"
    return index_coco(path, has_stuff_ids=model.has_stuff_ids, past_frames=model.past_frames)


@pytest.mark.parametrize(
    "name",
    [
        "coco-256",
        "coco-1024",
        "coco-ablation",
        "coco-decoder",
        "davis",
        "kitti-step",
        "cityscapes",
    ],
)
def test_a_recipe_of_the_paper_learns_from_a_step(name, shared_dir, tmp_path):
    config = shrink(RECIPES[name].config)
    data = read_frames(shared_dir, config.model)
    config = fit_codes(config, data)
    before = new_state(config).model.state_dict()
    steps = list(train(config, data, tmp_path))
    assert len(steps) == 2 and all(0 < step.loss < 8 for step in steps)
    after = load_average(config, tmp_path / "state.safetensors").state_dict()
    assert not torch.equal(after["decoder.conv_in.weight"], before["decoder.conv_in.weight"])
    assert all(value.isfinite().all() for value in after.values())


def test_each_stage_starts_from_the_one_before(shared_dir, tmp_path, monkeypatch, capsys):
    """With a rate of 0, the last stage has the weights of the first where they have a place."""
    data = shared_dir / "data/davis/val/panoptic_val.json"
    stages = [
        ("coco-decoder", ""),
        ("coco-256", "decoder"),
        ("coco-1024", "weights"),
        ("davis", "weights"),
    ]
    before, models = Path(), []
    for name, start in stages:
        config = replace(shrink(RECIPES[name].config), learning_rate=0.0, steps=1)
        monkeypatch.setitem(RECIPES, name, replace(RECIPES[name], config=config))
        arguments = [name, "--data", str(data), "--out", str(tmp_path / name)]
        arguments += [f"--start-{start}", str(before)] if start else []
        assert command.main(arguments) == 0, capsys.readouterr().err
        before = tmp_path / name / f"{name}.safetensors"
        models.append(load_checkpoint(before, "cpu")[0].state_dict())
    maps, video = models[0], models[-1]
    n_inputs = maps["decoder.conv_in.weight"].shape[1]
    assert torch.equal(
        video["decoder.conv_in.weight"][:, :n_inputs], maps["decoder.conv_in.weight"]
    )
    assert torch.equal(video["decoder.conv_out.weight"], maps["decoder.conv_out.weight"])
    assert not video["decoder.conv_in.weight"][:, n_inputs:].any()
