"""Small pictures of the project's images, made in a thread of their own and kept a while."""

import logging
from collections import OrderedDict, deque
from threading import Lock
from typing import Final

import cv2
import numpy as np
from PySide6.QtCore import QObject, QThread, QThreadPool, Signal, Slot
from PySide6.QtGui import QImage

from app.image_file import ImageReader
from app.theme import finest_ratio
from core.errors import AnnotateError
from core.images import Rgb, read_image
from core.store import ImageRecord

THUMB_WIDTH: Final = 72
THUMB_HEIGHT: Final = 54
MAX_KEPT: Final = 1000  # 12 MB, and four times that on a display of twice the pixels
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
        self._kept: OrderedDict[int, QImage] = OrderedDict()
        self._ratio = finest_ratio()
        least = 2 * self._ratio
        self._least_size = (round(least * THUMB_HEIGHT), round(least * THUMB_WIDTH))
        self._lock = Lock()  # of the two below, which both threads use
        self._waiting: deque[ImageRecord] = deque(maxlen=MAX_WAITING)
        self._is_working = False
        self._is_given_up = False  # what is being drawn now
        self._reader = ImageReader()  # only the thread uses it
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pool.setThreadPriority(QThread.Priority.LowPriority)
        self._drawn.connect(self._on_drawn)

    def find(self, record: ImageRecord) -> QImage | None:
        """The thumbnail, null for an unreadable image; or None, and `made` follows."""
        if record.id in self._kept:
            self._kept.move_to_end(record.id)
            return self._kept[record.id]
        with self._lock:
            if record not in self._waiting:
                self._waiting.append(record)
            if not self._is_working:
                self._is_working = True
                self._pool.start(self._work)
        return None

    def clear(self) -> None:
        """Forget all thumbnails, for another project's ids mean other images."""
        with self._lock:
            self._waiting.clear()
        self._is_given_up = True
        self._pool.waitForDone()
        self._is_given_up = False
        self._kept.clear()

    def stop(self) -> None:
        """Give up what waits and let the thread end."""
        self._drawn.disconnect(self._on_drawn)
        self.clear()

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
    def _on_drawn(self, image_id: int, image: QImage) -> None:
        self._kept[image_id] = image
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        self.made.emit(image_id)

    def _draw(self, record: ImageRecord) -> QImage:
        """The image, made to fit a thumbnail; null when it cannot be read."""
        try:
            image = self._read(record)
        except AnnotateError as error:
            _log.info("no thumbnail of %s: %s", record.path, error)
            return QImage()
        height, width = image.shape[:2]
        scale = self._ratio * min(THUMB_HEIGHT / height, THUMB_WIDTH / width)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small = np.ascontiguousarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        made = QImage(small.data, *size, 3 * size[0], QImage.Format.Format_RGB888).copy()
        made.setDevicePixelRatio(self._ratio)
        return made

    def _read(self, record: ImageRecord) -> Rgb:
        if record.frame is None:
            return read_image(
                record.path, least_size=self._least_size, is_wanted=self._is_wanted
            )
        return self._reader.read(record, self._is_wanted)

    def _is_wanted(self) -> bool:
        return not self._is_given_up
