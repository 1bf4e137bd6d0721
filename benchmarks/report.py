"""What every benchmark prints: the conditions it runs under, and its tables."""

import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

WIDTH = 100
LIBRARIES = ("torch", "PySide6-Essentials", "numpy", "opencv-python-headless")


def print_conditions() -> None:
    """Say before the first measurement on what machine it is, and how busy that is."""
    parts = [describe_machine(), f"Python {platform.python_version()}"]
    parts += [f"{name} {metadata.version(name)}" for name in LIBRARIES]
    _console().print(", ".join(parts))


def describe_machine() -> str:
    """The processor, its cores, and how busy they are."""
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return f"{_processor()}, {os.cpu_count()} cores{load}"


def print_report(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, the first column to the left and all others to the right."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    _console().print(table)


@contextmanager
def timing(times_ms: list[float]) -> Iterator[None]:
    """Add what the block takes to a list."""
    began = time.perf_counter()
    yield
    times_ms.append(1000 * (time.perf_counter() - began))


def quantiles(values: Sequence[float], *shares: float, digits: int = 1) -> list[str]:
    """Quantiles of some numbers, as text."""
    return [f"{value:.{digits}f}" for value in np.quantile(values, shares)]


def _console() -> Console:
    return Console(width=WIDTH, highlight=False)


def _processor() -> str:
    """What the processor calls itself."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
