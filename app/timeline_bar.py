"""The upper part of the timeline: numbers, and a mark for how far each frame is; to scrub."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.focus import claims_move
from app.theme import current_tones, scaled
from app.timeline_scale import TimelineScale
from core.clips import FrameState
from core.store import Review

HEIGHT: Final = 44
NUMBERS_HEIGHT: Final = 16
DOUBT_HEIGHT: Final = 6
GAP: Final = 4  # pixels that a frame must have to be parted from the next by a gap
PAGE: Final = 10  # frames that a page is
GREEN: Final = "#009e73"  # told apart from blue and red by the colour-blind: Okabe and Ito 2008
# How high a mark is, from the bottom: states differ in more than their colour.
SHARES: Final = {
    Review.EMPTY: 0.08,
    Review.PROPOSED: 0.4,
    Review.IN_WORK: 0.7,
    Review.APPROVED: 1.0,
    Review.REJECTED: 1.0,
}
# Where many frames share a pixel, the first of these is seen.
RANKS: Final = (
    Review.REJECTED,
    Review.IN_WORK,
    Review.APPROVED,
    Review.PROPOSED,
    Review.EMPTY,
)
WORDS: Final = {
    Review.PROPOSED: "hollow and low",
    Review.IN_WORK: "filled and higher",
    Review.APPROVED: "filled to the top",
    Review.REJECTED: "crossed out",
}
MOVES: Final = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_PageUp: -PAGE,
    Qt.Key.Key_PageDown: PAGE,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a clip one is.

    Attributes:
        frame: that is open or wished for; None for none.
        loop: first and last frame of the range that is played again and again, or None.
        is_looping: whether it is.
    """

    frame: int | None = None
    loop: tuple[int, int] | None = None
    is_looping: bool = False


class TimelineBar(QWidget):
    """All frames of a clip, side by side; a press or drag wishes for the one under the mouse.

    With the focus, the arrow keys, PgUp, PgDn, Home and End do.

    Signals:
        frame_wanted(int): somebody wants to see this frame.
        pressed(): the mouse took the timeline in hand.
    """

    frame_wanted = Signal(int)
    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._states: Sequence[FrameState] = ()
        self._doubtful: frozenset[int] = frozenset()
        self._place = Place()
        self._picture: QPixmap | None = None  # all but the playhead
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Frames of the clip")
        self.setToolTip(
            "Drag to go through the frames. Marks: "
            + "; ".join(f"{review.value}, {how}" for review, how in WORDS.items())
            + "; a triangle above: much work is expected."
        )

    def sizeHint(self) -> QSize:
        return QSize(240, scaled(HEIGHT))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.PaletteChange}:
            self._picture = None
            self.updateGeometry()
        super().changeEvent(event)

    @property
    def scale(self) -> TimelineScale:
        """Where frames lie."""
        return TimelineScale(len(self._states), self.width())

    def show_states(self, states: Sequence[FrameState], doubtful: frozenset[int]) -> None:
        """Mark how far frames are, and those where much work is expected."""
        self._states, self._doubtful = states, doubtful
        self._picture = None
        self.update()

    def show_place(self, place: Place) -> None:
        """Show where in the clip one is."""
        if (place.loop, place.is_looping) != (self._place.loop, self._place.is_looping):
            self._picture = None
        self._place = place
        if place.frame is not None and place.frame < len(self._states):
            state = self._states[place.frame].review.value
            said = f"Frame {place.frame + 1} of {len(self._states)}, {state}"
            self.setAccessibleDescription(said)
        self.update()

    # Mouse and keys.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._states:
            self.pressed.emit()
            self.frame_wanted.emit(self.scale.frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self._states:
            self.frame_wanted.emit(self.scale.frame_at(event.position().x()))

    def event(self, event: QEvent) -> bool:
        if claims_move(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, last = Qt.Key(event.key()), len(self._states) - 1
        if self._place.frame is None:
            super().keyPressEvent(event)
        elif key in MOVES:
            self.frame_wanted.emit(min(max(self._place.frame + MOVES[key], 0), last))
        elif key in {Qt.Key.Key_Home, Qt.Key.Key_End}:
            self.frame_wanted.emit(0 if key == Qt.Key.Key_Home else last)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusOutEvent(event)

    # Painting.

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._picture = None
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            self._picture = self._draw()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        if self._states and self._place.frame is not None:
            x = self.scale.middle_of(self._place.frame)
            paint_playhead(painter, x, self.height(), has_head=True)
        if self.hasFocus():
            painter.setPen(QPen(QColor(current_tones().accent), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def _draw(self) -> QPixmap:
        """What stays the same while one goes through the clip."""
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(QColor(current_tones().base))
        painter = QPainter(picture)
        painter.setFont(self.font())
        if self._states:
            self._paint_loop(painter)
            self._paint_numbers(painter)
            self._paint_states(painter)
        painter.end()
        return picture

    def _paint_loop(self, painter: QPainter) -> None:
        if self._place.loop is None:
            return
        scale, (first, last) = self.scale, self._place.loop
        left, right = scale.x_of(first), scale.x_of(last + 1)
        color = QColor(current_tones().accent)
        if not self._place.is_looping:
            color = QColor(current_tones().muted)
        for x in (left, right - 2):
            painter.fillRect(QRectF(x, 0, 2, self.height()), color)
        color.setAlpha(60)
        painter.fillRect(QRectF(left, 0, right - left, self.height()), color)

    def _paint_numbers(self, painter: QPainter) -> None:
        scale, step = self.scale, self.scale.label_step()
        painter.setPen(QColor(current_tones().muted))
        height = scaled(NUMBERS_HEIGHT)
        for frame in range(0, scale.n_frames, step):
            x = scale.x_of(frame)
            box = QRectF(x + 3, 0, step * scale.pixels - 3, height)
            painter.drawLine(QPointF(x, height / 2), QPointF(x, height))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, str(frame + 1))

    def _paint_states(self, painter: QPainter) -> None:
        scale = self.scale
        half = scaled(DOUBT_HEIGHT) / 2
        top = scaled(NUMBERS_HEIGHT) + 2 * half + 2
        height = self.height() - top - 3
        firsts, colors = self._firsts(), _mark_colors()
        # A mark of many frames is that of the one that matters most.
        places = {review: place for place, review in enumerate(RANKS)}
        ranks = np.array([places[state.review] for state in self._states], np.uint8)
        ranks = np.minimum.reduceat(ranks, firsts)
        is_doubtful = np.zeros(len(self._states), np.bool_)
        is_doubtful[list(self._doubtful)] = True
        is_doubtful = np.logical_or.reduceat(is_doubtful, firsts)
        width = max(scale.pixels - (1 if scale.pixels >= GAP else 0), 1.0)
        for first, rank, has_doubt in zip(firsts, ranks, is_doubtful, strict=True):
            x, review = scale.x_of(int(first)), RANKS[rank]
            share = SHARES[review] * height
            box = QRectF(x, top + height - share, width, share)
            _paint_mark(painter, box, review, colors[review])
            if has_doubt:
                _paint_doubt(painter, QPointF(x + width / 2, top - 2), half)
        painter.setPen(QColor(current_tones().muted))
        names = QRectF(8, 0, scale.left - 16, self.height())
        painter.drawText(names, Qt.AlignmentFlag.AlignVCenter, "Frames")

    def _firsts(self) -> NDArray[np.intp]:
        """The first frame of each mark; where frames are narrower than a pixel, of several."""
        n_frames, pixels = self.scale.n_frames, self.scale.pixels
        if pixels >= 1:
            return np.arange(n_frames)
        starts = np.arange(int(n_frames * pixels)) / pixels
        return np.unique(starts.astype(np.intp))


def _paint_doubt(painter: QPainter, tip: QPointF, half: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(current_tones().warning))
    corners = QPointF(-half, -2 * half), QPointF(half, -2 * half), QPointF(0, 0)
    painter.drawPolygon(QPolygonF([tip + corner for corner in corners]))


def _mark_colors() -> dict[Review, QColor]:
    tones = current_tones()
    return {
        Review.EMPTY: QColor(tones.muted),
        Review.PROPOSED: QColor(tones.muted),
        Review.IN_WORK: QColor(tones.accent),
        Review.APPROVED: QColor(GREEN),
        Review.REJECTED: QColor(tones.error),
    }


def _paint_mark(painter: QPainter, box: QRectF, review: Review, color: QColor) -> None:
    if review is Review.PROPOSED and box.width() >= GAP:
        painter.setPen(color)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
    elif review is Review.REJECTED:
        painter.setPen(QPen(color, 1.5))
        painter.drawLine(box.topLeft(), box.bottomRight())
        painter.drawLine(box.bottomLeft(), box.topRight())
    else:
        painter.fillRect(box, color)


def paint_playhead(painter: QPainter, x: float, height: int, *, has_head: bool = False) -> None:
    """Draw a line through a frame, with a head where the timeline begins."""
    color = QColor(current_tones().text)
    painter.setPen(QPen(color, 1.5))
    painter.drawLine(QPointF(x, 0), QPointF(x, height))
    if has_head:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF([QPointF(x - 5, 0), QPointF(x + 5, 0), QPointF(x, 7)]))
