"""What the model answers, held back while somebody draws: it would cover what is drawn on."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from app.segmenter import Segmenter
from core.proposals import Preview, Proposal

HELD = "The model is done; its proposal is shown as soon as you have finished drawing."


class HeldAnswers(QObject):
    """Passes on steps and maps of the inference process, in their order.

    Attributes:
        is_holding: whether they wait, for somebody draws.

    Signals:
        stepped(int, Preview), finished(int, Proposal): as of `Segmenter`, perhaps later.
        told(object): a sentence on why a map is not shown yet.
    """

    stepped = Signal(int, object)
    finished = Signal(int, object)
    told = Signal(object)

    def __init__(self, segmenter: Segmenter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.is_holding = False
        self._held: list[Callable[[], None]] = []
        self._ticket = 0  # whose answers are passed on
        segmenter.stepped.connect(self._on_stepped)
        segmenter.finished.connect(self._on_finished)

    def expect(self, ticket: int) -> None:
        """Pass on the answers to this job from now on, and to no other."""
        self._ticket = ticket

    @Slot()
    def hold(self) -> None:
        """Keep what comes from now on."""
        self.is_holding = True

    @Slot()
    def let_go(self) -> None:
        """Pass on what was kept, and what comes as it comes."""
        self.is_holding = False
        held, self._held = self._held, []
        for answer in held:
            answer()

    @Slot(int, object)
    def _on_stepped(self, ticket: int, preview: Preview) -> None:
        if ticket == self._ticket:
            self._pass_on(partial(self.stepped.emit, ticket, preview))

    @Slot(int, object)
    def _on_finished(self, ticket: int, proposal: Proposal) -> None:
        if ticket != self._ticket:
            return
        self._pass_on(partial(self.finished.emit, ticket, proposal))
        if self.is_holding:
            self.told.emit(HELD)

    def _pass_on(self, answer: Callable[[], None]) -> None:
        if self.is_holding:
            self._held.append(answer)
        else:
            answer()
