"""The last word before a project is closed: what would be lost with it is said once."""

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject, Slot

from app.canvas import CanvasView
from app.document import Document
from app.notices import Notices

UNSAVED: Final = "What you drew last is not saved; close the window again to lose it."
UNDECIDED: Final = (
    "Nobody has decided on the proposal for {names}; it is lost when the project is closed. Do "
    "this once more to lose it."
)
MAX_NAMED: Final = 3


class LastWord(QObject):
    """Refuses once to close the project, for each thing that would be lost."""

    def __init__(
        self, document: Document, canvas: CanvasView, notices: Notices, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._canvas = canvas
        self._notices = notices
        self._is_unsaved_said = False
        self._is_undecided_said = False
        self._others: list[Callable[[], bool]] = []
        self._last: list[Callable[[], bool]] = []
        canvas.gesture_began.connect(self._on_gesture_began)
        document.proposal_changed.connect(self._on_proposal_changed)

    def also_ask(self, may_close: Callable[[], bool]) -> None:
        """Ask somebody else, too, who says what would be lost or stopped."""
        self._others.append(may_close)

    def ask_last(self, may_close: Callable[[], bool]) -> None:
        """Ask somebody once nothing is lost any more, and only where the window is closed."""
        self._last.append(may_close)

    def may_close(self) -> bool:
        """Save what is being drawn, and say whether nothing else is lost, or is known to be."""
        if not self._canvas.finish_gesture() and not self._is_unsaved_said:
            self._is_unsaved_said = True
            self._notices.fail(UNSAVED)
            return False
        return self.may_drop_proposals() and all(ask() for ask in self._last)

    def may_drop_proposals(self) -> bool:
        """Whether everybody has decided on all proposals, or knows that some would go."""
        if not all(may_close() for may_close in self._others):
            return False
        names = self._document.undecided
        if not names or self._is_undecided_said:
            return True
        self._is_undecided_said = True
        self._notices.fail(UNDECIDED.format(names=_listed(names)), about=self)
        return False

    def give_up(self) -> None:
        """Refuse nothing any more: the project is closed, whatever is lost."""
        self._is_unsaved_said = self._is_undecided_said = True
        self._last.clear()

    @Slot()
    def _on_gesture_began(self) -> None:
        self._is_unsaved_said = False  # that was about something else

    @Slot()
    def _on_proposal_changed(self) -> None:
        self._is_undecided_said = False
        self._notices.settle(self)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
