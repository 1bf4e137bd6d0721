"""Which images are likely to show the same thing, as far as their names tell.

Frames of one video, files of one folder and pieces of one picture are alike, so that a model
that has learned from one is not tested by another. Names are all that is asked: an image has
its group as soon as it comes in, and keeps it when its file is moved.
"""

import re
from pathlib import PurePosixPath
from typing import Final

RUN: Final = 10  # files that are numbered one after the other
RUN_OF_FRAMES: Final = 50

_BETWEEN: Final = re.compile(r"[ _.\-]+")
# Words for a piece of a larger picture, alone or with its number.
_PIECE: Final = re.compile(
    r"[xyztrcfsp]\d+|(row|col|tile|crop|patch|part|slice|roi|aug|rot)\d*", re.IGNORECASE
)
_NUMBERED: Final = re.compile(r"(|.*\D)(\d+)", re.DOTALL)


def folder_of(path: str, frame: int | None) -> str:
    """The folder of an image, or the video of a frame."""
    return path if frame is not None else PurePosixPath(path).parent.as_posix()


def origin_of(path: str, frame: int | None) -> str:
    """What an image was taken from, for a project that has it all in one folder or video.

    - Of a video, frames 0 to 49, 50 to 99, and so on, belong together.
    - Pieces of a picture are of that picture: `slide_1_x0_y512`, `slide_1_crop3` -> `slide_1`.
    - Files with a name and a number after it are of what is named, if the name itself has a
      number: `patient7_2` -> `patient7`, `3_17` -> `3`, `scan_2_0001` -> `scan_2`.
    - Else numbers 0 to 9, 10 to 19, and so on, of one name belong together: `IMG_0012`.
    - Any other file is alone.

    Returns:
        Its name, whatever the case; the folder is not in it.
    """
    if frame is not None:
        return f"frames from {frame // RUN_OF_FRAMES * RUN_OF_FRAMES}"
    name = PurePosixPath(path).stem.casefold()
    words, numbers, is_piece = _split(name)
    if is_piece:
        return "_".join([*words, *numbers])
    if len(numbers) > 1 or (numbers and any(c.isdigit() for word in words for c in word)):
        return "_".join([*words, *numbers[:-1][:1]])
    if numbers:
        return "_".join([*words, f"from {int(numbers[0]) // RUN * RUN}"])
    return name


def _split(name: str) -> tuple[list[str], list[str], bool]:
    """The words of a name, the numbers at its end, and whether it is of a piece.

    Numbers after the word for a piece are of the piece, and left out.
    """
    words, numbers, is_piece = _BETWEEN.split(name), list[str](), False
    while len(words) > 1:
        if words[-1].isdecimal():
            numbers.insert(0, words.pop())
        elif _PIECE.fullmatch(words[-1]):
            words.pop()
            numbers, is_piece = [], True
        else:
            break
    numbered = _NUMBERED.fullmatch(words[-1]) if len(words) == 1 else None
    if numbered and not numbers and not is_piece:
        words, numbers = [numbered[1]], [numbered[2]]
    return words, numbers, is_piece
