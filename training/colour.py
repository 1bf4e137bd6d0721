"""Colour operations of the authors' augmentation, on float32 RGB [H, W, 3] in [0, 1].

None of them clips; `jitter` does, after each.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]  # [H, W, 3] float32
GREY: Final = np.array([0.2989, 0.587, 0.114], np.float32)  # TensorFlow's weights of R, G, B


def scale_brightness(image: Image, factor: float) -> Image:
    """All values times a factor."""
    return image * np.float32(factor)


def scale_contrast(image: Image, factor: float) -> Image:
    """Each channel's distance from its own mean, times a factor."""
    mean = np.array(cv2.mean(image)[:3], np.float32)
    return (image - mean) * np.float32(factor) + mean


def scale_saturation(image: Image, factor: float) -> Image:
    """The saturation of HSV times a factor, at most 1."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 1] = np.clip(hsv[..., 1] * np.float32(factor), 0, 1)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def turn_hue(image: Image, share: float) -> Image:
    """The hue of HSV turned by a share of the circle."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + np.float32(360 * share)) % 360
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def to_grey(image: Image) -> Image:
    """Luminance in all three channels."""
    return np.repeat((image @ GREY)[..., None], 3, -1)


OPERATIONS: Final[Mapping[str, Callable[[Image, float], Image]]] = {
    "brightness": scale_brightness,
    "contrast": scale_contrast,
    "saturation": scale_saturation,
    "hue": turn_hue,
}


def jitter(image: Image, changes: Sequence[tuple[str, float]]) -> Image:
    """Apply named operations in order, clipped to [0, 1] after each."""
    for name, amount in changes:
        image = np.clip(OPERATIONS[name](image, amount), 0, 1)
    return image


def draw_changes(strength: float, rng: np.random.Generator) -> tuple[tuple[str, float], ...]:
    """With probability 0.8 all four operations in random order, with their amounts.

    Source: `random_color_jitter` of the authors' code, as in SimCLR, arXiv:2002.05709.
    """
    if rng.random() >= 0.8:
        return ()
    names = list(OPERATIONS)
    low, high = max(1 - 0.8 * strength, 0.0), 1 + 0.8 * strength
    changes = []
    for k in rng.permutation(len(names)):
        is_hue = names[k] == "hue"
        bounds = (-0.2 * strength, 0.2 * strength) if is_hue else (low, high)
        changes.append((names[k], float(rng.uniform(*bounds))))
    return tuple(changes)
