"""Evidence: what noisy bits say about themselves, shared among pixels of one segment.

Random ids carry no information about the picture: all that tells a pixel its id is the noisy
code of the pixels of its own segment. For a bit s = +-1 seen as x = sqrt(gamma) s b +
sqrt(1 - gamma) eps, the log-odds of s = +1 given x alone are 2 b sqrt(gamma) x / (1 - gamma),
and log-odds of independent observations add up. So the head adds to each bit's logit the sum of
these over the neighbours that it believes to be of the same segment. Off in the paper's model.
"""

from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.model.config import ModelConfig

MAX_LOG_ODDS = 10.0  # of one pixel; the formula diverges as gamma -> 1
NEIGHBOURS = [(dy, dx) for dy, dx in product((-1, 0, 1), repeat=2) if (dy, dx) != (0, 0)]


class EvidencePool(nn.Module):
    """Sums log-odds over 3x3 windows at growing dilations, through learned gates in (0, 1).

    With dilations 1, 3, 9 every pixel of a 27 x 27 window is counted at most once, by way of
    pixels that the gates let through. Past maps are evidence too: how much each says about a
    pixel is learned, and what it says spreads with all else.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.b, self.dilations = config.b, config.evidence_dilations
        n_gates = len(NEIGHBOURS) * len(self.dilations)
        width = config.level_widths[0]
        self.gates = nn.Conv2d(width, n_gates, 3, padding=1)
        self.blend = nn.Conv2d(width, len(NEIGHBOURS) + 1, 1)
        self.n_semantic = config.semantic_bits
        self.past: nn.Conv2d | None = None
        if config.past_frames:
            self.past = nn.Conv2d(width, config.past_frames, 3, padding=1)

    def init_weights(self) -> None:
        """Begin with every pixel mostly on its own."""
        nn.init.xavier_uniform_(self.gates.weight, gain=0.1)
        nn.init.constant_(self.gates.bias, -2.0)  # type: ignore[arg-type]
        nn.init.zeros_(self.blend.weight)
        nn.init.zeros_(self.blend.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.blend.bias[-1] = 2.0  # type: ignore[index]
        if self.past is not None:
            nn.init.zeros_(self.past.weight)
            nn.init.zeros_(self.past.bias)  # type: ignore[arg-type]

    def forward(
        self,
        features: Tensor,
        bit_logits: Tensor,
        x_t: Tensor,
        gamma: Tensor,
        past: Tensor | None = None,
    ) -> Tensor:
        """Bit logits with the evidence of the neighbourhood.

        Args:
            features: [B, C, h, w] the decoder's last features.
            bit_logits: [B, n, h, w] what the network says without evidence.
            x_t: [B, n, h, w] noisy bits.
            gamma: [B].
            past: [B, P n, h, w] analog bits of the past maps, which speak of ids alone.
        """
        odds = self_log_odds(x_t, gamma, self.b)
        if self.past is not None and past is not None:
            odds = odds + self._of_past(self.past(features), past)
        gates = self.gates(features).sigmoid().split(len(NEIGHBOURS), 1)
        for dilation, gate in zip(self.dilations, gates, strict=True):
            odds = odds + _sum_neighbours(odds, gate, dilation)
        total = bit_logits + odds
        blend = self.blend(features).softmax(1)
        return blend[:, -1:] * total + _sum_neighbours(total, blend[:, :-1], 1)

    def _of_past(self, trust: Tensor, past: Tensor) -> Tensor:
        """Log-odds of the ids' bits by past maps, 0 for the semantic bits.

        Args:
            trust: [B, P, h, w] log-odds of a map being right.
        """
        trust = trust.clamp(-MAX_LOG_ODDS, MAX_LOG_ODDS)
        signs = past.unflatten(1, (trust.shape[1], -1)) / self.b  # [B, P, n, h, w]
        odds = (trust.unsqueeze(2) * signs).sum(1)
        return torch.cat(
            [torch.zeros_like(odds[:, : self.n_semantic]), odds[:, self.n_semantic :]], 1
        )


def self_log_odds(x_t: Tensor, gamma: Tensor, b: float) -> Tensor:
    """Log-odds of each bit being set, given its own noisy value alone.

    Args:
        x_t: [B, n, h, w]; gamma: [B].
    """
    gamma = gamma.view(-1, 1, 1, 1).clamp(max=1 - 1e-6)
    odds = 2 * b * gamma.sqrt() * x_t / (1 - gamma)
    return odds.clamp(-MAX_LOG_ODDS, MAX_LOG_ODDS)


def _sum_neighbours(values: Tensor, weights: Tensor, dilation: int) -> Tensor:
    """Weighted sum over the eight neighbours at a distance; outside the map counts as 0.

    Args:
        values: [B, n, h, w]; weights: [B, 8, h, w].
    """
    height, width = values.shape[-2:]
    padded = F.pad(values, (dilation, dilation, dilation, dilation))
    total = torch.zeros_like(values)
    for k, (dy, dx) in enumerate(NEIGHBOURS):
        top, left = dilation * (1 + dy), dilation * (1 + dx)
        window = padded[:, :, top : top + height, left : left + width]
        total = total + weights[:, k : k + 1] * window
    return total
