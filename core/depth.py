"""Pixels of any kind as 8-bit RGB, a band of rows at a time.

A whole image of 100 megapixels in float64, or in Pillow's four bytes a pixel, would be larger
than all that is kept of it.
"""

from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Decoded = Image.Image | NDArray[Any]  # [H, W], or [H, W, 3 or 4]
BAND_PIXELS: Final = 4_000_000
DEEP_MODES: Final = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})


def is_deep(decoded: Decoded) -> bool:
    """Whether `to_rgb` scales the values, and there is no opacity."""
    if isinstance(decoded, Image.Image):
        return decoded.mode in DEEP_MODES
    return decoded.dtype != np.uint8 and decoded.shape[2:] in {(), (3,)}


def to_rgb(decoded: Decoded) -> NDArray[np.uint8]:
    """What a person should see: u8 [H, W, 3], contiguous and writable.

    Args:
        decoded: of a deep mode or dtype: scaled by its range, see `scale_to_u8`; an image with
            opacity is laid over white.
    """
    if isinstance(decoded, Image.Image):
        if decoded.mode in DEEP_MODES:
            return to_rgb(to_array(decoded))
        width, height = decoded.size
        rgb = np.empty((height, width, 3), np.uint8)
        for top, bottom in _bands(height, width):
            rgb[top:bottom] = _flatten(_crop(decoded, top, bottom))
        return rgb
    if decoded.shape[2:] == (4,):
        return to_rgb(Image.fromarray(_scale_with_opacity(decoded)))
    seen = scale_to_u8(decoded)
    if seen.ndim == 3:
        return seen
    return np.asarray(cv2.cvtColor(seen, cv2.COLOR_GRAY2RGB), np.uint8)


def to_array(image: Image.Image) -> NDArray[Any]:
    """The values of a Pillow image of one channel, in the byte order of this machine."""
    width, height = image.size
    kind = np.asarray(image.crop((0, 0, 1, 1))).dtype
    values = np.empty((height, width), kind.newbyteorder("="))
    for top, bottom in _bands(height, width):
        values[top:bottom] = np.asarray(_crop(image, top, bottom))
    return values


def swap_red_and_blue(pixels: NDArray[Any]) -> None:
    """Turn BGR or BGRA [H, W, 3 or 4] into RGB or RGBA, in place."""
    for top, bottom in _bands(*pixels.shape[:2]):
        blue = pixels[top:bottom, :, 0].copy()
        pixels[top:bottom, :, 0] = pixels[top:bottom, :, 2]
        pixels[top:bottom, :, 2] = blue


def value_range(values: NDArray[Any]) -> tuple[float, float]:
    """The least and the greatest value that is finite; zeros if none is."""
    low, high = np.inf, -np.inf
    for top, bottom in _bands(*values.shape[:2]):
        band = values[top:bottom]
        finite = band[np.isfinite(band)] if band.dtype.kind == "f" else band
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 0.0)


def scale_to_u8(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Map the range of values [H, W] or [H, W, 3] to 0..255; a constant image becomes black.

    Values of 8 bits are returned as they are.
    """
    if values.dtype == np.uint8:
        return values
    low, high = value_range(values)
    table = None
    if values.dtype == np.uint16:
        table = _stretch(np.arange(65_536), low, high)
    scaled = np.empty(values.shape, np.uint8)
    for top, bottom in _bands(*values.shape[:2]):
        band = values[top:bottom]
        scaled[top:bottom] = _stretch(band, low, high) if table is None else table.take(band)
    return scaled


def _crop(image: Image.Image, top: int, bottom: int) -> Image.Image:
    width, height = image.size
    return image if bottom - top == height else image.crop((0, top, width, bottom))


def _flatten(image: Image.Image) -> NDArray[np.uint8]:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _scale_with_opacity(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale colours by their range; the fourth channel is opacity and has its own."""
    opaque = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "iu" else 1
    opacity = (pixels[..., 3:] * (255 / opaque) + 0.5).astype(np.uint8)
    return np.concatenate([scale_to_u8(pixels[..., :3]), opacity], axis=2)


def _stretch(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    span = high - low
    if not 0 < span < np.inf:
        return np.zeros(values.shape, np.uint8)
    scaled = (np.clip(values.astype(np.float64), low, high) - low) * (255 / span) + 0.5
    return np.nan_to_num(scaled, copy=False).astype(np.uint8)


def _bands(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Rows from..to of parts of an image, one after the other."""
    step = max(BAND_PIXELS // max(width, 1), 1)
    for top in range(0, height, step):
        yield top, min(top + step, height)
