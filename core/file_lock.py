"""One writer at a time: a lock that the system releases when its process ends, however."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


POLL_S: Final = 0.01


class FileLock:
    """Holds a lock file until `release` or the end of the process, kill -9 included.

    Raises:
        BlockingIOError: someone else holds it.
        OSError: the lock file cannot be made here.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = _lock(path)
        while not _is_still_there(path, self._descriptor):  # its last holder just removed it
            os.close(self._descriptor)
            self._descriptor = _lock(path)

    def release(self) -> None:
        """Let the next one in and leave no file behind, where open files can be removed."""
        if sys.platform != "win32":
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a lock file, however long its other holders take.

    Raises:
        OSError: the lock file cannot be made here.
    """
    while (lock := try_lock(path)) is None:
        time.sleep(POLL_S)
    try:
        yield
    finally:
        lock.release()


def try_lock(path: Path) -> FileLock | None:
    """The lock, or None while someone else holds it.

    Raises:
        OSError: the lock file cannot be made here.
    """
    try:
        return FileLock(path)
    except BlockingIOError:
        return None


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if sys.platform == "win32" and isinstance(error, PermissionError):
            raise BlockingIOError(error.errno, error.strerror) from error
        raise
    return descriptor


def _is_still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
