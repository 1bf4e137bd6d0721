"""Clips with their maps laid over them, as MP4 files to show to others.

H.264 with 4:2:0 colours in MP4, its table at the front: what every player and browser shows.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from core.coco import writing
from core.durable import replacing
from core.errors import ImageError
from core.export import exported_clips
from core.images import Rgb, read_image
from core.named_clips import NamedClip
from core.palette import segment_color
from core.panoptic import VOID, Category, PanopticMap
from core.store import AnnotationStore
from core.video import Video

OPACITY: Final = 0.45
LEAST_SIDE: Final = 720  # of a picture whose outlines are two pixels wide, and so on
_GREY: Final = (128, 128, 128)  # of a segment whose category is gone
_OPTIONS: Final = {"crf": "20", "preset": "veryfast"}
_BT709, _LIMITED = 1, 1  # as ISO/IEC 23091-2 numbers colours


def export_overlays(store: AnnotationStore, out: Path) -> Generator[int, None, None]:
    """Write an MP4 for each clip that has a map; each replaces an earlier one when complete.

    All frames are in it, also those without a map, at the rate of the video.

    Args:
        store: may be open for reading only.
        out: the folder; made if it is not there.

    Yields:
        The number of frames written so far.

    Raises:
        AnnotateError: there is no clip, a picture cannot be read, a file cannot be written, or
            the project cannot be read.
    """
    n_frames = 0
    for clip in exported_clips(store):
        path = out / f"{clip.name}.mp4"
        with writing(path):
            out.mkdir(parents=True, exist_ok=True)
            with replacing(path) as partial:
                pictures = _overlays(store, clip)
                # Closed before the file is put in its place, or removed.
                with closing(write_frames(partial, pictures, clip.fps)) as written:
                    for _ in written:
                        n_frames += 1
                        yield n_frames


def draw_overlay(image: Rgb, map: PanopticMap, categories: Mapping[int, Category]) -> Rgb:
    """Tint a picture [H, W, 3] by its segments, with an outline of full colour inside each."""
    colors = np.zeros((map.next_id, 3), np.uint8)
    for segment in map.segments.values():
        category = categories.get(segment.category_id)
        colors[segment.id] = _GREY if category is None else segment_color(category, segment.id)
    tint = colors[map.segment_ids]
    drawn = cv2.addWeighted(image, 1 - OPACITY, tint, OPACITY, 0)
    is_segment = map.segment_ids != VOID
    drawn[~is_segment] = image[~is_segment]
    reach = max(1, 2 * min(image.shape[:2]) // LEAST_SIDE)
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    same = cv2.dilate(map.segment_ids, kernel) == cv2.erode(map.segment_ids, kernel)
    edge = is_segment & ~same
    drawn[edge] = tint[edge]
    return np.asarray(drawn, np.uint8)


def write_frames(
    path: Path, pictures: Iterator[Rgb], fps: float
) -> Generator[None, None, None]:
    """Encode pictures of one size as MP4, and say after each that it is done.

    Args:
        path: written in place.
        pictures: uint8 [H, W, 3] RGB. An odd side gets one more row or column, as the one
            beside it: H.264's colours need an even one.

    Raises:
        OSError: the file cannot be written.
    """
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(str(path), "w", "mp4", options={"movflags": "faststart"}) as container:
        stream = None
        for number, picture in enumerate(pictures):
            height, width = picture.shape[:2]
            even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
            if stream is None:
                stream = _add_stream(container.add_stream("libx264", rate), even)
            frame = av.VideoFrame.from_ndarray(even)
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
            yield
        if stream is not None:
            container.mux(stream.encode())


def _add_stream(stream: VideoStream, picture: Rgb) -> VideoStream:
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.options = dict(_OPTIONS)
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED
    return stream


def _overlays(store: AnnotationStore, clip: NamedClip) -> Iterator[Rgb]:
    """The frames of a clip with their maps, one at a time."""
    categories = {c.id: c for c in (*store.former_categories, *store.categories)}
    for record, read in zip(clip.frames, _pictures(clip), strict=True):
        picture = read
        if picture.shape[:2] != (record.height, record.width):
            raise ImageError(
                f"{record.path} has another size than when it was added to the project; put "
                "the first one back to go on with its map."
            )
        is_drawn = record.id in clip.exported
        yield (
            draw_overlay(picture, store.load_map(record.id), categories)
            if is_drawn
            else picture
        )


def _pictures(clip: NamedClip) -> Iterator[Rgb]:
    if clip.frames[0].frame is None:
        yield from (read_image(record.path) for record in clip.frames)
        return
    with Video(clip.path) as video:
        for record in clip.frames:
            frame = record.frame or 0
            if frame >= video.n_frames:
                raise ImageError(
                    f"{clip.path} has {video.n_frames} frames, but the project has its frame "
                    f"{frame}; put the first video back."
                )
            yield video.read_frame(frame)
