"""Weights of other programs become a model file of ours.

Three kinds of file are known: TensorFlow checkpoints of the authors' code, of a panoptic model
or of a detector whose encoder is the same; the state dict of a ResNet with bottleneck blocks,
by the names of torchvision and timm; and that of an EfficientNet-lite0, by the names of the
package efficientnet-lite-pytorch; state dicts as safetensors. Parts of the network that a file
does not have are drawn anew.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.errors import CheckpointError
from core.model.checkpoint import save_checkpoint
from core.model.config import COCO, ModelConfig
from core.model.foreign_config import infer_config, infer_resnet
from core.model.foreign_names import (
    LEAVES,
    from_tensorflow,
    lite0_modules,
    resnet_modules,
    tensorflow_modules,
)
from core.model.pix2seq_d import Pix2SeqD, with_past_frames
from core.model.tensor_bundle import TensorBundle
from core.model_card import ModelCard
from core.panoptic import Category

PARTS: Final = (
    "encoder.resnet.",
    "encoder.lite0.",
    "encoder.merge.",
    "encoder.",
    "decoder.",
)
LITE0_STEM: Final = "_conv_stem.weight"  # in the state dict of an EfficientNet
TENSORFLOW_PARTS: Final = ("encoder", "encoder_fuse", "denoiser")
SUFFIX: Final = "/.ATTRIBUTES/VARIABLE_VALUE"
MAX_LISTED: Final = 12


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the tensors on both sides.

    Attributes:
        out: the model file.
        kind: what the source is, in words.
        config: of the model.
        taken: our tensors that hold imported values.
        drawn: our tensors that the source lacks; they hold fresh random values.
        unused: names in the source that have no place in the model.
        n_ignored: training state in the source: moments, counters, the copy not asked for.
    """

    out: Path
    kind: str
    config: ModelConfig
    taken: tuple[str, ...]
    drawn: tuple[str, ...]
    unused: tuple[str, ...]
    n_ignored: int

    def describe(self) -> str:
        """The report as lines of text, long lists shortened by their first names."""
        lines = [
            f"Read {self.kind}.",
            f"Wrote {self.out}: {len(self.taken)} tensors imported.",
            *_listed(f"{len(self.drawn)} tensors of the model are not in the file", self.drawn),
            *_listed(f"{len(self.unused)} tensors of the file were not used", self.unused),
        ]
        if self.n_ignored:
            lines.append(f"{self.n_ignored} tensors of training state were left out.")
        if any(name.startswith("decoder.") for name in self.drawn):
            lines.append("The decoder is untrained: train the model before you use it.")
        return "\n".join(lines)


def import_weights(
    source: Path,
    out: Path,
    config: ModelConfig | None = None,
    *,
    categories: Sequence[Category] = (),
    use_average: bool = True,
    seed: int = 0,
) -> ImportReport:
    """Write a model file from weights of another program.

    Args:
        source: a TensorFlow checkpoint (folder, prefix or one of its files) or a safetensors
            file with a ResNet or an EfficientNet-lite0.
        config: of the network; None takes it from the tensors' shapes, and what they do not
            tell from the preset `coco`. With more past frames than the weights have, the
            decoder is widened for them.
        categories: of the semantic codes 1, 2, ...; () numbers them.
        use_average: take the running average (EMA) of weights where the file has one.
        seed: of the values that are drawn for what the file lacks.

    Raises:
        CheckpointError: the source cannot be read or does not fit, or `out` not be written.
    """
    if source.suffix == ".safetensors":
        found = _read_trunk(source, config)
    else:
        found = _read_tensorflow(source, config, use_average=use_average)
    model, taken = _fill(source, found, seed)
    if config is not None and config.past_frames > model.config.past_frames:
        model = with_past_frames(model, config.past_frames)
    save_checkpoint(out, model, _card(source, found.kind, model.config, categories))
    return ImportReport(
        out=out,
        kind=found.kind,
        config=model.config,
        taken=tuple(taken),
        drawn=tuple(name for name in _weights(model) if name not in taken),
        unused=found.unused,
        n_ignored=found.n_ignored,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """Tensors of a source by our names and in our layout, and what was left of it."""

    kind: str
    config: ModelConfig
    state: Mapping[str, Tensor]
    unused: tuple[str, ...]
    n_ignored: int


def _read_tensorflow(source: Path, config: ModelConfig | None, *, use_average: bool) -> _Found:
    bundle = TensorBundle(source)
    keys, kind = _choose_copy(bundle, use_average=use_average)
    shapes = {name: bundle.entries[key].shape for name, key in keys.items()}
    config = _fit_config(source, shapes, config)
    modules = {theirs: ours for ours, theirs in tensorflow_modules(config)}
    state: dict[str, Tensor] = {}
    unused = [key for key in bundle.entries if _is_other_model(key)]
    for name, key in keys.items():
        stem, _, leaf = name.rpartition("/")
        if stem in modules and leaf in LEAVES:
            values = from_tensorflow(stem, leaf, bundle.read(key))
            state[f"{modules[stem]}.{LEAVES[leaf]}"] = _tensor(values)
        else:
            unused.append(key)
    n_ignored = len(bundle.entries) - len(state) - len(unused)
    return _Found(kind, config, state, tuple(unused), n_ignored)


def _choose_copy(bundle: TensorBundle, *, use_average: bool) -> tuple[dict[str, str], str]:
    """Keys of one copy of the model, by names without decoration, and what the copy is."""
    keys, averaged = {}, 0
    for part in TENSORFLOW_PARTS:
        prefix = f"model/{part}_ema/"
        if use_average and any(key.startswith(prefix) for key in bundle.entries):
            averaged += 1
        else:
            prefix = f"model/{part}/"
        for key in bundle.entries:
            if key.startswith(prefix) and key.endswith(SUFFIX):
                keys[f"{part}/{key[len(prefix) : -len(SUFFIX)]}"] = key
    which = "averaged (EMA)" if averaged else "live"
    return keys, f"{which} weights of the TensorFlow checkpoint {bundle.prefix.name}"


def _is_other_model(key: str) -> bool:
    """Whether a key is a weight of a part that this network does not have."""
    names = [name for part in TENSORFLOW_PARTS for name in (part, f"{part}_ema")]
    return key.startswith("model/") and not key.startswith(
        tuple(f"model/{name}/" for name in names)
    )


def _fit_config(
    source: Path, shapes: Mapping[str, tuple[int, ...]], config: ModelConfig | None
) -> ModelConfig:
    """The configuration asked for, with as many past frames as the weights have."""
    if not any(name.startswith("encoder/resnet/") for name in shapes):
        raise CheckpointError(
            f"The checkpoint {source} has no ResNet encoder of this model (no 'model/encoder/"
            "resnet'); choose one of a 'resnetc' detector or of a panoptic model."
        )
    try:
        if config is None:
            return infer_config(shapes, COCO)
        if "denoiser/conv_in/kernel" not in shapes or config.past_frames == 0:
            return config
        extra = config.noisy_width - shapes["denoiser/conv_in/kernel"][2]
        n_new = extra // config.n_bits
        return replace(config, past_frames=max(config.past_frames - n_new, 0))
    except (ValueError, IndexError) as error:
        raise CheckpointError(
            f"The checkpoint {source} is of another kind of network: {error}."
        ) from error


def _read_trunk(source: Path, config: ModelConfig | None) -> _Found:
    try:
        with safe_open(source, framework="pt") as file:
            raw = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no iterator
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"The safetensors file {source} cannot be read ({error}); copy or download it "
            "again."
        ) from error
    config = config or _infer_trunk(source, raw)
    is_resnet = config.trunk == "resnet"
    pairs = resnet_modules(config) if is_resnet else lite0_modules()
    modules = {theirs: ours for ours, theirs in pairs}
    state, unused, n_ignored = {}, [], 0
    for name, value in raw.items():
        stem, _, leaf = name.rpartition(".")
        if leaf == "num_batches_tracked":
            n_ignored += 1
        elif stem in modules:
            state[f"{modules[stem]}.{leaf}"] = value.float().clone()
        else:
            unused.append(name)
    kind = "ResNet" if is_resnet else "EfficientNet-lite0"
    return _Found(f"the {kind} {source.name}", config, state, tuple(unused), n_ignored)


def _infer_trunk(source: Path, raw: Mapping[str, Tensor]) -> ModelConfig:
    """The preset `coco` with the trunk that a state dict holds."""
    if LITE0_STEM in raw:
        return replace(COCO, trunk="efficientnet-lite0")
    try:
        return infer_resnet({name: tuple(value.shape) for name, value in raw.items()}, COCO)
    except ValueError as error:
        raise CheckpointError(
            f"{source} is no ResNet-50 as torchvision and timm name it, and no "
            f"EfficientNet-lite0: {error}."
        ) from error


def _tensor(values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(values).float()


def _weights(model: Pix2SeqD) -> dict[str, Tensor]:
    """All that weights are: the state without the counters of batch norms."""
    state = model.state_dict()
    return {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}


def _part_of(name: str) -> str:
    return next(part for part in PARTS if name.startswith(part))


def _fill(source: Path, found: _Found, seed: int) -> tuple[Pix2SeqD, set[str]]:
    """A fresh network with the found tensors in it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Pix2SeqD(found.config).init_weights()
    weights = _weights(model)
    _check_complete(source, weights, found.state)
    with torch.no_grad():
        for name, value in found.state.items():
            weights[name].copy_(value)
    return model, set(found.state)


def _check_complete(
    source: Path, wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> None:
    """Refuse tensors of other shapes, and parts of the network of which only some came."""
    if not found:
        raise CheckpointError(
            f"{source} holds no weights for this network; choose another file."
        )
    for name, value in found.items():
        if name not in wanted:
            raise _misfit(source, f"it has no {name}")
        if value.shape != wanted[name].shape:
            shapes = f"{tuple(value.shape)} instead of {tuple(wanted[name].shape)}"
            raise _misfit(source, f"{name} is {shapes}")
    n_found = Counter(_part_of(name) for name in found)
    for name in wanted:
        if name not in found and n_found[_part_of(name)]:
            raise _misfit(source, f"{name} is not among them")


def _misfit(source: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"The weights in {source} do not fit the configuration: {what}; leave the "
        "configuration out, choose the right one, or copy the file again."
    )


def _card(
    source: Path, kind: str, config: ModelConfig, categories: Sequence[Category]
) -> ModelCard:
    if not categories:
        categories = [_numbered(code) for code in range(1, config.n_codes)]
    if len(categories) != config.n_codes - 1:
        raise CheckpointError(
            f"The network has {config.n_codes - 1} semantic codes besides void, but there are "
            f"{len(categories)} categories; give one for each code."
        )
    return ModelCard(
        name=source.stem if source.suffix else source.name,
        summary=f"Imported from {kind}.",
        categories=tuple(categories),
    )


def _numbered(code: int) -> Category:
    """A category without a name; its colour is far from those of its neighbours."""
    color = (code * 97 % 256, code * 57 % 256, code * 151 % 256)
    return Category(code, f"category {code}", is_thing=True, color=color)


def _listed(title: str, names: Sequence[str]) -> list[str]:
    """A title and the first names, or nothing for none."""
    if not names:
        return []
    more = [f"  ... and {len(names) - MAX_LISTED} more"] if len(names) > MAX_LISTED else []
    return [f"{title}:", *(f"  {name}" for name in names[:MAX_LISTED]), *more]
