"""Colours of categories and segments, told apart with any common colour vision.

The first seven of the palette are those of Okabe and Ito without their black, which no dark
image would show. Each that follows is the colour of a grid that is farthest, in CIELAB, from
all before it, as normal, protanopic and deuteranopic eyes see them, at a lightness from 34 to
90 and a chroma above 28: greys are left to images. Any two of the first seven differ by 17 or
more, of all 24 by 15, any two shades of one colour by 9.

Source: M. Okabe and K. Ito 2008, "Color Universal Design", jfly.uni-koeln.de/color; vision by
G. Machado, M. Oliveira and L. Fernandes 2009, doi:10.1109/TVCG.2009.113, at full severity.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.panoptic import Category

Color = tuple[int, int, int]  # sRGB, each 0..255

PALETTE: Final = (
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (0, 158, 115),  # bluish green
    (240, 228, 66),  # yellow
    (0, 114, 178),  # blue
    (213, 94, 0),  # vermilion
    (204, 121, 167),  # reddish purple
    (60, 0, 255),
    (135, 240, 150),
    (60, 105, 240),
    (150, 45, 30),
    (150, 240, 255),
    (120, 60, 105),
    (90, 240, 195),
    (255, 0, 90),
    (105, 150, 255),
    (255, 150, 90),
    (45, 75, 180),
    (45, 60, 225),
    (105, 195, 135),
    (60, 195, 210),
    (0, 120, 60),
    (135, 45, 135),
    (180, 45, 0),
)


EYES: Final = {  # from linear RGB to the linear RGB that looks alike to normal eyes
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
N_SHADES: Final = 16  # colours of the segments of one category
HUE_REACH: Final = 45.0  # degrees that a shade may be away from its category's hue
SHADE_LIGHTNESS: Final = (38.0, 85.0)  # of shades: seen on black and on white
SHADE_CHROMA: Final = 25.0  # of shades at least; of those of a grey at most
GREY_CHROMA: Final = 15.0  # below, a colour has no hue to keep
LIGHTNESS: Final = (34.0, 90.0)  # of colours of categories
CHROMA: Final = 28.0  # of colours of categories at least
_TO_XYZ: Final = np.array(  # of linear sRGB, for D65
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE: Final = np.array([0.95047, 1.0, 1.08883])

Lab = NDArray[np.float64]  # [..., 3] lightness, a, b


def default_color(number: int) -> Color:
    """The RGB colour of the category of that number, from 1; after 24 they come again."""
    return PALETTE[(number - 1) % len(PALETTE)]


def to_lab(colors: ArrayLike, eyes: NDArray[np.float64]) -> Lab:
    """CIELAB [N, 3] of colours [N, 3] as some eyes see them."""
    share = np.asarray(colors) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ eyes.T, 0, 1) @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def tell_apart(colors: list[Color], least: float = 15.0) -> list[Color]:
    """Replace each colour that some eyes hardly tell from one before it.

    The new one is the farthest from all before it, so a long list comes closer and closer.

    Args:
        colors: those first in the list are kept rather than later ones.
        least: distance in CIELAB below which two are replaced.
    """
    grid, seen = _grid()
    lightness, a, b = seen[:, 0].T
    is_fit = _are_between(lightness, LIGHTNESS) & (np.hypot(a, b) > CHROMA)
    grid, seen = grid[is_fit], seen[is_fit]
    told: list[Color] = []
    distances = np.full(len(grid), np.inf)  # of the grid to what is told
    for color in colors:
        is_like = told and _distance(_as_seen(told), _as_seen([color])).min() < least
        told.append(_color(grid[distances.argmax()]) if is_like else color)
        distances = np.minimum(distances, _distance(seen, _as_seen(told[-1:])))
    return told


@cache
def shades(color: Color) -> tuple[Color, ...]:
    """Colours for the segments of a category, each as far from all before it as can be.

    They have about the hue of the category's colour, which is the first unless it is too dark
    or too light.
    """
    grid, seen = _grid()
    own = _as_seen([color])
    lightness, a, b = seen[:, 0].T
    chroma, own_chroma = np.hypot(a, b), float(np.hypot(own[0, 0, 1], own[0, 0, 2]))
    is_fit = _are_between(lightness, SHADE_LIGHTNESS)
    if own_chroma < GREY_CHROMA:
        is_fit &= chroma <= SHADE_CHROMA
    else:
        turn = np.degrees(np.arctan2(b, a) - np.arctan2(own[0, 0, 2], own[0, 0, 1]))
        is_fit &= (np.abs((turn + 180) % 360 - 180) <= HUE_REACH) & (chroma >= SHADE_CHROMA)
    grid, seen = grid[is_fit], seen[is_fit]
    if not _are_between(own[:, 0, 0], SHADE_LIGHTNESS).all():
        nearest = int(np.linalg.norm(seen[:, 0] - own[0, 0], axis=1).argmin())
        color, own = _color(grid[nearest]), seen[nearest : nearest + 1]
    found, distances = [color], _distance(seen, own)
    while len(found) < N_SHADES:
        farthest = int(distances.argmax())
        found.append(_color(grid[farthest]))
        distances = np.minimum(distances, _distance(seen, seen[farthest : farthest + 1]))
    return tuple(found)


def segment_color(category: Category, segment_id: int) -> tuple[int, int, int]:
    """The RGB colour of a segment: its category's, or for things one of its shades.

    Any sixteen ids in a row have colours that are told apart.
    """
    if not category.is_thing:
        return category.color
    of_category = shades(category.color)
    return of_category[(segment_id - 1) % len(of_category)]


@cache
def _grid() -> tuple[NDArray[np.int_], Lab]:
    """Colours [N, 3] in steps of 15, and how all eyes see them [N, 3 eyes, 3]."""
    axis = np.arange(0, 256, 15)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    return grid, _as_seen(grid)


def _as_seen(colors: ArrayLike) -> Lab:
    """CIELAB [N, 3 eyes, 3]; normal eyes come first."""
    return np.stack([to_lab(colors, eyes) for eyes in EYES.values()], 1)


def _distance(seen: Lab, one: Lab) -> NDArray[np.float64]:
    """How far colours [N] are from one, to the eyes that tell them apart least."""
    return np.linalg.norm(seen - one, axis=2).min(1)


def _are_between(values: NDArray[np.float64], ends: tuple[float, float]) -> NDArray[np.bool_]:
    return (values >= ends[0]) & (values <= ends[1])


def _color(rgb: NDArray[np.int_]) -> Color:
    red, green, blue = rgb.tolist()
    return red, green, blue
