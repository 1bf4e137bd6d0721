"""PictureCache: decoded pictures, as many as fit into some memory."""

from collections.abc import Callable, Hashable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.labels import Labels

Picture = tuple[NDArray[np.uint8], Labels]  # [H, W, 3] and [H, W, 2]
CACHE_BYTES: Final = 512 << 20  # some 350 photographs of 640 x 480


class PictureCache:
    """The first pictures that were read, which stay.

    A run draws its pictures at random or once an epoch, so that none is likelier to come soon
    than another, and dropping one for the next would gain nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        self._room = max_bytes
        self._kept: dict[Hashable, tuple[NDArray[np.uint8], NDArray[Any]]] = {}

    def fetch(self, key: Hashable, read: Callable[[], Picture]) -> Picture:
        """The picture of a key, read if it is not here; it must not be written to."""
        if key in self._kept:
            image, labels = self._kept[key]
            return image, labels.astype(np.int32)
        image, labels = read()
        # A copy in as few bytes as hold the numbers, which are mostly few.
        narrow = labels.astype(np.min_scalar_type(int(labels.max(initial=0))))
        n_bytes = image.nbytes + narrow.nbytes
        if n_bytes <= self._room:
            self._room -= n_bytes
            self._kept[key] = image, narrow
        return image, labels
