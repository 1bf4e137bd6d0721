"""What training minimises: weighted cross entropy over codes, or one of its variants."""

from itertools import accumulate

import torch
from torch import Tensor
from torch.nn import functional as F

from core.model.bits import bits_to_int
from core.model.config import ModelConfig
from core.model.diffusion import add_noise
from core.model.place import places_of_codes

Weights = tuple[Tensor, Tensor]  # [B, h, w] each, of the semantic and of the instance bits


def loss_weights(ids: Tensor, n_ids: int, power: float) -> Tensor:
    """Weights that count a segment by its area to the power 1 - p, mean 1 an image.

    Args:
        ids: [B, h, w] segment ids; those outside 0..n_ids - 1 get weight 0.

    Returns:
        [B, h, w] float32.

    Source: arXiv:2210.06366, section 3.2, "loss weighting"; the +1 is the authors' code's.
    """
    batch, height, width = ids.shape
    is_valid = (ids >= 0) & (ids < n_ids)
    flat = ids.clamp(0, n_ids - 1).flatten(1).long()
    counts = torch.zeros(batch, n_ids, device=ids.device)
    counts.scatter_add_(1, flat, is_valid.flatten(1).float())
    weights = (1 / (counts.gather(1, flat) + 1)) ** power * is_valid.flatten(1)
    weights = weights * (height * width) / weights.sum(1, keepdim=True).clamp(min=1e-12)
    return weights.view(batch, height, width)


def group_weights(config: ModelConfig, ids: Tensor) -> Weights:
    """Weights of the semantic and of the instance bits; the paper's are the same."""
    instance = loss_weights(ids, config.n_ids, config.loss_power)
    if config.semantic_loss_power is None:
        return instance, instance
    return loss_weights(ids, config.n_ids, config.semantic_loss_power), instance


def without_void(weights: Weights, codes: Tensor) -> Weights:
    """The same weights, but 0 on void pixels, and again with mean 1 an image.

    Args:
        codes: [B, h, w] semantic codes, 0 is void. An image that is void counts for nothing.
    """
    is_labelled = (codes != 0).float()

    def mask(weight: Tensor) -> Tensor:
        kept = weight * is_labelled
        return kept / kept.mean((1, 2), keepdim=True).clamp(min=1e-12)

    return mask(weights[0]), mask(weights[1])


def favour_human(weights: Weights, is_human: Tensor, factor: float) -> Weights:
    """The same weights, but more of them on pixels that a person made; mean 1 an image again.

    Args:
        is_human: [B, h, w], 1 there and 0 elsewhere.
        factor: how many times as much such a pixel weighs.
    """
    factors = 1 + (factor - 1) * is_human.float()

    def favour(weight: Tensor) -> Tensor:
        raised = weight * factors
        before = weight.mean((1, 2), keepdim=True)
        return raised * before / raised.mean((1, 2), keepdim=True).clamp(min=1e-12)

    return favour(weights[0]), favour(weights[1])


def stratified_times(batch: int, generator: torch.Generator) -> Tensor:
    """Times [B] in [0, 1), one from each of B equal parts, in random order."""
    offsets = torch.rand(batch, generator=generator)
    order = torch.randperm(batch, generator=generator)
    return (order + offsets) / batch


def diffusion_loss(
    config: ModelConfig, out: Tensor, x0: Tensor, eps: Tensor, t: Tensor, weights: Weights
) -> Tensor:
    """Mean loss of a batch.

    Args:
        out: [B, out_width, h, w] of the decoder at x_t.
        x0: [B, n, h, w] clean analog bits; eps: the noise that was added; t: [B].
        weights: of the semantic and of the instance bits; `eps` and `v` ignore them.
    """
    out = out.float()
    if config.prediction == "x_softmax_xent":
        groups = config.code_groups
        logits = out.split([2**n for n in groups], 1)
        targets = [bits_to_int(bits) for bits in x0.split(groups, 1)]
        starts = accumulate(groups[:-1], initial=0)
        weights_of = [weights[start >= config.semantic_bits] for start in starts]
        pairs = zip(logits, targets, strict=True)
        entropy = [F.cross_entropy(z, target, reduction="none") for z, target in pairs]
        return (torch.stack(entropy) * torch.stack(weights_of)).mean()
    if config.prediction == "x_sigmoid_xent":
        entropy_map = F.binary_cross_entropy_with_logits(
            out, (x0 > 0).float(), reduction="none"
        )
        return _weighted(config, entropy_map, weights)
    if config.prediction == "x":
        return _weighted(config, (out - x0) ** 2, weights)
    if config.prediction == "eps":
        return F.mse_loss(out, eps)
    return F.mse_loss(out, add_noise(eps, -x0, t, config.train_schedule))


def place_loss(config: ModelConfig, places: Tensor, ids: Tensor, weight: Tensor) -> Tensor:
    """How far votes for the middles of segments lie outside of the cells that the ids name.

    The bits of a far cell say little about the way there: each repeats, and pulls to where it
    is set next. The distance pulls to the cell itself, and leaves the rest to the bits.

    Args:
        places: [B, 2, h, w] votes along and down, in cells.
        ids: [B, h, w] codes of cells, of which the nearest with that code is meant; 0 is none.
        weight: [B, h, w] of the ids.

    Returns:
        Mean over all pixels, in cells.
    """
    period = 2 ** (config.instance_bits // 2)
    height, width = ids.shape[-2:]
    cells = torch.from_numpy(places_of_codes(config)).to(ids.device)[ids.long()]  # [B, h, w, 2]
    middles = cells.permute(0, 3, 1, 2) + 0.5
    down = (torch.arange(height, device=ids.device) + 0.5) / config.place_cell
    along = (torch.arange(width, device=ids.device) + 0.5) / config.place_cell
    own = torch.stack([along.expand(height, width), down[:, None].expand(height, width)])
    middles = middles + ((own - middles) / period).round() * period
    outside = F.relu((places.float() - middles).abs() - 0.5).sum(1)
    return (outside * weight * (ids > 0)).mean()


def _weighted(config: ModelConfig, loss_map: Tensor, weights: Weights) -> Tensor:
    """Mean of a loss [B, n, h, w] of every bit, times the weights of its channel."""
    parts = zip(loss_map.split(config.groups, 1), weights, strict=True)
    return torch.cat([part * weight.unsqueeze(1) for part, weight in parts], 1).mean()
