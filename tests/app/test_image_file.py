"""Pixels of files and of frames, of the size that the project knows."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from app.image_file import ImageReader
from core import video
from core.errors import ImageError
from core.store import ImageRecord
from core.video import Video


def write_video(path: Path, n_frames: int) -> Path:
    """A video of 64 x 48 whose frames grow brighter by 20."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(n_frames):
        writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    writer.release()
    return path


@pytest.fixture
def opened(monkeypatch) -> list[Path]:
    """Every video that is opened, in order."""
    paths: list[Path] = []

    def open_video(path: Path, progress) -> Video:
        paths.append(path)
        return Video(path, progress)

    monkeypatch.setattr(video, "Video", open_video)
    return paths


def frame(path: Path, number: int) -> ImageRecord:
    return ImageRecord(1 + number, path, number, 48, 64, 0)


def test_a_video_is_opened_once_for_all_its_frames(tmp_path, opened) -> None:
    path, reader = write_video(tmp_path / "a.avi", 6), ImageReader()
    shades = [reader.read(frame(path, number)).mean() for number in (0, 1, 5, 2)]
    assert np.allclose(shades, [0, 20, 100, 40], atol=2)
    assert opened == [path]


def test_another_video_takes_the_place_of_the_last_one(tmp_path, opened) -> None:
    first, second = (write_video(tmp_path / name, 2) for name in ("a.avi", "b.avi"))
    reader = ImageReader()
    for path in (first, second, second, first):
        reader.read(frame(path, 1))
    assert opened == [first, second, first]


def test_a_video_that_was_written_anew_is_opened_again(tmp_path, opened) -> None:
    path, reader = write_video(tmp_path / "a.avi", 3), ImageReader()
    reader.read(frame(path, 2))
    write_video(path, 5)
    os.utime(path, ns=(0, 0))
    assert reader.read(frame(path, 4)).mean() == pytest.approx(80, abs=2)
    assert opened == [path, path]


def test_a_video_that_is_shorter_now_is_a_sentence(tmp_path) -> None:
    path = write_video(tmp_path / "a.avi", 3)
    with pytest.raises(ImageError, match=r"a\.avi has 3 frames but had more than 7"):
        ImageReader().read(frame(path, 7))


def test_a_video_that_is_gone_is_a_sentence_also_when_it_was_open(tmp_path) -> None:
    path, reader = write_video(tmp_path / "a.avi", 3), ImageReader()
    reader.read(frame(path, 0))
    path.unlink()
    with pytest.raises(ImageError, match=r"a\.avi"):
        reader.read(frame(path, 1))


def test_an_image_of_another_size_is_refused(tmp_path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (30, 20)).save(path)
    record = ImageRecord(1, path, None, 48, 64, 0)
    with pytest.raises(ImageError, match=r"has 30 x 20 pixels but was added .* with 64 x 48"):
        ImageReader().read(record)


def test_a_video_that_nobody_wants_is_not_counted_to_its_end(tmp_path) -> None:
    reader, record = ImageReader(), frame(write_video(tmp_path / "a.avi", 3), 1)
    with pytest.raises(ImageError, match="not wanted any more"):
        reader.read(record, lambda: False)
    assert reader.read(record).mean() == pytest.approx(20, abs=2)
