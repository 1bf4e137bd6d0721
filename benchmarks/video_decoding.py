"""Frames of videos by number: whether they are exact, and how soon they are there.

    python -m benchmarks.video_decoding ../shared/data --clip build/clip-1080p.mp4

For each file of the data, frames in any order are compared with those of one sequential
decode, bit for bit; beside it OpenCV's own seek by frame number. Then a clip of 1920 x 1080 is
scrubbed: real frames scaled up and encoded as x264 does by itself, a key frame in 250 and
B-frames between. It is made if the file is not there, which takes minutes. Peak memory is that
of processes of their own that read the first 100 frames of that clip, and all of it.
"""

import argparse
import json
import random
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import print_conditions, print_report, quantiles, timing
from core.durable import replacing
from core.images import VIDEO_SUFFIXES
from core.overlay_video import write_frames
from core.video import Video

try:
    import resource
except ImportError:  # Windows has no such module
    sys.exit("This benchmark reads peak memory through getrusage, which Windows lacks.")

Read = Callable[[int], NDArray[np.uint8]]
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
SOURCES = ("videos/dog.mp4", "videos/juggle.mp4")
N_SAMPLED = 24  # frames of each file, in random order; then as many backwards
N_SCRUBBED = 150
N_BY_OPENCV = 15  # each of its seeks decodes from the key frame on, a second and more
N_FRAMES = (100, 2000)  # read by the processes whose memory is measured


def main() -> int:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="a folder with videos, at any depth")
    parser.add_argument("--clip", type=Path, default=Path("build/clip-1080p.mp4"))
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        sys.stdout.write(json.dumps(read_and_measure(arguments.clip, arguments.child)))
        return 0
    print_conditions()
    paths = sorted(p for p in arguments.data.rglob("*") if p.suffix in VIDEO_SUFFIXES)
    report_exactness(paths)
    if not arguments.clip.exists():
        make_clip(arguments.clip, [arguments.data / name for name in SOURCES])
    report_scrubbing(arguments.clip)
    report_memory(arguments.data, arguments.clip)
    return 0


def report_exactness(paths: Sequence[Path]) -> None:
    """Print what each file says, what it holds, and how many frames come out wrong."""
    rows = []
    for path in paths:
        decoding: list[float] = []
        with timing(decoding):
            digests = [digest(frame) for frame in decode_all(path)]
        opening: list[float] = []
        with timing(opening):
            video = Video(path)
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        said = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        order = sample(len(digests))
        readers = video.read_frame, seek(capture)
        wrong = [count_wrong(read, order, digests) for read in readers]
        rows.append(
            [path.stem, f"{said}", f"{len(digests)}", f"{video.n_frames}", f"{len(order)}"]
            + [f"{n}" for n in wrong]
            + [f"{opening[0]:.0f}", f"{decoding[0]:.0f}"]
        )
        video.close()
    columns = ["", "said", "real", "found", "read", "wrong", "OpenCV's"]
    print_report("Frames by number; ms", [*columns, "open", "decode all"], rows)


def report_scrubbing(path: Path) -> None:
    """Print how long one waits for a frame of a large clip."""
    opening: list[float] = []
    with timing(opening):
        video = Video(path)
    n = video.n_frames
    middle = n // 2
    orders: dict[str, Sequence[int]] = {
        "forwards, one by one": range(middle, middle + N_SCRUBBED),
        "backwards, one by one": range(middle, middle - N_SCRUBBED, -1),
        "forwards, every fifth": range(0, 5 * N_SCRUBBED, 5),
        "backwards, every fifth": range(n - 1, n - 1 - 5 * N_SCRUBBED, -5),
        "at random": random.Random(0).sample(range(n), N_SCRUBBED // 3),  # noqa: S311
    }
    rows = []
    for name, order in orders.items():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        readers = ("", video.read_frame, N_SCRUBBED), (", OpenCV", seek(capture), N_BY_OPENCV)
        for reader, read, n_read in readers:
            times_ms: list[float] = []
            for index in order[:n_read]:
                with timing(times_ms):
                    read(index)
            rows.append([name + reader, *quantiles(times_ms, 0.5, 0.95, 1)])
    video.close()
    title = f"{n} frames of {video.width} x {video.height}, open in {opening[0]:.0f} ms"
    print_report(f"{title}; ms for a frame", ["", "p50", "p95", "max"], rows)


def report_memory(data: Path, path: Path) -> None:
    """Print the peak memory of reading a part of a clip and all of it."""
    rows = []
    for n_frames in N_FRAMES:
        command = [sys.executable, "-m", "benchmarks.video_decoding", str(data)]
        command += ["--clip", str(path), "--child", str(n_frames)]
        result = subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        before, peak, fps = json.loads(result.stdout)
        sizes = [f"{n_bytes / 2**20:.0f}" for n_bytes in (before, peak)]
        rows.append([f"{n_frames}", *sizes, f"{fps:.0f}"])
    columns = ["frames read", "before, MiB", "peak, MiB", "frames/s"]
    print_report("Memory of a process that reads the clip", columns, rows)


def read_and_measure(path: Path, n_frames: int) -> tuple[int, int, float]:
    """Read frames from the first on: peak bytes before and after, frames a second."""
    before, began = peak_bytes(), time.perf_counter()
    with Video(path) as video:
        for index in range(min(n_frames, video.n_frames)):
            video.read_frame(index)
    return before, peak_bytes(), n_frames / (time.perf_counter() - began)


def peak_bytes() -> int:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT


def sample(n: int) -> list[int]:
    """Frames at random, then backwards from the last, then some forwards."""
    some = random.Random(0).sample(range(n), min(n, N_SAMPLED))  # noqa: S311
    return [*some, *range(n - 1, max(n - 1 - N_SAMPLED, -1), -1), *range(0, n, max(n // 8, 1))]


def count_wrong(read: Read, order: Sequence[int], digests: Sequence[int]) -> int:
    """How many frames are not those of the sequential decode."""
    return sum(digest(read(index)) != digests[index] for index in order)


def seek(capture: cv2.VideoCapture) -> Read:
    """Frames by OpenCV's own seek; an empty picture where it gives none."""

    def read(index: int) -> NDArray[np.uint8]:
        capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        is_read, bgr = capture.read()
        if not is_read:
            return np.zeros((0, 0, 3), np.uint8)
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    return read


def decode_all(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Every frame by OpenCV, from the first to the last."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    while (read := capture.read())[0]:
        yield np.asarray(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB), np.uint8)


def digest(frame: NDArray[np.uint8]) -> int:
    """What tells frames apart."""
    return zlib.crc32(np.ascontiguousarray(frame))


def make_clip(path: Path, sources: Sequence[Path]) -> None:
    """Encode 2,000 real frames at 1920 x 1080."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        for _ in write_frames(partial, islice(enlarged(sources), N_FRAMES[-1]), 30):
            pass


def enlarged(sources: Sequence[Path]) -> Iterator[NDArray[np.uint8]]:
    """The frames of some videos, over and over, at 1920 x 1080."""
    while True:
        for path in sources:
            with av.open(str(path)) as container:
                for frame in container.decode(video=0):
                    yield frame.reformat(1920, 1080, "rgb24").to_ndarray()


if __name__ == "__main__":
    sys.exit(main())
