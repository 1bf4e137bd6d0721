"""Model files: one safetensors file with the network's configuration and card inside.

A file holds the weights for inference, which are the running average (EMA) where one was kept.
It is written beside its place and then renamed, so a model file is whole or absent.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.durable import replacing
from core.errors import CheckpointError
from core.model.config import ModelConfig
from core.model.pix2seq_d import Pix2SeqD
from core.model_card import FORMAT, ModelCard, read_card, read_metadata


def save_checkpoint(path: Path, model: Pix2SeqD, card: ModelCard) -> None:
    """Write a model file, replacing an older one only once the new one is on the disk.

    Raises:
        CheckpointError: a weight is not finite, or the file cannot be written.
    """
    state = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    if spoilt := _not_finite(state):
        raise CheckpointError(
            f"The model was not saved to {path}: {_some(spoilt)} not finite; train again with "
            "a lower learning rate."
        )
    metadata = {"format": FORMAT, "config": model.config.to_json(), "card": card.to_json()}
    try:
        with replacing(path) as part:
            save_file(state, part, metadata)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"The model file {path} cannot be written ({error}); free some space or choose "
            "another folder."
        ) from error


def load_checkpoint(path: Path, device: torch.device | str) -> tuple[Pix2SeqD, ModelCard]:
    """Read a model file.

    Returns:
        The model on the device, in evaluation mode, laid out for inference, and its card.

    Raises:
        CheckpointError: the file is missing, damaged, no model, or its weights do not fit.
    """
    metadata, card = read_metadata(path), read_card(path)
    try:
        with safe_open(path, framework="pt") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - a safe_open has no iterator
            model = _build(path, metadata, card, len(shapes))
            _compare(path, model.state_dict(), shapes)
            state = {name: file.get_tensor(name) for name in shapes}
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"The model file {path} is damaged or was cut short ({error}); copy or download it "
            "again."
        ) from error
    if spoilt := _not_finite(state):
        raise CheckpointError(
            f"The model file {path} is of no use: {_some(spoilt)} not finite; choose another "
            "one."
        )
    wanted = model.state_dict()
    model.load_state_dict(
        # A copy, since what safetensors returns may still be a view of the file.
        {
            name: value.to(device, wanted[name].dtype, copy=True)
            for name, value in state.items()
        },
        assign=True,
    )
    return lay_out(model.eval()), card


def lay_out(model: Pix2SeqD) -> Pix2SeqD:
    """The model with its weights in the layout that is quickest for inference.

    On a CPU the depthwise convolutions of an EfficientNet like channels last; others are as
    quick either way, and those of `core.model.convolution` quicker with channels first.
    """
    if model.device.type == "cpu" and model.encoder.lite0 is not None:
        model.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def _build(
    path: Path, metadata: Mapping[str, str], card: ModelCard, n_tensors: int
) -> Pix2SeqD:
    """The network that a file describes, without memory for its weights."""
    try:
        config = ModelConfig.from_json(metadata["config"])
        _check_categories(config, card)
        _check_depth(config, n_tensors)
        with torch.device("meta"):
            return Pix2SeqD(config)
    except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise CheckpointError(
            f"The model file {path} describes a network that cannot be built ({error}); it may "
            "come from a newer version of the program."
        ) from error


def _check_categories(config: ModelConfig, card: ModelCard) -> None:
    """Refuse a card that does not have one category for each code but void."""
    if len(card.categories) != config.n_codes - 1:
        raise ValueError(
            f"{config.n_codes - 1} semantic codes, but {len(card.categories)} categories"
        )


def _check_depth(config: ModelConfig, n_tensors: int) -> None:
    """Refuse a depth that would take forever to build and that the file cannot fill."""
    n_layers = sum(config.residual_blocks) + sum(config.resnet_blocks)
    n_layers += config.encoder_layers + config.transformer_layers
    if n_layers > n_tensors:
        raise ValueError(f"{n_layers} layers, but only {n_tensors} tensors")


def _compare(
    path: Path, wanted: Mapping[str, Tensor], found: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuse a file whose tensors are not exactly the network's."""
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    shapes = {name: tuple(value.shape) for name, value in wanted.items()}
    if missing:
        what = f"{_some(missing)} missing"
    elif extra:
        what = f"{_some(extra)} not part of it"
    elif wrong := [name for name in wanted if found[name] != shapes[name]]:
        what = f"{wrong[0]} has the shape {found[wrong[0]]} instead of {shapes[wrong[0]]}"
    else:
        return
    raise CheckpointError(
        f"The model file {path} does not hold the network that it describes: {what}; copy or "
        "download it again."
    )


def _not_finite(state: Mapping[str, Tensor]) -> list[str]:
    return [name for name, value in state.items() if not bool(torch.isfinite(value).all())]


def _some(names: list[str]) -> str:
    """The first name and how many more, with the verb that goes with them."""
    return f"{names[0]} is" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more are"
