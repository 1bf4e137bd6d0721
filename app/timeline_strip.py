"""The lower part of the timeline: for each segment of the clip, in which frames it is."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QWidget

from app.focus import claims_move
from app.theme import UNKNOWN, current_tones, scaled
from app.timeline_bar import paint_playhead
from app.timeline_scale import TimelineScale
from core.palette import segment_color
from core.panoptic import VOID, Category
from core.presence import Presence, find_runs

ROW_HEIGHT: Final = 18
ROWS: Final = 5  # that are seen without scrolling
SWATCH: Final = 10
HINT: Final = "Segments of the clip appear here, with the frames that have them."


class TimelineStrip(QAbstractScrollArea):
    """A row for each segment, the selected one on top; only rows in view are drawn.

    A click selects a segment, and goes to the frame under the mouse if the segment is there.

    Signals:
        segment_wanted(int, int): somebody wants a segment, and a frame; -1 for any.
    """

    segment_wanted = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presence = Presence(0)
        self._n_frames = 0
        self._categories: Mapping[int, Category] = {}
        self._order: list[int] = []
        self._selected = VOID
        self._frame: int | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setAccessibleName("Segments over time")
        self.setToolTip("Click a bar to go there and select its segment")

    def sizeHint(self) -> QSize:
        return QSize(240, scaled(ROW_HEIGHT) * ROWS)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, scaled(ROW_HEIGHT) * 2)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
            self._fit_scroll_bar()
        super().changeEvent(event)

    @property
    def scale(self) -> TimelineScale:
        """Where frames lie: as in the bar above."""
        return TimelineScale(self._n_frames, self.width())

    @property
    def rows(self) -> list[int]:
        """Ids of the segments, from the top."""
        if self._selected in self._order:
            return [self._selected, *(i for i in self._order if i != self._selected)]
        return self._order

    def show_presence(
        self, presence: Presence, n_frames: int, categories: Mapping[int, Category]
    ) -> None:
        """Draw what is known of the segments of a clip."""
        self._presence, self._n_frames, self._categories = presence, n_frames, categories
        self._order = presence.segment_ids()
        self._fit_scroll_bar()
        self.viewport().update()

    def show_place(self, frame: int | None, selected_id: int) -> None:
        """Draw where in the clip one is, and the selected segment on top."""
        if selected_id != self._selected:
            self._selected = selected_id
            self.verticalScrollBar().setValue(0)
        self._frame = frame
        self.viewport().update()

    def _fit_scroll_bar(self) -> None:
        row, bar = scaled(ROW_HEIGHT), self.verticalScrollBar()
        bar.setRange(0, max(len(self._order) * row - self.viewport().height(), 0))
        bar.setSingleStep(row)
        bar.setPageStep(max(self.viewport().height(), 1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit_scroll_bar()
        super().resizeEvent(event)

    # Mouse and keys.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        y = int(event.position().y()) + self.verticalScrollBar().value()
        row, rows = y // scaled(ROW_HEIGHT), self.rows
        if row < len(rows):
            x, scale = event.position().x(), self.scale
            frame = scale.frame_at(x) if x >= scale.left else -1
            self.segment_wanted.emit(rows[row], frame)

    def event(self, event: QEvent) -> bool:
        if claims_move(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Select the segment before or after the selected one, in the order of the clip."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self._order:
            super().keyPressEvent(event)
            return
        at = self._order.index(self._selected) if self._selected in self._order else -step
        self.segment_wanted.emit(self._order[(at + step) % len(self._order)], -1)

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        tones = current_tones()
        painter.fillRect(self.viewport().rect(), QColor(tones.base))
        rows, row, offset = self.rows, scaled(ROW_HEIGHT), self.verticalScrollBar().value()
        if not rows:
            painter.setPen(QColor(tones.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect(), flags, HINT)
        last = (offset + self.viewport().height()) // row + 1
        for place in range(offset // row, min(last, len(rows))):
            box = QRectF(0, place * row - offset, self.viewport().width(), row)
            self._paint_row(painter, box, rows[place])
        if self._frame is not None:
            x = self.scale.middle_of(self._frame)
            paint_playhead(painter, x, self.viewport().height())
        if self.hasFocus():
            painter.setPen(QColor(tones.accent))
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_row(self, painter: QPainter, box: QRectF, segment_id: int) -> None:
        tones, scale = current_tones(), self.scale
        category = self._categories.get(self._presence.category_id(segment_id), UNKNOWN)
        color = QColor(*segment_color(category, segment_id))
        if segment_id == self._selected:
            painter.fillRect(box, QColor(tones.selection))
        patch = QRectF(8, box.center().y() - SWATCH / 2, SWATCH, SWATCH)
        painter.fillRect(patch, color)
        painter.setPen(QColor(tones.text))
        name = f"{category.name} {segment_id}" if category.is_thing else category.name
        left = patch.right() + 6
        text = QRectF(left, box.top(), scale.left - left - 4, box.height())
        name = painter.fontMetrics().elidedText(
            name, Qt.TextElideMode.ElideRight, int(text.width())
        )
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, name)
        for first, last in find_runs(self._presence.frames_of(segment_id)):
            x = scale.x_of(first)
            width = max(scale.x_of(last) - x, 1.0)
            painter.fillRect(QRectF(x, box.top() + 3, width, box.height() - 6), color)
