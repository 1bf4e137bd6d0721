"""A list of work that processes share without a server, each piece claimed by a lock file."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from core.file_lock import FileLock, try_lock

WAIT_S: Final = 0.2  # before asking again whether another process has ended

Item = TypeVar("Item")


def claim_each(
    items: Iterable[Item], lock_of: Callable[[Item], Path], is_done: Callable[[Item], bool]
) -> Iterator[Item]:
    """Yield what is left to do, each kept from other processes until the next is asked for.

    What another process works on is waited for: it is yielded if that process ends without
    having done it, killed or not, since the system then releases its lock. So no item is worked
    on twice at a time, none that is done is yielded, and none is yielded twice.

    Args:
        items: the same in every process.
        lock_of: the lock file of an item; its folder is made.
        is_done: whether an item is finished, by whomever.

    Raises:
        OSError: a lock file cannot be made.
    """
    waiting = list(items)
    while waiting:
        held_elsewhere = []
        for item in waiting:
            if is_done(item):
                continue
            claim = _claim(lock_of(item))
            if claim is None:
                held_elsewhere.append(item)
                continue
            try:
                if not is_done(item):
                    yield item
            finally:
                claim.release()
        if held_elsewhere:
            time.sleep(WAIT_S)
        waiting = held_elsewhere


def _claim(path: Path) -> FileLock | None:
    path.parent.mkdir(exist_ok=True)
    return try_lock(path)
