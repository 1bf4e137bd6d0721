"""The sheet of a training: what is asked, the run as it goes on, the decision at its end."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QStackedWidget, QVBoxLayout, QWidget

from app.retrain_ask import AskPage
from app.retrain_gate import GatePage
from app.retrain_gate_run import GateRun
from app.retrain_live import LivePage
from app.theme import scaled
from core.gate_report import GateReport
from core.retraining import RetrainPlan

WIDTH = 640
GALLERY_WIDTH, GALLERY_HEIGHT = 900, 860


class RetrainSheet(QDialog):
    """Beside the window, which stays in use; closing it stops nothing.

    Attributes:
        ask: the page with what is asked; live: the page of a run; gate: the page of the
            decision on its model.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Retrain the model")
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setMinimumWidth(WIDTH)
        self.ask = AskPage(self)
        self.live = LivePage(self)
        self.gate = GatePage(self)
        self._shown: GateReport | None = None
        self._pages = QStackedWidget(self)
        for page in (self.ask, self.live, self.gate):
            self._pages.addWidget(page)
        buttons = QDialogButtonBox(self)
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(14)
        column.addWidget(self._pages)
        column.addWidget(buttons)

    def turn_to(self, page: QWidget) -> None:
        """Show one of the pages."""
        self._pages.setCurrentWidget(page)

    def show_gate(self, gate: GateRun, plan: RetrainPlan) -> None:
        """Show how far the measuring of both models is, or what came out."""
        self.turn_to(self.gate)
        if gate.report is not None and gate.report is not self._shown:
            self.gate.show_report(gate.report)
            if gate.report.pictures:
                self.resize(scaled(GALLERY_WIDTH), scaled(GALLERY_HEIGHT))
        elif gate.report is None and gate.failure:
            self.gate.show_failure(gate.failure)
        elif gate.report is None:
            self.gate.show_measuring(plan.n_hold_out, gate.n_done)
        else:
            self.gate.let_decide()
        self._shown = gate.report
