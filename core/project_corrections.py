"""Measuring a correction when its image is approved: what became of the proposal."""

import time

from core.corrections import measure_change
from core.errors import DamagedProjectError
from core.project_provenance import ProjectProvenance
from core.review import Review


class ProjectCorrections(ProjectProvenance):
    """The part of `AnnotationStore` that compares approved maps with their proposals."""

    def set_review(self, image_id: int, review: Review, reason: str = "") -> None:
        """Keep what a person says, see `ProjectStates`, and what it took to come to it."""
        super().set_review(image_id, review, reason)
        seq = self._find_open(image_id)
        if review is Review.APPROVED and seq is not None:
            n_pixels, n_segments = self._measure(image_id, seq)
            with self._writing():
                self._execute(
                    "UPDATE correction SET n_pixels = ?, n_segments = ?, approved_at = ? "
                    "WHERE image_id = ? AND seq = ?",
                    n_pixels,
                    n_segments,
                    int(time.time()),
                    image_id,
                    seq,
                )

    def _measure(self, image_id: int, seq: int) -> tuple[int | None, int | None]:
        """What differs from the proposal; not known if a step since then is dropped or lost."""
        place = self._place(image_id)
        if seq < place.base:
            return None, None
        try:
            return measure_change(self._read_edits(image_id, seq + 1, place.position))
        except DamagedProjectError:
            return None, None
