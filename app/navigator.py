"""Navigator: a small picture of the whole image, and in it the part that the canvas shows."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, QTimer, Slot
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from app.canvas import CanvasView
from app.document import Document
from app.focus import claims_move
from app.screen import Screen
from app.theme import current_tones, scaled
from app.viewport import Viewport
from core.panoptic import VOID

LONG_SIDE: Final = 180  # in the widget's pixels
MARGIN: Final = 12  # to the corner of the canvas
DELAY_MS: Final = 150  # a picture of the map may be that old
KEY_SHARE: Final = 0.25  # of what is seen, that a key moves the view by
MOVES: Final = {
    Qt.Key.Key_Left: (-KEY_SHARE, 0.0),
    Qt.Key.Key_Right: (KEY_SHARE, 0.0),
    Qt.Key.Key_Up: (0.0, -KEY_SHARE),
    Qt.Key.Key_Down: (0.0, KEY_SHARE),
    Qt.Key.Key_PageUp: (0.0, -1.0),
    Qt.Key.Key_PageDown: (0.0, 1.0),
    Qt.Key.Key_Home: (-1.0, 0.0),
    Qt.Key.Key_End: (1.0, 0.0),
}


class Navigator(QWidget):
    """Lies in a corner of the canvas while that shows less than the whole image.

    A press or drag brings what is under the mouse to the middle of the canvas; with the focus,
    the arrow keys move the view.
    """

    def __init__(self, document: Document, canvas: CanvasView) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._screen = Screen()
        self._delay = QTimer(self, singleShot=True, interval=DELAY_MS)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setAccessibleName("Navigator")
        self.setToolTip("Drag, or use the arrow keys, to move the view")
        self._delay.timeout.connect(self._draw_anew)
        for changed in (
            document.map_changed,
            document.segments_changed,
            document.proposal_changed,
            canvas.look.recolored,
            canvas.look.retoned,
        ):
            changed.connect(self._on_changed)
        document.image_changed.connect(self._on_image_changed)
        canvas.view_changed.connect(self._follow)
        canvas.look.changed.connect(self._follow)
        canvas.installEventFilter(self)
        self._on_image_changed()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._follow()
        return False

    @Slot()
    def _on_image_changed(self) -> None:
        image = self._canvas.scene.image
        if image is not None:
            height, width = image.size
            share = scaled(LONG_SIDE) / max(height, width)
            self.resize(max(int(width * share), 8), max(int(height * share), 8))
        self._draw_anew()
        self._follow()

    @Slot()
    def _on_changed(self) -> None:
        if not self._delay.isActive():  # however often it changes, a picture comes of it
            self._delay.start()

    @Slot()
    def _draw_anew(self) -> None:
        self._screen.spoil_all()
        self.update()

    @Slot()
    def _follow(self) -> None:
        """Be there only if there is something to be found, and in the corner."""
        image = self._canvas.scene.image
        seen = self._canvas.seen_rect()
        is_part = image is not None and (seen.height(), seen.width()) < image.size
        self.setVisible(self._canvas.look.has_navigator and is_part)
        corner = self._canvas.rect().bottomRight()
        self.move(corner.x() - self.width() - MARGIN, corner.y() - self.height() - MARGIN)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        height, width = round(self.height() * ratio), round(self.width() * ratio)
        self._screen.resize(height, width, ratio)
        scene = self._canvas.scene
        if scene.image is None:
            return
        view = Viewport(max(height / scene.image.size[0], width / scene.image.size[1]))
        painter = QPainter(self)
        self._screen.draw(
            painter,
            replace(scene, view=view, draft=None, highlighted_id=VOID),
            with_map=not self._canvas.look.is_image_only,
        )
        self._paint_frames(painter)
        painter.end()

    def _paint_frames(self, painter: QPainter) -> None:
        """Mark what is seen, light on dark; and the border, by whether keys arrive here."""
        tones = current_tones()
        painter.setPen(QPen(QColor(tones.accent if self.hasFocus() else tones.line), 2))
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        frame = self.frame()
        for color, width in ((QColor(0, 0, 0, 150), 3.0), (QColor(255, 255, 255), 1.4)):
            painter.setPen(QPen(color, width))
            painter.drawRect(frame)

    def frame(self) -> QRectF:
        """Where in this widget the part lies that the canvas shows."""
        scale = self._scale
        seen = self._canvas.seen_rect()
        return QRectF(seen.topLeft() * scale, seen.size() * scale)

    @property
    def _scale(self) -> float:
        image = self._canvas.scene.image
        return 1.0 if image is None else max(self.width(), self.height()) / max(image.size)

    def _go(self, place: QPointF) -> None:
        self._canvas.centre_on(place.x() / self._scale, place.y() / self._scale)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())

    def event(self, event: QEvent) -> bool:
        if claims_move(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        way = MOVES.get(Qt.Key(event.key()))
        if way is None:
            super().keyPressEvent(event)
        else:
            self._canvas.scroll_by(*way)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusOutEvent(event)
