"""Proposals that nobody has decided on, kept with their images while others are open."""

from collections import OrderedDict
from typing import Final

from app.suggestion import Suggestion

MAX_WAITING: Final = 8  # the map of each is in memory

DROPPED: Final = (
    "Categories or maps of the project were changed, so the proposals that waited with other "
    "images are gone."
)


class WaitingProposals:
    """The last few suggestions by the id of their image."""

    def __init__(self) -> None:
        self._suggestions: OrderedDict[int, Suggestion] = OrderedDict()

    def keep(self, image_id: int, suggestion: Suggestion) -> None:
        """Let a suggestion wait for its image; the oldest of too many goes."""
        self._suggestions[image_id] = suggestion
        while len(self._suggestions) > MAX_WAITING:
            self._suggestions.popitem(last=False)

    def take(self, image_id: int) -> Suggestion | None:
        """What waits for an image, which it does no longer."""
        return self._suggestions.pop(image_id, None)

    def clear(self) -> bool:
        """Drop all: they speak in categories, or are for maps, that have changed.

        Returns:
            Whether there were any.
        """
        had_any = bool(self._suggestions)
        self._suggestions.clear()
        return had_any
