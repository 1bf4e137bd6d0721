"""What the inference process keeps between jobs: the model, and the last image's features."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import CheckpointError
from core.images import read_image
from core.jobs import Device, SegmentJob
from core.model.checkpoint import load_checkpoint
from core.model.encoder import Encoding
from core.model.pix2seq_d import Pix2SeqD
from core.model.prepare import Frame
from core.model.segment import choose_device, encode_image, segment_image
from core.model.segment_video import VideoFrame, segment_video
from core.model_card import ModelCard
from core.propagation import FrameProposal, FrameSource, FrameStep, PropagationJob
from core.proposals import Preview, Proposal
from core.video import Video


@dataclass(frozen=True, slots=True)
class ImageKey:
    """What an image is known by: a file that was written anew is another image."""

    path: Path
    frame: int | None
    changed_ns: int
    n_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class EncodedImage:
    """An image and what the model in use has made of it."""

    key: ImageKey
    image: NDArray[np.uint8]  # [H, W, 3]
    features: tuple[Encoding, Frame]


class ModelSession:
    """A model on a device, ready to segment one image after another.

    Attributes:
        device: what the model runs on, or would run on when none is loaded.
    """

    def __init__(self) -> None:
        chosen, note = choose_device()
        self.device = Device(str(chosen), note)
        self._model: tuple[Pix2SeqD, ModelCard] | None = None
        self._last: EncodedImage | None = None
        self._video: tuple[ImageKey, Video] | None = None

    def load(self, path: Path, device: str = "auto") -> ModelCard:
        """Use the model of a file from now on.

        Raises:
            CheckpointError: the file or the device cannot be used; the model before it stays.
        """
        chosen, note = choose_device(device)
        self._model = load_checkpoint(path, chosen)
        self._last = None
        self.device = Device(str(chosen), note)
        return self._model[1]

    def segment(self, job: SegmentJob) -> Iterator[Preview | Proposal]:
        """Segment an image: a preview after each step, then the proposal.

        Raises:
            AnnotateError: there is no model, or the image cannot be read.
        """
        if self._model is None:
            raise CheckpointError("No model is loaded; choose one for the project.")
        model, card = self._model
        began = time.perf_counter()
        last = self._encoded(model, job)
        waited_s = time.perf_counter() - began
        outcomes = segment_image(
            model, card, last.image, job.options, known=job.known, encoded=last.features
        )
        for outcome in outcomes:
            yield replace(outcome, elapsed_s=outcome.elapsed_s + waited_s)

    def propagate(self, job: PropagationJob) -> Iterator[FrameStep | FrameProposal]:
        """Follow segments through a clip, as `segment_video` does.

        Raises:
            AnnotateError: there is no model or none for video, or a frame cannot be read.
        """
        if self._model is None:
            raise CheckpointError("No model is loaded; choose one for the project.")
        self._last = None
        yield from segment_video(
            *self._model,
            self._frames(job),
            job.options,
            job.start,
            has_previews=job.has_previews,
        )

    def _frames(self, job: PropagationJob) -> Iterator[VideoFrame]:
        """The frames of a job, each read when it is its turn."""
        for source in job.frames:
            image = self._read(_identify(source))
            yield VideoFrame(source.number, image, job.known.get(source.number))

    def forget_image(self) -> None:
        """Give back the memory of the last image."""
        self._last = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _encoded(self, model: Pix2SeqD, job: SegmentJob) -> EncodedImage:
        """The job's image and features; those of the last image are kept."""
        key = _identify(job)
        if self._last is None or self._last.key != key:
            self._last = None
            image = self._read(key)
            self._last = EncodedImage(key, image, encode_image(model, image))
        return self._last

    def _read(self, key: ImageKey) -> NDArray[np.uint8]:
        """Read the pixels; the last video stays open: opening one reads its whole file."""
        if key.frame is None:
            return read_image(key.path)
        of_file = replace(key, frame=None)
        if self._video is None or self._video[0] != of_file:
            if self._video is not None:
                self._video[1].close()
            self._video = None
            self._video = of_file, Video(key.path)
        return self._video[1].read_frame(key.frame)


def _identify(job: SegmentJob | FrameSource) -> ImageKey:
    try:
        status = job.path.stat()
    except OSError:
        return ImageKey(job.path, job.frame, 0, -1)  # reading it will say what is wrong
    return ImageKey(job.path, job.frame, status.st_mtime_ns, status.st_size)
