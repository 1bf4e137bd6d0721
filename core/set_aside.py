"""A damaged project gives way to its recovered twin, and is kept under another name.

Renaming is three steps, as a database and its write-ahead log are two files. A process killed
between them leaves no project in its place, but its finished twin beside it: whoever opens the
project next takes the steps that are left.
"""

from pathlib import Path

from core.durable import sync_folder


def recovered_path(path: Path) -> Path:
    """Where the twin of a project is, from when it is finished until it takes its place."""
    return path.with_name(f".{path.name}.recovered")


def set_aside(path: Path) -> Path:
    """Put the finished twin in the place of a project; returns where that is kept.

    Raises:
        OSError: the folder cannot be written.
    """
    aside = _free_name(path)
    path.rename(aside)
    _finish(path, aside)
    return aside


def finish_setting_aside(path: Path) -> None:
    """Take the steps that a killed process has left, if there are any.

    Raises:
        OSError: the folder cannot be written.
    """
    if not path.exists() and recovered_path(path).exists():
        number = 1
        while _name_aside(path, number + 1).exists():
            number += 1
        _finish(path, _name_aside(path, number))


def _finish(path: Path, aside: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        log.rename(aside.with_name(f"{aside.name}-wal"))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)  # holds nothing
    recovered_path(path).rename(path)
    sync_folder(path.parent)


def _free_name(path: Path) -> Path:
    number = 1
    while _name_aside(path, number).exists():
        number += 1
    return _name_aside(path, number)


def _name_aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")
