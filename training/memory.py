"""Memory of a step: activations that are computed again, and a sentence where it is short."""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, replace
from functools import partial

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from core.errors import TrainingError
from core.model.decoder import ResBlock
from core.model.encoder import Bottleneck, MergeBlock
from core.model.layers import TransformerLayer
from training.config import TrainConfig

BLOCKS = (Bottleneck, MergeBlock, TransformerLayer, ResBlock)


def recompute_activations(model: nn.Module) -> None:
    """Keep each block's inputs alone, and compute it again for its gradients.

    Source: Chen et al. 2016, arXiv:1604.06174.
    """
    for block in model.modules():
        if isinstance(block, BLOCKS):
            block.forward = partial(  # type: ignore[method-assign]
                checkpoint,
                block.forward,
                use_reentrant=False,
                context_fn=partial(_first_and_again, block),
            )


def _first_and_again(
    block: nn.Module,
) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _without_memory(block)


@contextmanager
def _without_memory(block: nn.Module) -> Iterator[None]:
    """Batch norms shall not take the same batch into their statistics twice."""
    norms = [m for m in block.modules() if isinstance(m, nn.BatchNorm2d | nn.SyncBatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.sub_(1)


class LackOfMemory(TrainingError):  # noqa: N818 - it says what was missing
    """A step did not fit into the memory.

    Attributes:
        change: settings, as on the command line, with which a step takes less; empty if there
            are none left.
    """

    def __init__(self, change: Mapping[str, str], sentence: str) -> None:
        super().__init__(sentence)
        self.change = change


def suggest_smaller(config: TrainConfig) -> dict[str, str]:
    """The setting that makes a step smaller at the least cost, with its new value."""
    n_parts = config.accumulation * 2
    if not config.is_checkpointed:
        return {"is_checkpointed": "true"}
    if all(batch % n_parts == 0 for batch in config.batches):
        return {"accumulation": str(n_parts)}
    if config.noise_draws > 1:
        return {"noise_draws": str(config.noise_draws // 2)}
    if not config.crops:
        return {"batch": str(config.batch // 2)} if config.batch > 1 else {}
    return _drop_largest(config)


def _drop_largest(config: TrainConfig) -> dict[str, str]:
    """Without the views that need most, or with half as many of them."""
    largest = max(config.crops, key=lambda crop: crop.size**2 * crop.batch)
    crops = [asdict(crop) for crop in config.crops if crop is not largest]
    if largest.batch > 1:
        crops.append(asdict(replace(largest, batch=largest.batch // 2)))
    return {"crops": json.dumps(crops)} if crops else {}


@contextmanager
def explain_lack(config: TrainConfig, n_ranks: int) -> Iterator[None]:
    """Say which setting to change where a step does not fit into the memory.

    Raises:
        LackOfMemory: it did not fit.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_lack_of_memory(error):
            raise
        hint = "" if config.is_checkpointed else ", or set is_checkpointed"
        change = suggest_smaller(config)
        first = " ".join(
            f"--{name.replace('_', '-')} {value}" for name, value in change.items()
        )
        hint += f". Give {first} first" if first else ""
        raise LackOfMemory(
            change,
            f"There is too little memory for a step of {max(config.batches)} views over "
            f"{n_ranks} x {config.accumulation} processes and parts: raise accumulation (now "
            f"{config.accumulation}), lower batch (now {max(config.batches)}) or noise_draws "
            f"(now {config.noise_draws}){hint}.",
        ) from error


def is_lack_of_memory(error: Exception) -> bool:
    """Whether an error says that the CPU's or the GPU's memory ran out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in ("can't allocate memory", "out of memory"))
