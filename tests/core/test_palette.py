"""Colours are told apart by whoever looks: distances in CIELAB, for three kinds of eyes."""

import numpy as np
import pytest

from core.category_files import category_templates, read_categories
from core.palette import (
    EYES,
    N_SHADES,
    PALETTE,
    default_color,
    shades,
    tell_apart,
    to_lab,
)

GREY, DARK_BLUE, PALE = (90, 90, 100), (0, 0, 142), (250, 250, 235)


def least_distance(colors, eyes: np.ndarray) -> float:
    lab = to_lab(colors, eyes)
    distances = np.linalg.norm(lab[:, None] - lab, axis=2)
    return float(distances[~np.eye(len(colors), dtype=bool)].min())


def hue_and_chroma(colors):
    _, a, b = to_lab(colors, EYES["normal"]).T
    return np.degrees(np.arctan2(b, a)), np.hypot(a, b)


def template(name: str):
    paths = {path.stem: path for path in category_templates().values()}
    return [category.color for category in read_categories(paths[name])]


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


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(
    ("name", "n_first", "least"),
    [("coco_coarse", 14, 16), ("coco_panoptic", 24, 15), ("coco_panoptic", 133, 5)],
)
def test_the_categories_of_coco_are_told_apart_as_far_as_so_many_can_be(
    name, n_first, least, eyes
):
    assert least_distance(template(name)[:n_first], EYES[eyes]) >= least


@pytest.mark.parametrize("name", ["coco_coarse", "coco_panoptic"])
def test_telling_apart_what_is_told_apart_changes_nothing(name):
    colors = template(name)
    assert tell_apart(colors) == colors


def test_a_color_too_like_one_before_it_is_replaced_and_the_others_stay():
    red, dark_red, blue = (213, 94, 0), (215, 96, 2), (0, 114, 178)
    told = tell_apart([red, dark_red, blue])
    assert told[::2] == [red, blue]
    assert min(least_distance(told, eyes) for eyes in EYES.values()) >= 15
    assert tell_apart([red, dark_red, blue], least=0) == [red, dark_red, blue]


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("color", [*PALETTE, GREY, DARK_BLUE, PALE])
def test_the_segments_of_a_category_are_told_apart(color, eyes):
    assert len(set(shades(color))) == N_SHADES
    assert least_distance(shades(color), EYES[eyes]) >= 9


@pytest.mark.parametrize("color", [*PALETTE, DARK_BLUE])
def test_the_segments_of_a_category_have_about_its_hue(color):
    (own,), _ = hue_and_chroma([color])
    hues, chromas = hue_and_chroma(shades(color))
    assert np.abs((hues - own + 180) % 360 - 180).max() <= 45.1
    assert chromas.min() >= 24.9


def test_the_segments_of_a_grey_are_greyish():
    _, chromas = hue_and_chroma(shades(GREY))
    assert chromas.max() < 26


def test_the_first_segment_has_the_color_of_its_category_unless_that_is_hardly_seen():
    assert shades(PALETTE[0])[0] == PALETTE[0]
    lightness = to_lab(shades(DARK_BLUE), EYES["normal"])[:, 0]
    assert lightness.min() >= 37.9
    assert to_lab([DARK_BLUE], EYES["normal"])[0, 0] < 20
