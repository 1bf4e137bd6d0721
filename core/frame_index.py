"""Which frames a video file holds, and where decoding may begin, from its packets alone.

Reading packets takes milliseconds where decoding takes minutes. They tell the frames if each of
them holds one, whole and with a time stamp of its own; else all frames must be decoded.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import av
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

# Codecs of which a packet is a frame. Of others it may be half of one, two, or a picture that
# is never shown: VP8's alternative references, or MPEG-4 as DivX packed it.
ONE_FRAME_A_PACKET: Final = frozenset(
    {
        "av1",
        "cinepak",
        "ffv1",
        "h264",
        "hevc",
        "libdav1d",
        "mjpeg",
        "mpeg4",
        "png",
        "prores",
        "vp9",
    }
)


@dataclass(frozen=True, slots=True)
class FrameIndex:
    """The frames of a video in the order in which they are shown.

    Attributes:
        n_frames: how many there are.
        stamps: the time stamp of each, rising; empty if they cannot be told apart by it.
        keys: time stamps of the frames at which decoding may begin, rising; none if `stamps`
            is empty.
    """

    n_frames: int
    stamps: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()


def index_packets(
    packets: "Iterable[Packet[VideoStream]]",
    codec: str,
    progress: Callable[[int], None] | None = None,
) -> FrameIndex | None:
    """Find the frames without decoding any.

    Args:
        packets: of the video from its start to its end.
        codec: its name, as FFmpeg has it.
        progress: told after each packet how many there are so far; an exception cancels.

    Returns:
        The frames; None if only decoding can tell.
    """
    if codec not in ONE_FRAME_A_PACKET:
        return None
    stamps, keys = list[int](), list[int]()
    try:
        for packet in packets:
            if packet.size == 0 and packet.dts is None:
                continue  # the last one, by which FFmpeg says that nothing follows
            if packet.size == 0 or packet.pts is None or packet.is_corrupt:
                return None
            if packet.is_discard:  # by an edit list; others may still be built on it
                continue
            stamps.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
            if progress is not None:
                progress(len(stamps))
    except av.FFmpegError:
        return None
    if len(set(stamps)) < len(stamps):
        return None
    return FrameIndex(len(stamps), tuple(sorted(stamps)), tuple(sorted(keys)))


def index_frames(
    frames: Iterable[VideoFrame], progress: Callable[[int], None] | None = None
) -> FrameIndex:
    """Find the frames by decoding them all, from the first to the last.

    Args:
        progress: told after each frame how many there are so far; an exception cancels.
    """
    stamps, keys, n_frames = list[int](), list[int](), 0
    for frame in frames:
        n_frames += 1
        if frame.pts is not None:
            stamps.append(frame.pts)
            if is_intra(frame):
                keys.append(frame.pts)
        if progress is not None:
            progress(n_frames)
    if len(stamps) == n_frames and stamps == sorted(set(stamps)):
        return FrameIndex(n_frames, tuple(stamps), tuple(sorted(keys)))
    return FrameIndex(n_frames)


def is_intra(frame: VideoFrame) -> bool:
    """Whether a frame was decoded without others, so that decoding may begin with it.

    What a container says of it is not enough: it may call any packet a key frame, and H.264
    has key frames that are whole only after some more (intra refresh).
    """
    return frame.key_frame and frame.pict_type in {PictureType.I, PictureType.NONE}
