"""The gallery of the gate: images on which most is won or lost, with both models' maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QIcon, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme import scaled
from core.gate_report import GateReport
from core.model_comparison import Comparison, ImageChange

LEGEND: Final = (
    "From left to right: image, approved map, current model, new model. Segments have the "
    "colours of the approved ones that they cover; those over void are white. A click opens "
    "the image."
)
WINS: Final = "Most is won on"
LOSSES: Final = "Most is lost on"
HEIGHT: Final = 300
MARGIN: Final = 40  # around a picture, the scroll bar included


class Gallery(QScrollArea):
    """Pictures in two groups, each a button.

    Signals:
        chosen(Path): the image of this file is to be opened.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMinimumHeight(scaled(HEIGHT))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Images on which most is won and lost")
        self._buttons: dict[QToolButton, tuple[Path, QPixmap]] = {}
        # Amid a layout, buttons that want another size would keep their place.
        self._fitting = QTimer(self, singleShot=True, interval=0)
        self._fitting.timeout.connect(self._fit)

    def show_report(self, report: GateReport, comparison: Comparison) -> None:
        """Show the pictures of a report."""
        self._buttons.clear()
        content = QWidget(self)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(_text(LEGEND, content))
        n = len(comparison.images)  # of equal ones, others may have a picture
        groups = {WINS: comparison.wins(n), LOSSES: comparison.losses(n)}
        for title, changes in groups.items():
            shown = [change for change in changes if change.name in report.pictures]
            self._add_group(column, content, title, shown, report)
        column.addStretch()
        self.setWidget(content)
        self.setVisible(bool(self._buttons))
        self._fitting.start()

    def _add_group(
        self,
        column: QVBoxLayout,
        content: QWidget,
        title: str,
        changes: Sequence[ImageChange],
        report: GateReport,
    ) -> None:
        if changes:
            column.addWidget(_text(title, content))
        for change in changes:
            button = QToolButton(content)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setText(say_change(change))
            button.clicked.connect(self._on_clicked)
            column.addWidget(button)
            picture = QPixmap(str(report.pictures[change.name]))
            self._buttons[button] = Path(change.name), picture

    @Slot()
    def _fit(self) -> None:
        """Let the pictures be as wide as there is room, and no wider than they are."""
        for button, (_, picture) in self._buttons.items():
            if not picture.isNull():
                width = min(self.viewport().width() - scaled(MARGIN), picture.width())
                mode = Qt.TransformationMode.SmoothTransformation
                small = picture.scaledToWidth(max(width, 1), mode)
                button.setIcon(QIcon(small))
                button.setIconSize(QSize(small.width(), small.height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fitting.start()

    @Slot()
    def _on_clicked(self) -> None:
        for button, (path, _) in self._buttons.items():
            if button is self.sender():
                self.chosen.emit(path)


def say_change(change: ImageChange) -> str:
    """As `a.png: 45 s less to correct (60 to 15 s), PQ 28.6 to 85.7`."""
    less = "less" if change.difference < 0 else "more"
    return (
        f"{Path(change.name).name}: {abs(change.difference):.0f} s {less} to correct "
        f"({change.current:.0f} to {change.candidate:.0f} s), "
        f"PQ {100 * change.current_pq:.1f} to {100 * change.candidate_pq:.1f}"
    )


def _text(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
