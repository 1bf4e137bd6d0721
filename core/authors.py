"""Who made an edit: a person, a model with its settings, propagation, or another program."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from core.database import ProjectDatabase
from core.proposals import Proposal, SamplingOptions


class AuthorKind(StrEnum):
    """What sort of author made an edit."""

    HUMAN = "human"
    MODEL = "model"
    PROPAGATED = "propagated"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Author:
    """Who made an edit.

    Attributes:
        model: its name, as its card has it; empty for no model, or one that is not known.
        seed: of the noise that the map was drawn from.
        steps: in which it was drawn; time_delta: the paper's td.
    """

    kind: AuthorKind
    model: str = ""
    seed: int | None = None
    steps: int | None = None
    time_delta: float | None = None

    @property
    def is_automatic(self) -> bool:
        """Whether nobody has looked at what it made."""
        return self.kind in {AuthorKind.MODEL, AuthorKind.PROPAGATED}


A_PERSON: Final = Author(AuthorKind.HUMAN)
ANOTHER_PROGRAM: Final = Author(AuthorKind.IMPORTED)
_OF_LABELS: Final = {
    "accept proposal": Author(AuthorKind.MODEL),
    "import": ANOTHER_PROGRAM,
}


def author_of_label(label: str) -> Author:
    """Who made an edit of a version that kept no authors, as far as its label tells."""
    return _OF_LABELS.get(label, A_PERSON)


def author_of_proposal(proposal: Proposal) -> Author:
    """Who made what a proposal suggests."""
    options = proposal.options
    return author_of_options(proposal.model, options)


def author_of_options(model: str, options: SamplingOptions) -> Author:
    """Who makes what a model proposes with some options."""
    return Author(AuthorKind.MODEL, model, options.seed, options.steps, options.time_delta)


class ProjectAuthors(ProjectDatabase):
    """The part of `AnnotationStore` about authors."""

    def authors(self) -> dict[int, Author]:
        """Every author of the project, by id."""
        return {row[0]: self._author(row) for row in self._read("author", "ORDER BY id")}

    def _author_id(self, author: Author) -> int:
        """The id of an author, who gets one if needed; inside a transaction."""
        values = (
            *(author.kind.value, author.model),
            *(author.seed, author.steps, author.time_delta),
        )
        rows = self._execute(
            "SELECT id FROM author WHERE kind = ? AND model = ? "
            "AND coalesce(seed, -1) = coalesce(?, -1) "
            "AND coalesce(steps, -1) = coalesce(?, -1) "
            "AND coalesce(time_delta, -1) = coalesce(?, -1)",
            *values,
        )
        if not rows:
            rows = self._execute(
                "INSERT INTO author (kind, model, seed, steps, time_delta) "
                "VALUES (?, ?, ?, ?, ?) RETURNING id",
                *values,
            )
        return int(rows[0][0])

    def _authors_of(self, ids: Iterable[int]) -> list[Author]:
        """Authors by id, in that order; one whose row is lost is a person."""
        known = self.authors()
        return [known.get(id_, A_PERSON) for id_ in ids]

    def _author(self, row: Sequence[Any]) -> Author:
        id_, kind, model, seed, steps, time_delta = row
        try:
            return Author(AuthorKind(kind), model, seed, steps, time_delta)
        except ValueError as error:
            raise self._damage(f"Author {id_}", error) from error
