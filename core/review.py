"""How far an image is: what its edits say, and what a person has said about it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from core.authors import Author


class Review(StrEnum):
    """How far an image is.

    EMPTY: no edit is in effect. PROPOSED: all that is there was made by a model or by
    propagation. IN_WORK: a person or an import has changed it. APPROVED and REJECTED are said
    by a person, of the map as it was then.
    """

    EMPTY = "empty"
    PROPOSED = "proposed"
    IN_WORK = "in work"
    APPROVED = "approved"
    REJECTED = "rejected"


TO_REVIEW: Final = (Review.EMPTY, Review.PROPOSED, Review.IN_WORK)
VERDICTS: Final = (Review.APPROVED, Review.REJECTED)


def find_review(authors: Iterable[Author]) -> Review:
    """The state of an image about which nobody has said anything.

    Args:
        authors: of the edits in effect.
    """
    are_automatic = [author.is_automatic for author in authors]
    if not are_automatic:
        return Review.EMPTY
    return Review.PROPOSED if all(are_automatic) else Review.IN_WORK
