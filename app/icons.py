"""Line icons drawn in the colour of the text around them, so that they follow the theme."""

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QIcon,
    QIconEngine,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QApplication

from app.theme import current_tones

GRID: Final = 24  # icons are drawn on a square of that many units
PEN: Final = 1.8

Points = Sequence[tuple[float, float]]


def _line(path: QPainterPath, *points: tuple[float, float], is_closed: bool = False) -> None:
    path.moveTo(QPointF(*points[0]))
    for point in points[1:]:
        path.lineTo(QPointF(*point))
    if is_closed:
        path.closeSubpath()


def _brush(path: QPainterPath) -> None:
    _line(path, (20, 4), (11.5, 12.5))
    path.moveTo(11.5, 12.5)
    path.cubicTo(8.5, 11.5, 6, 13.5, 6, 16.5)
    path.cubicTo(6, 18.5, 5, 19.5, 3.5, 20)
    path.cubicTo(8, 21, 13, 19.5, 11.5, 12.5)


def _eraser(path: QPainterPath) -> None:
    _line(path, (14, 4), (20, 10), (11, 19), (7.5, 19), (4, 15), (4, 14), is_closed=True)
    _line(path, (9, 9), (15, 15))
    _line(path, (11, 19), (20, 19))


def _polygon(path: QPainterPath) -> None:
    _line(path, (5, 18), (8, 6), (19, 5), (16, 12), (19.5, 19), is_closed=True)
    for corner in ((5, 18), (8, 6), (19, 5), (16, 12), (19.5, 19)):
        path.addEllipse(QPointF(*corner), 1, 1)


def _lasso(path: QPainterPath) -> None:
    path.addEllipse(QRectF(3.5, 4, 17, 10))
    path.moveTo(7, 13)
    path.cubicTo(4, 15, 6, 18, 9, 16.5)
    path.cubicTo(10, 18.5, 9, 20.5, 7, 21)


def _fill(path: QPainterPath) -> None:
    _line(path, (10, 4.5), (17.5, 12), (10.5, 19), (3.5, 12), (11, 4.5))
    _line(path, (3.5, 12), (17.5, 12))
    path.moveTo(20, 14.5)
    path.cubicTo(17.5, 18, 18.5, 20, 20, 20)
    path.cubicTo(21.5, 20, 22.5, 18, 20, 14.5)


def _wand(path: QPainterPath) -> None:
    _line(path, (4, 20), (14, 10))
    _line(path, (17, 3), (17, 6))
    _line(path, (17, 10), (17, 12))
    _line(path, (12, 7), (14, 7))
    _line(path, (19.5, 7), (22, 7))
    _line(path, (13.5, 3.5), (14.8, 4.8))
    _line(path, (20.5, 3.5), (19.2, 4.8))


def _superpixel(path: QPainterPath) -> None:
    _line(path, (4, 5), (12, 3.5), (20, 6), (20.5, 18), (12, 20.5), (3.5, 18), is_closed=True)
    _line(path, (12, 3.5), (10.5, 11), (12, 20.5))
    _line(path, (3.8, 12), (10.5, 11), (20.3, 13))


def _merge(path: QPainterPath) -> None:
    _line(path, (4, 5), (12, 12), (20, 12))
    _line(path, (4, 19), (12, 12))
    _line(path, (16.5, 8.5), (20, 12), (16.5, 15.5))


def _split(path: QPainterPath) -> None:
    _line(path, (9.5, 5), (4, 5), (4, 19), (7.5, 19))
    _line(path, (16.5, 5), (20, 5), (20, 19), (14.5, 19))
    _line(path, (14.5, 2.5), (9.5, 21.5))


def _segment_region(path: QPainterPath) -> None:
    for start in (4, 10, 16):
        for line in (4, 20):
            _line(path, (start, line), (start + 4, line))
            _line(path, (line, start), (line, start + 4))
    path.addEllipse(QRectF(8.5, 9, 7, 6))


def _pick(path: QPainterPath) -> None:
    _line(path, (6, 3.5), (18.5, 12), (12.5, 13.2), (9.5, 19), is_closed=True)


def _pan(path: QPainterPath) -> None:
    _line(path, (12, 3), (12, 21))
    _line(path, (3, 12), (21, 12))
    _line(path, (9.5, 5.5), (12, 3), (14.5, 5.5))
    _line(path, (9.5, 18.5), (12, 21), (14.5, 18.5))
    _line(path, (5.5, 9.5), (3, 12), (5.5, 14.5))
    _line(path, (18.5, 9.5), (21, 12), (18.5, 14.5))


def _undo(path: QPainterPath) -> None:
    _line(path, (8, 5), (4, 9), (8, 13))
    path.moveTo(4, 9)
    path.lineTo(14, 9)
    path.arcTo(QRectF(9, 9, 10, 10), 90, -180)
    path.lineTo(9, 19)


def _redo(path: QPainterPath) -> None:
    _line(path, (16, 5), (20, 9), (16, 13))
    path.moveTo(20, 9)
    path.lineTo(10, 9)
    path.arcTo(QRectF(5, 9, 10, 10), 90, 180)
    path.lineTo(15, 19)


def _more(path: QPainterPath) -> None:
    _line(path, (6, 5), (12, 12), (6, 19))
    _line(path, (13, 5), (19, 12), (13, 19))


def _fit(path: QPainterPath) -> None:
    _line(path, (4, 9), (4, 4), (9, 4))
    _line(path, (15, 4), (20, 4), (20, 9))
    _line(path, (20, 15), (20, 20), (15, 20))
    _line(path, (9, 20), (4, 20), (4, 15))


def _outlines(path: QPainterPath) -> None:
    path.addEllipse(QRectF(3.5, 7, 10, 13))
    path.addEllipse(QRectF(11, 4, 9.5, 9.5))


def _locked(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(5.5, 11, 13, 9.5), 2, 2)
    path.moveTo(8, 11)
    path.lineTo(8, 8)
    path.arcTo(QRectF(8, 4, 8, 8), 180, -180)
    path.lineTo(16, 11)


def _unlocked(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(5.5, 11, 13, 9.5), 2, 2)
    path.moveTo(8, 11)
    path.lineTo(8, 7)
    path.arcTo(QRectF(8, 3, 8, 8), 180, -150)


def _shown(path: QPainterPath) -> None:
    path.moveTo(2.5, 12)
    path.quadTo(12, 1.5, 21.5, 12)
    path.quadTo(12, 22.5, 2.5, 12)
    path.addEllipse(QPointF(12, 12), 2.8, 2.8)


def _hidden(path: QPainterPath) -> None:
    _shown(path)
    _line(path, (4, 20), (20, 4))


def _play(path: QPainterPath) -> None:
    _line(path, (7, 4), (19, 12), (7, 20), is_closed=True)


def _next_corrected(path: QPainterPath) -> None:
    _line(path, (4, 12), (13, 12))
    _line(path, (9, 8), (13, 12), (9, 16))
    _line(path, (18, 5), (18, 19))
    path.addEllipse(QPointF(18, 5), 2, 2)


def _previous_corrected(path: QPainterPath) -> None:
    _line(path, (20, 12), (11, 12))
    _line(path, (15, 8), (11, 12), (15, 16))
    _line(path, (6, 5), (6, 19))
    path.addEllipse(QPointF(6, 5), 2, 2)


def _next_doubtful(path: QPainterPath) -> None:
    _line(path, (3, 12), (11, 12))
    _line(path, (7, 8), (11, 12), (7, 16))
    path.moveTo(14, 8)
    path.cubicTo(14, 3, 21, 3, 21, 8)
    path.cubicTo(21, 11, 17.5, 11, 17.5, 15)
    path.addEllipse(QPointF(17.5, 19), 0.6, 0.6)


def _loop(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(3.5, 7, 17, 11), 5, 5)
    _line(path, (10, 4), (13.5, 7), (10, 10))


def _onion_previous(path: QPainterPath) -> None:
    path.addEllipse(QRectF(9.5, 7.5, 11, 11))
    for angle in range(20, 340, 45):
        path.arcMoveTo(QRectF(3.5, 5.5, 11, 11), angle)
        path.arcTo(QRectF(3.5, 5.5, 11, 11), angle, 25)


DRAWINGS: Final[dict[str, Callable[[QPainterPath], None]]] = {
    "brush": _brush,
    "eraser": _eraser,
    "polygon": _polygon,
    "lasso": _lasso,
    "fill": _fill,
    "wand": _wand,
    "superpixel": _superpixel,
    "merge": _merge,
    "split": _split,
    "segment_region": _segment_region,
    "pick": _pick,
    "pan": _pan,
    "undo": _undo,
    "redo": _redo,
    "more": _more,
    "fit": _fit,
    "outlines": _outlines,
    "locked": _locked,
    "unlocked": _unlocked,
    "shown": _shown,
    "hidden": _hidden,
    "play": _play,
    "next_corrected": _next_corrected,
    "previous_corrected": _previous_corrected,
    "next_doubtful": _next_doubtful,
    "loop": _loop,
    "onion_previous": _onion_previous,
}


class LineIcon(QIconEngine):
    """Draws one of `DRAWINGS` with the palette of the moment."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._path = QPainterPath()
        DRAWINGS[name](self._path)

    def clone(self) -> QIconEngine:
        return LineIcon(self._name)

    def paint(
        self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State
    ) -> None:
        is_on = state == QIcon.State.On
        is_disabled = mode == QIcon.Mode.Disabled
        group = QPalette.ColorGroup.Disabled if is_disabled else QPalette.ColorGroup.Active
        text = QApplication.palette().color(group, QPalette.ColorRole.ButtonText)
        pen = QPen(QColor(current_tones().on_accent) if is_on else text, PEN)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(rect.topLeft())
        painter.scale(rect.width() / GRID, rect.height() / GRID)
        painter.setPen(pen)
        painter.drawPath(self._path)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap


def line_icon(name: str) -> QIcon:
    """One of `DRAWINGS` as an icon."""
    return QIcon(LineIcon(name))
