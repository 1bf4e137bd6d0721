"""Batch norms that see the batch of all processes, on GPUs and on CPUs."""

from typing import Any, cast

import torch
from torch import Tensor, distributed, nn

from core.model.layers import BatchNorm


class _SumOverProcesses(torch.autograd.Function):
    """The sum of every process's tensor, in each of them; its gradient is a sum as well."""

    @staticmethod
    def forward(_context: Any, x: Tensor) -> Tensor:
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total


def add_up(x: Tensor) -> Tensor:
    """Sum over all processes, which carries gradients."""
    return cast(Tensor, _SumOverProcesses.apply(x))  # type: ignore[no-untyped-call]


class SharedBatchNorm(BatchNorm):
    """BatchNorm over all processes, by sums that carry gradients.

    torch's SyncBatchNorm does this with kernels that only GPUs have.
    """

    def forward(self, x: Tensor) -> Tensor:
        """From [B, C, h, w] to the same, normalised by the statistics of every process's x."""
        if not self.training:
            return super().forward(x)
        n = torch.tensor(float(x.numel() // x.shape[1]), device=x.device)
        distributed.all_reduce(n)
        wide = x.float()
        mean = add_up(wide.sum((0, 2, 3))) / n
        centred = wide - mean.view(-1, 1, 1)
        variance = add_up((centred**2).sum((0, 2, 3))) / n
        self.remember(mean.detach(), variance.detach())
        scale = self.weight * (variance + self.eps).rsqrt()
        y = centred * scale.view(-1, 1, 1) + self.bias.view(-1, 1, 1)
        return y.to(x.dtype)


def share_norms(module: nn.Module, device: torch.device) -> None:
    """Replace every batch norm inside a module by one over all processes; weights stay.

    GPUs get torch's, whose running variance is n / (n - 1) times ours: for n values a channel
    over all GPUs that is no difference.
    """
    kind = nn.SyncBatchNorm if device.type == "cuda" else SharedBatchNorm
    for name, child in module.named_children():
        if type(child) is not BatchNorm:
            share_norms(child, device)
            continue
        norm = kind(child.num_features, child.eps, child.momentum or 0.1)
        norm._parameters = child._parameters  # noqa: SLF001 - the very same weights
        norm._buffers = child._buffers  # noqa: SLF001
        setattr(module, name, norm.train(child.training))
