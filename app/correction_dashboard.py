"""The dashboard of the correction meter: does each version of the model leave less to do?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.correction_plot import ModelPlot, TimePlot
from app.theme import scaled
from core.correction_summary import Measure, in_order, mean_by_model
from core.corrections import Correction, to_csv
from core.durable import replace_file

SIZE: Final = (900, 820)
NONE_YET: Final = (
    "Nothing is measured yet: accept a proposal, correct it, and approve the image."
)
WHAT: Final = (
    "What it took to correct proposals, from accepting one to approving its image, over {n}. "
    "Each dot is an image, the line the mean of the last ten, a dashed line another model. "
    "Pauses of more than 30 s are no work."
)


class CorrectionDashboard(QDialog):
    """Plots of a project's corrections, which can be written as a table."""

    def __init__(
        self, corrections: Sequence[Correction], project: Path, parent: QWidget | None = None
    ) -> None:
        """Show corrections; `project` is where the table is suggested to be."""
        super().__init__(parent)
        self.setWindowTitle("Corrections")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._corrections = in_order(corrections)
        self._project = project
        self._says = QLabel(say_what(len(corrections)), self)
        self._says.setWordWrap(True)
        self._says.setTextFormat(Qt.TextFormat.PlainText)
        self._plots = QGridLayout()
        self._export = QPushButton("Export CSV…", self)
        self._export.setEnabled(bool(corrections))
        self._export.clicked.connect(self._ask_file)
        if corrections:
            self.resize(scaled(SIZE[0]), scaled(SIZE[1]))
            self._add_plots()
        self._lay_out()

    def _add_plots(self) -> None:
        self._plots.setHorizontalSpacing(16)
        self._plots.setColumnStretch(1, 1)
        self._plots.setColumnStretch(0, 1)
        for row, measure in enumerate(Measure):
            models, time = ModelPlot(measure, self), TimePlot(measure, self)
            models.show_means(mean_by_model(self._corrections, measure))
            time.show_corrections(self._corrections)
            self._plots.addWidget(models, row, 0)
            self._plots.addWidget(time, row, 1)

    def _lay_out(self) -> None:
        role = QDialogButtonBox.ButtonRole
        buttons = QDialogButtonBox(self)
        buttons.addButton(self._export, role.ActionRole)
        buttons.addButton("Close", role.RejectRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addWidget(self._says)
        column.addLayout(self._plots, 1)
        column.addWidget(buttons)

    @Slot()
    def _ask_file(self) -> None:
        suggested = self._project.with_name(f"{self._project.stem}-corrections.csv")
        dialog = QFileDialog(self, "Export the corrections", str(suggested))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("Tables (*.csv)")
        dialog.setDefaultSuffix("csv")
        dialog.selectFile(suggested.name)
        dialog.fileSelected.connect(self.export)
        dialog.open()

    @Slot(str)
    def export(self, target: str) -> None:
        """Write the table."""
        try:
            replace_file(Path(target), to_csv(self._corrections).encode())
        except OSError as error:
            self._says.setText(
                f"{target} cannot be written ({error.strerror}); choose another place."
            )
        else:
            self._says.setText(f"The table is in {target}.")


def say_what(n: int) -> str:
    """One sentence on what is shown."""
    return WHAT.format(n="1 proposal" if n == 1 else f"{n:,} proposals") if n else NONE_YET
