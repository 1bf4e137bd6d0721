"""Who made each pixel of an image: found by going through its edits, and kept for the next."""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from core.authors import Author, AuthorKind, author_of_label
from core.errors import DamagedProjectError
from core.history import ProjectHistory
from core.image_states import Place, parse_ids
from core.journal import Change, decode_change, decode_ids, encode_ids
from core.provenance import KeptProvenance, Mask, Provenance


class ProjectProvenance(ProjectHistory):
    """The part of `AnnotationStore` about who made which pixels.

    Where the map of an image is kept between its edits, so is the provenance of that map.
    """

    def provenance(self, image_id: int) -> Provenance:
        """Who made each pixel of an image's present map; nobody else writes to it.

        The one that was asked for last is kept and follows the history; it changes when this
        is called again.

        Raises:
            ProjectError: an edit cannot be read.
        """
        place = self._place(image_id)
        kept = self._kept_for(place)
        if kept is None:
            start, provenance = self._load_provenance(place)
            kept = KeptProvenance(image_id, provenance, start, place.branch)
        self._kept = None  # if an edit cannot be read
        kept.go_on(self._read_changes(place, kept.position + 1))
        self._kept = kept
        return kept.provenance

    def human_pixels(self, image_id: int) -> Mask:
        """Which pixels a person made, bool [H, W]: those of a training can weigh more."""
        return self.provenance(image_id).of_kinds({AuthorKind.HUMAN})

    def _kept_for(self, place: Place) -> KeptProvenance | None:
        """What is kept, at a place or before it; None if it is of no use."""
        kept = self._kept
        if kept is None or (kept.image_id, kept.branch) != (place.image_id, place.branch):
            return None
        is_there = kept.position <= place.position or kept.go_back(place.position)
        return kept if is_there else None

    def _find_provenance(self, place: Place) -> tuple[list[Author], bytes] | None:
        """What is to be kept of the map at a place; None if an edit on the way is damaged."""
        start, provenance = self._load_provenance(place)
        try:
            for change, author in self._read_changes(place, start + 1):
                provenance.paint(change, author)
        except DamagedProjectError:
            return None
        authors = self._authors_in_effect(place)
        new_numbers = np.zeros(len(provenance.authors), np.uint16)
        for number, maker in enumerate(provenance.authors):
            if maker is not None:
                authors += [maker] if maker not in authors else []
                new_numbers[number] = authors.index(maker) + 1
        return authors, encode_ids(new_numbers[provenance.numbers])

    def _keep_provenance(self, place: Place, authors: list[Author], payload: bytes) -> None:
        """Write what `_find_provenance` has found; inside a transaction."""
        at = place.image_id, place.position
        ids = " ".join(str(self._author_id(author)) for author in authors)
        self._execute("DELETE FROM provenance WHERE image_id = ? AND seq = ?", *at)
        self._insert("provenance", *at, ids, payload)

    def _load_provenance(self, place: Place) -> tuple[int, Provenance]:
        """The last one that was written on the way to a place, and after which edit it was."""
        rows = self._execute(
            "SELECT seq FROM provenance WHERE image_id = ? AND seq BETWEEN ? AND ? "
            "ORDER BY seq DESC",
            place.image_id,
            place.base,
            place.position,
        )
        for (seq,) in rows:
            # For one that cannot be read there is an older one, and more edits to go through.
            with suppress(ValueError, DamagedProjectError):
                where = "WHERE image_id = ? AND seq = ?"
                ((_, _, ids, payload),) = self._read("provenance", where, place.image_id, seq)
                numbers = decode_ids(payload, place.height, place.width)
                authors = self._authors_of(parse_ids(ids))
                if numbers.max(initial=0) <= len(authors):
                    return seq, Provenance(numbers, [None, *authors])
        return place.base, Provenance.unknown(place.height, place.width)

    def _read_changes(self, place: Place, first: int) -> Iterator[tuple[Change, Author]]:
        """Which pixels each edit from one on to a place has changed, and its author."""
        known = self.authors()
        for seq, label, payload, author_id in self._read_payloads(
            place.image_id, first, place.position
        ):
            try:
                change = decode_change(payload)
            except ValueError as error:
                raise self._bad_edit(place.image_id, seq, error) from error
            yield change, (known.get(author_id or 0) or author_of_label(label))
