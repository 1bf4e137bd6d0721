"""What the model hands to a person: previews of each step, then one proposal; NumPy only.

The window and the inference process both speak in these types, so neither needs the other's
libraries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.panoptic import Category, Ids, PanopticMap, Rect

NOT_RENAMED: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How a map is drawn from noise; the names are the paper's (arXiv:2210.06366, Algorithm 2).

    Attributes:
        steps: number of denoising steps N.
        time_delta: td, how much further each step goes than the network is told.
        seed: of the starting noise; the same seed gives the same map on the same machine.
        min_area: segments of fewer image pixels become void.
        split_parts: whether parts of one id that do not touch become segments of their own.
    """

    steps: int = 20
    time_delta: float = 2.0
    seed: int = 0
    min_area: int = 80
    split_parts: bool = False

    def for_region(self) -> "SamplingOptions":
        """With half the steps, of two or more: what is known around leaves less to settle."""
        return replace(self, steps=max(-(-self.steps // 2), min(self.steps, 2)))


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The model's guess after one denoising step, on the model's own grid.

    Attributes:
        step: 1 for the first step, `steps` for the last.
        t: the time in [0, 1] that the network was told.
        elapsed_s: seconds since the job began, encoding included.
        segment_ids: uint16 [h, w], stretched over the whole image; 0 is void.
        category_ids: the model's category of each id in `segment_ids`.
    """

    step: int
    steps: int
    t: float
    elapsed_s: float
    segment_ids: Ids
    category_ids: Mapping[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A whole map that the model suggests, at the size of the image.

    Attributes:
        segment_ids: uint16 [H, W], 0 is void.
        category_ids: the model's category of each id in `segment_ids`.
        options: what it was drawn with.
        model: name of the model, as its card has it.
        elapsed_s: seconds since the job began.
    """

    segment_ids: Ids
    category_ids: Mapping[int, int]
    options: SamplingOptions
    model: str
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Known:
    """Segments that the annotator vouches for: the model keeps them and fills in the rest.

    Attributes:
        map: the image's map; only its locked segments are binding.
        categories: the project's categories, to find the model's by name; see `name_as_model`.
        region: where the model is asked anew; outside of it every segment is binding. None
            asks for the whole image.
    """

    map: PanopticMap
    categories: Sequence[Category]
    region: Rect | None = None


def name_as_model(
    project: Sequence[Category], model: Sequence[Category], renamed: Mapping[str, str]
) -> tuple[Category, ...]:
    """The project's categories under the names by which a model knows them.

    Args:
        renamed: names of the model's categories -> the project's, where these differ.
    """
    names = {renamed[c.name]: c.name for c in reversed(model) if c.name in renamed}
    names |= {c.name: c.name for c in model}
    return tuple(replace(c, name=names.get(c.name, c.name)) for c in project)


@dataclass(frozen=True, slots=True)
class CategoryMatch:
    """Which categories of a model and of a project are the same, by name and kind.

    Attributes:
        to_project: model category id -> project category id, for those in both.
        only_model: names that the project lacks; their segments cannot be taken over.
        only_project: names that the model cannot propose.
    """

    to_project: Mapping[int, int]
    only_model: tuple[str, ...]
    only_project: tuple[str, ...]


def match_categories(
    model: Sequence[Category],
    project: Sequence[Category],
    renamed: Mapping[str, str] = NOT_RENAMED,
) -> CategoryMatch:
    """Pair categories of the same name, letter case aside, that are both thing or stuff.

    Args:
        renamed: names of the model's categories -> the project's, where these differ.
    """

    def key(category: Category) -> tuple[str, bool]:
        name = category.name if category.name in own else renamed.get(category.name, "")
        return (name or category.name).strip().casefold(), category.is_thing

    own = {category.name for category in project}
    in_project = {key(category): category.id for category in project}
    known = {key(category) for category in model}
    return CategoryMatch(
        to_project={c.id: in_project[key(c)] for c in model if key(c) in in_project},
        only_model=tuple(c.name for c in model if key(c) not in in_project),
        only_project=tuple(c.name for c in project if key(c) not in known),
    )
