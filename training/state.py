"""TrainState: what a run needs to go on after a kill, in one safetensors file.

Random states are not among it: all that is random in a step follows from the seed and the step.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.durable import replacing
from core.errors import CheckpointError
from core.model.pix2seq_d import Pix2SeqD
from training.config import TrainConfig

FORMAT: Final = "bitbrush-training-1"
# Fields that change how a step is computed, or what is reported, but not what it should give.
FREE: Final = (
    "checkpoint_seconds",
    "workers",
    "evaluation",
    "max_bad_samples",
    "accumulation",
    "is_checkpointed",
    "is_compiled",
    "is_channels_last",
)


@dataclass(slots=True)
class TrainState:
    """What changes in a run.

    Attributes:
        model: the live weights; average: their running average (EMA).
        scaler: of the gradients, where they are float16.
        step: steps done.
        best_pq: of the averages that were evaluated so far.
    """

    model: Pix2SeqD
    average: Pix2SeqD
    optimizer: torch.optim.AdamW
    scaler: torch.amp.GradScaler
    step: int = 0
    best_pq: float | None = None


def save_state(path: Path, state: TrainState, config: TrainConfig) -> None:
    """Write the state beside `path`, flush it to the disk, and rename it.

    Raises:
        CheckpointError: it cannot be written; what was there is there still.
    """
    tensors = {f"model.{name}": value for name, value in state.model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in state.average.state_dict().items()}
    for name, parameter in state.model.named_parameters():
        moments = state.optimizer.state.get(parameter, {})
        tensors |= {f"adam.{kind}.{name}": value for kind, value in moments.items()}
    metadata = {
        "format": FORMAT,
        "step": str(state.step),
        "config": config.to_json(),
        "scaler": json.dumps(state.scaler.state_dict()),
        "best_pq": json.dumps(state.best_pq),
    }
    try:
        with replacing(path) as partial:
            save_file({k: v.contiguous() for k, v in tensors.items()}, partial, metadata)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"Step {state.step} cannot be saved to {path} ({error}), which still holds the "
            "checkpoint before it; free some space and give the same command again."
        ) from error


def load_state(
    path: Path, state: TrainState, config: TrainConfig, *, may_differ: bool = False
) -> None:
    """Fill a fresh state from a file.

    Args:
        may_differ: whether other settings than the network's may differ from the file's.

    Raises:
        CheckpointError: the file is damaged or of a run with another configuration.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            _check_config(path, metadata, config, may_differ=may_differ)
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
            on_device = {k: v.to(parameter.device) for k, v in moments.items() if k != "step"}
            state.optimizer.state[parameter] = moments | on_device
    state.scaler.load_state_dict(json.loads(metadata.get("scaler", "{}")))
    state.best_pq = json.loads(metadata.get("best_pq", "null"))
    state.step = int(metadata["step"])


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _check_config(
    path: Path, metadata: dict[str, str], config: TrainConfig, *, may_differ: bool
) -> None:
    """Refuse a state of another run.

    Raises:
        CheckpointError: says what differs.
    """
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no training state; choose another output folder.")
    try:
        before = TrainConfig.from_json(metadata["config"])
    except ValueError as error:
        raise CheckpointError(
            f"{path} is of another version of the program ({error}); choose another output "
            "folder."
        ) from error
    others = list(differences(before, config))
    is_other_network = before.model != config.model
    if is_other_network or (others and not may_differ):
        hint = "" if is_other_network else " --allow-changes goes on with the new ones."
        raise CheckpointError(
            f"{path} is of a run with other settings: {'; '.join(others)}. Choose another "
            f"output folder, or give the settings of the run.{hint}"
        )


def differences(before: TrainConfig, now: TrainConfig) -> Iterator[str]:
    """What sets two runs apart, but for what their results do not depend on."""
    kept = {name: getattr(now, name) for name in FREE}
    old, new = (_flat(asdict(config)) for config in (replace(before, **kept), now))
    for name in old | new:
        if old.get(name) != new.get(name):
            yield f"{name} is {new.get(name)} instead of {old.get(name)}"


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dicts as one, with dots in its names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
