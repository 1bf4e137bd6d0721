"""Categories are told apart by whoever looks: distances in CIELAB, for three kinds of eyes."""

import numpy as np
import pytest

from core.palette import PALETTE, default_color

# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB.
EYES = {
    "normal": np.eye(3),
    "protanopic": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopic": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
TO_XYZ = np.array(  # sRGB, D65
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def to_lab(colors, eyes: np.ndarray) -> np.ndarray:
    """CIELAB of sRGB colours [N, 3], 0..255, as some eyes see them."""
    share = np.asarray(colors) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ eyes.T, 0, 1) @ TO_XYZ.T / WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def least_distance(colors, eyes: np.ndarray) -> float:
    lab = to_lab(colors, eyes)
    distances = np.linalg.norm(lab[:, None] - lab, axis=2)
    return float(distances[~np.eye(len(colors), dtype=bool)].min())


def test_the_scale_is_cielab():
    black_white_red = to_lab([(0, 0, 0), (255, 255, 255), (255, 0, 0)], EYES["normal"])
    expected = [[0, 0, 0], [100, 0, 0], [53.24, 80.09, 67.20]]
    np.testing.assert_allclose(black_white_red, expected, atol=0.02)


@pytest.mark.parametrize("eyes", EYES)
def test_any_two_of_the_first_seven_colors_are_told_apart(eyes):
    assert least_distance(PALETTE[:7], EYES[eyes]) >= 17


@pytest.mark.parametrize("eyes", EYES)
def test_any_two_of_all_colors_are_told_apart(eyes):
    assert least_distance(PALETTE, EYES[eyes]) >= 15


@pytest.mark.parametrize("eyes", ["protanopic", "deuteranopic"])
def test_hues_at_equal_steps_would_not_be_told_apart(eyes):
    """The measure can fail: these were the colours before."""
    vivid = [(229, 134, 6), (153, 201, 69), (204, 97, 176), (118, 78, 159), (237, 100, 90)]
    vivid += [(93, 105, 177), (82, 188, 163), (36, 121, 108), (218, 165, 27), (47, 138, 196)]
    assert least_distance(vivid, EYES[eyes]) < 15


def test_no_color_is_lost_in_black_white_or_grey():
    lightness, a, b = to_lab(PALETTE, EYES["normal"]).T
    assert lightness.min() > 30
    assert lightness.max() < 92
    assert np.hypot(a, b).min() > 28


def test_colors_come_again_after_the_last():
    numbers = range(1, len(PALETTE) + 1)
    assert [default_color(number) for number in numbers] == list(PALETTE)
    assert default_color(len(PALETTE) + 1) == PALETTE[0]
