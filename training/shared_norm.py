"""Batch norms that see the batch of all processes, on GPUs and on CPUs."""

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn import functional as shared


class SharedBatchNorm(nn.BatchNorm2d):
    """BatchNorm2d over all processes, by sums that carry gradients.

    torch's SyncBatchNorm does this with kernels that only GPUs have.
    """

    def forward(self, x: Tensor) -> Tensor:
        """From [B, C, h, w] to the same, normalised by the statistics of every process's x."""
        if not self.training:
            return super().forward(x)
        n = torch.tensor(float(x.numel() // x.shape[1]), device=x.device)
        distributed.all_reduce(n)
        wide = x.float()
        mean = shared.all_reduce(wide.sum((0, 2, 3))) / n
        centred = wide - mean.view(-1, 1, 1)
        variance = shared.all_reduce((centred**2).sum((0, 2, 3))) / n
        self._remember(mean.detach(), variance.detach() * n / (n - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        y = centred * scale.view(-1, 1, 1) + self.bias.view(-1, 1, 1)
        return y.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.momentum is None:
            return
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def share_norms(module: nn.Module, device: torch.device) -> None:
    """Replace every batch norm inside a module by one over all processes; weights stay."""
    kind = nn.SyncBatchNorm if device.type == "cuda" else SharedBatchNorm
    for name, child in module.named_children():
        if type(child) is not nn.BatchNorm2d:
            share_norms(child, device)
            continue
        norm = kind(child.num_features, child.eps, child.momentum)
        norm._parameters = child._parameters  # noqa: SLF001 - the very same weights
        norm._buffers = child._buffers  # noqa: SLF001
        setattr(module, name, norm.train(child.training))
