"""with_codes(): the same network for more categories, or for fewer.

A code is a number written in bits, so categories that keep their codes keep all that is known
of them. More codes fit as long as there are bits; after that bits are added, which old codes
have unset.
"""

from dataclasses import replace

import torch
from torch import Tensor

from core.model.config import ModelConfig
from core.model.pix2seq_d import Pix2SeqD

UNSET = -4.0  # logit of what the network has never seen


def with_codes(model: Pix2SeqD, config: ModelConfig) -> Pix2SeqD:
    """The network of another configuration, which differs in semantic codes and bits alone.

    It begins by doing what it did. Where a softmax is over codes, one for a new category lies
    between those that are known, as the network may have learned never to choose it.

    Raises:
        ValueError: the configurations differ in more, or there would be fewer bits.
    """
    old = model.config
    n_more = config.semantic_bits - old.semantic_bits
    groups = config.softmax_groups
    same = replace(
        config,
        n_codes=old.n_codes,
        semantic_bits=old.semantic_bits,
        softmax_groups=(groups[0] - n_more, *groups[1:]) if groups else (),
    )
    if n_more < 0 or same != old:
        raise ValueError("only the number of codes can be another one, and more bits for them")
    wider = Pix2SeqD(config).to(model.device)
    state = model.state_dict()
    name = "decoder.conv_in.weight"
    state[name] = _widen_input(state[name], old, n_more)
    for name in ("decoder.conv_out.weight", "decoder.conv_out.bias"):
        is_bias = name.endswith("bias")
        if config.prediction == "x_softmax_xent":
            state[name] = _widen_codes(state[name], old, config, is_bias=is_bias)
        else:
            state[name] = _widen_bits(state[name], old, n_more, is_bias=is_bias)
    wider.load_state_dict(state)
    return wider.train(model.training)


def _widen_input(weight: Tensor, config: ModelConfig, n_more: int) -> Tensor:
    """Inputs for new bits, which are ignored at first, in each map that the decoder is given.

    Args:
        weight: [C, noisy_width, k, k] for noisy bits, estimate, features, past maps in a row.
    """
    estimates = 0 if config.self_condition == "none" else 1
    widths = [config.n_bits] * (1 + estimates)
    widths += [config.fmap_width, *[config.n_bits] * config.past_frames]
    parts: list[Tensor] = []
    for place, part in enumerate(weight.split(widths, 1)):
        is_features = place == 1 + estimates
        parts += [part] if is_features else _insert(part, config.semantic_bits, n_more)
    return torch.cat(parts, 1)


def _insert(part: Tensor, at: int, n_more: int) -> list[Tensor]:
    new = part.new_zeros(part.shape[0], n_more, *part.shape[2:])
    return [part[:, :at], new, part[:, at:]]


def _widen_bits(values: Tensor, config: ModelConfig, n_more: int, *, is_bias: bool) -> Tensor:
    """Rows of a head of bits, [n_bits, ...]; new bits are unset."""
    new = values.new_zeros(n_more, *values.shape[1:])
    if is_bias and config.prediction == "x_sigmoid_xent":
        new += UNSET
    at = config.semantic_bits
    return torch.cat([values[:at], new, values[at:]])


def _widen_codes(
    values: Tensor, old: ModelConfig, new: ModelConfig, *, is_bias: bool
) -> Tensor:
    """Rows of a head of codes, [sum of 2**n, ...]; its first group holds the semantic ones."""
    size = 2 ** old.code_groups[0]
    first, rest = values[:size], values[size:]
    n_unused = 2 ** new.code_groups[0] - size
    unused = first.new_zeros(n_unused, *first.shape[1:])
    if is_bias:
        unused += first.mean() + UNSET
    first = torch.cat([first, unused])
    if new.code_groups[0] < new.semantic_bits:  # no row is of one code
        return torch.cat([first, rest])
    known = slice(1, max(old.n_codes, 2))
    first[old.n_codes : new.n_codes] = first[known].mean(0)
    return torch.cat([first, rest])
