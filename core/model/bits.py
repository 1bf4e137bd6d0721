"""Analog bits: integers <-> bits, labels <-> x0, network output -> x0.

A label is two integers a pixel, (category code, segment id). Each is written in binary, least
significant bit first, and shifted to +-b ("analog bits"), which is what the diffusion works on.

Source: Chen, Zhang, Hinton 2022, arXiv:2208.04202 (analog bits); Chen et al. 2022,
arXiv:2210.06366, section 3 (panoptic maps, input scaling b, softmax over base categories).
"""

from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

Groups = tuple[int, int]  # bits of the semantic and of the instance channel
LEAST_PROBABILITY: Final = 1e-4  # of a bit: so that no pixel alone decides over a segment


def int_to_bits(values: Tensor, n_bits: int) -> Tensor:
    """Write non-negative integers in binary, least significant bit first.

    Args:
        values: [B, H, W] of an integer dtype; bits above `n_bits` are dropped.

    Returns:
        [B, n_bits, H, W] float32 in {0, 1}.

    Raises:
        ValueError: a value is negative.
    """
    if values.numel() and int(values.min()) < 0:
        raise ValueError(f"cannot write {int(values.min())} in bits; give values of 0 or more")
    places = torch.arange(n_bits, device=values.device).view(1, -1, 1, 1)
    return (values.unsqueeze(1).long() >> places & 1).float()


def bits_to_int(bits: Tensor) -> Tensor:
    """Read binary numbers, least significant bit first.

    Args:
        bits: [B, n, H, W]; a bit is set where the value is greater than 0.

    Returns:
        [B, H, W] int64.
    """
    places = torch.arange(bits.shape[1], device=bits.device).view(1, -1, 1, 1)
    return ((bits > 0).long() << places).sum(1)


def labels_to_x0(labels: Tensor, groups: Groups, scale: float) -> Tensor:
    """Analog bits of labels: semantic bits first, then instance bits.

    Args:
        labels: [B, 2, h, w] integers, (category code, segment id).
        groups: bits of each channel.
        scale: b; a set bit becomes +b, an unset one -b.

    Returns:
        [B, n_s + n_i, h, w] float32.
    """
    bits = [int_to_bits(labels[:, i], n_bits) for i, n_bits in enumerate(groups)]
    return (torch.cat(bits, 1) * 2 - 1) * scale


def x0_to_labels(x0: Tensor, groups: Groups, n_codes: int, n_ids: int) -> Tensor:
    """Threshold analog bits and clip codes that the task does not have.

    Args:
        x0: [B, n_s + n_i, h, w].
        n_codes: number of semantic codes, void included; larger ones become the last.
        n_ids: number of segment ids, 0 included; larger ones become the last.

    Returns:
        [B, 2, h, w] int64.
    """
    semantic, instance = x0.split(groups, 1)
    return torch.stack(
        [
            bits_to_int(semantic).clamp(max=n_codes - 1),
            bits_to_int(instance).clamp(max=n_ids - 1),
        ],
        1,
    )


def code_log_probabilities(bits: Tensor, n_codes: int, scale: float) -> Tensor:
    """How likely each code is, its bits taken as independent.

    A code in doubt is an expected number in each bit. Cut one by one, these may make a code
    that nothing speaks for, or that the task does not have.

    Args:
        bits: [B, n, h, w] expected analog bits of one channel, in [-b, b].
        n_codes: that the task has.
        scale: b.

    Returns:
        [B, n_codes, h, w], not normalised over the codes.
    """
    p = ((bits / scale + 1) / 2).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    is_set = bit_table(bits.shape[1], bits)[:n_codes]
    return torch.einsum("bnhw,cn->bchw", p.log(), is_set) + torch.einsum(
        "bnhw,cn->bchw", (1 - p).log(), 1 - is_set
    )


@lru_cache(maxsize=8)
def _bit_table(n_bits: int) -> Tensor:
    """[2**n, n]: row v holds the bits of v."""
    with torch.inference_mode(mode=False):  # kept, perhaps for a call that is differentiated
        values = torch.arange(2**n_bits).view(1, -1, 1)
        return int_to_bits(values, n_bits)[0, :, :, 0].T.contiguous()


def bit_table(n_bits: int, like: Tensor) -> Tensor:
    """[2**n, n] on the device and in the dtype of `like`: row v holds the bits of v."""
    return _bit_table(n_bits).to(like)


def logits_to_x0(logits: Tensor, groups: tuple[int, ...], scale: float) -> Tensor:
    """Expected analog bits under a softmax over the codes of each group of bits.

    Args:
        logits: [B, sum of 2**n, h, w] for groups of n bits.

    Returns:
        [B, sum of n, h, w] in [-b, b].

    Source: arXiv:2210.06366, section 3.2, "softmax cross entropy loss".
    """
    parts = logits.split([2**n_bits for n_bits in groups], 1)
    expected = [
        torch.einsum("bchw,cn->bnhw", part.softmax(1), bit_table(n_bits, part))
        for part, n_bits in zip(parts, groups, strict=True)
    ]
    return (torch.cat(expected, 1) * 2 - 1) * scale


def bit_logits_to_code_logits(bit_logits: Tensor, groups: tuple[int, ...]) -> Tensor:
    """Logits over codes that independent bits with these log-odds imply.

    Args:
        bit_logits: [B, sum of n, h, w], log-odds of each bit being set.

    Returns:
        [B, sum of 2**n, h, w]; softmax over a group's codes gives products of bits.
    """
    parts = bit_logits.split(groups, 1)
    codes = [
        torch.einsum("bnhw,cn->bchw", part / 2, bit_table(n_bits, part) * 2 - 1)
        for part, n_bits in zip(parts, groups, strict=True)
    ]
    return torch.cat(codes, 1)
