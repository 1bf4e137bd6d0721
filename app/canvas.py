"""CanvasView: the map in the middle of the window, and the mouse and keys that work on it."""

from dataclasses import astuple
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, Signal, Slot
from PySide6.QtGui import (
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from app.author_tint import AuthorLegend
from app.canvas_marks import cursor_for, paint_line, paint_outline, paint_tip
from app.document import Document
from app.focus import is_typing
from app.gesture import Pointer
from app.hand import Hand
from app.map_view import MapView
from app.name_tag import NameTag
from app.onion_skin import OnionSkin
from app.toolbox import BRUSH, ERASER, PAN, ToolBox
from core.panoptic import VOID, Rect, Segment

WHEEL_PER_DOUBLING: Final = 480  # eighths of a degree: four notches of a usual wheel
TIP_MARGIN: Final = 3
CLOSING_KEYS: Final = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class CanvasView(MapView):
    """The open image and its map, as they are worked on.

    Signals:
        gesture_began(): something is being drawn from now on.
        gesture_ended(): no longer.
        hovered(object): the image position (x, y) under the mouse, or None.
        region_chosen(Rect): the model is asked for this part of the image.
    """

    gesture_began = Signal()
    gesture_ended = Signal()
    hovered = Signal(object)
    region_chosen = Signal(object)

    def __init__(
        self, document: Document, tools: ToolBox, parent: QWidget | None = None
    ) -> None:
        super().__init__(document, parent)
        self._tools = tools
        self._hand = Hand(document, tools, self)
        self._pan_from: QPointF | None = None
        self._is_space_held = False
        self._mouse: QPointF | None = None  # in the widget's coordinates, None outside
        self._tag = NameTag(self)
        AuthorLegend(self.tint, self)
        self._framed: Rect | None = None
        self._onion: OnionSkin | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 180)
        self.setAccessibleName("Canvas")
        self._tools.changed.connect(self._on_tool_changed)
        self._hand.began.connect(self.gesture_began)
        self._hand.ended.connect(self.gesture_ended)
        self._hand.draft_changed.connect(self.show_draft)
        self._hand.hint_changed.connect(self.update)
        self._hand.region_chosen.connect(self.region_chosen)

    @property
    def is_gesturing(self) -> bool:
        """Whether something is being drawn, and Esc would drop it."""
        return self._hand.is_busy

    def finish_gesture(self) -> bool:
        """End what is being drawn and save it; False if that failed."""
        return self._hand.finish()

    def cancel_gesture(self) -> None:
        """Drop what has been drawn since the gesture began."""
        self._hand.cancel()

    def take_back(self) -> bool:
        """Take back the last corner of what is being drawn; False if nothing is."""
        return self._hand.take_back()

    def _to_pointer(self, event: QMouseEvent) -> Pointer:
        x, y = self.view.to_image(*self._to_device(event.position()))
        return Pointer(
            x,
            y,
            is_other=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier),
            is_straight=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier),
            pixel=self.devicePixelRatioF() / self.scale,
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._scene.image is None or self._hand.is_pressed or self._pan_from is not None:
            return
        self._unmark()
        is_left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (is_left and self._can_pan):
            self._pan_from = event.position()
            self._show_cursor()
        elif is_left:
            self._hand.press(self._tool(event.modifiers()), self._to_pointer(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        is_left = event.button() == Qt.MouseButton.LeftButton
        if self._hand.is_waiting and is_left and not self._can_pan:
            self._hand.close(is_other=self._to_pointer(event).is_other)
        else:
            self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._move_tip(event.position())
        if self._pan_from is not None:
            self._pan_by(event.position() - self._pan_from)
            self._pan_from = event.position()
        elif self._hand.is_pressed and not event.buttons() & Qt.MouseButton.LeftButton:
            self._hand.let_go()  # the release went to another window
        else:
            self._hand.move(self._to_pointer(event))
        place = self.view.to_image(*self._to_device(event.position()))
        marked = self._segment_to_mark(*place)
        self.highlight(VOID if marked is None else marked.id)
        self._tag.follow(
            event.position(), "" if marked is None else self._document.name(marked)
        )
        self.hovered.emit(place)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None and event.button() != Qt.MouseButton.RightButton:
            self._pan_from = None
            self._show_cursor()
        elif event.button() == Qt.MouseButton.LeftButton and self._hand.is_pressed:
            self._hand.release(self._to_pointer(event))

    def _segment_to_mark(self, x: float, y: float) -> Segment | None:
        """The segment at an image position, unless it is hidden or something is going on."""
        if self._pan_from is not None or self._hand.is_busy or not self.look.is_highlighting:
            return None
        segment = self._document.segment_at(x, y)
        return None if segment is None or segment.id in self._document.hidden else segment

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        # Qt turns Alt+wheel into a horizontal movement.
        turned = turn.y() or turn.x()
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._tools.grow(1 if turned > 0 else -1)
        elif turn.y():
            self.zoom(2 ** (turn.y() / WHEEL_PER_DOUBLING), event.position())
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        if not is_typing():
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def leaveEvent(self, event: QEvent) -> None:
        self._move_tip(None)
        self._hand.leave()
        self._unmark()
        self.hovered.emit(None)

    def _unmark(self) -> None:
        self.highlight(VOID)
        self._tag.hide()

    def event(self, event: QEvent) -> bool:
        # While something waits to be closed, its keys are no shortcuts.
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and self._hand.is_waiting
            and event.key() in CLOSING_KEYS | {Qt.Key.Key_Backspace}
            and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._is_space_held = True
            self._show_cursor()
        elif event.key() == Qt.Key.Key_Control:
            self._move_tip(self._mouse)
        elif event.key() in CLOSING_KEYS and self._hand.is_waiting:
            self._hand.close(is_other=False)
        elif self._hand.is_waiting and (
            event.key() == Qt.Key.Key_Backspace or event.matches(QKeySequence.StandardKey.Undo)
        ):
            self._hand.take_back()  # undo comes here only while there is no edit to undo
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._is_space_held = False
            self._show_cursor()
        elif event.key() == Qt.Key.Key_Control:
            self._move_tip(self._mouse)
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

    def frame_region(self, region: Rect | None) -> None:
        """Draw a frame around a part of the image; None takes it away."""
        if region != self._framed:
            self._framed = region
            self.update()

    def wear(self, onion: OnionSkin) -> None:
        """Draw outlines of other frames over the map."""
        self._onion = onion
        onion.changed.connect(self.update)

    def paint_marks(self, painter: QPainter) -> None:
        if self._onion is not None and not self.look.is_image_only:
            ratio = self.devicePixelRatioF()
            self._onion.paint(painter, self._scene, self._screen.size, ratio)
        if self._framed is not None:
            top, left, bottom, right = astuple(self._framed)
            corners = (left, top), (right, top), (right, bottom), (left, bottom)
            paint_outline(painter, [self._to_widget_point(*corner) for corner in corners])
        draft, hint = self._scene.draft, self._hand.hint
        if draft is not None and draft.line:
            points = [self._to_widget_point(*point) for point in draft.line]
            paint_line(painter, points, is_area=draft.is_area, is_dashed=draft.is_dashed)
        elif hint:
            paint_outline(painter, [self._to_widget_point(*point) for point in hint])
        elif self._mouse is not None and self._tools.has_brush and not self._is_space_held:
            is_dashed = self._tool(QApplication.keyboardModifiers()) == ERASER
            radius, tip = self._tip_radius(), self._tools.tip
            paint_tip(painter, self._mouse, radius, tip, is_dashed=is_dashed)

    def _to_widget_point(self, x: float, y: float) -> QPointF:
        ratio = self.devicePixelRatioF()
        return QPointF(*self.view.to_device(x, y)) / ratio

    def _tip_radius(self) -> float:
        return self._tools.size / 2 * self.scale / self.devicePixelRatioF()

    def _move_tip(self, point: QPointF | None) -> None:
        """Paint the tip where the mouse is now, and no longer where it was."""
        reach = self._tip_radius() + TIP_MARGIN
        for centre in (self._mouse, point):
            if centre is not None and self._tools.has_brush:
                corner = centre - QPointF(reach, reach)
                self.update(QRectF(corner, QSizeF(2 * reach, 2 * reach)).toAlignedRect())
        self._mouse = point

    @Slot()
    def _on_tool_changed(self) -> None:
        self._show_cursor()
        self.update()

    @property
    def _can_pan(self) -> bool:
        """Whether the left button would move the image."""
        return self._is_space_held or self._tools.name == PAN

    def _show_cursor(self) -> None:
        is_panning = self._pan_from is not None
        self.setCursor(
            cursor_for(self._tools.name, is_panning=is_panning, can_pan=self._can_pan)
        )
