"""The gate: a new model beside the current one, and what is to become of it."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from app.retrain_gallery import Gallery
from app.theme import scaled
from core.correction_cost import KINDS
from core.gate_report import GateReport
from core.model_comparison import Comparison, ImageChange, Pair, Verdict
from core.retraining import Outcome

COLUMNS: Final = ("", "current", "new", "difference (19 of 20 draws)")
MEASURING: Final = "Both models are measured on the {n} held-out images{done}."
SAME: Final = (
    "Both models came to the same on all {n} held-out images: no step of the training was "
    "better than the model that it began with. Approve more images, or give it more time."
)
MAX_NAMED: Final = 3
TABLE_HEIGHT: Final = 260
ACTIONS: Final = {
    "add": "segments to add",
    "remove": "segments to remove",
    "split": "segments to split",
    "merge": "segments to merge",
    "recategorise": "wrong categories",
    "redraw": "segments to draw anew",
    "border_pixels": "border pixels to mend",
}


class GatePage(QWidget):
    """Shows both models in a table with a verdict, and asks for the decision.

    Signals:
        decided(Outcome): what becomes of the new model.
        again_wanted(): the models shall be measured again.
        image_wanted(Path): the image of this file is to be opened.
    """

    decided = Signal(object)
    again_wanted = Signal()
    image_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._verdict, self._changes = QLabel(self), QLabel(self)
        for label in (self._verdict, self._changes):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._table = QTableWidget(0, len(COLUMNS), self)
        self._table.setAccessibleName("Both models on the hold-out")
        self._table.setHorizontalHeaderLabels(COLUMNS)
        self._table.verticalHeader().hide()
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self._table.setTabKeyNavigation(False)
        self._table.setMinimumHeight(scaled(TABLE_HEIGHT))
        self._gallery = Gallery(self)
        self._gallery.chosen.connect(self.image_wanted)
        self._table.horizontalHeader().setSectionResizeMode(
            QHeaderView.ResizeMode.ResizeToContents
        )
        self._table.horizontalHeader().setStretchLastSection(True)
        self._use = QPushButton("Use the new model", self)
        self._keep = QPushButton("Keep the old", self)
        self._keep.setToolTip("The new one stays in the list of versions.")
        self._discard = QPushButton("Discard", self)
        self._again = QPushButton("Measure again", self)
        self._buttons = {
            self._discard: Outcome.DISCARDED,
            self._keep: Outcome.KEPT,
            self._use: Outcome.USED,
        }
        self._lay_out()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(self._again)
        self._again.clicked.connect(self.again_wanted)
        for button in self._buttons:
            row.addWidget(button)
            button.clicked.connect(self._on_clicked)
        mark_primary(self._use)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self._verdict)
        column.addWidget(self._table)
        column.addWidget(self._changes)
        column.addWidget(self._gallery, 1)
        column.addLayout(row)

    def show_measuring(self, n_images: int, n_done: int) -> None:
        """Say that there is nothing to decide on yet."""
        done = f", {n_done} so far" if n_done else ""
        self._verdict.setText(MEASURING.format(n=n_images, done=done))
        self._show_parts(has_report=False)
        self._again.hide()
        self._discard.hide()

    def show_failure(self, sentence: str) -> None:
        """Say why the models cannot be compared."""
        self._verdict.setText(sentence)
        self._show_parts(has_report=False)

    def show_report(self, report: GateReport) -> None:
        """Show how the models compare."""
        comparison = report.compare()
        n_images = len(comparison.images)
        says = SAME.format(n=n_images) if report.is_same else comparison.sentence()
        self._verdict.setText(says)
        rows = table_rows(comparison, {c.id: c.name for c in report.categories})
        self._table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for place, text in enumerate(row):
                self._table.setItem(number, place, QTableWidgetItem(text))
        self._changes.setText(say_changes(comparison, report.bad))
        self._show_parts(has_report=True)
        self._gallery.show_report(report, comparison)
        is_worse = report.is_same or comparison.verdict is Verdict.WORSE
        for button in (self._keep, self._use):
            is_next = (button is self._keep) == is_worse
            button.setDefault(is_next)
            button.setProperty("primary", is_next)
            button.style().polish(button)  # which looks at the property anew

    def _show_parts(self, *, has_report: bool) -> None:
        for part in (self._table, self._changes, self._gallery, self._use, self._keep):
            part.setVisible(has_report)
        self._discard.show()
        self._again.setVisible(not has_report)
        self.let_decide()

    def let_decide(self) -> None:
        """Take a decision again, after one that could not be carried out."""
        for button in self._buttons:
            button.setEnabled(True)

    @Slot()
    def _on_clicked(self) -> None:
        outcome = next(o for button, o in self._buttons.items() if button is self.sender())
        for button in self._buttons:
            button.setEnabled(False)
        self.decided.emit(outcome)


def table_rows(comparison: Comparison, names: dict[int, str]) -> list[tuple[str, ...]]:
    """Quality in points, seconds, and the actions behind them."""
    overall = comparison.overall
    rows = [
        _row("PQ", overall.pq, 100),
        _row("SQ", overall.sq, 100),
        _row("RQ", overall.rq, 100),
        *(
            _row(f"PQ of {names[i]}", pair.pq, 100)
            for i, pair in comparison.by_category.items()
        ),
        _row("seconds to correct an image", comparison.seconds, 1),
    ]
    before, after = comparison.costs
    for kind in KINDS:
        old, new = getattr(before, kind), getattr(after, kind)
        if old or new:
            rows.append((ACTIONS[kind], f"{old:,}", f"{new:,}", f"{new - old:+,}"))
    return rows


def _row(name: str, pair: Pair, factor: float) -> tuple[str, ...]:
    value, low, high = (
        factor * number
        for number in (pair.difference.value, pair.difference.low, pair.difference.high)
    )
    return (
        name,
        f"{factor * pair.current.value:.1f}",
        f"{factor * pair.candidate.value:.1f}",
        f"{value:+.1f} ({low:+.1f} to {high:+.1f})",
    )


def say_changes(comparison: Comparison, bad: tuple[str, ...]) -> str:
    """The images on which most is won and lost, and those that could not be used."""
    wins = _say_images("Most is won on", comparison.wins(MAX_NAMED))
    losses = _say_images("Most is lost on", comparison.losses(MAX_NAMED))
    return "\n".join([*wins, *losses, *bad[:MAX_NAMED]])


def _say_images(what: str, changes: list[ImageChange]) -> list[str]:
    named = [f"{c.name.rpartition('/')[2]} ({c.difference:+.0f} s)" for c in changes]
    return [f"{what} {', '.join(named)}."] if named else []
