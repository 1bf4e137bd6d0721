"""The image to be shown and its map, on their way from the disk: nobody waits long."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from threading import Lock
from typing import Final

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from app.image_file import ImageReader
from app.image_layer import ImageLayer
from core.images import Rgb, Values
from core.panoptic import PanopticMap
from core.store import AnnotationStore, ImageRecord

MAX_SMALL: Final = 1_000_000  # pixels that are read in less time than anybody notices
PATIENCE_S: Final = 0.1  # a picture that comes this soon does not make the canvas flicker
N_THREADS: Final = 2  # some decoders cannot be stopped; the next image does not wait for them

LoadMap = Callable[[int], PanopticMap]
Reading = Future[tuple[ImageLayer, PanopticMap]]


class PictureReader(QObject):
    """Reads one image at a time: a small file at once, anything else in a thread.

    Signals:
        done(Reading): of the image asked for last; its result is picture and map, or raises.
    """

    done = Signal(object)
    _read = Signal(object)

    def __init__(self, store: AnnotationStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._wanted: Reading | None = None
        self._video_reader = ImageReader()
        self._video_lock = Lock()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(N_THREADS)
        self._read.connect(self._on_read)

    @property
    def is_reading(self) -> bool:
        """Whether `done` is still to come."""
        return self._wanted is not None

    @property
    def fps(self) -> float:
        """Frames a second of the video that was read last; 0.0 for not known."""
        return self._video_reader.fps

    def read(self, record: ImageRecord) -> None:
        """Read an image; `done` follows, perhaps at once, unless another is wanted by then."""
        self.forget()
        reading = self._wanted = Reading()
        if record.frame is None and record.height * record.width <= MAX_SMALL:
            self._fill(reading, record, self._store.load_map)
        else:
            self._pool.start(partial(self._work, reading, record))
            wait([reading], PATIENCE_S)
        if reading.done():
            self._on_read(reading)

    def forget(self) -> None:
        """Want no image any more; what has not begun will not, what has ends soon."""
        if self._wanted is not None:
            self._wanted.cancel()
        self._wanted = None

    def stop(self) -> None:
        """Want nothing and let the threads end."""
        self.forget()
        self._pool.waitForDone()
        self._video_reader.close()

    def _work(self, reading: Reading, record: ImageRecord) -> None:
        """In a thread: read, unless it is no longer wanted."""
        if reading.set_running_or_notify_cancel():
            self._fill(reading, record, self._load_map)
            self._read.emit(reading)

    def _fill(self, reading: Reading, record: ImageRecord, load_map: LoadMap) -> None:
        try:
            picture = ImageLayer(*self._load_pixels(reading, record))
            reading.set_result((picture, load_map(record.id)))
        except Exception as error:  # noqa: BLE001 - whoever asks for the result meets it
            reading.set_exception(error)

    def _load_pixels(self, reading: Reading, record: ImageRecord) -> tuple[Rgb, Values]:
        def is_wanted() -> bool:
            return reading is self._wanted

        if record.frame is None:
            return ImageReader().read_values(record, is_wanted)
        with self._video_lock:
            return self._video_reader.read_values(record, is_wanted)

    def _load_map(self, image_id: int) -> PanopticMap:
        """In a thread: the map, through a connection of its own, and counted."""
        with AnnotationStore.open(self._store.path, is_read_only=True) as store:
            map = store.load_map(image_id)
        map.areas()
        return map

    @Slot(object)
    def _on_read(self, reading: Reading) -> None:
        if reading is self._wanted:
            self._wanted = None
            self.done.emit(reading)
