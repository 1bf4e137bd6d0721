"""A damaged project: the question whether to recover it, and the recovery in a thread."""

import logging
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from core.errors import AnnotateError
from core.recovery import recover_project

QUESTION = (
    "All that can be read is put into a new project in its place. The damaged file is kept "
    "beside it under another name."
)

_log = logging.getLogger(__name__)


class Rescue(QObject):
    """Asks once, and does it if wanted.

    Signals:
        recovered(str): the project can be opened; a sentence on what was found.
        declined(str): nothing was changed; the sentence on why it does not open.
    """

    recovered = Signal(object)
    declined = Signal(object)

    def __init__(self, project: Path, sentence: str, window: QWidget | None = None) -> None:
        """Prepare for a project; the sentence says what is wrong with it."""
        super().__init__(window)
        self._project = project
        self._sentence = sentence
        self._pool = QThreadPool(self)
        self.dialog = QMessageBox(window)
        self.dialog.setIcon(QMessageBox.Icon.Warning)
        self.dialog.setWindowTitle("Damaged project")
        self.dialog.setTextFormat(Qt.TextFormat.PlainText)  # a path may look like HTML
        self.dialog.setText(sentence)
        self.dialog.setInformativeText(QUESTION)
        self.recover_button = self.dialog.addButton(
            "Recover", QMessageBox.ButtonRole.AcceptRole
        )
        self.dialog.addButton(QMessageBox.StandardButton.Cancel)
        self.dialog.setDefaultButton(self.recover_button)
        self.dialog.finished.connect(self._on_answered)

    def start(self) -> None:
        """Ask; `recovered` or `declined` follows."""
        self.dialog.open()

    @Slot()
    def _on_answered(self) -> None:
        if self.dialog.clickedButton() is self.recover_button:
            self._pool.start(self._work)
        else:
            self.declined.emit(self._sentence)
        self.dialog.deleteLater()

    def _work(self) -> None:
        """In a thread."""
        try:
            report = recover_project(self._project)
        except AnnotateError as error:
            self.declined.emit(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else hears of it
            _log.exception("recovering a project")
            self.declined.emit(f"The project could not be recovered ({error}).")
        else:
            self.recovered.emit(str(report))
