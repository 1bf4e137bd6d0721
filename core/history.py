"""The journal of each image: the edits that lead to its map, and the ways back and forth.

The journal is the truth, a map is what its edits add up to. Every method that changes something
has committed it to the disk when it returns, so a crash costs nothing that was seen.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from core.authors import A_PERSON, Author
from core.errors import DamagedProjectError
from core.giving import make_edit, shrink
from core.image_states import Place, ProjectStates
from core.journal import decode_edit, decode_map, decode_segments, encode_edit
from core.panoptic import Edit, PanopticMap, Rect, Segment
from core.provenance import KeptProvenance
from core.recent_edits import RecentEdits

# What replaying an edit costs, in pixels written: those of its box, and for bytes and the rest.
_COST: Final = "sum(60000 + n_pixels + 8 * length(payload))"
FAR: Final = 20_000_000  # a walk through the history that costs more is done in one edit
_AT_ONCE: Final = 128  # edits read by one statement


class ProjectHistory(ProjectStates):
    """The part of `AnnotationStore` about maps and their edits."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path, connection)
        self._recent = RecentEdits()
        self._kept: KeptProvenance | None = None

    def load_map(self, image_id: int) -> PanopticMap:
        """The map of an image: the journal's edits up to the present position, carried out."""
        place = self._place(image_id)
        return self._map_at(place, place.position)

    def base_map(self, image_id: int) -> PanopticMap:
        """The map before the first step that can be taken back: void, unless compacted."""
        place = self._place(image_id)
        return self._map_at(place, place.base)

    def load_segments(self, image_id: int) -> dict[int, Segment]:
        """The segments of an image's map without its pixels, in a fraction of the time."""
        place = self._place(image_id)
        done, map = self._load_snapshot(place, place.position)
        segments = dict(map.segments)
        for seq, _, payload, _ in self._read_payloads(image_id, done + 1, place.position):
            try:
                before, after = decode_segments(payload)
            except ValueError as error:
                raise self._bad_edit(image_id, seq, error) from error
            for segment_id in before:
                segments.pop(segment_id, None)
            segments.update(after)
        return segments

    def count_anew(self) -> None:
        """Count the segments of images of which an earlier version has not written it down.

        Those whose journal is damaged stay unknown.
        """
        for (image_id,) in self._execute("SELECT id FROM image WHERE n_segments < 0"):
            with suppress(DamagedProjectError):
                self._set_content(image_id, self.load_segments(image_id).values())

    def edits(self, image_id: int) -> Iterator[Edit]:
        """The edits in effect that can be taken back, oldest first."""
        place = self._place(image_id)
        yield from self._read_edits(image_id, place.base + 1, place.position)

    def append_edit(
        self,
        image_id: int,
        edit: Edit,
        author: Author = A_PERSON,
        *,
        keeps_review: bool = False,
    ) -> None:
        """Commit an edit of the image's present map; edits that were taken back are dropped.

        An edit that changes nothing leaves no trace.

        Args:
            image_id: of the image.
            edit: made for its map as it is.
            author: who made it.
            keeps_review: whether what was said about the image holds for the new map as well.

        Raises:
            ValueError: the edit lies outside the image.
        """
        if edit.is_empty:
            return
        payload = encode_edit(edit)
        with self._writing():
            seq = self._append(image_id, edit, payload, author, keeps_review=keeps_review)
        if edit.states is not None:  # made from the map, and so nobody else's arrays
            self._recent.keep(image_id, seq, payload, edit)

    def _append(
        self, image_id: int, edit: Edit, payload: bytes, author: Author, *, keeps_review: bool
    ) -> int:
        """Write an edit and what follows from it; inside a transaction. Returns its number."""
        place = self._place(image_id)
        if edit.rect.clipped(place.height, place.width) != edit.rect:
            raise ValueError(f"{edit.rect} of '{edit.label}' is not inside the image")
        seq = place.position + 1
        has_dropped = self._drop_after(place)
        author_id, n_pixels = self._author_id(author), edit.before.size
        self._insert("edit", image_id, seq, edit.label, n_pixels, payload, author_id)
        self._execute(
            "UPDATE image SET next_id = max(next_id, ?), branch = branch + ? WHERE id = ?",
            max(edit.segments_after, default=0) + 1,
            has_dropped,
            image_id,
        )
        self._go_on(place, edit, author, keeps_review=keeps_review)
        return seq

    def _drop_after(self, place: Place) -> bool:
        """Drop what can be redone; returns whether there was anything."""
        at = place.image_id, place.position
        statement = "DELETE FROM edit WHERE image_id = ? AND seq > ? RETURNING 1"
        has_any = bool(self._execute(statement, *at))
        self._execute("DELETE FROM snapshot WHERE image_id = ? AND seq > ?", *at)
        if has_any:
            self._follow_branch(place)
            self._execute("DELETE FROM provenance WHERE image_id = ? AND seq > ?", *at)
            self._execute("DELETE FROM correction WHERE image_id = ? AND seq > ?", *at)
        return has_any

    def _follow_branch(self, place: Place) -> None:
        """Let the kept provenance go back to where the history now goes another way."""
        kept = self._kept
        if kept is None or (kept.image_id, kept.branch) != (place.image_id, place.branch):
            return
        if kept.position <= place.position or kept.go_back(place.position):
            kept.branch += 1
        else:
            self._kept = None

    def undo(self, image_id: int) -> Edit | None:
        """Commit a step back; returns the edit that takes it in the map, None at the start."""
        return self._step(image_id, -1)

    def redo(self, image_id: int) -> Edit | None:
        """Commit a step forward again; returns its edit, None at the end."""
        return self._step(image_id, 1)

    @property
    def is_untouched(self) -> bool:
        """Whether no image has ever had a segment, not even one that was taken back."""
        return not self._execute("SELECT 1 FROM image WHERE next_id > 1 LIMIT 1")

    def can_undo(self, image_id: int) -> bool:
        place = self._place(image_id)
        return place.position > place.base

    def can_redo(self, image_id: int) -> bool:
        place = self._place(image_id)
        return place.position < self._last(place)

    def history(self, image_id: int) -> tuple[list[str], int]:
        """Labels of all steps that are kept, oldest first, and how many are in effect."""
        place = self._place(image_id)
        rows = self._execute("SELECT label FROM edit WHERE image_id = ? ORDER BY seq", image_id)
        return [label for (label,) in rows], place.position - place.base

    def n_dropped(self, image_id: int) -> int:
        """How many steps there were before those of `history`."""
        return self._place(image_id).base

    def travel(self, image_id: int, position: int) -> list[Edit]:
        """Commit a walk to another place of the history; a long one is one edit.

        Args:
            image_id: of the image.
            position: how many of the steps in `history` are to be in effect.

        Returns:
            The edits that take the image's present map there, in order.

        Raises:
            ValueError: the history has no such position.
        """
        with self._writing():
            place = self._place(image_id)
            goal = place.base + position
            if not place.base <= goal <= self._last(place):
                raise ValueError(f"image {image_id} has no position {position} in its history")
            edits = self._walk(place, goal)
            self._go_to(place, goal, edits)
            return edits

    def _step(self, image_id: int, n_steps: int) -> Edit | None:
        with self._writing():
            return self._take_step(image_id, n_steps)

    def _take_step(self, image_id: int, n_steps: int) -> Edit | None:
        """One step back (-1) or forward (1); inside a transaction."""
        place = self._place(image_id)
        goal = place.position + n_steps
        if not place.base <= goal <= self._last(place):
            return None
        edit = self._read_edit(image_id, max(goal, place.position))
        edit = edit if n_steps > 0 else edit.inverted()
        self._go_to(place, goal, [edit])
        return edit

    def _walk(self, place: Place, goal: int) -> list[Edit]:
        first, last = sorted((place.position, goal))
        if self._replay_cost(place.image_id, first, last) > FAR:
            here, there = self._map_at(place, place.position), self._map_at(place, goal)
            return [difference(here, there, "travel")]
        edits = list(self._read_edits(place.image_id, first + 1, last))
        return edits if goal > place.position else [edit.inverted() for edit in edits[::-1]]

    def _last(self, place: Place) -> int:
        """Number of the last edit, in effect or not."""
        statement = "SELECT max(seq) FROM edit WHERE image_id = ?"
        ((last,),) = self._execute(statement, place.image_id)
        return place.base if last is None else int(last)

    def _map_at(self, place: Place, seq: int) -> PanopticMap:
        """The map after an edit."""
        done, map = self._load_snapshot(place, seq)
        for number, edit in enumerate(
            self._read_edits(place.image_id, done + 1, seq), done + 1
        ):
            try:
                map.apply(edit)
            except ValueError as error:
                raise self._bad_edit(place.image_id, number, error) from error
        map.next_id = place.next_id
        return map

    def _replay_cost(self, image_id: int, first: int, last: int) -> int:
        """Of the edits after the first to the last, in pixels."""
        where = " FROM edit WHERE image_id = ? AND seq > ? AND seq <= ?"
        return self._execute(f"SELECT {_COST}" + where, image_id, first, last)[0][0] or 0

    def _read_edits(self, image_id: int, first: int, last: int) -> Iterator[Edit]:
        """Edits by number, both ends included."""
        for seq, label, payload, _ in self._read_payloads(image_id, first, last):
            yield self._decode(image_id, seq, label, payload)

    def _read_payloads(
        self, image_id: int, first: int, last: int
    ) -> Iterator[tuple[int, str, bytes, int | None]]:
        """Number, label, bytes and author's id of edits, both ends included."""
        where = "WHERE image_id = ? AND seq BETWEEN ? AND ? ORDER BY seq"
        for start in range(first, last + 1, _AT_ONCE):
            end = min(start + _AT_ONCE - 1, last)
            rows = {row[1]: row for row in self._read("edit", where, image_id, start, end)}
            for seq in range(start, end + 1):
                if seq not in rows:
                    raise self._bad_edit(image_id, seq, "it is missing")
                _, _, label, _, payload, author_id = rows[seq]
                yield seq, label, payload, author_id

    def _read_edit(self, image_id: int, seq: int) -> Edit:
        """An edit by number, which is kept for the way back."""
        ((_, label, payload, _),) = self._read_payloads(image_id, seq, seq)
        edit = self._decode(image_id, seq, label, payload)
        self._recent.keep(image_id, seq, payload, edit)
        return edit

    def _decode(self, image_id: int, seq: int, label: str, payload: bytes) -> Edit:
        edit = self._recent.find(image_id, seq, label, payload)
        if edit is not None:
            return edit
        try:
            return decode_edit(payload, label)
        except ValueError as error:
            raise self._bad_edit(image_id, seq, error) from error

    def _load_snapshot(self, place: Place, seq: int) -> tuple[int, PanopticMap]:
        """The last readable map on the way to an edit, and after which edit it was."""
        numbers = self._execute(
            "SELECT seq FROM snapshot WHERE image_id = ? AND seq BETWEEN ? AND ? "
            "ORDER BY seq DESC",
            place.image_id,
            place.base,
            seq,
        )
        for (number,) in numbers:
            # One that cannot be read is made up for by an older one and more of the journal.
            with suppress(ValueError, DamagedProjectError):
                where = "WHERE image_id = ? AND seq = ?"
                ((*_, payload),) = self._read("snapshot", where, place.image_id, number)
                return number, decode_map(payload, place.height, place.width)
        if place.base:
            subject = f"The first map that is kept of image {place.image_id}"
            raise self._damage(subject, "its snapshot cannot be read")
        return 0, PanopticMap(np.zeros((place.height, place.width), np.uint16))

    def _bad_edit(self, image_id: int, seq: int, reason: object) -> DamagedProjectError:
        return self._damage(f"Edit {seq} of image {image_id}", reason)


def difference(old: PanopticMap, new: PanopticMap, label: str) -> Edit:
    """The edit that makes one map of an image the other."""
    everywhere = Rect(0, 0, old.height, old.width)
    rect, _ = shrink(everywhere, old.segment_ids != new.segment_ids)
    before, after = (map.segment_ids[rect.slices].copy() for map in (old, new))
    return make_edit(rect, before, after, (old.segments, new.segments), label)
