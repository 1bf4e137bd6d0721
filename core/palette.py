"""The colours that categories get unasked: told apart with any common colour vision.

The first seven are those of Okabe and Ito without their black, which no dark image would show.
Each that follows is the colour of a grid that is farthest, in CIELAB, from all before it, as
normal, protanopic and deuteranopic eyes see them, at a lightness from 34 to 90 and a chroma
above 28: greys are left to images. Any two of the first seven differ by 17 or more, of all 24
by 15.

Source: M. Okabe and K. Ito 2008, "Color Universal Design", jfly.uni-koeln.de/color; vision by
G. Machado, M. Oliveira and L. Fernandes 2009, doi:10.1109/TVCG.2009.113, at full severity.
"""

from typing import Final

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


def default_color(number: int) -> tuple[int, int, int]:
    """The RGB colour of the category of that number, from 1; after 24 they come again."""
    return PALETTE[(number - 1) % len(PALETTE)]
