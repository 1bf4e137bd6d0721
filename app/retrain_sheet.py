"""The sheet of a training: first what is asked, then the run as it goes on."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QStackedWidget, QVBoxLayout, QWidget

from app.retrain_ask import AskPage
from app.retrain_live import LivePage

WIDTH = 640


class RetrainSheet(QDialog):
    """Beside the window, which stays in use; closing it stops nothing.

    Attributes:
        ask: the page with what is asked; live: the page of a run.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Retrain the model")
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setMinimumWidth(WIDTH)
        self.ask = AskPage(self)
        self.live = LivePage(self)
        self._pages = QStackedWidget(self)
        for page in (self.ask, self.live):
            self._pages.addWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(14)
        column.addWidget(self._pages)
        column.addWidget(buttons)

    def turn_to(self, page: QWidget) -> None:
        """Show one of the pages."""
        self._pages.setCurrentWidget(page)
