"""What the canvas draws that is neither image nor map: the brush's ring and the empty state."""

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from app.document import Document
from app.theme import current_tones

NO_IMAGE = "No image is open"
NO_IMAGE_HINT = "Open an image, a folder, a video or a project with {open}."
NO_PIXELS = "This image cannot be shown"
READING = "Reading {name}\N{HORIZONTAL ELLIPSIS}"
READING_HINT = "{next} and {previous} go to the next and the previous image."
NO_PIXELS_HINT = (
    "The notice above says why. {next} and {previous} go to the next and the previous image."
)


def paint_ring(painter: QPainter, centre: QPointF, radius: float, *, is_dashed: bool) -> None:
    """Draw the brush's outline, light on dark so that it is seen on any image."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 150), 2.5))
    painter.drawEllipse(centre, radius, radius)
    style = Qt.PenStyle.DashLine if is_dashed else Qt.PenStyle.SolidLine
    painter.setPen(QPen(QColor(255, 255, 255), 1.2, style))
    painter.drawEllipse(centre, radius, radius)


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
