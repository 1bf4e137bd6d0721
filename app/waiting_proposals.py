"""Proposals that nobody has decided on, kept with their images while others are open."""

from collections import OrderedDict
from typing import Final

from app.suggestion import Suggestion
from core.store import ImageRecord

MAX_WAITING: Final = 8  # the map of each is in memory

DROPPED: Final = (
    "Categories or maps of the project were changed, so the proposals that waited with other "
    "images are gone."
)
TOO_MANY: Final = (
    f"The proposal for {{name}} is gone: no more than {MAX_WAITING} wait while other images "
    "are open."
)


class WaitingProposals:
    """The last few suggestions by the id of their image."""

    def __init__(self) -> None:
        self._suggestions: OrderedDict[int, tuple[str, Suggestion]] = OrderedDict()

    @property
    def names(self) -> list[str]:
        """Of the images, the one that has waited longest first."""
        return [name for name, _ in self._suggestions.values()]

    def keep(self, record: ImageRecord, suggestion: Suggestion) -> str:
        """Let a suggestion wait for its image; the oldest of too many goes.

        Returns:
            The name of the image whose suggestion went; empty for none.
        """
        self._suggestions[record.id] = (record.path.name, suggestion)
        if len(self._suggestions) <= MAX_WAITING:
            return ""
        _, (name, _) = self._suggestions.popitem(last=False)
        return name

    def take(self, image_id: int) -> Suggestion | None:
        """What waits for an image, which it does no longer."""
        _, suggestion = self._suggestions.pop(image_id, ("", None))
        return suggestion

    def clear(self) -> bool:
        """Drop all: they speak in categories, or are for maps, that have changed.

        Returns:
            Whether there were any.
        """
        had_any = bool(self._suggestions)
        self._suggestions.clear()
        return had_any
