"""The pixels behind an image record: of a file, or of one frame of a video."""

from collections.abc import Callable
from os import stat_result
from typing import TYPE_CHECKING

from core.errors import ImageError
from core.images import Rgb, Values, read_values
from core.store import ImageRecord

if TYPE_CHECKING:
    from core.video import Video


class ImageReader:
    """Reads one record after another, in one thread.

    The last video stays open, for opening one reads all of its file to find its frames.
    """

    def __init__(self) -> None:
        self._video: Video | None = None
        self._video_status: stat_result | None = None

    def read(self, record: ImageRecord, is_wanted: Callable[[], bool] = lambda: True) -> Rgb:
        """Read an image, uint8 [H, W, 3] RGB, as `read_values` does."""
        return self.read_values(record, is_wanted)[0]

    def read_values(
        self, record: ImageRecord, is_wanted: Callable[[], bool] = lambda: True
    ) -> tuple[Rgb, Values]:
        """Read an image of the size that the project knows, and the values behind it.

        Args:
            record: of the image.
            is_wanted: asked again and again; False ends the reading.

        Returns:
            uint8 [H, W, 3] RGB, and what the file stores, as `core.images.read_values` does.

        Raises:
            ImageError: the file is missing or damaged, or is another one now; or it is not
                wanted any more.
        """
        if record.frame is None:
            image, values = read_values(record.path, is_wanted=is_wanted)
        else:
            image = values = self._read_frame(record, record.frame, is_wanted)
        height, width = image.shape[:2]
        if (height, width) != (record.height, record.width):
            raise ImageError(
                f"{record.path} has {width} x {height} pixels but was added to the project "
                f"with {record.width} x {record.height}; put the first image back to go on "
                "with its map."
            )
        return image, values

    @property
    def fps(self) -> float:
        """Frames a second of the last video; 0.0 for not known."""
        video = self._video
        return 0.0 if video is None else video.fps

    def close(self) -> None:
        """Let the video's file go."""
        if self._video is not None:
            self._video.close()
        self._video = None

    def _read_frame(
        self, record: ImageRecord, frame: int, is_wanted: Callable[[], bool]
    ) -> Rgb:
        video = self._open(record, is_wanted)
        if frame >= video.n_frames:
            raise ImageError(
                f"{record.path} has {video.n_frames} frames but had more than {frame} when it "
                "was added to the project; put the first video back to go on with its maps."
            )
        return video.read_frame(frame)

    def _open(self, record: ImageRecord, is_wanted: Callable[[], bool]) -> "Video":
        """The record's video; one that was written anew is opened again."""
        from core.video import Video  # noqa: PLC0415 - brings FFmpeg

        try:
            status = record.path.stat()
        except OSError:
            status = None  # opening it says what is wrong
        old, old_status = self._video, self._video_status
        if old is not None and old.path == record.path and _are_same(old_status, status):
            return old
        self.close()

        def check(_n_frames: int) -> None:
            if not is_wanted():
                raise ImageError(f"{record.path} was not opened: it is not wanted any more.")

        self._video, self._video_status = Video(record.path, check), status
        return self._video


def _are_same(first: stat_result | None, second: stat_result | None) -> bool:
    """Whether a file was not written to between two looks at it."""
    if first is None or second is None:
        return False
    return (first.st_mtime_ns, first.st_size) == (second.st_mtime_ns, second.st_size)
