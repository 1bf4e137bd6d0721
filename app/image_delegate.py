"""How a row of the image list is drawn: thumbnail, name, size, and a mark for its state."""

from typing import Any, Final

from PySide6.QtCore import QPoint, QPointF, QRect, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate

from app.image_model import RECORD_ROLE, Index
from app.thumbnails import THUMB_HEIGHT, THUMB_WIDTH
from core.store import ImageRecord, Review

MIN_WIDTH: Final = 220
PADDING: Final = 6
ROW_HEIGHT: Final = THUMB_HEIGHT + 2 * PADDING
MARK: Final = 8  # size of a dot; a tick is half as large again


class ImageDelegate(QStyledItemDelegate):
    """Draws an image's thumbnail, name and size, and a mark for its state.

    A ring is a proposal that nobody has changed, a dot is work, a tick approval, a cross
    rejection; an empty image has no mark.
    """

    def sizeHint(self, option: Any, index: Index) -> QSize:
        return QSize(MIN_WIDTH, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        box: QRect = option.rect
        palette: QPalette = option.palette
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        if is_current:
            painter.fillRect(box, palette.color(QPalette.ColorRole.Highlight))
        height = min(THUMB_HEIGHT, box.height() - 2 * PADDING)  # text may be small
        corner = QPoint(box.left() + PADDING, box.top() + (box.height() - height) // 2)
        frame = QRect(corner, QSize(THUMB_WIDTH, height))
        _draw_thumbnail(painter, frame, index.data(Qt.ItemDataRole.DecorationRole), palette)
        text = box.adjusted(
            THUMB_WIDTH + 2 * PADDING + 2, PADDING, -2 * PADDING - MARK - 4, -PADDING
        )
        ink = QPalette.ColorRole.HighlightedText if is_current else QPalette.ColorRole.Text
        muted = ink if is_current else QPalette.ColorRole.PlaceholderText
        record: ImageRecord = index.data(RECORD_ROLE)
        half = text.height() // 2
        name = option.fontMetrics.elidedText(
            index.data(), Qt.TextElideMode.ElideMiddle, text.width()
        )
        painter.setPen(palette.color(ink))
        top = text.adjusted(0, 0, 0, -half)
        painter.drawText(top, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, name)
        painter.setPen(palette.color(muted))
        size = "held out" if record.is_held_out else f"{record.width} x {record.height}"
        bottom = text.adjusted(0, half + 2, 0, 0)
        painter.drawText(bottom, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, size)
        mark = palette.color(ink if is_current else QPalette.ColorRole.Accent)
        place = QPointF(box.right() - PADDING - MARK, box.center().y())
        _draw_mark(painter, record, place, mark)


def _draw_thumbnail(
    painter: QPainter, frame: QRect, image: QImage | str | None, palette: QPalette
) -> None:
    """The picture in the middle of its frame; a grey field until it is there, or why not."""
    if not isinstance(image, QImage):
        painter.fillRect(frame, palette.color(QPalette.ColorRole.Mid))
        if image is not None:
            painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, image)
        return
    size = image.deviceIndependentSize()
    if size.height() > frame.height():
        size.scale(QSizeF(frame.size()), Qt.AspectRatioMode.KeepAspectRatio)
    place = QRect(QPoint(), size.toSize())
    place.moveCenter(frame.center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(place, image)


def _draw_mark(painter: QPainter, record: ImageRecord, place: QPointF, color: QColor) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, 2))
    half = MARK / 2
    match record.review:
        case Review.APPROVED:
            corner = place + QPointF(-0.1 * MARK, 0.6 * MARK)
            painter.drawLine(place + QPointF(-0.7 * MARK, 0), corner)
            painter.drawLine(corner, place + QPointF(0.8 * MARK, -0.7 * MARK))
        case Review.REJECTED:
            painter.drawLine(place - QPointF(half, half), place + QPointF(half, half))
            painter.drawLine(place - QPointF(half, -half), place + QPointF(half, -half))
        case Review.PROPOSED:
            painter.drawEllipse(place, half - 1, half - 1)
        case Review.IN_WORK:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawEllipse(place, half, half)
    painter.restore()
