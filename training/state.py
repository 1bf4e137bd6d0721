"""TrainState: what a run needs to go on after a kill, in one safetensors file."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.errors import CheckpointError
from core.model.pix2seq_d import Pix2SeqD
from training.config import TrainConfig

FORMAT = "bitbrush-training-1"


@dataclass(slots=True)
class TrainState:
    """The live weights, their average, the optimizer, and the number of steps done."""

    model: Pix2SeqD
    average: Pix2SeqD
    optimizer: torch.optim.AdamW
    step: int


def save_state(path: Path, state: TrainState, config: TrainConfig) -> None:
    """Write the state beside `path`, flush it to the disk, and rename it."""
    tensors = {f"model.{name}": value for name, value in state.model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in state.average.state_dict().items()}
    for name, parameter in state.model.named_parameters():
        moments = state.optimizer.state.get(parameter, {})
        tensors |= {f"adam.{kind}.{name}": value for kind, value in moments.items()}
    metadata = {"format": FORMAT, "step": str(state.step), "config": _run_identity(config)}
    beside = path.with_name(path.name + ".new")
    save_file({name: value.contiguous() for name, value in tensors.items()}, beside, metadata)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)


def load_state(path: Path, state: TrainState, config: TrainConfig) -> None:
    """Fill a fresh state from a file.

    Raises:
        CheckpointError: the file is damaged or of a run with another configuration.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT or metadata["config"] != _run_identity(config):
                raise CheckpointError(
                    f"{path} is of a run with other settings; choose another output folder."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"The training state {path} cannot be read ({error}); move it away to begin anew."
        ) from error
    state.model.load_state_dict(_part(tensors, "model."))
    state.average.load_state_dict(_part(tensors, "average."))
    for name, parameter in state.model.named_parameters():
        moments = {
            kind: tensors[f"adam.{kind}.{name}"]
            for kind in ("step", "exp_avg", "exp_avg_sq")
            if f"adam.{kind}.{name}" in tensors
        }
        if moments:
            state.optimizer.state[parameter] = moments
    state.step = int(metadata["step"])


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _run_identity(config: TrainConfig) -> str:
    """All settings that change the result of a step; how often to save does not."""
    fields: dict[str, Any] = asdict(config)
    del fields["checkpoint_seconds"]
    return json.dumps(fields, sort_keys=True)
