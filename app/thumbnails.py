"""Small pictures of the project's images, made once in a thread and kept on the disk."""

import logging
from collections import OrderedDict, deque
from contextlib import suppress
from threading import Lock
from typing import Final

import cv2
import numpy as np
from PySide6.QtCore import QObject, QThread, QThreadPool, Signal, Slot
from PySide6.QtGui import QImage

from app.folders import cache_folder
from app.image_file import ImageReader
from app.image_layer import to_drawable
from app.theme import finest_ratio
from app.tone import PLAIN, ValueRanges, make_curve
from core.errors import AnnotateError, ImageError
from core.images import Rgb, Values, read_values
from core.sources import fingerprint
from core.store import ImageRecord
from core.thumbnail_cache import ThumbnailCache

THUMB_WIDTH: Final = 72
THUMB_HEIGHT: Final = 54
MAX_KEPT: Final = 1000  # 12 MB, and four times that on a display of twice the pixels
LOOKS: Final = 2  # another number when thumbnails of the same file look different
CACHE_NAME: Final = "thumbnails.sqlite"
MAX_WAITING: Final = 60  # more than a tall screen shows; the oldest are given up

_log = logging.getLogger(__name__)


class Thumbnails(QObject):
    """Makes thumbnails when they are asked for, those asked for last first.

    Signals:
        made(int): the thumbnail of this image id can be had now.
    """

    made = Signal(int)
    _drawn = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[int, QImage | str] = OrderedDict()
        self._ratio = finest_ratio()
        least = 2 * self._ratio
        self._least_size = (round(least * THUMB_HEIGHT), round(least * THUMB_WIDTH))
        self._lock = Lock()  # of the two below, which both threads use
        self._waiting: deque[ImageRecord] = deque(maxlen=MAX_WAITING)
        self._is_working = False
        self._is_given_up = False  # what is being drawn now
        self._is_stopped = False
        self._reader = ImageReader()  # only the thread uses it and the cache
        self._cache: ThumbnailCache | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pool.setThreadPriority(QThread.Priority.LowPriority)
        self._drawn.connect(self._on_drawn)

    def find(self, record: ImageRecord) -> QImage | str | None:
        """The thumbnail, or a word on why there is none; or None, and `made` follows."""
        if record.id in self._kept:
            self._kept.move_to_end(record.id)
            return self._kept[record.id]
        if self._is_stopped:
            return None
        with self._lock:
            if record not in self._waiting:
                self._waiting.append(record)
            if not self._is_working:
                self._is_working = True
                self._pool.start(self._work)
        return None

    def try_again(self) -> None:
        """Forget that images could not be read: their files may have come back."""
        for image_id in [id_ for id_, kept in self._kept.items() if isinstance(kept, str)]:
            del self._kept[image_id]

    def clear(self) -> None:
        """Forget all thumbnails, for another project's ids mean other images."""
        with self._lock:
            self._waiting.clear()
        self._is_given_up = True
        self._pool.waitForDone()
        self._is_given_up = False
        self._kept.clear()

    def stop(self) -> None:
        """Give up what waits and let the thread end; from now on nothing is drawn."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self._drawn.disconnect(self._on_drawn)
        self.clear()
        if self._cache is not None:
            self._cache.close()

    def _work(self) -> None:
        """In the thread: draw until nothing waits."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_working = False
                    return
                record = self._waiting.pop()
            image = self._draw(record)
            if not self._is_given_up:
                self._drawn.emit(record.id, image)

    @Slot(int, object)
    def _on_drawn(self, image_id: int, image: QImage | str) -> None:
        self._kept[image_id] = image
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        self.made.emit(image_id)

    def _draw(self, record: ImageRecord) -> QImage | str:
        """The image, made to fit a thumbnail; a word when it cannot be read."""
        try:
            return self._to_qimage(self._find_on_disk(record))
        except AnnotateError as error:
            _log.info("no thumbnail of %s: %s", record.path, error)
            return "unreadable" if record.path.exists() else "missing"

    def _find_on_disk(self, record: ImageRecord) -> Rgb:
        """The thumbnail as it was made once from the file as it is, or made now.

        Raises:
            AnnotateError: the image cannot be read.
        """
        cache, key = self._open_cache(), self._key(record)
        kept = None if cache is None else cache.get(key)
        if kept is not None:
            pixels = cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR_RGB)
            if pixels is not None:
                return np.asarray(pixels, np.uint8)
        small = self._shrink(self._read(record))
        encoded, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        if encoded and cache is not None:
            cache.put(key, data.tobytes())
        return small

    def _key(self, record: ImageRecord) -> str:
        try:
            content = fingerprint(record.path)
        except OSError as error:
            raise ImageError(f"{record.path} cannot be read ({error.strerror}).") from error
        return f"{content}/{record.frame}/{self._ratio}/{LOOKS}"

    def _open_cache(self) -> ThumbnailCache | None:
        """The cache; None where the user has no folder that can be written."""
        if self._cache is None:
            with suppress(OSError):
                self._cache = ThumbnailCache(cache_folder() / CACHE_NAME)
        return self._cache

    def _shrink(self, values: Values) -> Rgb:
        """The image as the canvas would first show it: dark and deep ones are stretched."""
        height, width = values.shape[:2]
        scale = self._ratio * min(THUMB_HEIGHT / height, THUMB_WIDTH / width)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small = cv2.resize(to_drawable(values), size, interpolation=cv2.INTER_AREA)
        seen = make_curve(PLAIN, ValueRanges(small)).apply(small)
        return seen if seen.ndim == 3 else np.asarray(cv2.cvtColor(seen, cv2.COLOR_GRAY2RGB))

    def _to_qimage(self, pixels: Rgb) -> QImage:
        small = np.ascontiguousarray(pixels)
        height, width = small.shape[:2]
        made = QImage(small.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        made.setDevicePixelRatio(self._ratio)
        return made

    def _read(self, record: ImageRecord) -> Values:
        if record.frame is None:
            _, values = read_values(
                record.path, least_size=self._least_size, is_wanted=self._is_wanted
            )
            return values
        return self._reader.read(record, self._is_wanted)

    def _is_wanted(self) -> bool:
        return not self._is_given_up
