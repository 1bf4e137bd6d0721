"""What the commands say on a terminal, and the codes that they exit with."""

import sys
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

DONE: Final = 0
DONE_IN_PART: Final = 1
FAILED: Final = 2
STOPPED: Final = 130  # as shells report Ctrl+C


def progress_bar() -> Progress:
    """A progress bar on the standard error, for a person alone."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def count(n: int, noun: str) -> str:
    """A number of things in words."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def say(text: str) -> None:
    """Write a result."""
    sys.stdout.write(f"{text}\n")


def complain(text: str) -> None:
    """Write what a person should know, beside the results."""
    sys.stderr.write(f"{text}\n")
