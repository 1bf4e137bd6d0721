"""torch.compile as an option, which a run does without where it does not work."""

import torch
from torch import Tensor
from torch.nn import functional as F

from core.model.pix2seq_d import Pix2SeqD


def compile_network(model: Pix2SeqD) -> str:
    """Have encoder and decoder compiled at their first use; names of weights stay.

    Returns:
        A sentence where this machine cannot compile, and nothing where it can.
    """
    try:
        _try_to_compile(model.device)
    except (RuntimeError, OSError, ImportError) as error:
        torch.compiler.reset()
        reason = next(filter(None, str(error).splitlines()), type(error).__name__)
        return f"torch.compile does not work here ({reason}): training goes on without it."
    model.encoder.compile()
    model.decoder.compile()
    return ""


def _try_to_compile(device: torch.device) -> None:
    """Take a tiny function forwards and backwards.

    Raises:
        RuntimeError, OSError, ImportError: there is no compiler, or none that works.
    """
    x = torch.ones(64, device=device, requires_grad=True)
    torch.compile(_squash)(x).sum().backward()


def _squash(x: Tensor) -> Tensor:
    return F.silu(x) * x
