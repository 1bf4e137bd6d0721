"""The whole network reproduces what the authors' code computed, part by part."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.model import convolution
from core.model.bits import bits_to_int, labels_to_x0
from core.model.checkpoint import load_checkpoint
from core.model.config import ModelConfig
from core.model.diffusion import add_noise, sampling_times
from core.model.foreign_config import read_config
from core.model.import_weights import import_weights
from core.model.pix2seq_d import Pix2SeqD, with_past_frames

TIMES = ["0.05", "0.3", "0.7", "0.99"]
ENCODER, LOGITS, X0, SAMPLING = 1e-4, 5e-4, 2e-5, 2e-4  # tolerances of the golden set


@pytest.fixture(scope="session")
def model(golden_checkpoint, golden_dir, tmp_path_factory) -> Pix2SeqD:
    """The recorded network, by way of the product's own importer."""
    out: Path = tmp_path_factory.mktemp("model") / "golden.safetensors"
    import_weights(golden_checkpoint, out, read_config(str(golden_dir / "config.json")))
    return load_checkpoint(out, "cpu")[0].requires_grad_(False)


@pytest.fixture(scope="session")
def inputs(golden, to_torch) -> dict[str, Tensor]:
    recorded = golden("inputs")
    names = ("images", "mask_bits", "noise", "init_noise", "label_map")
    return {name: to_torch(recorded[name]) for name in names}


@pytest.fixture(scope="session")
def encoding(model, inputs):
    return model.encode(inputs["images"])


@pytest.fixture(scope="session")
def recorded(golden):
    return {name: golden(name) for name in ("encoder", "denoiser", "sampling", "video")}


def outputs_of(module, run) -> list:
    """What a module returns, each time that it is called during a run."""
    seen = []
    hook = module.register_forward_hook(lambda *args: seen.append(args[2]))
    try:
        run()
    finally:
        hook.remove()
    return seen


def test_encoder_stages(model, inputs, recorded, to_torch, near) -> None:
    encoder = model.encoder
    maps = encoder.resnet(inputs["images"])
    for k, x in enumerate(maps):
        name = f"stage{k}" if k else "stem_bn_relu"
        near(x, to_torch(recorded["encoder"][name]), ENCODER)
    parts = {f"stage{k}_block1": encoder.resnet.stages[k - 1][0] for k in (1, 2, 3)}
    for name, part in parts.items():
        (x,) = outputs_of(part, lambda: encoder.resnet(inputs["images"]))
        near(x, to_torch(recorded["encoder"][name]), ENCODER)


def test_encoder_stem(model, inputs, recorded, to_torch, near) -> None:
    stem = model.encoder.resnet.stem_conv(inputs["images"][:1])
    near(stem, to_torch(recorded["encoder"]["stem_conv"]), ENCODER)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("stem_projection", "stem_projection"),
        ("stem_ln", "stem_norm"),
        ("layer0_mha", "layers.0.self_attention"),
        ("layer0", "layers.0"),
        ("layer1_mha", "layers.1.self_attention"),
        ("layer1", "layers.1"),
    ],
)
def test_encoder_tokens_on_their_way(model, inputs, recorded, near, name, path) -> None:
    part = model.encoder.get_submodule(path)
    (x,) = outputs_of(part, lambda: model.encode(inputs["images"]))
    near(x, recorded["encoder"][name], ENCODER)


@pytest.mark.parametrize("k", [2, 1, 0])
def test_merge_blocks(model, inputs, recorded, to_torch, near, k) -> None:
    block = model.encoder.merge.get_submodule(f"block{k}")
    (x,) = outputs_of(block, lambda: model.encode(inputs["images"]))
    near(x, to_torch(recorded["encoder"][f"fuse_block{k}"]), ENCODER)


def test_tokens_and_feature_map(encoding, recorded, to_torch, near) -> None:
    near(encoding.tokens, recorded["encoder"]["encoded"], ENCODER)
    near(encoding.fmap, to_torch(recorded["encoder"]["encoded_cat"]), ENCODER)


def noisy(inputs, time: str) -> Tensor:
    t = torch.full((2,), float(time))
    return add_noise(inputs["mask_bits"], inputs["noise"], t, ModelConfig().train_schedule)


def gamma_at(recorded, time: str) -> Tensor:
    """As it was recorded: with a time scale of 10000 its last digit shows in the logits."""
    return torch.from_numpy(recorded["denoiser"][f"t{time}/gamma"])


@pytest.mark.parametrize("time", TIMES)
def test_gamma_and_noisy_bits(inputs, recorded, to_torch, near, time) -> None:
    t = torch.full((2,), float(time))
    near(ModelConfig().train_schedule.gamma(t), gamma_at(recorded, time), 2e-7)
    if f"t{time}/xt" in recorded["denoiser"].files:
        near(noisy(inputs, time), to_torch(recorded["denoiser"][f"t{time}/xt"]), 1e-6)


@pytest.mark.parametrize("time", TIMES)
def test_logits_at_each_time(model, inputs, encoding, recorded, near, time) -> None:
    given = model.given(encoding)
    logits = model.logits(noisy(inputs, time), gamma_at(recorded, time), encoding, given)
    logits = logits.unflatten(1, (2, 256)).permute(0, 3, 4, 1, 2)  # [B, h, w, groups, codes]
    stride = int(recorded["denoiser"]["logits_stride"])
    near(logits[:, ::stride, ::stride], recorded["denoiser"][f"t{time}/logits_sub"], LOGITS)
    codes = torch.from_numpy(recorded["denoiser"][f"t{time}/logits_argmax"]).long()
    assert (logits.argmax(-1) == codes).float().mean() > 0.999


@pytest.mark.parametrize("time", TIMES)
def test_x0_at_each_time(model, inputs, encoding, recorded, to_torch, near, time) -> None:
    given = model.given(encoding)
    x0 = model.predict(noisy(inputs, time), gamma_at(recorded, time), encoding, given)
    near(x0, to_torch(recorded["denoiser"][f"t{time}/x0"]), X0)


@pytest.mark.parametrize("time", TIMES)
def test_loss_at_each_time(model, inputs, encoding, golden, recorded, near, time) -> None:
    """Cross entropy of each pixel and channel, weighted as recorded."""
    given = model.given(encoding)
    logits = model.logits(noisy(inputs, time), gamma_at(recorded, time), encoding, given)
    targets = torch.stack([bits_to_int(x) for x in inputs["mask_bits"].split(8, 1)], -1)
    entropy = torch.nn.functional.cross_entropy(
        logits.unflatten(1, (2, 256)).permute(0, 2, 3, 4, 1), targets, reduction="none"
    )
    near(entropy, recorded["denoiser"][f"t{time}/loss_map"], LOGITS)
    weights = torch.from_numpy(golden("inputs")["mask_weight"])[..., None]
    loss = float(recorded["denoiser"][f"t{time}/loss"])
    assert (entropy * weights).mean().item() == pytest.approx(loss, rel=1e-5)
    loss = float(recorded["denoiser"][f"t{time}/loss_p0"])
    assert entropy.mean().item() == pytest.approx(loss, rel=1e-5)


DECODER_PARTS = {
    "time_emb": "time_embedding",
    "conv_in": "conv_in",
    "group_norm_in": "norm_in",
    "dn_unit_0_res_block_0": "down_blocks.0.0",
    "dn_unit_0": "down_convs.0",
    "dn_unit_1": "down_convs.1",
    "dn_unit_2": "down_convs.2",
    "dn_unit_3": "down_blocks.3.0",
    "transformer_in_norm": "transformer.norm_in",
    "transformer_in": "transformer.conv_in",
    "transformer_time_token": "transformer.emb_projection",
    "transformer_layer0_self": "transformer.layers.0.self_attention",
    "transformer_layer0_cross": "transformer.layers.0.cross_attention",
    "transformer_layer0": "transformer.layers.0",
    "transformer_layer1_self": "transformer.layers.1.self_attention",
    "transformer_layer1_cross": "transformer.layers.1.cross_attention",
    "transformer_layer1": "transformer.layers.1",
    "transformer": "transformer",
    "up_unit_3": "up_convs.2",
    "up_unit_2": "up_convs.1",
    "up_unit_1": "up_convs.0",
    "up_unit_0": "up_blocks.0.1",
    "group_norm_out": "norm_out",
}


@pytest.mark.parametrize("name", DECODER_PARTS)
def test_decoder_parts(model, inputs, encoding, recorded, to_torch, near, name) -> None:
    part = model.decoder.get_submodule(DECODER_PARTS[name])
    x_t, given = noisy(inputs, "0.3"), model.given(encoding)
    run = lambda: model.logits(x_t, gamma_at(recorded, "0.3"), encoding, given)  # noqa: E731
    (x,) = outputs_of(part, run)
    wanted = recorded["denoiser"][f"inter/{name}"]
    near(x, to_torch(wanted) if wanted.ndim == 4 else wanted, 2e-4)


@pytest.mark.parametrize("time_delta", [0, 1, 2])
def test_whole_sampling_runs(
    model, inputs, encoding, recorded, to_torch, near, time_delta
) -> None:
    run = {
        name.split("/")[1]: recorded["sampling"][name]
        for name in recorded["sampling"].files
        if name.startswith(f"ddim_td{time_delta}/")
    }
    n_steps = int(recorded["sampling"]["iterations"])
    schedule = model.config.sampling_schedule
    now, then = torch.tensor(sampling_times(n_steps, time_delta)).T
    near(schedule.gamma(now), run["gamma_now"], 2e-7)
    near(schedule.gamma(then), run["gamma_prev"], 2e-7)
    steps = list(model.sample(encoding, inputs["init_noise"], n_steps, time_delta=time_delta))
    near(steps[0].x_next[:1], to_torch(run["x_next_step0"]), SAMPLING)
    for step, x0 in zip(steps, run["x0_steps"], strict=True):
        near(step.x0[0], to_torch(x0), SAMPLING)
    near(steps[-1].x0, to_torch(run["final"]), SAMPLING)
    signs_differ = (steps[-1].x0 > 0) != (to_torch(run["final"]) > 0)
    assert signs_differ.float().mean() <= 1e-3
    labels = to_torch(run["panoptic"]).long()
    assert (model.to_labels(steps[-1].x0) == labels).float().mean() >= 0.999


# -- Winograd's convolutions -------------------------------------------------------------------


@pytest.fixture
def is_quick(monkeypatch) -> None:
    """Have the small recorded network go the way that is quicker for large ones."""
    if not convolution.has_nnpack():
        pytest.skip("this torch comes without NNPACK")
    monkeypatch.setattr(convolution, "LEAST_CHANNELS", 1)
    monkeypatch.setattr(convolution, "LEAST_WORK", 1)


@pytest.mark.usefixtures("is_quick")
@pytest.mark.parametrize("time", TIMES)
@torch.inference_mode()
def test_winograds_way_gives_the_recorded_outputs(
    model, inputs, recorded, to_torch, near, time
) -> None:
    for k in range(2):
        one = slice(k, k + 1)
        encoding = model.encode(inputs["images"][one])
        near(encoding.fmap, to_torch(recorded["encoder"]["encoded_cat"])[one], ENCODER)
        x_t, gamma = noisy(inputs, time)[one], gamma_at(recorded, time)[one]
        given, stride = model.given(encoding), int(recorded["denoiser"]["logits_stride"])
        logits = model.logits(x_t, gamma, encoding, given).unflatten(1, (2, 256))
        wanted = recorded["denoiser"][f"t{time}/logits_sub"][one]
        near(logits.permute(0, 3, 4, 1, 2)[:, ::stride, ::stride], wanted, LOGITS)
        x0 = model.predict(x_t, gamma, encoding, given)
        near(x0, to_torch(recorded["denoiser"][f"t{time}/x0"])[one], X0)


@pytest.mark.usefixtures("is_quick")
@pytest.mark.parametrize("time_delta", [0, 1, 2])
def test_winograds_way_gives_the_recorded_samples(
    model, inputs, recorded, to_torch, near, time_delta
) -> None:
    n_steps = int(recorded["sampling"]["iterations"])
    with torch.inference_mode():
        encodings = [model.encode(inputs["images"][k : k + 1]) for k in range(2)]
    for k, encoding in enumerate(encodings):
        noise = inputs["init_noise"][k : k + 1]
        x0 = list(model.sample(encoding, noise, n_steps, time_delta=time_delta))[-1].x0
        wanted = to_torch(recorded["sampling"][f"ddim_td{time_delta}/final"])[k : k + 1]
        near(x0, wanted, SAMPLING)
        assert ((x0 > 0) != (wanted > 0)).float().mean() <= 1e-3


# -- sampling ----------------------------------------------------------------------------------


def test_seed_in_same_map_out(model, encoding) -> None:
    def sample() -> Tensor:
        generator = torch.Generator().manual_seed(3)
        noise = torch.randn(2, 16, 24, 40, generator=generator)
        return list(model.sample(encoding, noise, 3))[-1].x0

    assert torch.equal(sample(), sample())


def test_sampling_one_image_is_sampling_it_in_a_batch(model, inputs, encoding, near) -> None:
    alone = model.encode(inputs["images"][:1])
    near(alone.tokens, encoding.tokens[:1].numpy(), 1e-5)
    steps = model.sample(alone, inputs["init_noise"][:1], 3)
    both = model.sample(encoding, inputs["init_noise"], 3)
    near(list(steps)[-1].x0, list(both)[-1].x0[:1].numpy(), X0)


# -- video -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def video_model(model, golden_settings, recorded) -> Pix2SeqD:
    """The image network with the recorded weights for two past maps."""
    video = golden_settings["video"]
    wide = with_past_frames(model, 2)
    wide.config = replace(
        wide.config,
        image_size=tuple(video["image_size"]),
        mask_size=tuple(video["mask_size"]),
        n_codes=video["num_classes"],
        n_ids=video["max_instances_per_image"],
    )
    extra = recorded["video"]["model/conv_in_extra"].transpose(3, 2, 0, 1)
    wide.decoder.conv_in.weight.data[:, -32:] = torch.from_numpy(extra.copy())
    return wide.eval().requires_grad_(False)


def past_maps(cond_map: np.ndarray) -> Tensor:
    """[B, P, 2, h, w] of recorded [B, h, w, 4]: (sem, id) of t-2, then of t-1."""
    return torch.from_numpy(cond_map).permute(0, 3, 1, 2).unflatten(1, (2, 2)).long()


def test_bits_of_past_maps_are_ordered_by_time(near) -> None:
    config = replace(
        ModelConfig(), semantic_bits=2, instance_bits=2, n_codes=4, n_ids=4, past_frames=2
    )
    past = torch.tensor([[1, 2], [0, 3]]).view(1, 2, 2, 1, 1)
    bits = [labels_to_x0(past[:, p], config.groups, config.b) for p in range(2)]
    near(torch.cat(bits, 1).flatten() * 10, [1, -1, -1, 1, -1, -1, 1, 1], 1e-6)


@pytest.mark.parametrize("case", ["keep", "drop_first", "drop_both", "flip"])
def test_recorded_bits_of_past_maps(video_model, recorded, to_torch, near, case) -> None:
    past = past_maps(recorded["video"][f"cond/{case}/cond_map"])
    bits = torch.cat([video_model.past_bits(past[:, p]) for p in range(2)], 1)
    near(bits, to_torch(recorded["video"][f"cond/{case}/cond_bits"]), 0)


def test_a_missing_past_is_the_empty_map(video_model, recorded, to_torch) -> None:
    encoding = video_model.encode(to_torch(recorded["video"]["model/images"]))
    given = video_model.given(encoding)
    assert torch.equal(given[:, -32:], torch.full_like(given[:, -32:], -0.1))


def test_recorded_prediction_with_past_maps(video_model, recorded, to_torch, near) -> None:
    video = recorded["video"]
    encoding = video_model.encode(to_torch(video["model/images"]))
    near(encoding.tokens, video["model/encoded"], ENCODER)
    labels = to_torch(video["model/label_map"]).long()
    t = torch.full((2,), 0.4)
    schedule = video_model.config.train_schedule
    x_t = add_noise(
        labels_to_x0(labels, (8, 8), 0.1), to_torch(video["model/noise"]), t, schedule
    )
    near(x_t, to_torch(video["model/xt"]), 1e-6)
    given = video_model.given(encoding, past_maps(video["model/cond_map"]))
    x0 = video_model.predict(to_torch(video["model/xt"]), schedule.gamma(t), encoding, given)
    near(x0, to_torch(video["model/x0"]), 5e-5)  # gamma is not recorded here


@pytest.mark.parametrize("time_delta", [0, 1])
def test_recorded_clip_frame_by_frame(
    video_model, recorded, to_torch, near, time_delta
) -> None:
    """Each frame is conditioned on recorded maps, since one flipped bit changes the rest."""
    video, prefix = recorded["video"], f"clip/td{time_delta}"
    maps = torch.from_numpy(video[f"{prefix}/panoptic"]).permute(0, 1, 4, 2, 3).long()
    empty = torch.zeros_like(maps[:, 0])
    for k, n_steps in enumerate(video[f"{prefix}/iterations"].tolist()):
        past = torch.stack([maps[:, j] if j >= 0 else empty for j in (k - 2, k - 1)], 1)
        bits = torch.cat([video_model.past_bits(past[:, p]) for p in range(2)], 1)
        near(bits, to_torch(video[f"{prefix}/cond_bits"][k]), 0)
        encoding = video_model.encode(to_torch(video["clip/frames"][:, k]))
        noise = to_torch(video["clip/init_noise"][k])
        steps = video_model.sample(encoding, noise, n_steps, time_delta=time_delta, past=past)
        x0 = list(steps)[-1].x0
        near(x0, to_torch(video[f"{prefix}/x0"][k]), SAMPLING)
        agree = video_model.to_labels(x0) == maps[:, k]
        assert agree.float().mean() >= 0.999
