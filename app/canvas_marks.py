"""What the canvas draws that is neither image nor map: tips, lines, the empty state."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen

from app.document import Document
from app.theme import current_tones
from app.toolbox import PAN, PICK
from core.strokes import Tip

TINT: Final = QColor(255, 255, 255, 40)
START_PX: Final = 3.5

NO_IMAGE = "No image is open"
NO_IMAGE_HINT = "Open an image, a folder, a video or a project with {open}."
NO_PIXELS = "This image cannot be shown"
READING = "Reading {name}\N{HORIZONTAL ELLIPSIS}"
READING_HINT = "{next} and {previous} go to the next and the previous image."
NO_PIXELS_HINT = (
    "The notice above says why. {next} and {previous} go to the next and the previous image."
)


def paint_tip(
    painter: QPainter, centre: QPointF, radius: float, tip: Tip, *, is_dashed: bool
) -> None:
    """Draw the outline of the brush."""
    path = QPainterPath()
    reach = QPointF(radius, radius)
    box = QRectF(centre - reach, centre + reach)
    if tip is Tip.SQUARE:
        path.addRect(box)
    else:
        path.addEllipse(box)
    _stroke(painter, path, is_dashed=is_dashed)


def paint_line(
    painter: QPainter, points: Sequence[QPointF], *, is_area: bool, is_dashed: bool
) -> None:
    """Draw the line of a gesture; mark the start of an area's, and tint what it encloses."""
    path = _path(points)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if is_area:
        painter.fillPath(path, TINT)
    _stroke(painter, path, is_dashed=is_dashed)
    if is_area:
        start = QPainterPath()
        start.addEllipse(points[0], START_PX, START_PX)
        _stroke(painter, start, is_dashed=False)


def paint_outline(painter: QPainter, points: Sequence[QPointF]) -> None:
    """Draw the outline of what a press would take."""
    path = _path(points)
    path.closeSubpath()
    _stroke(painter, path, is_dashed=False)


def _path(points: Sequence[QPointF]) -> QPainterPath:
    path = QPainterPath(points[0])
    for point in points[1:]:
        path.lineTo(point)
    return path


def _stroke(painter: QPainter, path: QPainterPath, *, is_dashed: bool) -> None:
    """Draw light on dark, so that it is seen on any image."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 150), 2.5))
    painter.drawPath(path)
    style = Qt.PenStyle.DashLine if is_dashed else Qt.PenStyle.SolidLine
    painter.setPen(QPen(QColor(255, 255, 255), 1.2, style))
    painter.drawPath(path)


def cursor_for(tool: str, *, is_panning: bool, can_pan: bool) -> Qt.CursorShape:
    """The shape of the mouse over the canvas."""
    if is_panning:
        return Qt.CursorShape.ClosedHandCursor
    if can_pan or tool == PAN:
        return Qt.CursorShape.OpenHandCursor
    return Qt.CursorShape.PointingHandCursor if tool == PICK else Qt.CursorShape.CrossCursor


def why_empty(document: Document) -> tuple[str, str]:
    """Why there is no image to be seen, and what to do."""
    record = document.record
    keys = {name: document.keys.hint(name) for name in ("open", "next", "previous")}
    if record is None:
        return NO_IMAGE, NO_IMAGE_HINT.format(**keys)
    if document.reader.is_reading:
        return READING.format(name=record.path.name), READING_HINT.format(**keys)
    return NO_PIXELS, NO_PIXELS_HINT.format(**keys)


def paint_empty(painter: QPainter, area: QRect, title: str, hint: str) -> None:
    """Write a title and a hint in the middle of the empty canvas."""
    tones = current_tones()
    plain = painter.font()
    large = QFont(plain)
    large.setPointSizeF(plain.pointSizeF() * 1.5)
    middle = area.center().y()
    painter.setFont(large)
    painter.setPen(QColor(tones.text))
    box = QRect(area.left(), middle - 48, area.width(), 40)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, title)
    painter.setFont(plain)
    painter.setPen(QColor(tones.muted))
    box = QRect(area.left() + 16, middle, area.width() - 32, 48)
    flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    painter.drawText(box, flags, hint)
