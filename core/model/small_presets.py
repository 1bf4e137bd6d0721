"""The paper's network at four sizes that a CPU can train, without additions.

Heads are small, as fewer codes are learned sooner: `training.sources.fit_codes` gives a network
a code for each category of its data.
"""

from dataclasses import replace
from typing import Final

from core.model.config import COCO, ModelConfig

NANO: Final = replace(
    COCO,
    image_size=(64, 64),
    mask_size=(32, 32),
    resnet_stem_width=8,
    resnet_widths=(8, 16, 32),
    resnet_blocks=(1, 1, 1),
    resnet_norm="group",
    encoder_width=64,
    encoder_layers=1,
    encoder_heads=2,
    encoder_dropout=0.0,
    encoder_drop_path=0.0,
    merge_width=32,
    decoder_width=16,
    channel_multipliers=(1, 1, 2),
    residual_blocks=(1, 1, 1),
    transformer_width=64,
    transformer_layers=1,
    transformer_head_width=32,
    semantic_bits=4,
    instance_bits=4,
    n_codes=16,
    n_ids=16,
    b=0.2,
)
MICRO: Final = replace(
    NANO,
    resnet_stem_width=16,
    resnet_widths=(16, 32, 64),
    encoder_width=128,
    encoder_layers=2,
    encoder_heads=4,
    decoder_width=32,
    transformer_width=128,
    transformer_layers=2,
    semantic_bits=5,
    instance_bits=5,
    n_codes=32,
    n_ids=32,
)
TINY: Final = replace(
    MICRO,
    image_size=(128, 128),
    mask_size=(64, 64),
    channel_multipliers=(1, 1, 2, 2),
    residual_blocks=(1, 1, 1, 1),
)
SMALL: Final = replace(
    TINY,
    resnet_stem_width=32,
    resnet_widths=(32, 64, 128),
    resnet_blocks=(2, 2, 2),
    encoder_width=256,
    encoder_layers=3,
    encoder_heads=8,
    merge_width=64,
    decoder_width=64,
    transformer_width=256,
    transformer_layers=3,
    transformer_head_width=64,
    semantic_bits=8,
    instance_bits=8,
    n_codes=256,
    n_ids=256,
)

SMALL_PRESETS: Final[dict[str, ModelConfig]] = {
    "nano": NANO,
    "micro": MICRO,
    "tiny": TINY,
    "small": SMALL,
}
