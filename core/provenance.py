"""Who made each pixel of a map: the author of the last edit that changed it."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.authors import Author, AuthorKind
from core.journal import Change
from core.panoptic import Ids, PanopticMap, Rect, count_pixels

Mask = NDArray[np.bool_]

NOBODY: Final = 0
MAX_KEPT: Final = 1 << 26  # bytes of what can be taken back without reading the journal


@dataclass(slots=True, eq=False)
class Provenance:
    """The authors of an image's pixels.

    Attributes:
        numbers: uint16 [H, W], places in `authors`; only its maker writes to it.
        authors: the first is None, for pixels that no edit has changed and for those of which
            it is not known; the others have an edit in effect, though maybe no pixel.
    """

    numbers: Ids
    authors: list[Author | None] = field(default_factory=lambda: [None])

    @classmethod
    def unknown(cls, height: int, width: int) -> "Provenance":
        return cls(np.zeros((height, width), np.uint16))

    def number_of(self, author: Author) -> int:
        """The number of an author, who gets the next one if needed."""
        if author not in self.authors:
            self.authors.append(author)
        return self.authors.index(author)

    def paint(self, change: Change, author: Author) -> "Patch":
        """Give the pixels that an edit has changed to its author; returns the way back."""
        number = self.number_of(author)
        window = self.numbers[change.rect.slices]
        patch = Patch(change.rect, window.copy())
        window[change.is_changed] = number
        return patch

    def take_back(self, patch: "Patch") -> None:
        """Give pixels back to who made them before."""
        self.numbers[patch.rect.slices] = patch.numbers

    def of_kinds(self, kinds: Collection[AuthorKind]) -> Mask:
        """Which pixels were made by authors of some kinds, bool [H, W]."""
        is_wanted = [author is not None and author.kind in kinds for author in self.authors]
        return np.array(is_wanted, np.bool_)[self.numbers]

    def counts(self) -> dict[Author | None, int]:
        """Pixels of each author that has any."""
        found = count_pixels(self.numbers)
        found[NOBODY] = self.numbers.size - sum(found.values())
        return {self.authors[number]: n for number, n in sorted(found.items()) if n}

    def shares(self, map: PanopticMap) -> dict[int, dict[Author | None, float]]:
        """By segment id, which part of its pixels each author made, in 0..1.

        Raises:
            ValueError: the map has another size.
        """
        if map.segment_ids.shape != self.numbers.shape:
            raise ValueError(f"a map {map.segment_ids.shape} for {self.numbers.shape} pixels")
        n = len(self.authors)
        pairs = map.segment_ids.astype(np.int64) * n + self.numbers
        counts = np.bincount(pairs.ravel(), minlength=n)
        shares: dict[int, dict[Author | None, float]] = {}
        for segment_id, area in map.areas().items():
            some = counts[segment_id * n : (segment_id + 1) * n]
            shares[segment_id] = {
                self.authors[number]: float(some[number] / area)
                for number in np.flatnonzero(some)
            }
        return shares


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """What a part of the plane was before an edit."""

    rect: Rect
    numbers: Ids


@dataclass(slots=True, eq=False)
class KeptProvenance:
    """The provenance of the image asked for last, which follows its history step by step.

    Attributes:
        position: of the edits that it holds.
        branch: of the history; the edits up to `position` are those of that branch.
    """

    image_id: int
    provenance: Provenance
    position: int
    branch: int
    _patches: list[Patch] = field(default_factory=list)
    _n_bytes: int = 0

    def go_on(self, changes: Iterable[tuple[Change, Author]]) -> None:
        """Follow edits that have come into effect."""
        for change, author in changes:
            patch = self.provenance.paint(change, author)
            self._patches.append(patch)
            self._n_bytes += patch.numbers.nbytes
            self.position += 1
        while self._n_bytes > MAX_KEPT and self._patches:
            self._n_bytes -= self._patches.pop(0).numbers.nbytes

    def go_back(self, position: int) -> bool:
        """Follow edits that were taken back; False if it is not known how."""
        if self.position - position > len(self._patches):
            return False
        while self.position > position:
            patch = self._patches.pop()
            self._n_bytes -= patch.numbers.nbytes
            self.provenance.take_back(patch)
            self.position -= 1
        return True


def find_shares(
    provenance: Provenance, map: PanopticMap
) -> Iterator[tuple[int, dict[str, float]]]:
    """By segment id, the shares of authors as they are written into files, to 4 digits."""
    for segment_id, shares in provenance.shares(map).items():
        named: dict[str, float] = {}
        for author, share in shares.items():
            name = (
                "unknown" if author is None else f"{author.kind.value} {author.model}".strip()
            )
            named[name] = named.get(name, 0.0) + share
        yield segment_id, {name: round(share, 4) for name, share in named.items()}
