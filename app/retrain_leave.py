"""What is asked before a project is closed while its model is being trained."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

ASK: Final = "A model is being trained."
ASK_MORE: Final = (
    "Stopped, it keeps its last step and can go on when the project is open again. Left "
    "running, it goes on without the window."
)


class LeaveQuestion(QObject):
    """Asks once whether a training is to stop or to go on without the window.

    Signals:
        stop_wanted(): it shall stop.
    """

    stop_wanted = Signal()

    def __init__(self, is_training: Callable[[], bool], window: QWidget) -> None:
        super().__init__(window)
        self._is_training = is_training
        self._window = window
        self._may_leave = False
        self._go_on: Callable[[], object] = window.close
        self._question: QMessageBox | None = None

    def may_close(self) -> bool:
        """Whether the window may close; if that has to be asked, it closes after the answer."""
        return self._may_go(self._window.close)

    def may_open_another(self, open_another: Callable[[], None]) -> bool:
        """Whether another project may be opened; otherwise that is done after the answer."""
        return self._may_go(open_another)

    def _may_go(self, go_on: Callable[[], object]) -> bool:
        may_leave, self._may_leave = self._may_leave, False
        if may_leave or not self._is_training():
            return True
        self._go_on = go_on
        if self._question is None:
            self._question = self._make()
        self._question.open()
        return False

    def _make(self) -> QMessageBox:
        role = QMessageBox.ButtonRole
        question = QMessageBox(self._window)
        question.setIcon(QMessageBox.Icon.Question)
        question.setWindowTitle("Training")
        question.setText(ASK)
        question.setInformativeText(ASK_MORE)
        stop = question.addButton("Stop it", role.DestructiveRole)
        leave = question.addButton("Leave it running", role.AcceptRole)
        question.addButton("Cancel", role.RejectRole)
        question.setDefaultButton(leave)
        stop.clicked.connect(self._on_stop)
        leave.clicked.connect(self._leave)
        return question

    @Slot()
    def _on_stop(self) -> None:
        self.stop_wanted.emit()
        self._leave()

    @Slot()
    def _leave(self) -> None:
        self._may_leave = True
        self._go_on()
