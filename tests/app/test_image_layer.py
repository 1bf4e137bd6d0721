"""What is drawn of an image at each device pixel, compared exactly."""

import numpy as np
import pytest

from app.image_layer import ImageLayer, draw_grid
from app.tone import Channel, Stretch, Tone
from app.viewport import Viewport
from core.panoptic import Rect


def test_image_pixels_are_sharp_squares_when_magnified():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    shown = ImageLayer(image).render(Viewport(3.0), Rect(0, 0, 15, 21))
    red, green, blue = ((shown >> shift) & 255 for shift in (16, 8, 0))
    expected = np.kron(image, np.ones((3, 3, 1)))
    np.testing.assert_array_equal(np.stack([red, green, blue], axis=2), expected)


def test_a_shrunken_image_keeps_its_mean_color():
    image = np.zeros((2000, 3000, 3), np.uint8)
    image[::2] = 200  # would flicker between black and white without smaller levels
    shown = ImageLayer(image).render(Viewport(1 / 8), Rect(0, 0, 250, 375))
    assert abs(int((shown & 255).mean()) - 100) <= 2
    assert int((shown & 255).std()) <= 2


@pytest.mark.parametrize("scale", [0.03, 0.29, 0.5, 0.77, 1.0, 3.3])
def test_a_part_is_drawn_as_in_the_whole(scale):
    image = np.random.default_rng(1).integers(0, 256, (1100, 1300, 3)).astype(np.uint8)
    layer, view = ImageLayer(image), Viewport(scale, 5, -7)
    whole = layer.render(view, Rect(0, 0, 90, 100))
    for part in (Rect(11, 23, 37, 61), Rect(0, 99, 90, 100)):
        np.testing.assert_array_equal(layer.render(view, part), whole[part.slices])


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("scale", [0.2, 2.0])
def test_deep_values_are_drawn_as_the_image_made_of_them(kind, scale):
    image = np.zeros((600, 700, 3), np.uint8)
    image[...] = np.linspace(0, 255, 700).astype(np.uint8)[:, None]
    layer = ImageLayer(image, image[..., 0].astype(kind) * 100)
    view, area = Viewport(scale), Rect(0, 0, 100, 120)
    plain = Tone(stretch=Stretch.OFF)
    shown = layer.render(view, area, plain) & 255
    expected = ImageLayer(image).render(view, area, plain) & 255
    assert np.abs(shown.astype(int) - expected).max() <= 1


def test_another_tone_draws_other_pixels_and_the_first_again_the_first():
    image = np.random.default_rng(1).integers(0, 256, (60, 70, 3)).astype(np.uint8)
    layer, view, area = ImageLayer(image), Viewport(), Rect(0, 0, 60, 70)
    first = layer.render(view, area)
    red = layer.render(view, area, Tone(channel=Channel.RED))
    np.testing.assert_array_equal(red & 0xFF, image[..., 0])
    np.testing.assert_array_equal(red >> 8 & 0xFF, image[..., 0])
    np.testing.assert_array_equal(layer.render(view, area), first)


def green(pixels: np.ndarray) -> np.ndarray:
    return (pixels >> 8 & 255).astype(int)


@pytest.mark.parametrize("value", [0, 60, 127, 128, 200, 255])
def test_a_grid_is_seen_on_every_brightness(value):
    image = np.full((6, 7, 3), value, np.uint8)
    view, area = Viewport(10.0, 3, 5), Rect(5, 3, 65, 73)
    shown = ImageLayer(image).render(view, area, Tone(stretch=Stretch.OFF))
    draw_grid(shown, view, area, (6, 7))
    lines = np.zeros(shown.shape, np.bool_)
    lines[10::10] = True
    lines[:, 10::10] = True
    assert (green(shown)[~lines] == value).all()
    assert (np.abs(green(shown)[lines] - value) == 32).all()
    assert (shown >> 24 == 255).all()


@pytest.mark.parametrize("scale", [8.0, 11.3, 64.0])
def test_a_part_of_a_grid_is_drawn_as_in_the_whole(scale):
    image = np.random.default_rng(1).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    layer, view = ImageLayer(image), Viewport(scale, -5, -7)
    areas = Rect(0, 0, 90, 100), Rect(11, 23, 37, 61)
    whole, part = (layer.render(view, area) for area in areas)
    for pixels, area in zip((whole, part), areas, strict=True):
        draw_grid(pixels, view, area, (40, 50))
    np.testing.assert_array_equal(part, whole[areas[1].slices])
