"""Any configuration makes a network, and the published ones have the published sizes."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from core.model.bits import logits_to_x0
from core.model.config import COCO, PRESETS, ModelConfig
from core.model.decoder import MaskDecoder
from core.model.encoder import PixelEncoder
from core.model.pix2seq_d import Pix2SeqD, count_parameters
from core.model.small_presets import SMALL_PRESETS

SMALL = ModelConfig(
    image_size=(32, 48),
    mask_size=(16, 24),
    resnet_stem_width=8,
    resnet_widths=(4, 8, 8),
    resnet_blocks=(1, 2, 1),
    encoder_width=16,
    encoder_layers=1,
    encoder_heads=4,
    merge_width=16,
    decoder_width=16,
    channel_multipliers=(1, 2),
    residual_blocks=(1, 1),
    transformer_width=32,
    transformer_layers=1,
    transformer_head_width=8,
    semantic_bits=5,
    instance_bits=5,
    n_codes=20,
    n_ids=32,
)


@pytest.fixture(scope="session")
def coco() -> Pix2SeqD:
    with torch.device("meta"):
        return Pix2SeqD(COCO)


def test_the_published_model_has_the_published_number_of_parameters(coco) -> None:
    assert count_parameters(coco) == 94_492_480
    n_statistics = sum(
        value.numel() for name, value in coco.named_buffers() if "running" in name
    )
    assert n_statistics == 30_592


@pytest.mark.parametrize("name", ["davis", "kitti-step"])
def test_two_past_frames_add_32_inputs(name) -> None:
    with torch.device("meta"):
        assert count_parameters(Pix2SeqD(PRESETS[name])) == 94_496_576


@pytest.mark.parametrize(
    ("name", "encoder", "decoder"),
    [
        ("nano", 0.09, 0.25),
        ("micro", 0.56, 1.24),
        ("tiny", 0.56, 1.68),
        ("small", 3.37, 7.77),
    ],
)
def test_small_presets_have_the_planned_millions_of_parameters(name, encoder, decoder) -> None:
    with torch.device("meta"):
        model = Pix2SeqD(SMALL_PRESETS[name])
    n_encoder = count_parameters(model.encoder) - count_parameters(model.encoder.merge)
    assert n_encoder / 1e6 == pytest.approx(encoder, abs=0.006)
    assert count_parameters(model.decoder) / 1e6 == pytest.approx(decoder, abs=0.01)


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("encoder.resnet.stem_conv", 9_408),
        ("encoder.resnet.stages.0", 215_808),
        ("encoder.resnet.stages.1", 1_219_584),
        ("encoder.resnet.stages.2", 7_098_368),
        ("encoder.resnet", 8_543_296),
        ("encoder.layers.0", 3_152_384),
        ("encoder.layers", 37_828_608),
        ("encoder.output_norm", 1_024),
        ("encoder.merge.block2", 2_624_512),
        ("encoder.merge.block1", 722_432),
        ("encoder.merge.block0", 656_896),
        ("decoder.time_embedding", 328_704),
        ("decoder.transformer.layers", 25_224_192),
        ("decoder", 43_589_888),
    ],
)
def test_parts_of_the_published_model(coco, path, count) -> None:
    assert count_parameters(coco.get_submodule(path)) == count


def test_levels_of_the_published_model(coco) -> None:
    decoder = coco.decoder
    down = [count_parameters(part) for part in decoder.down_blocks]
    convs = [count_parameters(part) for part in decoder.down_convs]
    total = [a + b for a, b in zip(down, [*convs, 0], strict=True)]
    assert total == [574_592, 574_592, 1_771_776, 1_443_840]
    up = [count_parameters(part) for part in decoder.up_blocks]
    convs = [count_parameters(part) for part in decoder.up_convs]
    total = [a + b for a, b in zip(up, [0, *convs], strict=True)]
    assert total == [1_215_232, 1_526_912, 4_593_152, 5_576_960]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"semantic_bits": 2, "instance_bits": 6, "n_codes": 4, "n_ids": 64},
        {"softmax_groups": (2, 3, 5)},
        {"channel_multipliers": (2, 1, 3), "residual_blocks": (2, 1, 3)},
        {"decoder_kernels": (5, 3), "decoder_in_kernel": 3, "decoder_out_kernel": 3},
        {"encoder_mlp_ratio": 2.0, "transformer_mlp_ratio": 1.5, "encoder_heads": 2},
        {"resnet_widths": (8, 4, 12), "resnet_stem_width": 12, "resnet_blocks": (2, 1, 2)},
        {"resnet_norm": "group", "has_stem_skip": True},
        {"past_frames": 2},
        {"past_frames": 1, "self_condition": "x0"},
        {"conditioning": "none"},
        {"mask_size": (32, 48)},
        {"mask_size": (8, 12), "image_size": (32, 48)},
        {"mask_size": (4, 6), "channel_multipliers": (1,), "residual_blocks": (2,)},
        {"mask_size": (2, 3), "channel_multipliers": (1,), "residual_blocks": (1,)},
        {"image_size": (16, 80), "mask_size": (8, 40)},
        {"prediction": "x_sigmoid_xent"},
        {"prediction": "x"},
        {"prediction": "eps"},
        {"prediction": "v", "is_noisy_input_normalized": True},
        {"evidence_dilations": (1, 3)},
        {"has_category_skip": True},
        {"has_category_skip": True, "past_frames": 1, "self_condition": "x0"},
        {"encoder_layers": 0, "time_scale": 1000.0, "b": 0.5},
    ],
)
def test_any_configuration_encodes_predicts_and_learns(changes) -> None:
    config = replace(SMALL, **changes)
    torch.manual_seed(0)
    model = Pix2SeqD(config).init_weights().train()
    image = torch.rand(3, 3, *config.image_size)
    x_t, gamma = torch.randn(3, config.n_bits, *config.mask_size), torch.rand(3)
    encoding = model.encode(image)
    assert encoding.fmap.shape == (3, config.fmap_width, *config.mask_size)
    out = model.logits(x_t, gamma, encoding, model.given(encoding))
    assert out.shape == (3, config.out_width, *config.mask_size)
    out.square().mean().backward()
    assert model.decoder.conv_in.weight.grad.isfinite().all()
    *_, last = model.eval().sample(model.encode(image), x_t, 2)
    assert last.x0.shape == x_t.shape
    assert last.x0.abs().max() <= config.b
    labels = model.to_labels(last.x0)
    assert labels[:, 0].max() < config.n_codes
    assert labels[:, 1].max() < config.n_ids


@pytest.mark.parametrize(
    "changes",
    [{"decoder_out_kernel": 1}, {"decoder_out_kernel": 3}, {"has_category_skip": True}],
)
@pytest.mark.parametrize("n_pixels", [7, 100, 10_000])
def test_predicting_in_bands_is_predicting_at_once(
    monkeypatch, near, changes, n_pixels
) -> None:
    monkeypatch.setattr("core.model.decoder.MAX_CPU_CHUNK_PIXELS", n_pixels)
    config = replace(SMALL, **changes)
    torch.manual_seed(0)
    model = Pix2SeqD(config).eval()
    x_t, gamma = torch.randn(2, 10, 16, 24), torch.rand(2)
    with torch.inference_mode():
        encoding = model.encode(torch.rand(2, 3, 32, 48))
        given = model.given(encoding)
        whole = model.logits(x_t, gamma, encoding, given)
        banded = model.predict(x_t, gamma, encoding, given)
    near(banded, logits_to_x0(whole, config.groups, config.b), 1e-6)


def test_a_category_skip_says_of_each_place_what_the_feature_map_has_there() -> None:
    config = replace(SMALL, has_category_skip=True)
    model = Pix2SeqD(config).init_weights().eval()
    with torch.inference_mode():
        model.decoder.conv_out.weight.zero_()
        encoding = model.encode(torch.rand(1, 3, *config.image_size))
        for x_t in torch.randn(2, 1, config.n_bits, *config.mask_size):
            out = model.logits(x_t, torch.rand(1), encoding, model.given(encoding))
            n_codes = 2**config.semantic_bits
            assert torch.equal(out[:, :n_codes], model.decoder.category_skip(encoding.fmap))
            assert (out[:, n_codes:] == 0).all()


@pytest.mark.parametrize("changes", [{"prediction": "x"}, {"softmax_groups": (2, 8)}])
def test_a_category_skip_without_a_softmax_over_categories_is_refused(changes) -> None:
    with pytest.raises(ValueError, match="one softmax over the semantic bits"):
        replace(SMALL, has_category_skip=True, **changes)


def test_a_network_predicts_the_same_in_either_layout_of_memory(near) -> None:
    torch.manual_seed(0)
    model = Pix2SeqD(SMALL).eval()
    image, x_t, gamma = torch.rand(2, 3, 32, 48), torch.randn(2, 10, 16, 24), torch.rand(2)

    def predict() -> torch.Tensor:
        encoding = model.encode(image)
        return model.predict(x_t, gamma, encoding, model.given(encoding))

    with torch.inference_mode():
        before = predict()
        model.to(memory_format=torch.channels_last)
        near(predict(), before, 1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (7, 1)])
def test_a_bottleneck_of_one_row_or_column_works(size) -> None:
    config = replace(SMALL, channel_multipliers=(1, 1), evidence_dilations=())
    decoder = MaskDecoder(config).eval()
    height, width = (2 * side for side in size)
    x_t = torch.randn(1, config.n_bits, height, width)
    given = torch.randn(1, config.fmap_width, height, width)
    out = decoder(x_t, torch.rand(1), given, torch.randn(1, 4, config.encoder_width))
    assert out.isfinite().all()


def test_weights_serve_any_size_of_image() -> None:
    model = Pix2SeqD(SMALL).eval()
    for height, width in ((32, 48), (64, 32), (16, 160)):
        encoding = model.encode(torch.rand(1, 3, height, width))
        noise = torch.randn(1, SMALL.n_bits, height // 2, width // 2)
        *_, last = model.sample(encoding, noise, 1)
        assert last.x0.shape == noise.shape


def test_widths_that_groups_do_not_divide_are_named() -> None:
    with pytest.raises(ValueError, match=r"144 channels cannot be normalised in 32 groups"):
        Pix2SeqD(replace(SMALL, decoder_width=144))


# -- networks filled by the rule of the specification ------------------------------------------


def test_decoder_by_the_fill_rule(fill, grid, near) -> None:
    config = replace(
        SMALL,
        encoder_width=12,
        merge_width=3,
        decoder_width=8,
        semantic_bits=2,
        instance_bits=2,
        n_codes=4,
        n_ids=4,
    )
    decoder = fill(MaskDecoder(config))
    assert count_parameters(decoder) == 53_456
    x = grid(7, 8, 8, 0.7, 0.3, 0.5)
    s, d = torch.arange(5.0).double(), torch.arange(12.0).double()
    tokens = (0.4 * s[:, None] + 0.9 * d).cos()[None]
    gamma = torch.tensor([0.37], dtype=torch.float64)
    logits = decoder(x[:, :4], gamma, x[:, 4:], tokens)[0]
    first = [0.298549, -0.055863, -0.358100, -0.316282, 0.030676, 0.349299, 0.332290, -0.004918]
    near(logits[:, 0, 0], first, 2e-6)
    other = [-0.351800, 0.060799, 0.411643, 0.354817, -0.052259, -0.406677, -0.358445, 0.044153]
    near(logits[:, 3, 5], other, 2e-6)
    near(torch.stack([logits.mean(), logits.std(correction=0)]), [-0.000630, 0.356502], 2e-6)
    x0 = decoder.predict(x[:, :4], gamma, x[:, 4:], tokens)[0]
    near(x0[:, 0, 0], [-0.010006, -0.023263, -0.000251, -0.001239], 2e-6)
    near(x0[:, 3, 5], [0.005868, 0.024868, 0.001880, 0.003839], 2e-6)
    near(x0.std(correction=0), 0.018156, 2e-6)


def test_encoder_by_the_fill_rule(fill, grid, near) -> None:
    config = replace(
        SMALL, resnet_stem_width=4, resnet_widths=(4, 8, 16), resnet_blocks=(1, 1, 1)
    )
    encoder = fill(PixelEncoder(config))
    assert count_parameters(encoder) - count_parameters(encoder.merge) == 13_188
    maps = encoder.resnet((grid(3, 32, 48, 0.9, 0.11, 0.07) + 1) / 2)
    tokens = encoder.encode_tokens(maps)[0]
    found = torch.stack([tokens[0, 0], tokens[3, 9], tokens[5, 15]])
    near(found, [-0.067379, -1.208659, -0.366309], 2e-6)
    near(torch.stack([tokens.mean(), tokens.std(correction=0)]), [0.006979, 0.982851], 2e-6)
    for x, mean, std in ((maps[1], 0.080759, 0.100114), (maps[2], 0.073129, 0.085026)):
        near(torch.stack([x.mean(), x.std(correction=0)]), [mean, std], 2e-6)


# -- memory ------------------------------------------------------------------------------------

PEAK = """
import resource, sys, torch
from dataclasses import replace
from core.model.config import COCO
from core.model.decoder import MaskDecoder

torch.set_num_threads(2)
config = replace(COCO, image_size=(1024, 1024), mask_size=(512, 512), encoder_width=32,
    merge_width=8, decoder_width=8, channel_multipliers=(1, 1, 1, 1, 1), encoder_heads=4,
    residual_blocks=(1, 1, 1, 1, 1), transformer_width=32, transformer_layers=1,
    transformer_head_width=8)
decoder = MaskDecoder(config).eval()
x_t, given = torch.randn(1, 16, 512, 512), torch.randn(1, 8, 512, 512)
arguments = x_t, torch.rand(1), given, torch.randn(1, 16, 32)
with torch.inference_mode():
    decoder.features(*arguments)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    getattr(decoder, sys.argv[1])(*arguments)
unit = 1 if sys.platform == "darwin" else 1024
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)
"""


def peak_bytes(method: str, repository) -> int:
    """How far a process's memory grows, beyond what the decoder's body takes."""
    pytest.importorskip("resource")
    command = [sys.executable, "-c", PEAK, method]
    done = subprocess.run(command, cwd=repository, capture_output=True, check=True)  # noqa: S603
    return int(done.stdout)


def test_logits_of_a_large_map_never_exist_in_full(repository) -> None:
    logits = 512 * 512 * 512 * 4
    assert peak_bytes("forward", repository) > 0.9 * logits
    assert peak_bytes("predict", repository) < 0.3 * logits
