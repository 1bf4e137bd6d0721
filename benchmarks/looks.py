"""Pictures of nuclei as another stain or microscope would show them: domains no model has seen.

Every kind of picture that we have truth for is among what the starter model was trained on. So
a domain that is new to it is made from real pictures that it has not seen: their nuclei, their
textures and their true maps stay, and how light came to the camera is another. That is less
than a new tissue or a new laboratory would bring, and is called by its name wherever numbers
of it stand.

Source: Ruifrok and Johnston 2001, Quantification of histochemical staining by color
deconvolution, for the optical densities of the three stains.
"""

from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.model.prepare import stretch_contrast

Picture = NDArray[np.uint8]  # [H, W, 3] RGB
Values = NDArray[np.floating[Any]]

STAINS: Final[Mapping[str, tuple[float, float, float]]] = {  # densities for R, G and B
    "haematoxylin": (0.65, 0.70, 0.29),
    "eosin": (0.07, 0.99, 0.11),
    "diaminobenzidine": (0.27, 0.57, 0.78),
}
WHITE: Final = 256.0  # light that nothing has absorbed
DEFOCUS: Final = 1.5  # standard deviation in pixels
DENSITY: Final = 1.2  # of the brightest nuclei
SHADE: Final = 0.35  # of the light is lost from one side of the field to the other
NOISE: Final = 0.03  # standard deviation, of the white


def stain_brown(picture: Picture) -> Picture:
    """Tissue in haematoxylin and eosin, as if its nuclei were brown and the rest blue.

    What absorbed as haematoxylin becomes diaminobenzidine, and eosin becomes haematoxylin.
    """
    light = (picture.astype(np.float64) + 1) / WHITE
    amounts = -np.log(light) @ np.linalg.inv(_densities("haematoxylin", "eosin"))
    kept = amounts[..., :2].clip(0)
    density = kept @ _densities("diaminobenzidine", "haematoxylin")[:2]
    return _to_bytes(np.exp(-density) - 1 / WHITE)


def to_bright_field(picture: Picture, seed: int) -> Picture:
    """Glowing nuclei as if they were stained instead: dark on a white and uneven field.

    Args:
        seed: of the side that the light comes from, and of the noise.
    """
    dice = np.random.default_rng(seed)
    glow = stretch_contrast(picture).mean(-1)
    glow = cv2.GaussianBlur(glow, (0, 0), DEFOCUS)
    light = np.exp(-DENSITY * glow[..., None] * np.array(STAINS["haematoxylin"]))
    height, width = glow.shape
    light *= _slope(height, width, float(dice.uniform(0, 2 * np.pi)))[..., None]
    return _to_bytes(0.9 * light + dice.normal(0, NOISE, light.shape))


def _densities(first: str, second: str) -> Values:
    """A matrix [3, 3] with a row of length 1 for each stain and for what neither absorbs."""
    one, other = np.array(STAINS[first]), np.array(STAINS[second])
    rows = np.stack([one, other, np.cross(one, other)])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _slope(height: int, width: int, angle: float) -> Values:
    """Light [H, W] that falls off evenly in one direction; 1 on the bright side."""
    down, along = np.mgrid[:height, :width] / max(height, width) - 0.5
    return 1 - SHADE * (along * np.cos(angle) + down * np.sin(angle) + 0.5)


def _to_bytes(light: Values) -> Picture:
    return (255 * light).clip(0, 255).round().astype(np.uint8)
