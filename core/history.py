"""The journal of each image: the edits that lead to its map, and the ways back and forth.

The journal is the truth, a map is what its edits add up to. Every method that changes something
has committed it to the disk when it returns, so a crash costs nothing that was seen.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from core.database import ProjectDatabase
from core.errors import DamagedProjectError
from core.journal import decode_edit, decode_map, encode_edit, encode_map
from core.panoptic import Edit, PanopticMap

SNAPSHOT_EVERY: Final = 128  # edits; opening an image never replays more


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an image stands in its journal."""

    height: int
    width: int
    position: int
    next_id: int


class ProjectHistory(ProjectDatabase):
    """The part of `AnnotationStore` about maps and their edits."""

    def load_map(self, image_id: int) -> PanopticMap:
        """The map of an image: the journal's edits up to the present position, carried out."""
        place = self._place(image_id)
        done, map = self._load_snapshot(image_id, place)
        for seq in range(done + 1, place.position + 1):
            edit = self._read_edit(image_id, seq)
            try:
                map.apply(edit)
            except ValueError as error:
                raise self._bad_edit(image_id, seq, error) from error
        map.next_id = place.next_id
        return map

    def edits(self, image_id: int) -> Iterator[Edit]:
        """The edits in effect, oldest first."""
        for seq in range(1, self._place(image_id).position + 1):
            yield self._read_edit(image_id, seq)

    def append_edit(self, image_id: int, edit: Edit) -> None:
        """Commit an edit of the image's present map; edits that were taken back are dropped.

        An edit that changes nothing leaves no trace.

        Raises:
            ValueError: the edit lies outside the image.
        """
        if edit.is_empty:
            return
        payload = encode_edit(edit)
        with self._writing():
            place = self._place(image_id)
            if edit.rect.clipped(place.height, place.width) != edit.rect:
                raise ValueError(f"{edit.rect} of '{edit.label}' is not inside the image")
            seq = place.position + 1
            self._execute("DELETE FROM edit WHERE image_id = ? AND seq >= ?", image_id, seq)
            self._execute("DELETE FROM snapshot WHERE image_id = ? AND seq >= ?", image_id, seq)
            self._insert("edit", image_id, seq, edit.label, edit.before.size, payload)
            next_id = max(edit.segments_after, default=0) + 1
            self._execute(
                "UPDATE image SET position = ?, next_id = max(next_id, ?) WHERE id = ?",
                seq,
                next_id,
                image_id,
            )
            if seq % SNAPSHOT_EVERY == 0:
                snapshot = encode_map(self.load_map(image_id))
                self._insert("snapshot", image_id, seq, snapshot)

    def undo(self, image_id: int) -> Edit | None:
        """Commit a step back; returns the edit that takes it in the map, None at the start."""
        with self._writing():
            if not self.can_undo(image_id):
                return None
            position = self._place(image_id).position
            self._set_position(image_id, position - 1)
            return self._read_edit(image_id, position).inverted()

    def redo(self, image_id: int) -> Edit | None:
        """Commit a step forward again; returns its edit, None at the end."""
        with self._writing():
            if not self.can_redo(image_id):
                return None
            position = self._place(image_id).position
            self._set_position(image_id, position + 1)
            return self._read_edit(image_id, position + 1)

    def can_undo(self, image_id: int) -> bool:
        return self._place(image_id).position > 0

    def can_redo(self, image_id: int) -> bool:
        position = self._place(image_id).position
        (n_edits,) = self._execute("SELECT max(seq) FROM edit WHERE image_id = ?", image_id)[0]
        return position < (n_edits or 0)

    def history(self, image_id: int) -> tuple[list[str], int]:
        """Labels of all edits, oldest first, and how many of them are in effect."""
        position = self._place(image_id).position
        rows = self._execute("SELECT label FROM edit WHERE image_id = ? ORDER BY seq", image_id)
        return [label for (label,) in rows], position

    def _place(self, image_id: int) -> _Place:
        rows = self._read("image", "WHERE id = ?", image_id)
        if not rows:
            raise ValueError(f"the project {self.path} has no image {image_id}")
        return _Place(*rows[0][3:7])

    def _set_position(self, image_id: int, position: int) -> None:
        self._execute("UPDATE image SET position = ? WHERE id = ?", position, image_id)

    def _read_edit(self, image_id: int, seq: int) -> Edit:
        rows = self._read("edit", "WHERE image_id = ? AND seq = ?", image_id, seq)
        if not rows:
            raise self._bad_edit(image_id, seq, "it is missing")
        *_, label, _, payload = rows[0]
        try:
            return decode_edit(payload, label)
        except ValueError as error:
            raise self._bad_edit(image_id, seq, error) from error

    def _load_snapshot(self, image_id: int, place: _Place) -> tuple[int, PanopticMap]:
        """The last readable map on the way to the present one, and after which edit it was."""
        rows = self._execute(
            "SELECT seq FROM snapshot WHERE image_id = ? AND seq <= ? ORDER BY seq DESC",
            image_id,
            place.position,
        )
        for (seq,) in rows:
            # One that cannot be read is made up for by an older one and more of the journal.
            with suppress(ValueError, DamagedProjectError):
                where = "WHERE image_id = ? AND seq = ?"
                ((*_, payload),) = self._read("snapshot", where, image_id, seq)
                return seq, decode_map(payload, place.height, place.width)
        return 0, PanopticMap.empty(place.height, place.width)

    def _bad_edit(self, image_id: int, seq: int, reason: object) -> DamagedProjectError:
        return self._damage(f"Edit {seq} of image {image_id}", reason)
