"""The correction meter in the project file: one row for each proposal that was accepted."""

from core.corrections import Correction
from core.database import ProjectDatabase


class ProjectMeter(ProjectDatabase):
    """The part of `AnnotationStore` about what corrections took."""

    def add_active_ms(self, image_id: int, active_ms: int) -> None:
        """Add time that somebody has worked on an image since its proposal was accepted.

        Nothing happens if it has none.
        """
        seq = self._find_open(image_id) if active_ms > 0 else None
        if seq is not None:
            statement = (
                "UPDATE correction SET active_ms = active_ms + ? WHERE image_id = ? AND seq = ?"
            )
            with self._writing():
                self._execute(statement, active_ms, image_id, seq)

    def corrections(self) -> list[Correction]:
        """What it took to correct each proposal of which the image was approved, in order."""
        rows = self._execute(
            "SELECT path, frame, maker.model, seed, steps, n_pixels, correction.n_segments, "
            "n_gestures, active_ms / 1000.0, approved_at FROM correction "
            "JOIN image ON image.id = image_id JOIN author AS maker ON maker.id = author_id "
            "WHERE approved_at IS NOT NULL ORDER BY image_id, seq"
        )
        return [Correction(*row) for row in rows]

    def _begin_correction(self, image_id: int, seq: int, author_id: int) -> None:
        """Note that an edit has taken a proposal over; inside a transaction.

        To ask the same model again, as for a part of the image, is one more gesture.
        """
        asked = self._execute(
            "SELECT old.model = new.model FROM correction JOIN author AS old "
            "ON old.id = author_id JOIN author AS new ON new.id = ?3 "
            "WHERE image_id = ?1 AND seq = ?2",
            image_id,
            self._find_open(image_id),
            author_id,
        )
        if asked and asked[0][0]:
            self._count_gesture(image_id)
            return
        self._execute(
            "INSERT INTO correction (image_id, seq, author_id, n_gestures, active_ms) "
            "VALUES (?, ?, ?, 0, 0)",
            image_id,
            seq,
            author_id,
        )

    def _count_gesture(self, image_id: int) -> None:
        """Count something that a person has done; inside a transaction."""
        self._execute(
            "UPDATE correction SET n_gestures = n_gestures + 1 WHERE image_id = ? AND seq = ?",
            image_id,
            self._find_open(image_id),
        )

    def _find_open(self, image_id: int) -> int | None:
        """The number of the edit that took over the proposal in effect, of several the last."""
        ((seq,),) = self._execute(
            "SELECT max(seq) FROM correction WHERE image_id = ?1 AND seq <= "
            "(SELECT position FROM image WHERE id = ?1)",
            image_id,
        )
        return None if seq is None else int(seq)
