"""Pixels of any kind become 8-bit RGB, whatever the bands that they are worked on in."""

import cv2
import numpy as np
import pytest
from PIL import Image

from core import depth
from core.depth import swap_red_and_blue, to_array, to_rgb, value_range

MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"]


def gradient() -> np.ndarray:
    rows, columns = np.mgrid[:24, :40]
    return np.stack([rows * 10, columns * 6, (rows + columns) * 3], axis=2).astype(np.uint8)


def image_of(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(gradient()[..., 0].astype(np.uint16) * 100)
    image = Image.fromarray(gradient()).convert(mode)
    if mode == "P":
        image.info["transparency"] = 3
    return image


@pytest.mark.parametrize("mode", MODES)
def test_bands_leave_no_trace_in_an_image(mode, monkeypatch):
    whole = to_rgb(image_of(mode))
    monkeypatch.setattr(depth, "BAND_PIXELS", 100)
    np.testing.assert_array_equal(to_rgb(image_of(mode)), whole)


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("channels", [0, 3, 4])
def test_bands_leave_no_trace_in_values(kind, channels, monkeypatch):
    values = np.random.default_rng(0).integers(0, 5000, (24, 40, 4)).astype(kind)
    values = values[..., :channels] if channels else values[..., 0]
    if channels == 4 and kind in {np.float32, np.float64}:
        values[..., 3] /= 5000
    whole = to_rgb(values)
    monkeypatch.setattr(depth, "BAND_PIXELS", 100)
    np.testing.assert_array_equal(to_rgb(values), whole)
    assert whole.flags.c_contiguous
    assert whole.flags.writeable


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_deep_images_become_their_values(mode, monkeypatch):
    monkeypatch.setattr(depth, "BAND_PIXELS", 100)
    image = image_of(mode)
    values = to_array(image)
    np.testing.assert_array_equal(values, np.asarray(image))
    assert values.dtype.isnative


@pytest.mark.parametrize("channels", [3, 4])
def test_red_and_blue_are_swapped_and_opacity_stays(channels, monkeypatch):
    monkeypatch.setattr(depth, "BAND_PIXELS", 100)
    pixels = np.random.default_rng(0).integers(0, 255, (24, 40, channels)).astype(np.uint8)
    way = cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGRA2RGBA
    expected = cv2.cvtColor(pixels, way)
    swap_red_and_blue(pixels)
    np.testing.assert_array_equal(pixels, expected)


def test_the_range_is_that_of_finite_values_in_all_bands(monkeypatch):
    monkeypatch.setattr(depth, "BAND_PIXELS", 1)
    values = np.array([[np.nan], [3.0], [-np.inf], [-7.0], [np.inf]])
    assert value_range(values) == (-7.0, 3.0)
    assert value_range(np.full((2, 2), np.nan)) == (0.0, 0.0)
    assert value_range(np.array([[5], [9]], np.uint16)) == (5.0, 9.0)
