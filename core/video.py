"""Video frames by number, exactly: frame k is the k-th that decoding from the start gives.

Containers lie about how many frames they hold, and seeking lands where the decoder likes. So a
video is decoded once when it is opened, to count its frames and to note each one's time stamp;
after a jump, the time stamp tells which frame was reached. Where time stamps do not rise, or a
jump lands nowhere known, frames are decoded from the start.
"""

import math
import operator
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np

from core.errors import ImageError
from core.images import Rgb, check_file

VIDEO_SUFFIXES: Final = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm"})
CACHE_BYTES: Final = 128 * 2**20
MAX_CACHED: Final = 32
NEAR: Final = 48  # frames ahead: decoding on is quicker than a jump to a key frame before

# FFmpeg's own lines on standard error; must be set before OpenCV opens its first video.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class Video:
    """A video file, open for reading frames in any order; not for two threads at once.

    Attributes:
        height, width: of every frame, after the rotation that the file asks for.
        n_frames: how many can be decoded, whatever the container says.
        fps: frames a second as the container says, 0.0 if it does not.
    """

    def __init__(self, path: Path, progress: Callable[[int], None] | None = None) -> None:
        """Open a video and decode it once, to count its frames.

        Args:
            progress: told after each frame how many there are so far; an exception cancels.

        Raises:
            ImageError: the file is missing, unreadable, empty, no video, or without a frame.
        """
        check_file(path)
        self.path = path
        self._capture = self._open()
        self._stamps_ms = self._decode_all(progress)
        self._index_of = {stamp: index for index, stamp in enumerate(self._stamps_ms)}
        self._can_jump = all(map(operator.lt, self._stamps_ms, self._stamps_ms[1:]))
        self.n_frames = len(self._stamps_ms)
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps < math.inf else 0.0
        self._at = -1  # index of the frame that the decoder gave last
        self._cache: dict[int, Rgb] = {}  # the frames decoded last, oldest first
        self._n_cached = 1
        self._rewind()
        self._decode_to(0)
        self.height, self.width = self._cache[0].shape[:2]
        self._n_cached = min(max(CACHE_BYTES // self._cache[0].nbytes, 2), MAX_CACHED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._capture.release()
        self._cache.clear()

    def read_frame(self, index: int) -> Rgb:
        """Decode one frame: uint8 [height, width, 3], RGB; a copy that the caller may change.

        Raises:
            ImageError: the file changed since it was opened, or frames differ in size.
            ValueError: there is no such frame.
        """
        if not 0 <= index < self.n_frames:
            raise ValueError(f"{self.path} has frames 0 to {self.n_frames - 1}, not {index}")
        if index not in self._cache:
            self._decode_to(index)
        frame = self._cache[index]
        if frame.shape != (self.height, self.width, 3):
            raise ImageError(
                f"{self.path} changes its size at frame {index}; cut it into two videos."
            )
        return frame.copy()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self.path.absolute()), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise ImageError(f"{self.path} cannot be decoded as a video; convert it to MP4.")
        return capture

    def _decode_all(self, progress: Callable[[int], None] | None) -> list[float]:
        """The time stamp of every frame."""
        stamps_ms = []
        while self._capture.grab():
            stamps_ms.append(self._capture.get(cv2.CAP_PROP_POS_MSEC))
            if progress is not None:
                progress(len(stamps_ms))
        if not stamps_ms:
            raise ImageError(
                f"{self.path} has no frame that can be decoded; convert it to MP4."
            )
        return stamps_ms

    def _decode_to(self, index: int) -> None:
        """Put a frame into the cache, with those before it as far as they are kept."""
        if self._can_jump and not self._at < index <= self._at + NEAR:
            self._jump(max(0, index - self._n_cached // 2))  # stepping back is quick then
        elif index <= self._at:
            self._rewind()
        if not self._advance(index):
            self._rewind()
            if not self._advance(index):
                raise ImageError(f"{self.path} changed since it was opened; open it again.")

    def _jump(self, index: int) -> None:
        """Go to a frame that is not after index, and known for sure by its time stamp."""
        self._capture.set(cv2.CAP_PROP_POS_MSEC, self._stamps_ms[index])
        is_grabbed = self._capture.grab()
        reached = self._index_of.get(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        if not is_grabbed or reached is None or reached > index:
            self._rewind()
        else:
            self._at = reached
            self._keep()

    def _rewind(self) -> None:
        self._capture.release()
        self._capture = self._open()
        self._at = -1

    def _advance(self, index: int) -> bool:
        """Decode on to a frame; False if a time stamp is not the one noted when counting."""
        while self._at < index:
            is_grabbed = self._capture.grab()
            stamp_ms = self._capture.get(cv2.CAP_PROP_POS_MSEC)
            if not is_grabbed or stamp_ms != self._stamps_ms[self._at + 1]:
                return False
            self._at += 1
            if self._at > index - self._n_cached:
                self._keep()
        return index in self._cache

    def _keep(self) -> None:
        """Put the frame that was decoded last into the cache."""
        is_decoded, bgr = self._capture.retrieve()
        if is_decoded:
            self._cache.pop(self._at, None)
            self._cache[self._at] = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            while len(self._cache) > self._n_cached:
                del self._cache[next(iter(self._cache))]
