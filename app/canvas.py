"""CanvasView: the image with its map; the mouse and the keys that work on it."""

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSizeF, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from app.canvas_marks import paint_empty, paint_ring, why_empty
from app.document import Document
from app.focus import is_typing
from app.hand import Hand
from app.layers import Draft
from app.screen import Scene, Screen
from app.theme import current_tones, map_colors
from app.toolbox import BRUSH, ERASER, PAN, PICK, ToolBox
from app.tools import Pointer
from app.viewport import Viewport
from core.panoptic import VOID, Rect

ZOOM_STEP: Final = 2**0.5
WHEEL_PER_DOUBLING: Final = 480  # eighths of a degree: four notches of a usual wheel
OPACITY_STEP: Final = 0.1
RING_MARGIN: Final = 3


class CanvasView(QWidget):
    """The open image and its map.

    Attributes:
        opacity: of the inside of segments, 0 to 1.
        is_outlined: whether segments are drawn as outlines only.

    Signals:
        hovered(object): the image position (x, y) under the mouse, or None.
        view_changed(): zoom or place.
        style_changed(): opacity, outlines, image only.
    """

    hovered = Signal(object)
    view_changed = Signal()
    style_changed = Signal()

    def __init__(
        self, document: Document, tools: ToolBox, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.opacity = 0.4
        self.is_outlined = False
        self.is_image_only = False
        self._document = document
        self._tools = tools
        self._screen = Screen()
        self._scene = Scene(background=QColor(current_tones().canvas).rgb())
        self._has_stale_colors = True
        self._is_fitted = True
        self._hand = Hand(document, tools, self)
        self._pan_from: QPointF | None = None
        self._is_space_held = False
        self._mouse: QPointF | None = None  # in the widget's coordinates, None outside
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(240, 180)
        self.setAccessibleName("Canvas")
        self._connect()
        self._on_image_changed()

    def _connect(self) -> None:
        document = self._document
        document.image_changed.connect(self._on_image_changed)
        document.map_changed.connect(self._on_map_changed)
        document.segments_changed.connect(self._recolor)
        document.selection_changed.connect(self._recolor)
        document.proposal_changed.connect(self._on_proposal_changed)
        self._tools.changed.connect(self._on_tool_changed)
        self._hand.draft_changed.connect(self._on_draft_changed)

    # The view.

    @property
    def scale(self) -> float:
        """Device pixels per image pixel."""
        return self._scene.view.scale

    @property
    def view(self) -> Viewport:
        """Where the image lies, in device pixels."""
        return self._scene.view

    def fit(self) -> None:
        """Show the whole image."""
        self._is_fitted = True
        if self._scene.image is not None:
            self._set_view(Viewport.fitted(self._scene.image.size, self._screen.size))

    def zoom_to_actual(self) -> None:
        """Show one image pixel as one pixel of the display."""
        self._zoom(1 / self.scale)

    def zoom_in(self) -> None:
        self._zoom(ZOOM_STEP)

    def zoom_out(self) -> None:
        self._zoom(1 / ZOOM_STEP)

    def _zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Zoom around a position of the widget, by default its middle."""
        if self._scene.image is None:
            return
        point = around or QPointF(self.width() / 2, self.height() / 2)
        self._is_fitted = False
        x, y = self._to_device(point)
        view = self._scene.view.zoomed(factor, x, y)
        self._set_view(view.kept_in(self._scene.image.size, self._screen.size))

    def _set_view(self, view: Viewport) -> None:
        self._scene.view = view
        self._screen.spoil_all()
        self.update()
        self.view_changed.emit()

    def _to_device(self, point: QPointF) -> tuple[float, float]:
        ratio = self.devicePixelRatioF()
        return point.x() * ratio, point.y() * ratio

    def _to_pointer(self, point: QPointF, *, is_released: bool = False) -> Pointer:
        x, y = self._scene.view.to_image(*self._to_device(point))
        return Pointer(x, y, is_released)

    # How the map is drawn.

    def set_opacity(self, opacity: float) -> None:
        """Let the image shine through segments more or less."""
        self.opacity = min(max(opacity, 0.0), 1.0)
        self._restyle()

    def raise_opacity(self) -> None:
        self.set_opacity(round(self.opacity + OPACITY_STEP, 2))

    def lower_opacity(self) -> None:
        self.set_opacity(round(self.opacity - OPACITY_STEP, 2))

    def toggle_outlines(self) -> None:
        """Draw segments as outlines only, or filled again."""
        self.is_outlined = not self.is_outlined
        self._restyle()

    def toggle_image_only(self) -> None:
        """Show the image without its map, or with it again."""
        self.set_image_only(not self.is_image_only)

    def set_image_only(self, is_image_only: bool) -> None:
        self.is_image_only = is_image_only
        self.update()
        self.style_changed.emit()

    def _restyle(self) -> None:
        self._recolor()
        self.style_changed.emit()

    @Slot()
    def _recolor(self) -> None:
        """Have the colours made anew before the next painting, however often they change."""
        self._has_stale_colors = True
        self._spoil_map()

    def _make_colors(self) -> None:
        self._has_stale_colors = False
        document, draft = self._document, self._scene.draft
        segments = dict(document.shown_segments)
        if draft is not None and draft.segment is not None:
            segments.setdefault(draft.segment.id, draft.segment)
        self._scene.colors = map_colors(
            segments.values(),
            document.categories,
            opacity=self.opacity,
            # The ids of a preview are its own.
            hidden=document.hidden if document.preview is None else frozenset(),
            selected_id=document.selected_id if document.preview is None else VOID,
            is_outlined=self.is_outlined,
        )

    # What the document says.

    @Slot()
    def _on_image_changed(self) -> None:
        self.cancel_gesture()
        self._scene.image = self._document.picture
        self._scene.ids = self._document.shown_ids
        self._recolor()
        self.fit()
        self._screen.spoil_all()
        self.update()

    @Slot()
    def _on_proposal_changed(self) -> None:
        self.cancel_gesture()
        self._scene.ids = self._document.shown_ids
        self._recolor()

    @Slot(QRect)
    def _on_map_changed(self, rect: QRect) -> None:
        self._spoil_map(Rect(rect.top(), rect.left(), rect.bottom() + 1, rect.right() + 1))

    def _spoil_map(self, rect: Rect | None = None) -> None:
        """Draw image pixels anew, or all of the map."""
        if rect is None:
            self._screen.spoil_map()
            self.update()
        elif not rect.is_empty:
            margin = self._scene.line_width + 1
            area = self._scene.view.to_device_rect(rect)
            area = Rect(
                area.top - margin, area.left - margin, area.bottom + margin, area.right + margin
            )
            self._screen.spoil_map(area)
            self.update(self._to_widget(area))

    def _to_widget(self, area: Rect) -> QRect:
        ratio = self.devicePixelRatioF()
        size = area.right - area.left, area.bottom - area.top
        box = QRectF(area.left / ratio, area.top / ratio, size[0] / ratio, size[1] / ratio)
        return box.toAlignedRect()

    # The mouse.

    @property
    def is_gesturing(self) -> bool:
        """Whether something is being drawn, and Esc would drop it."""
        return self._hand.is_busy

    def cancel_gesture(self) -> None:
        """Drop what the mouse has drawn since it was pressed."""
        self._hand.cancel()

    @Slot(object)
    def _on_draft_changed(self, draft: Draft | None) -> None:
        is_same = draft is self._scene.draft
        self._scene.draft = draft
        if not is_same:
            self._recolor()
        elif draft is not None:
            self._spoil_map(draft.dirty)

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
            self._pan_to(event.position())
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

    def _pan_to(self, point: QPointF) -> None:
        if self._pan_from is None or self._scene.image is None:
            return
        x, y = (round(way) for way in self._to_device(point - self._pan_from))
        self._pan_from = point
        self._is_fitted = False
        view = self._scene.view.moved(x, y)
        self._set_view(view.kept_in(self._scene.image.size, self._screen.size))

    # Painting.

    def resizeEvent(self, event: QResizeEvent) -> None:
        ratio = self.devicePixelRatioF()
        self._screen.resize(round(self.height() * ratio), round(self.width() * ratio), ratio)
        self._scene.line_width = max(1, round(ratio))
        if self._is_fitted:
            self.fit()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._scene.background = QColor(current_tones().canvas).rgb()
            self._screen.spoil_all()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._has_stale_colors:
            self._make_colors()
        painter = QPainter(self)
        self._screen.draw(painter, self._scene, with_map=not self.is_image_only)
        if self._scene.image is None:
            paint_empty(painter, self.rect(), *why_empty(self._document))
        elif self._mouse is not None and self._tools.has_brush and not self._is_space_held:
            tool = self._tool(QApplication.keyboardModifiers())
            paint_ring(painter, self._mouse, self._ring_radius(), is_dashed=tool == ERASER)
        painter.end()

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
