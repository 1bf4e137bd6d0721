"""EfficientNet-lite0 in place of the ResNet: its numbers, its padding, its weights' way in."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from core.errors import CheckpointError
from core.model.checkpoint import load_checkpoint
from core.model.config import COCO, ModelConfig
from core.model.efficientnet import MAP_WIDTHS, STAGES, EfficientNetLite0, SameConv
from core.model.foreign_names import lite0_modules
from core.model.import_weights import import_weights
from core.model.pix2seq_d import Pix2SeqD, count_parameters
from core.model.prepare import frame_for

SMALL = ModelConfig(
    image_size=(64, 96),
    mask_size=(16, 24),
    resize="native",
    trunk="efficientnet-lite0",
    encoder_width=16,
    encoder_layers=1,
    encoder_heads=4,
    merge_width=16,
    decoder_width=16,
    channel_multipliers=(1, 1),
    residual_blocks=(1, 1),
    transformer_width=16,
    transformer_layers=1,
    transformer_head_width=8,
    semantic_bits=4,
    instance_bits=3,
    n_codes=5,
    n_ids=8,
)


def fresh(config: ModelConfig, seed: int = 0) -> Pix2SeqD:
    torch.manual_seed(seed)
    return Pix2SeqD(config).init_weights()


def test_the_trunk_has_the_published_number_of_parameters() -> None:
    """4,652,008 of the whole network, less head (412,160) and classifier (1,281,000)."""
    with torch.device("meta"):
        trunk = EfficientNetLite0()
    assert count_parameters(trunk) == 2_958_848
    assert len(trunk.blocks) == 16 and [s.width for s in STAGES][-1] == MAP_WIDTHS[-1]


def test_maps_have_strides_2_to_32() -> None:
    maps = fresh(SMALL).encoder.trunk(torch.rand(1, 3, 64, 96))
    assert [m.shape[1] for m in maps] == list(MAP_WIDTHS)
    assert [tuple(m.shape[2:]) for m in maps] == [(64 >> k, 96 >> k) for k in range(1, 6)]


@pytest.mark.parametrize(("kernel", "before", "after"), [(3, 0, 1), (5, 1, 2)])
def test_strided_convolutions_are_padded_more_at_the_bottom_and_right(
    kernel, before, after
) -> None:
    conv = SameConv(2, 2, kernel, 2, groups=2)
    x = torch.randn(1, 2, 8, 12)
    padded = F.pad(x, (before, after, before, after))
    assert torch.equal(conv(x), F.conv2d(padded, conv.weight, stride=2, groups=2))
    assert conv(x).shape[2:] == (4, 6)


def test_a_grey_of_127_is_the_trunks_zero() -> None:
    trunk = EfficientNetLite0().eval()
    seen = []
    trunk.stem_conv.register_forward_hook(lambda _m, x, _y: seen.append(x[0]))
    trunk(torch.full((1, 3, 32, 32), 127 / 255))
    trunk(torch.ones(1, 3, 32, 32))
    assert float(seen[0].abs().max()) < 1e-6 and float(seen[1].min()) == 1.0


def test_norms_keep_their_statistics_while_training() -> None:
    model = fresh(SMALL).train()
    before = {k: v.clone() for k, v in model.encoder.trunk.named_buffers()}
    model.encode(torch.rand(2, 3, 64, 96))
    assert all(torch.equal(before[k], v) for k, v in model.encoder.trunk.named_buffers())


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16])
def test_features_have_the_size_of_the_map_and_all_that_leads_to_them_is_used(stride) -> None:
    model = fresh(
        replace(
            SMALL,
            image_size=(64, 64),
            mask_size=(64 // stride,) * 2,
            channel_multipliers=(1,),
            residual_blocks=(1,),
        )
    )
    encoding = model.encode(torch.rand(1, 3, 64, 64))
    assert encoding.tokens.shape == (1, 4, 16)
    assert encoding.fmap.shape == (1, 16, 64 // stride, 64 // stride)
    encoding.fmap.square().sum().backward()
    assert all(p.grad is not None for p in model.encoder.parameters())


def test_sizes_are_those_that_stride_32_allows() -> None:
    with pytest.raises(ValueError, match="multiple of 32"):
        replace(SMALL, image_size=(48, 96), mask_size=(12, 24))
    assert frame_for(SMALL, 33, 65).padded == (64, 96)
    assert COCO.token_stride == 16 and COCO.trunk == "resnet"


def test_a_stem_skip_is_refused() -> None:
    with pytest.raises(ValueError, match="has_stem_skip is for a ResNet"):
        Pix2SeqD(replace(SMALL, has_stem_skip=True))


def package_state(model: Pix2SeqD) -> dict[str, torch.Tensor]:
    """What a file of the package holds, whose classifier has no place here."""
    state, out = model.state_dict(), {"_fc.weight": torch.ones(2, 2)}
    for ours, theirs in lite0_modules():
        for leaf in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            if f"{ours}.{leaf}" in state:
                out[f"{theirs}.{leaf}"] = state[f"{ours}.{leaf}"]
    return out


def test_weights_come_in_by_the_packages_names(tmp_path) -> None:
    model = fresh(SMALL, 1)
    with torch.no_grad():
        for value in model.encoder.lite0.state_dict().values():
            value.add_(1)
    source, out = tmp_path / "lite0.safetensors", tmp_path / "m.safetensors"
    save_file(package_state(model), source)
    report = import_weights(source, out, SMALL)
    loaded, _ = load_checkpoint(out, "cpu")
    wanted = dict(model.encoder.lite0.named_parameters())
    wanted |= {k: v for k, v in model.encoder.lite0.named_buffers() if "running" in k}
    found = loaded.encoder.lite0.state_dict()
    assert all(torch.equal(found[name], value) for name, value in wanted.items())
    assert report.unused == ("_fc.weight",) and "EfficientNet-lite0" in report.kind
    assert all(not name.startswith("encoder.lite0.") for name in report.drawn)


def test_without_a_configuration_the_trunk_is_told_by_its_names(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("core.model.import_weights.COCO", replace(SMALL, trunk="resnet"))
    source = tmp_path / "lite0.safetensors"
    save_file(package_state(fresh(SMALL)), source)
    report = import_weights(source, tmp_path / "m.safetensors")
    assert report.config == SMALL


def test_weights_of_the_other_trunk_are_refused(tmp_path) -> None:
    source = tmp_path / "lite0.safetensors"
    save_file(package_state(fresh(SMALL)), source)
    with pytest.raises(CheckpointError, match="no weights for this network"):
        import_weights(source, tmp_path / "m.safetensors", replace(SMALL, trunk="resnet"))


def test_the_names_are_the_packages() -> None:
    names = dict(lite0_modules())
    assert names["encoder.lite0.stem_norm"] == "_bn0"
    assert names["encoder.lite0.blocks.0.depthwise"] == "_blocks.0._depthwise_conv"
    assert names["encoder.lite0.blocks.15.project_norm"] == "_blocks.15._bn2"
    assert len(names) == 2 + 15 * 6 + 4
