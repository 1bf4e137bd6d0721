"""A small plot of curves over the steps of a run."""

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import current_tones, scaled

Points = Sequence[tuple[float, float]]
MAX_POINTS: Final = 300
INKS: Final = ("accent", "warning", "muted")
HEIGHT: Final = 130
DOT: Final = 2.5


class CurvePlot(QWidget):
    """Up to three curves with their last values; the steps go from the left to the right."""

    def __init__(self, title: str, digits: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._digits = digits
        self._curves: Mapping[str, Points] = {}
        self._n_steps = 0
        self.setMinimumHeight(scaled(HEIGHT))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._describe()

    def show_curves(self, curves: Mapping[str, Points], n_steps: int) -> None:
        """Draw other points; `n_steps` is where the axis ends, at least."""
        self._curves = {name: thin_out(points) for name, points in curves.items()}
        self._n_steps = n_steps
        self._describe()
        self.update()

    def _describe(self) -> None:
        said = ", ".join(self._label(name) for name in self._curves)
        self.setAccessibleName(f"{self._title}: {said}" if said else self._title)

    def _label(self, name: str) -> str:
        points = self._curves[name]
        return f"{name} {points[-1][1]:.{self._digits}g}" if points else name

    def paintEvent(self, event: QPaintEvent) -> None:
        tones, painter = current_tones(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = painter.fontMetrics().height()
        inside = QRectF(self.rect()).adjusted(2, line + 6, -2, -2)
        painter.setPen(QColor(tones.line))
        painter.drawRoundedRect(inside, 4, 4)
        x = 2.0
        for text, ink in zip(self._texts(), ("text", *INKS), strict=False):
            painter.setPen(QColor(getattr(tones, ink)))
            painter.drawText(QPointF(x, line), text)
            x += painter.fontMetrics().horizontalAdvance(text + "    ")
        area = inside.adjusted(6, 6, -6, -6)
        for points, ink in zip(self._curves.values(), INKS, strict=False):
            painter.setPen(QPen(QColor(getattr(tones, ink)), 1.6))
            if points:
                self._draw(painter, area, points)
        painter.end()

    def _texts(self) -> list[str]:
        return [self._title, *map(self._label, self._curves)]

    def _draw(self, painter: QPainter, area: QRectF, points: Points) -> None:
        places = self._places(area, points)
        painter.drawPolyline(places)
        if len(places) < MAX_POINTS / 10:  # few enough to be seen one by one
            painter.setBrush(painter.pen().color())
            for place in places:
                painter.drawEllipse(place, DOT, DOT)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _places(self, area: QRectF, points: Points) -> list[QPointF]:
        """Where points lie; all curves have one scale."""
        every = [point for curve in self._curves.values() for point in curve]
        low, high = (pick(value for _, value in every) for pick in (min, max))
        across = area.width() / max(self._n_steps, *(step for step, _ in every), 1)
        up = area.height() / (high - low) if high > low else 0.0
        return [
            QPointF(area.left() + across * step, area.bottom() - up * (value - low))
            for step, value in points
        ]


def thin_out(points: Points) -> list[tuple[float, float]]:
    """At most `MAX_POINTS` points, each the mean of as many neighbours."""
    size = max(-(-len(points) // MAX_POINTS), 1)
    parts = [points[start : start + size] for start in range(0, len(points), size)]
    return [
        (sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part))
        for part in parts
    ]
