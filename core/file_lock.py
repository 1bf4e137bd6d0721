"""One writer at a time: a lock that the system releases when its process ends, however."""

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


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
