"""What a run begins with: weights of other runs, whole or by halves."""

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from core.errors import CheckpointError
from core.model.checkpoint import load_checkpoint
from core.model.config import ModelConfig
from core.model.more_codes import with_codes
from core.model.pix2seq_d import Pix2SeqD, with_past_frames
from core.model.random_ids import with_random_ids
from training.config import TrainConfig

CROSS = ("cross_norm.", "cross_attention.")  # what a decoder without images has not learned


def load_start(config: TrainConfig, model: Pix2SeqD) -> None:
    """Fill a fresh network with what the configuration's files hold.

    A network whose ids are by place forgets what they say of places, for ids drawn at random.
    A network for stills becomes one for clips, which begins by ignoring their past. One that
    codes for other categories gets or loses codes. A decoder that was trained without images
    keeps fresh cross-attention.

    Raises:
        CheckpointError: a file cannot be read, or is of a network of other widths.
    """
    if config.start_weights:
        _fill(model, Path(config.start_weights), "")
    if config.start_encoder:
        _fill(model, Path(config.start_encoder), "encoder.")
    if config.start_decoder:
        _fill(model, Path(config.start_decoder), "decoder.")


def _fill(model: Pix2SeqD, path: Path, prefix: str) -> None:
    source, _ = load_checkpoint(path, model.device)
    if prefix != "encoder." and source.config.place_cell and not model.config.place_cell:
        source = with_random_ids(source)
    if prefix != "encoder." and source.config.past_frames < model.config.past_frames:
        source = with_past_frames(source, model.config.past_frames)
    if prefix != "encoder." and source.config.n_codes != model.config.n_codes:
        source = _recode(source, model.config)
    found = {k: v for k, v in source.state_dict().items() if k.startswith(prefix)}
    wanted = {k: v for k, v in model.state_dict().items() if k.startswith(prefix)}
    if source.config.conditioning == "none":
        wanted = {k: v for k, v in wanted.items() if not any(part in k for part in CROSS)}
    _compare(path, found, wanted)
    model.load_state_dict(found, strict=False)


def _recode(source: Pix2SeqD, config: ModelConfig) -> Pix2SeqD:
    """The network with as many codes as a configuration, if that is what sets it apart."""
    names = ("n_codes", "semantic_bits", "softmax_groups")
    wanted = replace(source.config, **{name: getattr(config, name) for name in names})
    try:
        return with_codes(source, wanted)
    except ValueError:
        return source  # what does not fit will be named


def _compare(path: Path, found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    unlike = [
        name
        for name in found | wanted
        if name not in found or name not in wanted or found[name].shape != wanted[name].shape
    ]
    if unlike:
        more = f" and {len(unlike) - 1} more" if len(unlike) > 1 else ""
        raise CheckpointError(
            f"The run cannot begin with {path}: {unlike[0]}{more} would not fit its network; "
            "choose a file of the same widths."
        )
