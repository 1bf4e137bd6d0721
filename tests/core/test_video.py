"""Frame k is the k-th that decoding from the start gives, in whatever order they are asked."""

import random
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import ImageError
from core.images import read_image
from core.video import Video

REAL_VIDEOS = [
    *("videos/bigbuckbunny.mp4", "videos/bottle-detection.mp4", "videos/car-detection.mp4"),
    *("videos/dog.mp4", "videos/juggle.mp4", "videos/one-by-one-person-detection.mp4"),
    *("videos/sign-book.mkv", "videos/tree.avi", "videos/vtest.avi"),
    *("davis/train/videos/bmx-trees.mp4", "davis/train/videos/car-shadow.mp4"),
    "davis/val/videos/schoolgirls.mp4",
]


def write_video(path: Path, n_frames: int = 60, codec: str = "MJPG") -> Path:
    """A video of 96 x 64 whose frame k is red, then grey of brightness 4 k, then noise."""
    noise = np.random.default_rng(0)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25, (96, 64))
    for k in range(n_frames):
        frame = np.full((64, 96, 3), 4 * k, np.uint8)
        frame[:, :32] = (0, 0, 255)
        frame[:, 64:] = noise.integers(0, 256, (64, 32, 3))
        writer.write(frame)
    writer.release()
    return path


def number(frame: np.ndarray) -> int:
    return round(frame[32, 48].mean() / 4)


def digest(frame: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(frame))


def decode_from_start(path: Path) -> list[int]:
    """A digest of every frame, by one sequential pass of OpenCV."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    digests = []
    while True:
        is_decoded, bgr = capture.read()
        if not is_decoded:
            return digests
        digests.append(digest(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)))


@pytest.mark.parametrize("name", REAL_VIDEOS)
def test_frames_in_any_order_equal_a_sequential_decode(name, shared_dir):
    path = shared_dir / "data" / name
    expected = decode_from_start(path)
    with Video(path) as video:
        assert video.n_frames == len(expected)
        assert video.read_frame(0).shape == (video.height, video.width, 3)
        somewhere = random.Random(0).sample(range(video.n_frames), 8)  # noqa: S311
        steps = [*range(video.n_frames - 1, video.n_frames - 20, -1), 0, 1, 30, 20]
        for index in [*somewhere, *steps]:
            assert digest(video.read_frame(index)) == expected[index]


def test_frames_are_the_pictures_that_davis_saved_of_them(shared_dir):
    val = shared_dir / "data/davis/val"
    with Video(val / "videos/schoolgirls.mp4") as video:
        for index in (79, 0, 41):
            picture = read_image(val / f"images/schoolgirls_{index:05d}.jpg")
            apart = np.abs(video.read_frame(index).astype(int) - picture)
            assert apart.mean() < 2, index  # a JPEG's loss; the frames beside differ by more
            beside = np.abs(video.read_frame(max(index - 1, 1)).astype(int) - picture)
            assert beside.mean() > 2 * apart.mean()


def test_a_video_without_time_stamps_is_read_exactly(shared_dir, tmp_path):
    source = str(shared_dir / "data/videos/juggle.mp4")
    packets = cv2.VideoCapture(source, cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    path = tmp_path / "raw.h264"
    path.write_bytes(b"".join(packets.read()[1].tobytes() for _ in range(80)))
    expected = decode_from_start(path)
    with Video(path) as video:
        assert video.n_frames == len(expected) == 80
        for index in (70, 3, 7, 0, 79, 66, 65):
            assert digest(video.read_frame(index)) == expected[index]


@pytest.mark.parametrize(("suffix", "codec"), [(".avi", "MJPG"), (".mp4", "mp4v")])
def test_size_rate_count_and_colours_are_the_files(suffix, codec, tmp_path):
    with Video(write_video(tmp_path / f"v{suffix}", codec=codec)) as video:
        assert (video.height, video.width, video.n_frames, video.fps) == (64, 96, 60, 25.0)
        frame = video.read_frame(40)
        assert abs(frame[32, 48].mean() - 160) < 6
        red, green, blue = frame[32, 8]
        assert red > 240
        assert max(green, blue) < 15


def test_every_frame_is_found_forwards_and_backwards(tmp_path):
    with Video(write_video(tmp_path / "v.avi")) as video:
        assert [number(video.read_frame(k)) for k in range(60)] == list(range(60))
        assert [number(video.read_frame(k)) for k in range(59, -1, -1)] == list(
            range(59, -1, -1)
        )


def test_a_frame_may_be_changed_without_harm(tmp_path):
    with Video(write_video(tmp_path / "v.avi")) as video:
        video.read_frame(5)[:] = 0
        assert number(video.read_frame(5)) == 5


def test_only_frames_that_can_be_decoded_are_counted(tmp_path):
    path = write_video(tmp_path / "v.avi")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with Video(path) as video:
        assert 20 < video.n_frames < 40
        assert number(video.read_frame(video.n_frames - 1)) == video.n_frames - 1


def test_rotation_is_applied(tmp_path):
    path = write_video(tmp_path / "v.mp4", codec="mp4v")
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    struct.pack_into(">9i", data, matrix, 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)  # clockwise
    path.write_bytes(data)
    with Video(path) as video:
        assert (video.height, video.width) == (96, 64)
        frame = video.read_frame(3)
        assert frame.shape == (96, 64, 3)
        assert frame[8, 32, 0] > 240  # what was left is up
        assert frame[48, 32, 0] < 30


def test_counting_is_reported_and_can_be_cancelled(tmp_path):
    path = write_video(tmp_path / "v.avi")
    told = []
    Video(path, progress=told.append).close()
    assert told == list(range(1, 61))

    def cancel(n_frames):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Video(path, progress=cancel)


def test_a_number_that_no_frame_has_is_a_callers_mistake(tmp_path):
    with Video(write_video(tmp_path / "v.avi", 3)) as video:
        for index in (-1, 3):
            with pytest.raises(ValueError, match="has frames 0 to 2"):
                video.read_frame(index)


def test_a_file_that_changes_while_open_is_named(tmp_path):
    path = write_video(tmp_path / "v.avi")
    with Video(path) as video:
        path.write_bytes(path.read_bytes()[:20_000])
        with pytest.raises(ImageError, match=r"v\.avi cannot be decoded: .* changed since"):
            video.read_frame(59)
        assert number(video.read_frame(0)) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"just text, no video " * 50, "cannot be decoded as a video"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "cannot be decoded as a video"),
    ],
)
def test_what_is_no_video_is_named(content, words, tmp_path, capfd):
    (tmp_path / "v.mp4").write_bytes(content)
    with pytest.raises(ImageError, match=words):
        Video(tmp_path / "v.mp4")
    assert capfd.readouterr() == ("", "")


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        Video(tmp_path / "none.mp4")
    with pytest.raises(ImageError, match="is a folder"):
        Video(tmp_path)


def test_a_video_without_a_frame_is_named(tmp_path):
    path = write_video(tmp_path / "v.avi", 3)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + 4])
    with pytest.raises(ImageError, match="can be decoded"):
        Video(path)
