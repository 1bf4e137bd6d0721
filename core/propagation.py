"""What is asked of a model that follows segments through a clip, and what it hands back.

NumPy only, as the window and the inference process both speak in these types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.panoptic import Category, Ids, PanopticMap
from core.proposals import Known, Preview, SamplingOptions


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """How the maps of a clip are drawn, one after another.

    Attributes:
        first_steps: denoising steps of a frame before which no map is known.
        later_steps: of every other frame.
        time_delta: td, as for `SamplingOptions`.
        settled_share: a frame has settled, and gets no further step, when a step changes the
            label of less than this share of the map; 0 takes all steps.
        min_area: segments of fewer image pixels become void; they are followed all the same.
        seed: of the noise, which is another one for every frame.
        is_smooth: whether borders run through the cells of the map instead of around them, also
            where the authors go up to the picture's size by nearest.

    Source: steps and td of arXiv:2210.06366, section 4.1, for DAVIS.
    """

    first_steps: int = 32
    later_steps: int = 8
    time_delta: float = 1.0
    settled_share: float = 0.0
    min_area: int = 0
    seed: int = 0
    is_smooth: bool = False


ENOUGH: Final = 0.005  # a settled share: of 8 steps 2.6 were taken, and as good ids as by all


def options_for(sampling: SamplingOptions) -> VideoOptions:
    """How to draw clips with a model whose card says how it draws pictures best.

    A model that needs no more steps for a picture needs no more when it knows the maps before.
    """
    options = VideoOptions(settled_share=ENOUGH, min_area=sampling.min_area)
    return replace(options, later_steps=min(options.later_steps, sampling.steps))


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """What is known before the first frame of a run.

    Attributes:
        past: maps of the frames before the first one in the direction of travel, the nearest
            one last; at most as many as the model looks back to. Missing ones are empty.
        categories: of the project; the maps and what comes back speak in these.
        next_id: the smallest id that no frame of the clip has used.
    """

    past: tuple[PanopticMap, ...]
    categories: tuple[Category, ...]
    next_id: int = 1


@dataclass(frozen=True, slots=True)
class FrameSource:
    """Where a frame of a clip is read.

    Attributes:
        number: its place in the clip, which stands for its noise.
        path: of the image, or of the video when `frame` is given.
    """

    number: int
    path: Path
    frame: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PropagationJob:
    """Follow segments from frame to frame.

    Attributes:
        frames: in the order of travel; the first is the first that gets a map.
        known: what is held in some of them, by the frame's number.
        has_previews: whether somebody looks at the steps.
    """

    frames: tuple[FrameSource, ...]
    start: Start
    options: VideoOptions
    known: Mapping[int, Known]
    has_previews: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FrameStep:
    """One denoising step of a frame.

    Attributes:
        number: of the frame.
        step: 1 for the first; steps: how many there are at most.
        preview: the map by now, in the ids and categories of the project, if it was asked for.
    """

    number: int
    step: int
    steps: int
    preview: Preview | None


@dataclass(frozen=True, slots=True, eq=False)
class FrameProposal:
    """The map that the model suggests for a frame of a clip.

    Attributes:
        number: of the frame.
        segment_ids: uint16 [H, W]: what is followed has the id that it had before, what is new
            one that no frame of the clip has used; 0 is void.
        category_ids: the project's category of each id in `segment_ids`.
        steps: taken for this frame.
        elapsed_s: seconds that this frame took, encoding included.
        notes: sentences on what could not be followed.
    """

    number: int
    segment_ids: Ids
    category_ids: Mapping[int, int]
    steps: int
    elapsed_s: float
    notes: tuple[str, ...] = ()
