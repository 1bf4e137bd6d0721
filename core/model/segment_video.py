"""The inference loop over a clip: each frame's map is drawn with the maps of the last frames.

The model is told the two maps before, and so keeps the ids of what it sees again: nothing is
matched. Of a clip nothing else is kept, so that memory does not grow with its length.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import CheckpointError, ImageError
from core.followed_ids import FollowedIds
from core.giving import checked_id
from core.model import diffusion
from core.model.encoder import Encoding
from core.model.pix2seq_d import Pix2SeqD
from core.model.prepare import Frame
from core.model.segment import Guesses, autocast, content_cells, encode_image
from core.model.video_maps import (
    Decoded,
    Labels,
    code_categories,
    codes_of_segments,
    decode,
    encode_map,
    known_labels,
)
from core.model_card import ModelCard
from core.panoptic import Counts, Ids, PanopticMap
from core.propagation import FrameProposal, FrameStep, Start, VideoOptions
from core.proposals import Known, Preview, match_categories

SIZES: Final = "The frames of the clip differ in size; propagate through those of one size."


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """A frame to get a map.

    Attributes:
        number: its place in the clip, which stands for its noise.
        image: [H, W, 3] RGB.
        known: the map whose locked segments are held.
    """

    number: int
    image: NDArray[np.uint8]
    known: Known | None = None


def draw_noise(seed: int, number: int, shape: tuple[int, ...]) -> Tensor:
    """Noise that follows from the seed and the frame's number, whatever frames come before."""
    state = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    return torch.randn(shape, generator=torch.Generator().manual_seed(state))


def check_has_past(model: Pix2SeqD, card: ModelCard) -> None:
    """Refuse a model that looks at single images.

    Raises:
        CheckpointError: it does.
    """
    if not model.config.past_frames:
        raise CheckpointError(
            f"The model '{card.name}' was made for single images and cannot follow segments "
            "through a video; choose a video model for the project."
        )


def segment_video(
    model: Pix2SeqD,
    card: ModelCard,
    frames: Iterable[VideoFrame],
    options: VideoOptions,
    start: Start | None = None,
    *,
    has_previews: bool = False,
) -> Iterator[FrameStep | FrameProposal]:
    """Draw the maps of frames that follow each other: a step after each step, then a proposal.

    Args:
        frames: in the order of travel, forwards or backwards; read one ahead at most.
        start: the maps before; None begins with nothing, in the model's own categories.
        has_previews: whether each step comes with its map.

    Raises:
        CheckpointError: the model was made for single images.
        ImageError: a frame has another size than the one before.
        ProjectError: the clip has used every segment id there is.
    """
    check_has_past(model, card)
    follower = _Follower(model, card, options, start or Start((), code_categories(card)))
    for frame, (encoding, place) in _encoded(model, frames):
        yield from follower.draw(frame, encoding, place, has_previews=has_previews)


def _encoded(
    model: Pix2SeqD, frames: Iterable[VideoFrame]
) -> Iterator[tuple[VideoFrame, tuple[Encoding, Frame]]]:
    """Frames and what the encoder makes of them; on a GPU the next one is under way already.

    On a CPU the encoder of the next frame would take its time from the steps of this one.
    """
    if model.device.type != "cuda":
        for frame in frames:
            yield frame, encode_image(model, frame.image)
        return
    ahead = torch.cuda.Stream(model.device)
    waiting: tuple[VideoFrame, tuple[Encoding, Frame]] | None = None
    for frame in frames:
        ahead.wait_stream(torch.cuda.current_stream(model.device))
        with torch.cuda.stream(ahead):
            encoded = encode_image(model, frame.image)
        if waiting is not None:
            yield waiting
        torch.cuda.current_stream(model.device).wait_stream(ahead)
        for tensor in (encoded[0].tokens, encoded[0].fmap):
            tensor.record_stream(torch.cuda.current_stream(model.device))
        waiting = frame, encoded
    if waiting is not None:
        yield waiting


@dataclass(slots=True)
class _Naming:
    """A frame's numbers as segments of the project."""

    table: Ids
    category_ids: dict[int, int]
    things: dict[int, int]  # the model's ids -> segment ids
    stuff: dict[int, int]  # the project's category ids -> segment ids


@dataclass(slots=True, eq=False)
class _Follower:
    """What is carried from frame to frame."""

    model: Pix2SeqD
    card: ModelCard
    options: VideoOptions
    start: Start
    ids: FollowedIds = field(init=False)
    told: deque[Labels] = field(init=False)
    notes: list[str] = field(default_factory=list)
    category_of: dict[int, int] = field(default_factory=dict)  # the project's, of segments
    stuff: dict[int, int] = field(default_factory=dict)  # segment of each stuff category
    to_project: dict[int, int] = field(init=False)
    is_begun: bool = False

    def __post_init__(self) -> None:
        config = self.model.config
        # The authors' video models have learned ids 1..k in any order, ours any k of all.
        rng = None
        if config.map_decoding != "authors":
            rng = np.random.default_rng([self.options.seed, 0])
        memory = config.past_frames
        self.ids = FollowedIds(config.n_ids, memory, self.start.next_id, rng)
        self.told = deque(maxlen=memory)
        project = self.start.categories
        match = match_categories(code_categories(self.card), project)
        self.to_project = dict(match.to_project)
        if not self.card.categories:  # what it finds is a thing, of whatever kind
            first = next((c.id for c in project if c.is_thing), None)
            self.to_project = {} if first is None else {1: first}

    def draw(
        self, frame: VideoFrame, encoding: Encoding, place: Frame, *, has_previews: bool
    ) -> Iterator[FrameStep | FrameProposal]:
        """Draw one frame's map."""
        began = time.perf_counter()
        if not self.is_begun:
            self._begin(place)
        options = self.options
        n_steps = options.later_steps if self.told else options.first_steps
        known = self._hold(frame.known, place)
        guesses, settled = Guesses(self.model.config), _Settling(options.settled_share)
        x0, n_done = torch.empty(0), 0
        for step in self._steps(frame.number, encoding, place, n_steps, known):
            x0, n_done = guesses.join(step.x0), step.index + 1
            preview = None
            if has_previews:
                preview = self._preview(x0, place, step, n_steps, began)
            yield FrameStep(frame.number, n_done, n_steps, preview)
            if options.settled_share and settled.is_after(self._content(step.x0, place)):
                break
        yield self._end(frame.number, x0, place, n_done, began)

    def _content(self, x0: Tensor, place: Frame) -> Tensor:
        """Labels [1, 2, h, w] without the padding."""
        height, width = content_cells(place)
        return self.model.to_labels(x0)[..., :height, :width]

    def _steps(
        self,
        number: int,
        encoding: Encoding,
        place: Frame,
        n_steps: int,
        known: diffusion.Known | None,
    ) -> Iterator[diffusion.DdimStep]:
        config, device = self.model.config, self.model.device
        noise = draw_noise(self.options.seed, number, (1, config.n_bits, *place.mask))
        steps = self.model.sample(
            encoding,
            noise.to(device),
            n_steps,
            time_delta=self.options.time_delta,
            past=self._past(place).to(device),
            known=known,
        )
        while True:
            with autocast(device):
                step = next(steps, None)
            if step is None:
                return
            yield step

    def _past(self, place: Frame) -> Tensor:
        """[1, P, 2, h, w], oldest first; a missing map is empty."""
        if any(labels.shape[1:] != place.mask for labels in self.told):
            raise ImageError(SIZES)
        n_missing = self.model.config.past_frames - len(self.told)
        empty = np.zeros((2, *place.mask), np.int64)
        return torch.from_numpy(np.stack([empty] * n_missing + list(self.told))[None])

    def _begin(self, place: Frame) -> None:
        """Take over the maps before the first frame."""
        self.is_begun = True
        config, maps = self.model.config, self.start.past[-self.model.config.past_frames :]
        if any(map.segment_ids.shape != place.image for map in maps):
            raise ImageError(SIZES)
        codes = [self._codes(map) for map in maps]
        left_out = self.ids.begin(
            [self._by_area(*pair) for pair in zip(maps, codes, strict=True)]
        )
        for map, known in zip(maps, codes, strict=True):
            self.told.append(encode_map(map, place, self._told(map, known), self.ids.model_ids))
            self._learn(map)
        unknown = {i for map in maps for i in map.segments}.difference(*codes)
        if left_out:
            self.notes.append(
                f"The model follows at most {config.n_ids - 1} segments at a time, so the "
                f"smallest {len(left_out)} are left out."
            )
        if unknown:
            self.notes.append(
                f"Left out are {len(unknown)} segments of categories that the model "
                f"'{self.card.name}' does not know."
            )

    def _told(self, map: PanopticMap, codes: Mapping[int, int]) -> dict[int, int]:
        """Those of a map's segments that have an id if they need one."""
        ids = self.ids.model_ids
        return {i: code for i, code in codes.items() if i in ids or self._has_no_id(map, i)}

    def _codes(self, map: PanopticMap, *, only_locked: bool = False) -> dict[int, int]:
        to_model = {project: model for model, project in self.to_project.items()}
        only = [s.id for s in map.segments.values() if s.is_locked] if only_locked else None
        return codes_of_segments(self.card, map, to_model, only)

    def _by_area(self, map: PanopticMap, codes: dict[int, int]) -> list[int]:
        """The segments of a map that need an id, the largest first."""
        areas: Counts = map.areas()
        needed = [i for i in codes if not self._has_no_id(map, i)]
        return sorted(needed, key=lambda i: -areas.get(i, 0))

    def _has_no_id(self, map: PanopticMap, segment_id: int) -> bool:
        """Whether a segment is stuff, where the model has ids for things alone."""
        stuff = {c.id for c in self.start.categories if not c.is_thing}
        is_stuff = map.segments[segment_id].category_id in stuff
        return is_stuff and not self.model.config.has_stuff_ids and bool(self.card.categories)

    def _learn(self, map: PanopticMap) -> None:
        """Note which categories the segments of a map have."""
        stuff = {c.id for c in self.start.categories if not c.is_thing}
        for segment in map.segments.values():
            self.category_of[segment.id] = segment.category_id
            if segment.category_id in stuff and not segment.is_crowd:
                self.stuff[segment.category_id] = segment.id

    def _hold(self, known: Known | None, place: Frame) -> diffusion.Known | None:
        """What the model is told of the frame itself: its locked segments."""
        if known is None:
            return None
        codes = self._codes(known.map, only_locked=True)
        self.ids.hold(self._by_area(known.map, codes))
        told = self._told(known.map, codes)
        for segment_id in told:
            self.category_of[segment_id] = known.map.segments[segment_id].category_id
        labels = encode_map(known.map, place, told, self.ids.model_ids)
        return known_labels(self.model.config, labels, self.model.device)

    def _name(self, decoded: Decoded) -> _Naming:
        """Which segment of the project each number of a map is."""
        project = {category.id: category for category in self.start.categories}
        things, stuff = {}, {}
        for number, model_category in decoded.category_ids.items():
            category = project.get(self.to_project.get(model_category, -1))
            if category is None:
                continue
            if category.is_thing:
                things[number] = decoded.model_ids[number]
            else:
                stuff[number] = category.id
        named = self.ids.name(things.values())
        homes, next_id = dict(self.stuff), max([self.ids.next_id - 1, *named.values()]) + 1
        table = np.zeros(len(decoded.category_ids) + 1, np.uint16)
        category_ids = {}
        for number, category_id in stuff.items():
            if category_id not in homes:
                homes[category_id], next_id = checked_id(next_id), next_id + 1
            table[number] = homes[category_id]
            category_ids[homes[category_id]] = category_id
        for number, model_id in things.items():
            table[number] = segment_id = named[model_id]
            proposed = self.to_project[decoded.category_ids[number]]
            category_ids[segment_id] = self.category_of.get(segment_id, proposed)
        return _Naming(table, category_ids, named, homes)

    def _decode(self, x0: Tensor, place: Frame, *, is_final: bool) -> Decoded:
        past = tuple(self.told)
        return decode(self.model, self.card, x0, place, self.options, past, is_final=is_final)

    def _preview(
        self, x0: Tensor, place: Frame, step: diffusion.DdimStep, n_steps: int, began: float
    ) -> Preview:
        decoded = self._decode(x0, place, is_final=False)
        naming = self._name(decoded)
        return Preview(
            step=step.index + 1,
            steps=n_steps,
            t=step.t,
            elapsed_s=time.perf_counter() - began,
            segment_ids=naming.table[decoded.numbers],
            category_ids=naming.category_ids,
        )

    def _end(
        self, number: int, x0: Tensor, place: Frame, n_steps: int, began: float
    ) -> FrameProposal:
        decoded = self._decode(x0, place, is_final=True)
        naming = self._name(decoded)
        self.category_of |= naming.category_ids
        self.stuff = naming.stuff
        self.told.append(decoded.told)
        self.ids.go_on(naming.things, set(np.unique(decoded.told[1]).tolist()) - {0})
        self.ids.use(naming.category_ids)
        notes, self.notes = tuple(self.notes), []
        return FrameProposal(
            number=number,
            segment_ids=naming.table[decoded.numbers],
            category_ids=naming.category_ids,
            steps=n_steps,
            elapsed_s=time.perf_counter() - began,
            notes=notes,
        )


class _Settling:
    """Looks whether a frame's map has settled."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._last: Tensor | None = None

    def is_after(self, labels: Tensor) -> bool:
        """Whether these labels [1, 2, h, w] hardly differ from the last."""
        last, self._last = self._last, labels
        return last is not None and bool((labels != last).any(1).float().mean() < self._share)
