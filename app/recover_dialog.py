"""The dialog for a damaged project: what is wrong, and what can be saved of it."""

import logging
from collections.abc import Generator
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from app.thread_run import ThreadRun
from core.recovery import RecoveryReport, recover_project

OFFER = (
    "Everything that can still be read, maps and steps of undo, can be put into a new project "
    "in its place. The damaged file is not changed: it is kept beside it under another name."
)

_log = logging.getLogger("bitbrush")


class RecoverDialog(QDialog):
    """Recovers a project if the user wants that.

    Signals:
        recovered(str): a sound project is in the place of the damaged one; what it has.
    """

    recovered = Signal(object)

    def __init__(self, project: Path, sentence: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Damaged project")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(540)
        self._project = project
        self._run: ThreadRun | None = None
        self._state = QLabel(sentence, self)
        offer = QLabel(OFFER, self)
        for label in (self._state, offer):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._bar = QProgressBar(self)
        self._bar.setRange(0, 0)
        self._bar.hide()
        self._buttons = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        self._recover = self._buttons.addButton("Recover", role.AcceptRole)
        self._buttons.addButton("Leave it as it is", role.RejectRole)
        mark_primary(self._recover)
        self._buttons.accepted.connect(self.recover)
        self._buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        for widget in (self._state, offer, self._bar, self._buttons):
            column.addWidget(widget)

    @Slot()
    def recover(self) -> None:
        """Read what can be read; `recovered` follows, or a sentence on why not."""
        self._show_running(is_running=True)
        self._run = ThreadRun(partial(recoveries, self._project), "the recovery", self)
        self._run.finished.connect(self._on_finished)
        self._run.failed.connect(self._on_failed)
        self._run.start()

    def reject(self) -> None:
        """Leave the file as it is, but not in the middle."""
        if self._run is None:
            super().reject()

    @Slot(object)
    def _on_finished(self, report: RecoveryReport) -> None:
        self._run = None
        self.hide()
        self.deleteLater()
        if report.hurt:  # the sentence has the first few only
            _log.warning("to be reviewed again: %s", ", ".join(report.hurt))
        self.recovered.emit(str(report))

    @Slot(object)
    def _on_failed(self, sentence: str) -> None:
        self._run = None
        self._state.setText(sentence)
        self._show_running(is_running=False)

    def _show_running(self, *, is_running: bool) -> None:
        self._bar.setVisible(is_running)
        self._buttons.setEnabled(not is_running)


def recoveries(project: Path) -> Generator[RecoveryReport, None, None]:
    """In a thread: `recover_project`, in one step."""
    yield recover_project(project)
