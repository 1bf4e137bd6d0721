"""Video frames by number, exactly: frame k is the k-th that decoding from the start gives.

Containers lie about how many frames they hold, and seeking lands where the file likes. So a
video's packets are read once when it is opened (all frames are decoded if packets do not tell,
see `core.frame_index`), and each frame is known by its time stamp from then on. After a jump,
the time stamp tells which frame was reached; a frame that comes before a key frame when shown
but after it in the file is decoded from the key frame before. Where time stamps do not tell
frames apart, frames are counted from the start.

PyAV and not OpenCV: both bring FFmpeg and give the same pixels, but OpenCV shows no packets, so
opening a video meant decoding all of it, and it does not say what kind of frame a jump reached.
"""

import math
import os
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final, Self

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from core.errors import ImageError
from core.frame_index import FrameIndex, index_frames, index_packets, is_intra
from core.images import Rgb, check_file

CACHE_BYTES: Final = 128 * 2**20
MAX_THREADS: Final = 4
HEAD: Final = 8  # frames that are decoded when opening, to see that they are those of packets

av.logging.set_level(None)  # FFmpeg's own lines; our errors say what matters


class Video:
    """A video file, open for reading frames in any order; not for two threads at once.

    Attributes:
        height, width: of every frame, after the rotation that the file asks for.
        n_frames: how many can be decoded, whatever the container says. A frame that is damaged
            in the midst of the file has its number too; reading it says so.
        fps: frames a second on average, 0.0 if not known.
    """

    def __init__(self, path: Path, progress: Callable[[int], None] | None = None) -> None:
        """Open a video and find its frames.

        Args:
            progress: told after each frame how many there are so far; an exception cancels.

        Raises:
            ImageError: the file is missing, unreadable, empty, no video, or without a frame.
        """
        check_file(path)
        self.path = path
        self._reformatter = VideoReformatter()
        self._cache: dict[int, VideoFrame] = {}  # the frames decoded last, oldest first
        self._n_cached = HEAD
        self._not_keys: set[int] = set()  # time stamps of key frames that are none
        self._container, self._stream = self._open()
        try:
            self._index = self._find_frames(progress)
            self._index_of = {stamp: k for k, stamp in enumerate(self._index.stamps)}
            first = self._to_rgb(self._decoded(0))
        except BaseException:
            self.close()
            raise
        self.n_frames = self._index.n_frames
        self.height, self.width = first.shape[:2]
        self.fps = _rate(self._stream)
        size = sum(plane.buffer_size for plane in self._cache[0].planes)
        self._n_cached = max(CACHE_BYTES // size, HEAD)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._container.close()
        self._cache.clear()

    def read_frame(self, index: int) -> Rgb:
        """Decode one frame: uint8 [height, width, 3], RGB; a copy that the caller may change.

        Raises:
            ImageError: the frame is damaged, the file changed since it was opened, or frames
                differ in size.
            ValueError: there is no such frame.
        """
        if not 0 <= index < self.n_frames:
            raise ValueError(f"{self.path} has frames 0 to {self.n_frames - 1}, not {index}")
        frame = self._to_rgb(self._decoded(index))
        if frame.shape != (self.height, self.width, 3):
            raise ImageError(
                f"{self.path} changes its size at frame {index}; cut it into two videos."
            )
        return frame

    def _open(self) -> tuple[InputContainer, VideoStream]:
        """Open the file at its start."""
        try:
            container = av.open(str(self.path.absolute()))
        except (av.FFmpegError, OSError) as error:
            raise ImageError(
                f"{self.path} cannot be decoded as a video; convert it to MP4."
            ) from error
        stream = _find_stream(container)
        if stream is None:
            container.close()
            raise ImageError(f"{self.path} cannot be decoded as a video; convert it to MP4.")
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = min(os.cpu_count() or 1, MAX_THREADS)
        return container, stream

    def _find_frames(self, progress: Callable[[int], None] | None) -> FrameIndex:
        """Find the frames, by packets if the first frames agree with them."""
        codec = self._stream.codec_context.name
        index = index_packets(self._container.demux(self._stream), codec, progress)
        self._rewind()
        if index is None or not self._begins_with(index.stamps[:HEAD]):
            self._rewind()
            index = index_frames(self._frames, progress)
        if not index.n_frames:
            raise ImageError(
                f"{self.path} has no frame that can be decoded; convert it to MP4."
            )
        self._rewind()
        return index

    def _begins_with(self, stamps: tuple[int, ...]) -> bool:
        found = tuple(frame.pts for frame, _ in zip(self._frames, stamps, strict=False))
        return found == stamps

    def _rewind(self) -> None:
        """Go to the start; opening anew is the one way that every kind of file knows."""
        self._container.close()
        self._container, self._stream = self._open()
        self._frames = self._decode()
        self._at = -1  # index of the frame that the decoder gave last

    def _decode(self) -> Iterator[VideoFrame]:
        """All frames from where the file is; what cannot be decoded is left out."""
        stream = self._stream
        for packet in chain(_until_error(self._container.demux(stream)), [None]):
            with suppress(av.FFmpegError):  # the last one says that nothing is left, too
                yield from stream.decode(packet)

    def _decoded(self, index: int) -> VideoFrame:
        if index not in self._cache and not self._decode_to(index):
            self._rewind()
            if not self._advance(index):
                raise ImageError(
                    f"Frame {index} of {self.path} cannot be decoded: it is damaged, or the "
                    "file has changed since it was opened; open it again or copy it anew."
                )
        return self._cache[index]

    def _decode_to(self, index: int) -> bool:
        """Put a frame into the cache, with those before it as far as they are kept."""
        stamps, keys = self._index.stamps, self._index.keys
        usable = keys[: bisect_right(keys, stamps[index])] if stamps else ()
        if index <= self._at or (usable and self._index_of[usable[-1]] > self._at + HEAD):
            self._jump(usable)
        return self._advance(index)

    def _jump(self, keys: Sequence[int]) -> None:
        """Go to the last of these key frames that is one, or to the start."""
        for key in reversed(keys[1:]):
            if key not in self._not_keys:
                if self._reach(key):
                    return
                self._not_keys.add(key)
        self._rewind()

    def _reach(self, key: int) -> bool:
        """Go to the key frame with a time stamp; False if decoding cannot begin there."""
        try:
            self._container.seek(key, stream=self._stream)
        except av.FFmpegError:
            return False
        self._frames = self._decode()
        for frame in self._frames:
            if frame.pts is None or frame.pts > key:
                return False
            if frame.pts == key and is_intra(frame):
                self._keep(self._index_of[key], frame)
                return True
        return False

    def _advance(self, index: int) -> bool:
        """Decode on to a frame; False if it does not come."""
        while self._at < index:
            frame = next(self._frames, None)
            if frame is None:
                return False
            number = self._at + 1
            if self._index.stamps:
                number = self._index_of.get(frame.pts, -1) if frame.pts is not None else -1
            if number <= self._at:
                return False
            self._keep(number, frame)
        return index in self._cache

    def _keep(self, index: int, frame: VideoFrame) -> None:
        self._at = index
        self._cache.pop(index, None)
        self._cache[index] = frame
        while len(self._cache) > self._n_cached:
            del self._cache[next(iter(self._cache))]

    def _to_rgb(self, frame: VideoFrame) -> Rgb:
        """The pixels turned as the file asks for; each is what OpenCV's reader makes of it."""
        bgr = self._reformatter.reformat(
            frame, format="bgr24", interpolation=Interpolation.BICUBIC
        )
        rgb = cv2.cvtColor(bgr.to_ndarray(), cv2.COLOR_BGR2RGB)
        return np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90) % 4), np.uint8)


def _find_stream(container: InputContainer) -> VideoStream | None:
    """The first video that is more than the picture of a cover."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def _until_error(packets: "Iterator[Packet[VideoStream]]") -> "Iterator[Packet[VideoStream]]":
    """Packets up to where the file is cut short; the decoder may hold frames then."""
    with suppress(av.FFmpegError):
        yield from packets


def _rate(stream: VideoStream) -> float:
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    return rate if 0 < rate < math.inf else 0.0


def read_rate(path: Path) -> float:
    """Frames a second on average, from the file's header; 0.0 if that cannot be read."""
    try:
        with av.open(str(path.absolute())) as container:
            stream = _find_stream(container)
            return 0.0 if stream is None else _rate(stream)
    except (av.FFmpegError, OSError):
        return 0.0
