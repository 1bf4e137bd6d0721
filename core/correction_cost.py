"""What a person would still have to do to a proposal until it is the map that was approved.

Actions are counted in the order in which they save most: segments found are kept, pieces of one
are merged, what covers several is split, what is left is removed or added. Then borders are
looked at: pixels on the wrong side and further than a tolerance from the true border cost a
stroke each few dozen, until drawing that segment anew is quicker. Void and crowds count as
in `core.quality`; `Prices` is the one place that says what an action takes.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.panoptic import MAX_SEGMENT_ID, VOID, PanopticMap
from core.quality import Matching, Overlaps, count_overlaps, match_segments

TOLERANCE: Final = 2  # pixels on each side of a true border
ACTIONS: Final = ("add", "remove", "split", "merge", "recategorise", "redraw")
KINDS: Final = (*ACTIONS, "border_pixels")

NOTHING: Final = -1  # the category of void where void is judged; no real one is negative

Pixels = NDArray[np.integer[Any]]  # [H, W] segment ids, 0 is void


@dataclass(frozen=True, slots=True)
class Prices:
    """Seconds of a trained person for one action of each kind.

    They are sums of the operators of the keystroke-level model, and not measured here:
    preparing M 1.35, pointing P 1.1, a click 0.2, a key K 0.28, drawing D 0.9 + 0.16 a cm.
    Ratios matter more than sums: whoever compares two models compares them at one price.

    Attributes:
        add: M, two keys, an outline of ten corners (10 (P + click)). A careful outline in
            COCO took 79 s, on photographs and with other tools.
        remove: M, P, click, K.
        split: M, K, P and a stroke of 2 cm across the segment.
        merge: M, two segments chosen (2 (P + click)), K.
        recategorise: M, P, click, M for the category, K.
        redraw: as `add`.
        border_pixels: a brush stroke of 2 cm (M, P, D, click: 3.9 s) mends some 80 of them.

    Source: Card, Moran and Newell 1980, doi:10.1145/358886.358895; Lin et al. 2014,
    arXiv:1405.0312, for the 79 s.
    """

    add: float = 15.0
    remove: float = 2.9
    split: float = 4.2
    merge: float = 4.2
    recategorise: float = 4.3
    redraw: float = 15.0
    border_pixels: float = 0.05


PRICES: Final = Prices()


@dataclass(frozen=True, slots=True)
class CorrectionCost:
    """Actions and pixels, of one image or, added up, of many.

    Attributes:
        add: true segments that nothing in the proposal can be made of.
        remove: proposed segments that nothing can be made of.
        split, merge: cuts of what covers several segments, joins of the pieces of one.
        recategorise: segments that are there under another category.
        redraw: segments that are there, with a border that is quicker drawn anew than mended.
        border_pixels: on the wrong side of all other borders, outside the tolerance.
        changed_pixels: whose segment or category is not as approved; they have no price.
    """

    add: int = 0
    remove: int = 0
    split: int = 0
    merge: int = 0
    recategorise: int = 0
    redraw: int = 0
    border_pixels: int = 0
    changed_pixels: int = 0

    def __add__(self, other: "CorrectionCost") -> "CorrectionCost":
        """The cost of both, on different images."""
        return CorrectionCost(
            *(getattr(self, one.name) + getattr(other, one.name) for one in fields(self))
        )

    @property
    def actions(self) -> int:
        """All actions on segments together; borders are none."""
        return sum(getattr(self, kind) for kind in ACTIONS)

    def breakdown(self, prices: Prices = PRICES) -> dict[str, float]:
        """Seconds by kind of action."""
        return {kind: getattr(self, kind) * getattr(prices, kind) for kind in KINDS}

    def seconds(self, prices: Prices = PRICES) -> float:
        """How long a person would be busy."""
        return sum(self.breakdown(prices).values())

    def to_json(self) -> dict[str, Any]:
        """Counts and seconds as JSON can hold them."""
        return asdict(self) | {"seconds": self.seconds()}


def cost_of_map(
    proposed: PanopticMap, approved: PanopticMap, prices: Prices = PRICES
) -> CorrectionCost:
    """What leads from a proposed map to an approved one.

    Raises:
        ValueError: the maps differ in size.
    """
    return measure_cost(
        proposed.segment_ids,
        {segment.id: segment.category_id for segment in proposed.segments.values()},
        approved.segment_ids,
        {segment.id: segment.category_id for segment in approved.segments.values()},
        {segment.id for segment in approved.segments.values() if segment.is_crowd},
        prices=prices,
    )


def measure_cost(
    predicted_ids: Pixels,
    predicted: Mapping[int, int],
    true_ids: Pixels,
    truth: Mapping[int, int],
    crowds: Collection[int] = (),
    *,
    tolerance: int = TOLERANCE,
    prices: Prices = PRICES,
) -> CorrectionCost:
    """What leads from one map to another; the first arguments are `compare_maps`'s.

    Args:
        tolerance: pixels on each side of a true border in which a border may lie.
        prices: decide whether a segment is mended or drawn anew.

    Raises:
        ValueError: the maps differ in size.
    """
    matching = match_segments(predicted_ids, predicted, true_ids, truth, crowds)
    mending = _Mending(matching, predicted, truth)
    mending.keep_pairs()
    mending.merge_pieces()
    mending.split_open()
    mending.split_kept()
    mending.merge_strays()
    mending.finish()
    is_far = ~near_borders(true_ids, tolerance)
    far = count_overlaps(true_ids[is_far], predicted_ids[is_far])
    wrong = mending.wrong_pixels(far)
    redrawn = {i for i, n in wrong.items() if n * prices.border_pixels > prices.redraw}
    done = mending.done
    return CorrectionCost(
        **{kind: done[kind] for kind in ACTIONS if kind != "redraw"},
        redraw=len(redrawn),
        border_pixels=sum(n for i, n in wrong.items() if i not in redrawn),
        changed_pixels=mending.changed_pixels(),
    )


def judge_void(ids: Pixels, categories: Mapping[int, int]) -> tuple[Pixels, dict[int, int]]:
    """A map in which void is a segment of a category of its own, `NOTHING`.

    Void is not judged, since it may stand for what nobody has looked at. Where it says that
    nothing is there, as in a model's map, both maps go through this first: else a segment too
    many costs nothing there.
    """
    fresh = max(MAX_SEGMENT_ID, *categories, 0) + 1
    return np.where(ids == VOID, fresh, ids.astype(np.int64)), {**categories, fresh: NOTHING}


def near_borders(ids: Pixels, distance: int) -> NDArray[np.bool_]:
    """Pixels [H, W] of which one within so many steps, diagonal ones too, has another id.

    A distance of 1 is the two pixels on both sides of a border; 0 is none.
    """
    if distance < 1:
        return np.zeros(ids.shape, np.bool_)
    touches = np.zeros(ids.shape, np.uint8)
    for here, there in (
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
        ((slice(1, None), slice(1, None)), (slice(None, -1), slice(None, -1))),
        ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))),
    ):
        differs = ids[here] != ids[there]
        touches[here] |= differs
        touches[there] |= differs
    kernel = np.ones((2 * distance - 1, 2 * distance - 1), np.uint8)
    return cv2.dilate(touches, kernel).astype(np.bool_)


@dataclass(slots=True, eq=False)
class _Mending:
    """Segments of two maps while one is made into the other.

    Attributes:
        matching, predicted, truth: the maps, and the category ids in them.
        judged: true ids, crowds left out.
        missing: true ids that nothing was found for yet; open: predicted ids likewise.
        owners: predicted id -> true ids that its pixels are right for once all is done.
        heirs: true id -> the predicted segment that becomes it, whose pixels stay.
        done: how many actions of each kind.
    """

    matching: Matching
    predicted: Mapping[int, int]
    truth: Mapping[int, int]
    judged: set[int] = field(init=False)
    missing: set[int] = field(init=False)
    open: set[int] = field(init=False)
    owners: dict[int, set[int]] = field(default_factory=dict)
    heirs: dict[int, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    _inside: dict[int, Counter[int]] = field(default_factory=dict)  # predicted -> true -> px
    _under: dict[int, Counter[int]] = field(default_factory=dict)  # true -> predicted -> px

    def __post_init__(self) -> None:
        self.missing = set(self.matching.missed)
        self.open = set(self.matching.extra - self.matching.forgiven)
        self.judged = self.missing | {true_id for true_id, _ in self.matching.pairs}
        for (true_id, found), area in self.matching.overlaps.items():
            if true_id in self.judged and found in self.predicted:
                self._inside.setdefault(found, Counter())[true_id] = area
                self._under.setdefault(true_id, Counter())[found] = area

    def keep_pairs(self) -> None:
        """What overlaps well is done, but perhaps for its category."""
        for true_id, found in self.matching.pairs:
            self._give(found, true_id)
            self.heirs[true_id] = found
            self.done["recategorise"] += self.predicted[found] != self.truth[true_id]

    def merge_pieces(self) -> None:
        """Pieces that lie mostly inside one true segment become it, if they cover it well."""
        for true_id in sorted(self.missing):
            under = self._under.get(true_id, Counter())
            pieces = [i for i in sorted(under) if self._lies_in(i, true_id)]
            inside = sum(under[i] for i in pieces)
            areas = sum(self._solid_area(i) for i in pieces)
            if 2 * inside <= self.matching.true_areas[true_id] + areas - inside:
                continue
            alike = [i for i in pieces if self.predicted[i] == self.truth[true_id]]
            for piece in pieces:
                self._give(piece, true_id)
            self.heirs[true_id] = max(alike or pieces, key=under.__getitem__)
            self.done["merge"] += len(pieces) - 1
            self.done["recategorise"] += not alike

    def split_open(self) -> None:
        """What holds most of several true segments is cut, if that is less than to redo it."""
        for found in sorted(self.open):
            held = self._held(found)
            if not held:
                continue
            inside = sum(self._inside[found][i] for i in held)
            has_rest = 2 * inside < self._solid_area(found)
            n_renamed = sum(self.truth[i] != self.predicted[found] for i in held)
            n_cuts = len(held) - 1 + has_rest
            if n_cuts + n_renamed + has_rest > len(held):
                continue
            self.heirs[max(held, key=self._inside[found].__getitem__)] = found
            for true_id in held:
                self._give(found, true_id)
            self.done["split"] += n_cuts
            self.done["recategorise"] += n_renamed
            self.done["remove"] += has_rest

    def split_kept(self) -> None:
        """A segment that was found and swallows another of its category is cut there."""
        for found in sorted(self.owners):
            for true_id in self._held(found):
                if self.truth[true_id] == self.predicted[found]:
                    self._give(found, true_id)
                    self.done["split"] += 1

    def merge_strays(self) -> None:
        """A piece left over in a segment that was found, of its category, is joined to it."""
        for found in sorted(self.open):
            for true_id in sorted(self._inside.get(found, ())):
                is_found = true_id not in self.missing
                is_alike = self.truth[true_id] == self.predicted[found]
                if is_found and is_alike and self._lies_in(found, true_id):
                    self._give(found, true_id)
                    self.done["merge"] += 1
                    break

    def finish(self) -> None:
        """Remove what is left, which gives its pixels to what lies around, and add the rest."""
        self.done["remove"] += len(self.open)
        self.done["add"] += len(self.missing)
        for found in sorted(self.open):
            around = {
                true_id: area
                for true_id, area in self._inside.get(found, Counter()).items()
                if true_id not in self.missing
            }
            if around:
                self.owners[found] = {max(around, key=around.__getitem__)}

    def wrong_pixels(self, overlaps: Overlaps) -> Counter[int]:
        """Pixels on the wrong side of a border, by the smaller of the two true segments there.

        Segments to be added have none: their outlines will be drawn anyway.
        """
        judged = self.judged - self.missing
        wrong: Counter[int] = Counter()
        for (true_id, found), area in overlaps.items():
            owners = self.owners.get(found, set())
            if true_id not in judged or true_id in owners:
                continue
            sides = {true_id, *owners}
            wrong[min(sides, key=lambda i: (self.matching.true_areas[i], i))] += area
        return wrong

    def changed_pixels(self) -> int:
        """Pixels of true segments that are not in their heir, or in one of another category."""
        changed = 0
        for (true_id, found), area in self.matching.overlaps.items():
            is_heir = self.heirs.get(true_id) == found
            is_kept = is_heir and self.predicted[found] == self.truth[true_id]
            changed += area if true_id in self.judged and not is_kept else 0
        return changed

    def _give(self, found: int, true_id: int) -> None:
        self.owners.setdefault(found, set()).add(true_id)
        self.open.discard(found)
        self.missing.discard(true_id)

    def _held(self, found: int) -> list[int]:
        """Segments that are still missing, and more than half in that predicted one."""
        areas = self.matching.true_areas
        inside = self._inside.get(found, Counter())
        return [i for i in sorted(inside) if i in self.missing and 2 * inside[i] > areas[i]]

    def _lies_in(self, found: int, true_id: int) -> bool:
        """Whether an open segment is more than half in that true one, void aside."""
        return found in self.open and 2 * self._inside[found][true_id] > self._solid_area(found)

    def _solid_area(self, found: int) -> int:
        on_void = self.matching.overlaps.get((VOID, found), 0)
        return self.matching.predicted_areas[found] - on_void
