"""What is seen of values, by exact numbers."""

import warnings

import numpy as np
import pytest

from app.tone import Channel, Stretch, Tone, ValueRanges, make_curve

KINDS = [np.uint8, np.uint16, np.int32, np.float32, np.float64]
OFF = Tone(stretch=Stretch.OFF)


def seen(values, tone: Tone = OFF) -> np.ndarray:
    values = np.asarray(values)
    return make_curve(tone, ValueRanges(values)).apply(values)


def colors() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)


def test_an_image_of_8_bits_is_seen_as_it_is():
    np.testing.assert_array_equal(seen(colors()), colors())


@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.float64])
def test_deep_values_are_seen_from_their_least_to_their_greatest(kind):
    values = np.array([[1000, 1100], [1200, 1510]], kind)
    assert seen(values).tolist() == [[0, 50], [100, 255]]


def test_brightness_contrast_and_gamma_are_the_functions_that_they_claim_to_be():
    ramp = np.arange(256, dtype=np.uint8)[None]
    share = np.arange(256) / 255
    for tone, wanted in (
        (Tone(brightness=0.25, stretch=Stretch.OFF), share + 0.25),
        (Tone(contrast=0.5, stretch=Stretch.OFF), (share - 0.5) * 2.41421356 + 0.5),
        (Tone(contrast=-1, stretch=Stretch.OFF), np.full(256, 0.5)),
        (Tone(gamma=2.0, stretch=Stretch.OFF), np.sqrt(share)),
    ):
        expected = np.floor(np.clip(wanted, 0, 1) * 255 + 0.5)
        np.testing.assert_array_equal(seen(ramp, tone)[0], expected)


def test_one_channel_is_seen_as_grey():
    image = colors()
    for index, channel in enumerate((Channel.RED, Channel.GREEN, Channel.BLUE)):
        shown = seen(image, Tone(channel=channel, stretch=Stretch.OFF))
        np.testing.assert_array_equal(shown, image[..., index])


def test_grey_is_the_luminance():
    shown = seen(colors(), Tone(channel=Channel.GREY, stretch=Stretch.OFF))
    luminance = colors() @ np.array([0.299, 0.587, 0.114])
    assert np.abs(shown - luminance).max() <= 1


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("kind", KINDS[1:])
def test_every_channel_of_every_kind_of_number_can_be_seen(kind, channel):
    values = (colors().astype(np.float64) * 100).astype(kind)
    if kind == np.int32:
        values = values.astype(np.float32)  # as the image's layer keeps them
    shown = seen(values, Tone(channel=channel, stretch=Stretch.OFF))
    expected = seen(colors(), Tone(channel=channel, stretch=Stretch.OFF))
    spread = 255 / (colors().max() - colors().min())
    assert np.abs(shown - expected * spread).max() <= 2


@pytest.mark.parametrize("channel", list(Channel))
def test_a_grey_image_has_only_itself_to_show(channel):
    grey = colors()[..., 0]
    np.testing.assert_array_equal(seen(grey, Tone(channel=channel, stretch=Stretch.OFF)), grey)


def test_a_stretch_keeps_steps_that_eight_bits_would_lose():
    values = np.full((100, 100), 60_000, np.uint16)
    values[:, :50] = 200 + np.arange(50)  # a hundred steps of 1 below one hot half
    values[:, 50:] = 250
    values[0, 0] = 60_000
    plain, stretched = seen(values), seen(values, Tone(stretch=Stretch.ON))
    assert len(np.unique(plain[1:, :50])) == 1
    assert len(np.unique(stretched[1:, :50])) == 50


@pytest.mark.parametrize("kind", KINDS)
def test_a_stretch_makes_its_share_of_the_values_black_and_white(kind):
    values = np.arange(201).astype(kind).reshape(3, 67)
    shown = seen(values, Tone(stretch=Stretch.ON, cut=10.0))
    assert (shown == 0).sum() == 21
    assert (shown == 255).sum() == 21


def test_one_channel_is_stretched_by_its_own_values():
    image = np.zeros((10, 10, 3), np.uint8)
    image[..., 2] = np.arange(10)
    image[..., 0] = 200
    shown = seen(image, Tone(stretch=Stretch.ON, channel=Channel.BLUE, cut=0.0))
    assert (shown.min(), shown.max()) == (0, 255)


def test_only_dark_and_deep_images_are_stretched_unasked():
    bright = colors()
    dark = (bright // 16).astype(np.uint8)
    half_dark = dark.copy()
    half_dark[:12] = 120
    assert seen(dark, Tone()).max() == 255
    np.testing.assert_array_equal(seen(bright, Tone()), bright)
    np.testing.assert_array_equal(seen(half_dark, Tone()), half_dark)
    assert seen(bright[..., 0].astype(np.uint16), Tone(cut=10.0)).max() == 255


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stretch", list(Stretch))
def test_an_image_of_one_value_is_seen_without_a_warning(kind, stretch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = seen(np.full((4, 5), 7, kind), Tone(stretch=stretch, brightness=0.1))
    assert len(np.unique(shown)) == 1


@pytest.mark.parametrize("stretch", list(Stretch))
def test_nan_and_infinity_are_black_and_white_at_most(stretch):
    values = np.array([[np.nan, np.inf, -np.inf, 0.0, 1.0]], np.float32)
    shown = seen(values, Tone(stretch=stretch, cut=0.0))
    assert shown.tolist() == [[0, 255, 0, 0, 255]]


def test_the_widest_float_range_neither_warns_nor_fails():
    assert seen(np.array([[-3e38, 3e38]], np.float32)).tolist() == [[0, 255]]


def test_the_percentiles_of_a_large_image_are_those_of_pixels_from_all_of_it():
    rows, columns = np.mgrid[:1500, :1700]
    values = (rows * 20 + columns).astype(np.uint16)
    curve = make_curve(Tone(stretch=Stretch.ON, cut=1.0), ValueRanges(values))
    low, high = np.percentile(values, [1, 99])
    span = float(values.max())
    assert abs(curve.low - low) < 0.003 * span
    assert abs(curve.high - high) < 0.003 * span
