"""Numbers that the command line accepts."""

import argparse
import math
from collections.abc import Callable
from typing import Final

MAX_NUMBER: Final = 2**63  # of a seed


def number(kind: type[int] | type[float], least: int) -> Callable[[str], float]:
    """A number that is not below the least, for argparse."""

    def parse(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not least <= number < MAX_NUMBER:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"'{text}' is not {what} from {least} on")
        return number

    return parse
