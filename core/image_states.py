"""How far each image is, kept up to date at every step: its state, and what its map holds.

All of it follows from the edits in effect and from what a person has said; it is written down
so that a hundred thousand images can be asked for it.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.authors import A_PERSON, Author, AuthorKind, ProjectAuthors, author_of_label
from core.correction_meter import ProjectMeter
from core.hold_out import ProjectHoldOut
from core.panoptic import Edit, Segment
from core.review import VERDICTS, Review, find_review


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image stands in its journal; the names are those of `core.migrations`."""

    image_id: int
    height: int
    width: int
    position: int
    next_id: int
    base: int
    branch: int
    review: Review
    verdict: str
    verdict_at: int
    n_segments: int
    model: str


class ProjectStates(ProjectAuthors, ProjectHoldOut, ProjectMeter):
    """The part of `AnnotationStore` about how far images are."""

    def set_review(self, image_id: int, review: Review, reason: str = "") -> None:
        """Keep what a person says about an image as it is now; it is no step of its history.

        It holds until another edit is in effect, and again when that edit is taken back.

        Args:
            image_id: of the image.
            review: approved or rejected.
            reason: why it is rejected.

        Raises:
            ValueError: the state is one that edits alone bring about.
        """
        if review not in VERDICTS:
            raise ValueError(f"nobody can say that an image is {review}")
        with self._writing():
            place = self._place(image_id)
            said = replace(place, verdict=review.value, verdict_at=place.position)
            self._write_place(said, review, reason)
            self._decide_hold_out()

    def reopen(self, image_id: int) -> None:
        """Take back that an image was approved or rejected."""
        with self._writing():
            place = replace(self._place(image_id), verdict="", verdict_at=0)
            self._write_place(place, self._find_review(place))

    def note_nothing_found(self, image_id: int, model: str) -> None:
        """Keep that a model has found nothing in an image, if that is empty."""
        with self._writing():
            statement = "UPDATE image SET model = ? WHERE id = ? AND review = ?"
            self._execute(statement, model, image_id, Review.EMPTY.value)

    def mark(self, image_id: int) -> tuple[int, int]:
        """What tells the image's present map from every other that it has had or will have.

        Raises:
            ValueError: the project does not have the image.
        """
        place = self._place(image_id)
        return place.position, place.branch

    def reviews(self) -> dict[int, Review]:
        """How far each image is, by id, as they came in."""
        rows = self._execute("SELECT id, review FROM image ORDER BY id")
        try:
            return {image_id: Review(review) for image_id, review in rows}
        except ValueError as error:
            raise self._damage("An image", error) from error

    def proposed_by(self, author: Author) -> set[int]:
        """The images whose last proposal is of a model, and that have an edit of that author.

        Where edits have been dropped, and where the model has found nothing, nobody knows of
        which steps and seed that was: the model is enough.
        """
        rows = self._execute(
            "SELECT id FROM image WHERE model = ?1 AND (base > 0 OR review = 'empty' OR EXISTS "
            "(SELECT 1 FROM edit WHERE image_id = image.id AND seq <= image.position "
            "AND author_id IN (SELECT id FROM author WHERE kind = ?2 AND model = ?1 "
            "AND coalesce(seed, -1) = coalesce(?3, -1) "
            "AND coalesce(steps, -1) = coalesce(?4, -1) "
            "AND coalesce(time_delta, ?5, -1) = coalesce(?5, time_delta, -1))))",
            author.model,
            author.kind.value,
            author.seed,
            author.steps,
            author.time_delta,  # where it is not known, seed and steps are enough
        )
        return {image_id for (image_id,) in rows}

    def _place(self, image_id: int) -> Place:
        rows = self._read("image", "WHERE id = ?", image_id)
        if not rows:
            raise ValueError(f"the project {self.path} has no image {image_id}")
        _, _, _, height, width, position, next_id, review, _, base, branch = rows[0][:11]
        _, _, verdict, verdict_at, _, _, n_segments, model, *_ = rows[0][11:]
        try:
            state = Review(review)
        except ValueError as error:
            raise self._damage(f"Image {image_id}", error) from error
        size = height, width
        where = position, next_id, base, branch
        return Place(image_id, *size, *where, state, verdict, verdict_at, n_segments, model)

    def _go_on(self, place: Place, edit: Edit, author: Author, *, keeps_review: bool) -> Place:
        """Where an image stands after one more edit; its state is written."""
        position = place.position + 1
        verdict, verdict_at = place.verdict, place.verdict_at
        if verdict_at > place.position:  # of a map that can not come back
            verdict, verdict_at = "", 0
        review = place.review
        if keeps_review:
            is_said = verdict and place.position == verdict_at
            verdict_at = position if is_said else verdict_at
        elif review in VERDICTS:
            review = find_review([*self._authors_in_effect(place), author])
        elif review is not Review.IN_WORK:
            review = Review.PROPOSED if author.is_automatic else Review.IN_WORK
        after = replace(
            place,
            position=position,
            verdict=verdict,
            verdict_at=verdict_at,
            n_segments=place.n_segments + self._count(place, [edit]),
            model=author.model if author.kind is AuthorKind.MODEL else place.model,
        )
        self._write_place(after, review)
        if author.kind is AuthorKind.MODEL:
            self._begin_correction(place.image_id, position, self._author_id(author))
        elif place.model and author.kind is AuthorKind.HUMAN and not keeps_review:
            self._count_gesture(place.image_id)
        return after

    def _go_to(self, place: Place, position: int, edits: Sequence[Edit]) -> None:
        """Let an image stand elsewhere in its history, where these edits lead to."""
        place = replace(
            place,
            position=position,
            n_segments=place.n_segments + self._count(place, edits),
        )
        authors = self._authors_in_effect(place)
        models = [author.model for author in authors if author.kind is AuthorKind.MODEL]
        place = replace(place, model=models[-1] if models else "")
        self._write_place(place, self._find_review(place, authors))
        if models:
            self._count_gesture(place.image_id)

    def _find_review(self, place: Place, authors: Sequence[Author] | None = None) -> Review:
        if place.verdict and place.position == place.verdict_at:
            return Review(place.verdict)
        return find_review(self._authors_in_effect(place) if authors is None else authors)

    def _write_place(self, place: Place, review: Review, reason: str | None = None) -> None:
        self._execute(
            "UPDATE image SET position = ?, review = ?, "
            "changed_at = iif(review = ?, changed_at, ?), reason = coalesce(?, reason), "
            "verdict = ?, verdict_at = ?, n_segments = ?, model = ? WHERE id = ?",
            place.position,
            review.value,
            review.value,
            int(time.time()),
            reason,
            place.verdict,
            place.verdict_at,
            place.n_segments,
            place.model,
            place.image_id,
        )

    def _authors_in_effect(self, place: Place) -> list[Author]:
        """Whose edits are in effect, from the first to the last to make one."""
        before = self._base_authors(place) if place.base else []
        where = "FROM edit WHERE image_id = ? AND seq <= ?"
        at = place.image_id, place.position
        rows = self._execute(
            f"SELECT author_id {where} GROUP BY author_id ORDER BY max(seq)", *at
        )
        if not rows:
            return before
        known = self.authors()
        found = []
        for (author_id,) in rows:
            if author_id is not None:
                found.append(known.get(author_id, A_PERSON))
                continue
            labels = self._execute(f"SELECT DISTINCT label {where} AND author_id IS NULL", *at)
            found += [author_of_label(label) for (label,) in labels]
        return before + found

    def _base_authors(self, place: Place) -> list[Author]:
        """Whose edits are behind the first map that is kept."""
        where = "WHERE image_id = ? AND seq = ?"
        rows = self._read("provenance", where, place.image_id, place.base)
        if not rows:
            return [A_PERSON]  # dropped by a version that kept no authors
        return self._authors_of(parse_ids(rows[0][2]))

    def _count(self, place: Place, edits: Iterable[Edit]) -> int:
        """Write which categories have how many segments more or less; returns how many all."""
        if place.n_segments < 0:
            return 0  # nobody knows yet how many there are
        change = Counter[int]()
        for edit in edits:
            change.update(s.category_id for s in edit.segments_after.values())
            change.subtract(s.category_id for s in edit.segments_before.values())
        self._add_content(place.image_id, change)
        return sum(change.values())

    def _set_content(self, image_id: int, segments: Iterable[Segment]) -> None:
        """Write what a map holds of which nobody knew it."""
        counts = Counter(segment.category_id for segment in segments)
        with self._writing():
            self._execute("DELETE FROM content WHERE image_id = ?", image_id)
            self._add_content(image_id, counts)
            statement = "UPDATE image SET n_segments = ? WHERE id = ?"
            self._execute(statement, counts.total(), image_id)

    def _add_content(self, image_id: int, counts: Counter[int]) -> None:
        for category_id, n in counts.items():
            if n:
                self._execute(
                    "INSERT INTO content VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE "
                    "SET n_segments = n_segments + ?3",
                    category_id,
                    image_id,
                    n,
                )
                self._execute(
                    "DELETE FROM content WHERE category_id = ? AND image_id = ? "
                    "AND n_segments <= 0",
                    category_id,
                    image_id,
                )


def parse_ids(text: str) -> list[int]:
    """The ids of authors in a row of `provenance`, from the first to the last to edit.

    Raises:
        ValueError: the text is no such list.
    """
    return [int(id_) for id_ in text.split()]
