"""Plots of what corrections took: a bar for each model, and a dot for each image in time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import current_tones, scaled
from core.correction_summary import Measure, ModelMean, running_mean
from core.corrections import Correction

HEIGHT: Final = 150
MAX_BARS: Final = 8  # the latest models
WIDEST: Final = 70
DOT: Final = 1.8
PADDING: Final = 6
ROOM: Final = 1.08  # above the highest value


class Plot(QWidget):
    """A frame with a title, and a line of text below it; all values begin at 0."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self.setMinimumHeight(scaled(HEIGHT))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def paintEvent(self, event: QPaintEvent) -> None:
        tones, painter = current_tones(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = painter.fontMetrics().height()
        frame = QRectF(self.rect()).adjusted(2, line + 6, -2, -line - 6)
        painter.setPen(QColor(tones.text))
        painter.drawText(QPointF(2, line - 2), self._title)
        painter.setPen(QColor(tones.line))
        painter.drawRoundedRect(frame, 4, 4)
        pad = PADDING
        self.draw(painter, frame.adjusted(pad, pad, -pad, -pad))
        painter.end()

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Draw what is inside of the frame, and below it."""

    def write_below(
        self, painter: QPainter, box: QRectF, text: str, where: Qt.AlignmentFlag
    ) -> None:
        """Write under the frame, as far as there is room across."""
        painter.setPen(QColor(current_tones().muted))
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, int(box.width()))
        top = box.bottom() + PADDING + 2
        place = QRectF(box.left(), top, box.width(), metrics.height())
        painter.drawText(place, where | Qt.AlignmentFlag.AlignTop, shown)


class ModelPlot(Plot):
    """The mean of each model as a bar, with its value, and how many images it is of."""

    def __init__(self, measure: Measure, parent: QWidget | None = None) -> None:
        super().__init__(f"{measure.value.capitalize()} an image, by model", parent)
        self._means: Sequence[ModelMean] = ()

    def show_means(self, means: Sequence[ModelMean]) -> None:
        """Draw other bars, of many models those of the last."""
        self._means = means[-MAX_BARS:]
        said = ", ".join(f"{m.model} {say_value(m.mean)}" for m in self._means)
        self.setAccessibleName(f"{self._title}: {said or 'nothing yet'}")
        self.update()

    def draw(self, painter: QPainter, area: QRectF) -> None:
        highest = max((m.mean or 0 for m in self._means), default=0) or 1
        width = area.width() / max(len(self._means), 1)
        line = painter.fontMetrics().height()
        for place, model in enumerate(self._means):
            column = QRectF(area.left() + place * width, area.top(), width, area.height())
            height = (area.height() - line) * (model.mean or 0) / highest
            bar = QRectF(0, column.bottom() - height, min(0.7 * width, scaled(WIDEST)), height)
            bar.moveLeft(column.center().x() - bar.width() / 2)
            is_last = place == len(self._means) - 1
            tones = current_tones()
            painter.fillRect(bar, QColor(tones.accent if is_last else tones.muted))
            painter.setPen(QColor(tones.text))
            value = QRectF(column.left(), bar.top() - line, width, line)
            centre = Qt.AlignmentFlag.AlignHCenter
            painter.drawText(value, centre, say_value(model.mean))
            self.write_below(painter, column, f"{model.model} ({model.n_images:,})", centre)


class TimePlot(Plot):
    """A dot for each image in the order of approval, and the mean of the last ten."""

    def __init__(self, measure: Measure, parent: QWidget | None = None) -> None:
        super().__init__(f"{measure.value.capitalize()}, image by image", parent)
        self._measure = measure
        self._values: list[float | None] = []
        self._means: list[float | None] = []
        self._changes: list[int] = []  # places at which another model begins
        self._ends: tuple[str, ...] = ("", "")

    def show_corrections(self, corrections: Sequence[Correction]) -> None:
        """Draw other dots.

        Args:
            corrections: in the order of approval.
        """
        self._values = [self._measure.of(c) for c in corrections]
        self._means = running_mean(self._values)
        models = [c.model for c in corrections]
        self._changes = [i for i in range(1, len(models)) if models[i] != models[i - 1]]
        ends = (corrections[0], corrections[-1]) if corrections else ()
        self._ends = tuple(_day(c.approved_at) for c in ends)
        last = self._means[-1] if self._means else None
        self.setAccessibleName(f"{self._title}: {say_value(last)} at last")
        self.update()

    def draw(self, painter: QPainter, area: QRectF) -> None:
        tones = current_tones()
        highest = ROOM * max((v for v in self._values if v is not None), default=0) or 1
        step = area.width() / max(len(self._values) - 1, 1)
        painter.setPen(QPen(QColor(tones.line), 1, Qt.PenStyle.DashLine))
        for place in self._changes:
            x = area.left() + (place - 0.5) * step
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

        def at(place: int, value: float) -> QPointF:
            up = area.height() * value / highest
            return QPointF(area.left() + place * step, area.bottom() - up)

        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tones.muted))
        for place, value in enumerate(self._values):
            if value is not None:
                painter.drawEllipse(at(place, value), DOT, DOT)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tones.accent), 1.8))
        means = [at(place, mean) for place, mean in enumerate(self._means) if mean is not None]
        painter.drawPolyline(means)
        for text, where in zip(
            self._ends, (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight), strict=False
        ):
            self.write_below(painter, area, text, where)
        painter.setPen(QColor(tones.muted))
        painter.drawText(area, Qt.AlignmentFlag.AlignRight, f"up to {highest / ROOM:,.0f}")


def say_value(value: float | None) -> str:
    """A number that is as exact as somebody wants to know; a dash if it is not known."""
    if value is None:
        return "\N{EN DASH}"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d}"
