"""Winograd's convolutions equal plain ones, and are used for inference on a CPU alone."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core.model.convolution import QuickConv, has_nnpack, is_quicker

needs_nnpack = pytest.mark.skipif(not has_nnpack(), reason="this torch comes without NNPACK")


def plain(conv: QuickConv, x: Tensor) -> Tensor:
    return F.conv2d(x, conv.weight, conv.bias, padding=conv.padding)


@needs_nnpack
@pytest.mark.parametrize(
    ("channels", "width", "size"),
    [(128, 128, (64, 64)), (384, 64, (33, 61)), (32, 32, (128, 131)), (64, 256, (20, 90))],
)
def test_winograds_way_gives_the_plain_result(channels, width, size) -> None:
    torch.manual_seed(0)
    conv, x = QuickConv(channels, width).eval(), torch.randn(1, channels, *size)
    with torch.inference_mode():
        assert is_quicker(x, conv.weight)
        found, wanted = conv(x), plain(conv.double(), x.double())
    assert not torch.equal(found, plain(conv.float(), x))  # it did go another way
    assert (found - wanted).abs().max() <= 1e-4 * wanted.abs().max()


@needs_nnpack
def test_changed_weights_are_used_at_once() -> None:
    conv, x = QuickConv(64, 64).eval(), torch.randn(1, 64, 64, 64)
    with torch.inference_mode():
        conv(x)
        conv.weight.mul_(2)
        torch.testing.assert_close(conv(x), plain(conv, x), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.expand(2, -1, -1, -1).contiguous(),
        lambda x: x.to(memory_format=torch.channels_last),
        lambda x: x[..., :32, :32].contiguous(),
        lambda x: x.double(),
        lambda x: x.bfloat16(),
    ],
    ids=["two pictures", "channels last", "a small map", "double", "half"],
)
def test_other_input_goes_the_plain_way(change) -> None:
    x = change(torch.randn(1, 64, 64, 64))
    conv = QuickConv(64, 64).eval().to(x.dtype)
    with torch.inference_mode():
        assert torch.equal(conv(x), plain(conv, x))


def test_training_and_gradients_go_the_plain_way() -> None:
    conv, x = QuickConv(64, 64), torch.randn(1, 64, 64, 64)
    with torch.no_grad():
        assert torch.equal(conv.train()(x), plain(conv, x))
    assert torch.equal(conv.eval()(x), plain(conv, x))
    conv(x).sum().backward()
    assert conv.weight.grad is not None


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_any_odd_kernel_keeps_the_size(kernel) -> None:
    with torch.inference_mode():
        assert QuickConv(32, 8, kernel).eval()(torch.randn(1, 32, 9, 14)).shape[2:] == (9, 14)
