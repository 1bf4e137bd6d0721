"""What every test may count on: no display, two threads, a home folder of its own."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Set before Qt or torch is imported, here and in every process that a test starts.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "2")

# A busy machine makes a property slow, not wrong.
settings.register_profile("bitbrush", parent=settings.default, deadline=None)
settings.load_profile("bitbrush")

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch) -> Path:
    """A fresh home folder, so that no test reads or leaves settings, caches or projects."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))  # Qt wants mode 0700, which this one has
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    return home


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real images, golden tensors and data sets beside the repository."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip(
            f"needs the data folder {folder.name}/ beside the repository; there is none"
        )
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """A model file whose weights were drawn at random: quick, and wrong about everything."""
    import torch  # noqa: PLC0415 - tests without a model do not wait for torch

    from core.model.checkpoint import save_checkpoint  # noqa: PLC0415
    from core.model.config import ModelConfig  # noqa: PLC0415
    from core.model.pix2seq_d import Pix2SeqD  # noqa: PLC0415
    from core.model_card import ModelCard  # noqa: PLC0415
    from core.panoptic import Category  # noqa: PLC0415
    from core.proposals import SamplingOptions  # noqa: PLC0415

    config = ModelConfig(
        image_size=(64, 64),
        mask_size=(32, 32),
        resnet_stem_width=8,
        resnet_widths=(4, 4, 4),
        resnet_blocks=(1, 1, 1),
        encoder_width=16,
        encoder_layers=1,
        encoder_heads=4,
        merge_width=16,
        decoder_width=8,
        channel_multipliers=(1, 2),
        residual_blocks=(1, 1),
        transformer_width=32,
        transformer_layers=1,
        transformer_head_width=8,
        semantic_bits=2,
        instance_bits=3,
        n_codes=3,
        n_ids=8,
    )
    card = ModelCard(
        name="tiny",
        summary="Drawn at random; knows nuclei and background by name only.",
        categories=(
            Category(1, "nucleus", is_thing=True, color=(230, 120, 60)),
            Category(2, "background", is_thing=False, color=(40, 60, 90)),
        ),
        sampling=SamplingOptions(steps=4, min_area=0),
    )
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    model = Pix2SeqD(config).init_weights()
    torch.nn.init.ones_(model.decoder.norm_out.weight)  # zeros: the same map for all noise
    torch.nn.init.normal_(model.decoder.conv_out.weight)
    save_checkpoint(path, model, card)
    return path
