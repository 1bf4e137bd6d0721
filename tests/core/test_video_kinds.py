"""Whatever kind of file it is, frame k is the k-th that OpenCV decodes from the start."""

import random
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from core.errors import ImageError
from core.video import Video


def write_clip(
    path: Path,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    *,
    n_frames: int = 90,
    size: tuple[int, int] = (96, 64),
    pix_fmt: str = "yuv420p",
    ticks: int = 1000,
    time_of: Callable[[int], int] = lambda k: k * 40,
) -> Path:
    """A picture that moves over the frames, with key frames as the options say.

    Args:
        ticks: a second.
        time_of: when a frame is shown, in ticks.
    """
    width, height = size
    picture = cv2.resize(
        np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8), (4 * width, height)
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, 25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.time_base = Fraction(1, ticks)
        for k in range(n_frames):
            shown = np.ascontiguousarray(picture[:, 2 * k : 2 * k + width])
            frame = av.VideoFrame.from_ndarray(shown).reformat(format=pix_fmt)
            frame.pts, frame.time_base = time_of(k), Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def digest(frame: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(frame))


def opencv_frames(path: Path) -> list[int]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    digests = []
    while (read := capture.read())[0]:
        digests.append(digest(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)))
    return digests


def assert_is_exact(path: Path) -> None:
    expected = opencv_frames(path)
    n = len(expected)
    shuffled = random.Random(0).sample(range(n), n)  # noqa: S311
    with Video(path) as video:
        assert video.n_frames == n
        for index in [*shuffled, *range(0, n, 3), *range(n - 1, -1, -1)]:
            assert digest(video.read_frame(index)) == expected[index], index
    for index in shuffled[:5]:  # the first that is asked for, nothing being kept
        with Video(path) as video:
            assert digest(video.read_frame(index)) == expected[index], index


B_FRAMES = "keyint=15:bframes=3:b-adapt=0:scenecut=0"
KINDS = {
    "b-frames.mp4": ("libx264", {"x264-params": B_FRAMES}, {}),
    "open-gop.mp4": ("libx264", {"x264-params": f"{B_FRAMES}:open-gop=1"}, {}),
    "open-gop.mkv": ("libx264", {"x264-params": f"{B_FRAMES}:open-gop=1"}, {}),
    "intra-refresh.mp4": ("libx264", {"x264-params": "intra-refresh=1:keyint=15"}, {}),
    "transport.ts": ("libx264", {"x264-params": B_FRAMES}, {}),
    "no-stamps.avi": ("libx264", {"x264-params": B_FRAMES}, {}),
    "hevc.mp4": ("libx265", {"x265-params": "keyint=15:bframes=3:log-level=none"}, {}),
    "mpeg2.mpg": ("mpeg2video", {"g": "12", "bf": "2"}, {"ticks": 25, "time_of": int}),
    "mpeg4-b.avi": ("mpeg4", {"g": "12", "bf": "2"}, {}),
    "mpeg4-b.mp4": ("mpeg4", {"g": "12", "bf": "2"}, {}),
    "hidden-frames.webm": (
        "libvpx",
        {"auto-alt-ref": "1", "lag-in-frames": "16", "g": "30", "deadline": "realtime"},
        {},
    ),
    "vp9.webm": ("libvpx-vp9", {"g": "20", "deadline": "realtime", "cpu-used": "8"}, {}),
    "intra-only.avi": ("mjpeg", {}, {"pix_fmt": "yuvj420p"}),
    "odd.mp4": ("libx264", {"x264-params": B_FRAMES}, {"size": (97, 63), "pix_fmt": "yuv444p"}),
    "odd.avi": ("mpeg4", {}, {"size": (97, 63)}),
    "ten-bits.mp4": ("libx265", {"x265-params": "log-level=none"}, {"pix_fmt": "yuv420p10le"}),
    "variable-rate.mp4": (
        "libx264",
        {"x264-params": B_FRAMES},
        {"time_of": lambda k: 40 * k + 17 * (k % 3) + 2000 * (k > 50)},
    ),
    "variable-rate.mkv": (
        "libx264",
        {"x264-params": B_FRAMES},
        {"time_of": lambda k: 10 * k + 3 * (k % 2) + 900 * (k > 20)},
    ),
    "one.mp4": ("libx264", {}, {"n_frames": 1}),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_frame_of_any_kind_of_file_is_exact(name, tmp_path):
    codec, options, more = KINDS[name]
    assert_is_exact(write_clip(tmp_path / name, codec, options, **more))


@pytest.mark.parametrize("name", ["cut.mkv", "cut.ts", "cut.avi"])
def test_of_a_file_that_was_cut_short_what_is_there_is_exact(name, tmp_path):
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    path = write_clip(tmp_path / name, codec, {"g": "15"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 5])
    assert_is_exact(path)


def test_an_mp4_that_was_cut_short_is_exact_or_one_sentence(tmp_path):
    front = write_clip(tmp_path / "front.mp4", options={"g": "15"})
    path = tmp_path / "cut.mp4"
    with av.open(str(front)) as source:
        options = {"movflags": "faststart"}
        with av.open(str(path), "w", options=options) as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
    for cut, source in ((path, path), (front, front)):
        data = source.read_bytes()
        cut.write_bytes(data[: len(data) * 3 // 5])
    assert_is_exact(path)  # its table is at the front
    with pytest.raises(ImageError, match=r"front\.mp4 cannot be decoded as a video; convert"):
        Video(front)


def test_a_file_with_sound_alone_is_one_sentence(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", 44100, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), "fltp", "mono")
        silence.sample_rate = 44100
        container.mux(stream.encode(silence))
        container.mux(stream.encode())
    with pytest.raises(ImageError, match=r"sound\.mp4 cannot be decoded as a video"):
        Video(path)


def test_a_damaged_frame_is_one_sentence_and_the_others_stay_what_they_are(tmp_path):
    path = write_clip(tmp_path / "v.mp4", "png", pix_fmt="rgb24", n_frames=20)
    expected = opencv_frames(path)
    with av.open(str(path)) as container:
        place = [packet.pos for packet in container.demux(video=0)][12]
    data = bytearray(path.read_bytes())
    data[place : place + 40] = bytes(40)
    path.write_bytes(data)
    with Video(path) as video:
        with pytest.raises(ImageError, match=r"Frame 12 of .*v\.mp4 cannot be decoded: it is"):
            video.read_frame(12)
        for index in (13, 11, 19):
            assert digest(video.read_frame(index)) == expected[index]
