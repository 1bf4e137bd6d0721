"""A video model whose weights were drawn at random: quick, and wrong about everything."""

from dataclasses import replace
from pathlib import Path


def make_video_model(path: Path) -> Path:
    """Write such a model, of nuclei on a background; it looks back to two maps."""
    import torch  # noqa: PLC0415 - tests without a model do not wait for torch

    from core.model.checkpoint import save_checkpoint  # noqa: PLC0415
    from core.model.config import NUCLEI  # noqa: PLC0415
    from core.model.pix2seq_d import Pix2SeqD  # noqa: PLC0415
    from core.model_card import ModelCard  # noqa: PLC0415
    from core.panoptic import Category  # noqa: PLC0415

    config = replace(
        NUCLEI,
        max_side=160,
        decoder_width=16,
        transformer_layers=1,
        transformer_width=64,
        encoder_layers=1,
        past_frames=2,
        place_cell=0,
    )
    torch.manual_seed(3)
    model = Pix2SeqD(config).init_weights().eval()
    with torch.no_grad():
        model.decoder.conv_out.weight.mul_(1e5)
    categories = (
        Category(1, "nucleus", is_thing=True, color=(220, 20, 60)),
        Category(2, "background", is_thing=False, color=(60, 60, 60)),
    )
    save_checkpoint(path, model, ModelCard("random video model", "", categories))
    return path
