"""CanvasView: the map in the middle of the window, and the mouse and keys that work on it."""

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, Signal, Slot
from PySide6.QtGui import (
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from app.canvas_marks import paint_ring
from app.document import Document
from app.focus import is_typing
from app.hand import Hand
from app.map_view import MapView
from app.toolbox import BRUSH, ERASER, PAN, PICK, ToolBox
from app.tools import Pointer

WHEEL_PER_DOUBLING: Final = 480  # eighths of a degree: four notches of a usual wheel
RING_MARGIN: Final = 3


class CanvasView(MapView):
    """The open image and its map, as they are worked on.

    Signals:
        hovered(object): the image position (x, y) under the mouse, or None.
    """

    hovered = Signal(object)

    def __init__(
        self, document: Document, tools: ToolBox, parent: QWidget | None = None
    ) -> None:
        super().__init__(document, parent)
        self._tools = tools
        self._hand = Hand(document, tools, self)
        self._pan_from: QPointF | None = None
        self._is_space_held = False
        self._mouse: QPointF | None = None  # in the widget's coordinates, None outside
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 180)
        self.setAccessibleName("Canvas")
        self._tools.changed.connect(self._on_tool_changed)
        self._hand.draft_changed.connect(self.show_draft)
        document.image_changed.connect(self.cancel_gesture)
        document.proposal_changed.connect(self.cancel_gesture)

    @property
    def is_gesturing(self) -> bool:
        """Whether something is being drawn, and Esc would drop it."""
        return self._hand.is_busy

    @Slot()
    def cancel_gesture(self) -> None:
        """Drop what the mouse has drawn since it was pressed."""
        self._hand.cancel()

    def _to_pointer(self, point: QPointF, *, is_released: bool = False) -> Pointer:
        x, y = self._scene.view.to_image(*self._to_device(point))
        return Pointer(x, y, is_released)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._scene.image is None or self._hand.is_busy or self._pan_from is not None:
            return
        is_left = event.button() == Qt.MouseButton.LeftButton
        is_panning = self._is_space_held or self._tools.name == PAN
        if event.button() == Qt.MouseButton.MiddleButton or (is_left and is_panning):
            self._pan_from = event.position()
            self._show_cursor()
        elif is_left:
            self._hand.press(self._tool(event.modifiers()), self._to_pointer(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._move_ring(event.position())
        if self._pan_from is not None:
            self._pan_by(event.position() - self._pan_from)
            self._pan_from = event.position()
        else:
            self._hand.move(self._to_pointer(event.position()))
        self.hovered.emit(self._scene.view.to_image(*self._to_device(event.position())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None and event.button() != Qt.MouseButton.RightButton:
            self._pan_from = None
            self._show_cursor()
        elif event.button() == Qt.MouseButton.LeftButton:
            self._hand.release(self._to_pointer(event.position()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        # Qt turns Alt+wheel into a horizontal movement.
        turned = turn.y() or turn.x()
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._tools.grow(1 if turned > 0 else -1)
        elif turn.y():
            self._zoom(2 ** (turn.y() / WHEEL_PER_DOUBLING), event.position())
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        if not is_typing():
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def leaveEvent(self, event: QEvent) -> None:
        self._move_ring(None)
        self.hovered.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._is_space_held = True
            self._show_cursor()
        elif event.key() == Qt.Key.Key_Control:
            self._move_ring(self._mouse)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._is_space_held = False
            self._show_cursor()
        elif event.key() == Qt.Key.Key_Control:
            self._move_ring(self._mouse)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._is_space_held = False
        self._show_cursor()
        super().focusOutEvent(event)

    def _tool(self, modifiers: Qt.KeyboardModifier) -> str:
        """The tool in hand; while Ctrl is held, brush and eraser are each other."""
        name = self._tools.name
        is_other = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        return {BRUSH: ERASER, ERASER: BRUSH}.get(name, name) if is_other else name

    # Marks.

    def paint_marks(self, painter: QPainter) -> None:
        if self._mouse is not None and self._tools.has_brush and not self._is_space_held:
            tool = self._tool(QApplication.keyboardModifiers())
            paint_ring(painter, self._mouse, self._ring_radius(), is_dashed=tool == ERASER)

    def _ring_radius(self) -> float:
        return self._tools.size / 2 * self.scale / self.devicePixelRatioF()

    def _move_ring(self, point: QPointF | None) -> None:
        """Paint the ring where the mouse is now, and no longer where it was."""
        reach = self._ring_radius() + RING_MARGIN
        for centre in (self._mouse, point):
            if centre is not None and self._tools.has_brush:
                corner = centre - QPointF(reach, reach)
                self.update(QRectF(corner, QSizeF(2 * reach, 2 * reach)).toAlignedRect())
        self._mouse = point

    @Slot()
    def _on_tool_changed(self) -> None:
        self._show_cursor()
        self.update()

    def _show_cursor(self) -> None:
        if self._pan_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._is_space_held or self._tools.name == PAN:
            shape = Qt.CursorShape.OpenHandCursor
        elif self._tools.name == PICK:
            shape = Qt.CursorShape.PointingHandCursor
        else:
            shape = Qt.CursorShape.CrossCursor
        self.setCursor(shape)
