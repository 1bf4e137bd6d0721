"""Images and videos on their way into a project: measured in a thread, added in batches."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from core.errors import AnnotateError, ImageError
from core.images import IMAGE_SUFFIXES, VIDEO_SUFFIXES, list_images, read_size
from core.store import AnnotationStore

ImageRow = tuple[Path, int | None, int, int]  # path, frame, height, width
BATCH: Final = 500
COUNT_EVERY: Final = 50


def is_video(path: Path) -> bool:
    """Whether a file is a video, by its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def find_sources(path: Path) -> list[Path]:
    """The images of a folder, or the one image or video that a path names.

    Raises:
        ImageError: the folder holds no images, or the file is of another kind.
    """
    if path.is_dir():
        images = list_images(path)
        if not images:
            raise ImageError(f"The folder {path} holds no images; choose another one.")
        return images
    if is_video(path) or path.suffix.lower() in IMAGE_SUFFIXES:
        return [path]
    raise ImageError(
        f"{path} is no image, video or project that Bitbrush knows; convert it to PNG or JPEG."
    )


def find_new(store: AnnotationStore, sources: Sequence[Path]) -> list[Path]:
    """Those files that the project does not have yet."""
    found = store.find_images(sources)
    return [path for path, known in zip(sources, found, strict=True) if known is None]


class Look(QObject):
    """Looks in a thread for images of a folder that its project does not have yet.

    Signals:
        found(list[Path]): these, in order; perhaps none.
        failed(str): the folder or the project cannot be read.
    """

    found = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)

    def start(self, project: Path, folder: Path) -> None:
        """Begin; `found` or `failed` follows."""
        self._pool.start(partial(self._work, project, folder))

    def _work(self, project: Path, folder: Path) -> None:
        """In the thread: list the folder; a large one takes seconds."""
        try:
            sources = list_images(folder)
            with AnnotationStore.open(project, is_read_only=True) as store:
                new = find_new(store, sources)
        except AnnotateError as error:
            self.failed.emit(str(error))
        else:
            self.found.emit(new)


class Intake(QObject):
    """Adds files to a project without keeping the window waiting.

    What cannot be read is left out and said at the end; what was added before a cancel stays.

    Signals:
        progressed(int, int): so many files of so many are done.
        counted(int): so many frames of the video in hand have been counted.
        finished(list[str]): all is done; a sentence for each file that was left out.
        failed(str): the project file let us down; nothing more is added.
    """

    progressed = Signal(int, int)
    counted = Signal(int)
    finished = Signal(object)
    failed = Signal(object)
    _measured = Signal(object, int)
    _measured_all = Signal(object)

    def __init__(self, store: AnnotationStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._sources: Sequence[Path] = ()
        self._is_cancelled = Event()
        self._pool = QThreadPool(self)
        self._measured.connect(self._on_measured)
        self._measured_all.connect(self._on_measured_all)

    def start(self, sources: Sequence[Path]) -> None:
        """Begin with these files; `finished` or `failed` follows."""
        self._sources = sources
        self._pool.start(self._work)

    def cancel(self) -> None:
        """Stop soon; `finished` follows."""
        self._is_cancelled.set()

    def abandon(self) -> None:
        """Stop for good and tell nobody: the project is about to be closed."""
        self._is_cancelled.set()
        self._measured.disconnect(self._on_measured)
        self._measured_all.disconnect(self._on_measured_all)
        self._pool.waitForDone()

    def _work(self) -> None:
        """In the thread: read the sizes."""
        refused: list[str] = []
        rows: list[ImageRow] = []
        for n_done, path in enumerate(self._sources, start=1):
            if self._is_cancelled.is_set():
                break
            try:
                rows.extend(self._measure(path))
            except AnnotateError as error:
                refused.append(str(error))
            if len(rows) >= BATCH or n_done == len(self._sources):
                self._measured.emit(rows, n_done)
                rows = []
        self._measured_all.emit(refused)

    def _measure(self, path: Path) -> Iterator[ImageRow]:
        if not is_video(path):
            yield (path, None, *read_size(path))
            return
        from core.video import Video  # noqa: PLC0415 - brings FFmpeg

        with Video(path, self._on_frame_counted) as video:
            for frame in range(video.n_frames):
                yield path, frame, video.height, video.width

    def _on_frame_counted(self, n_frames: int) -> None:
        if self._is_cancelled.is_set():
            raise ImageError("The video was not added: counting its frames was cancelled.")
        if n_frames % COUNT_EVERY == 0:
            self.counted.emit(n_frames)

    @Slot(object, int)
    def _on_measured(self, rows: list[ImageRow], n_done: int) -> None:
        try:
            self._store.add_images(rows)
        except AnnotateError as error:
            self._is_cancelled.set()
            self._measured_all.disconnect(self._on_measured_all)
            self.failed.emit(str(error))
        else:
            self.progressed.emit(n_done, len(self._sources))

    @Slot(object)
    def _on_measured_all(self, refused: list[str]) -> None:
        self.finished.emit(refused)
