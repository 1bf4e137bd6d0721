"""Compaction: dropping the oldest steps of each history, when the user asks for it.

The map before the first step that is kept becomes the base, and undo ends there. Each image is
one transaction, so that a process killed at any line leaves every map and every kept step.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.errors import ProjectError
from core.journal import decode_map, encode_map
from core.panoptic import PanopticMap
from core.schema import open_database
from core.snapshots import ProjectSnapshots


@dataclass(frozen=True, slots=True)
class CompactionPlan:
    """What `compact` with this limit would drop for good.

    Attributes:
        limit: how many steps that can be taken back each image keeps.
        n_images: that would lose steps.
        n_steps: that could not be taken back any more.
        n_bytes: that these steps take in the project file.
    """

    limit: int
    n_images: int
    n_steps: int
    n_bytes: int


class ProjectCompaction(ProjectSnapshots):
    """The part of `AnnotationStore` that drops old steps."""

    def plan_compaction(self, limit: int) -> CompactionPlan:
        """Count what would go; nothing is changed.

        Raises:
            ValueError: the limit is negative.
        """
        if limit < 0:
            raise ValueError(f"{limit} steps cannot be kept")
        ((n_images, n_steps, n_bytes),) = self._execute(
            "SELECT count(DISTINCT image_id), count(*), sum(length(payload)) "
            "FROM edit JOIN image ON image.id = image_id WHERE seq <= position - ?",
            limit,
        )
        return CompactionPlan(limit, n_images, n_steps, n_bytes or 0)

    def compact(self, limit: int) -> CompactionPlan:
        """Drop all but the last steps in effect of each image; those taken back stay.

        Returns:
            What was dropped.

        Raises:
            ProjectError: an image's history is damaged; it and those after it keep theirs.
            ValueError: the limit is negative.
        """
        plan = self.plan_compaction(limit)
        for _ in self.compactions(limit):
            pass
        return plan

    def compactions(self, limit: int) -> Iterator[int]:
        """`compact`, image by image: closing it keeps what is done.

        Yields:
            How many images are done.
        """
        rows = self._execute(
            "SELECT id FROM image WHERE position - base > ? ORDER BY id",
            limit,
        )
        for n_done, (image_id,) in enumerate(rows, start=1):
            self._compact_image(image_id, limit)
            yield n_done
        with suppress(ProjectError):  # too little room to write the file anew; the space is
            self._execute("VACUUM")  # used again by later edits
            self._execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _compact_image(self, image_id: int, limit: int) -> None:
        with self._writing():
            place = self._place(image_id)
            base = place.position - limit
            map = self._map_at(place, base)
            payload = encode_map(map)
            _check(payload, map)
            self._keep_snapshot(image_id, base, payload)
            at_base = replace(place, position=base)
            if provenance := self._find_provenance(at_base):
                self._keep_provenance(at_base, *provenance)
            self._execute("DELETE FROM edit WHERE image_id = ? AND seq <= ?", image_id, base)
            self._execute("DELETE FROM snapshot WHERE image_id = ? AND seq < ?", image_id, base)
            self._execute(
                "DELETE FROM provenance WHERE image_id = ? AND seq < ?", image_id, base
            )
            self._execute("UPDATE image SET base = ? WHERE id = ?", base, image_id)


def compact_beside(path: Path, limit: int) -> Generator[int, None, None]:
    """`compactions` through a connection of their own, in a thread of whoever has the lock.

    Raises:
        ProjectError: as `compact`; or another thread keeps the project busy.
    """
    with closing(open_database(path, is_read_only=False)) as connection:
        yield from ProjectCompaction(path, connection).compactions(limit)


def _check(payload: bytes, map: PanopticMap) -> None:
    """Read back what replaces the journal: a wrong pixel here would be one for good."""
    again = decode_map(payload, map.height, map.width)
    if not np.array_equal(again.segment_ids, map.segment_ids) or again.segments != map.segments:
        raise ValueError("a map did not come back from its bytes as it was")
