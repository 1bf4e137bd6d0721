"""MapView: the open image with its map, at the place and in the style that is asked for."""

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.author_tint import AuthorTint
from app.canvas_marks import paint_empty, why_empty
from app.document import Document
from app.layers import Draft, MapLayer
from app.look import Look
from app.screen import Scene, Screen
from app.theme import current_tones, map_colors
from app.viewport import Viewport
from core.panoptic import VOID, Rect
from core.spans import NOWHERE

ZOOM_STEP: Final = 2**0.5


class MapView(QWidget):
    """The open image and its map, without mouse and keys.

    Attributes:
        look: how they are drawn.
        tint: by who made the pixels, if that is wanted.

    Signals:
        view_changed(): zoom or place.
    """

    view_changed = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.look = Look(self)
        self._document = document
        self.tint = AuthorTint(document, self)
        self._screen = Screen()
        self._scene = Scene(background=QColor(current_tones().canvas).rgb())
        self._has_stale_colors = True
        self._is_fitted = True
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.tint.changed.connect(self._on_tint_changed)
        self.look.recolored.connect(self._recolor)
        self.look.retoned.connect(self._on_retoned)
        self.look.changed.connect(self.update)
        document.image_changed.connect(self._on_image_changed)
        document.map_changed.connect(self._on_map_changed)
        document.segments_changed.connect(self._on_colors_changed)
        document.selection_changed.connect(self._on_colors_changed)
        document.proposal_changed.connect(self._on_proposal_changed)
        self._on_image_changed()

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
        self.zoom(1 / self.scale)

    def zoom_in(self) -> None:
        self.zoom(ZOOM_STEP)

    def zoom_out(self) -> None:
        self.zoom(1 / ZOOM_STEP)

    def centre_on(self, x: float, y: float) -> None:
        """Bring an image position to the middle."""
        left, top = self.view.to_device(x, y)
        height, width = self._screen.size
        self._pan(round(width / 2 - left), round(height / 2 - top))

    def scroll_by(self, across: float, down: float) -> None:
        """Look at what lies to the right and below, by so many times what is seen."""
        height, width = self._screen.size
        self._pan(-round(across * width), -round(down * height))

    def seen_rect(self) -> QRectF:
        """The part of the image that is seen, in image pixels; null without an image."""
        if self._scene.image is None:
            return QRectF()
        height, width = self._screen.size
        corners = self.view.to_image(0, 0), self.view.to_image(width, height)
        whole = QRectF(0, 0, self._scene.image.size[1], self._scene.image.size[0])
        return QRectF(QPointF(*corners[0]), QPointF(*corners[1])) & whole

    @property
    def scene(self) -> Scene:
        """What is drawn, for others who draw it somewhere else."""
        return self._scene

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Zoom around a position of the widget, by default its middle."""
        if self._scene.image is None:
            return
        point = around or QPointF(self.width() / 2, self.height() / 2)
        self._is_fitted = False
        x, y = self._to_device(point)
        view = self._scene.view.zoomed(factor, x, y)
        self._set_view(view.kept_in(self._scene.image.size, self._screen.size))

    def _pan_by(self, way: QPointF) -> None:
        """Move the image by that much of the widget."""
        x, y = (round(part) for part in self._to_device(way))
        self._pan(x, y)

    def _pan(self, x: int, y: int) -> None:
        """Move the image by device pixels."""
        if self._scene.image is None:
            return
        self._is_fitted = False
        view = self._scene.view.moved(x, y)
        self._set_view(view.kept_in(self._scene.image.size, self._screen.size))

    def _set_view(self, view: Viewport) -> None:
        before, self._scene.view = self._scene.view, view
        if view.scale == before.scale:
            self._screen.scroll(view.left - before.left, view.top - before.top)
        else:
            self._screen.spoil_all()
        self.update()
        self.view_changed.emit()

    def _to_device(self, point: QPointF) -> tuple[float, float]:
        ratio = self.devicePixelRatioF()
        return point.x() * ratio, point.y() * ratio

    # How it is drawn.

    @Slot()
    def _recolor(self) -> None:
        """Draw the whole map anew, in new colours."""
        self._has_stale_colors = True
        self._spoil_map()

    @Slot()
    def _on_colors_changed(self) -> None:
        """Have the colours made anew before the next painting, however often they change.

        Where segments come and go, the map has changed and is drawn anew there; only if one
        that stays looks different, all of it is.
        """
        self._has_stale_colors = True
        self.update()

    def _make_colors(self) -> None:
        self._has_stale_colors = False
        before = self._scene.colors
        document, draft = self._document, self._scene.draft
        segments = dict(document.shown_segments)
        if draft is not None and draft.segment is not None:
            segments.setdefault(draft.segment.id, draft.segment)
        self._scene.colors = map_colors(
            segments.values(),
            document.categories,
            opacity=self.look.opacity,
            # The ids of a preview are its own.
            hidden=document.hidden if document.preview is None else frozenset(),
            selected_id=document.selected_id if document.preview is None else VOID,
            is_outlined=self.look.is_outlined or self._scene.tint is not None,
            is_by_category=self.look.is_by_category,
        )
        if before is not None and self._scene.colors.recolors_any_of(before):
            self._screen.spoil_map()

    @Slot()
    def _on_tint_changed(self) -> None:
        self._scene.tint = self.tint.tint
        self._recolor()

    @Slot()
    def _on_retoned(self) -> None:
        self._scene.tone = self.look.tone
        self._scene.has_grid = self.look.has_grid
        self._screen.spoil_picture()

    def highlight(self, segment_id: int) -> None:
        """Mark a segment that is shown, or none with 0."""
        if segment_id != self._scene.highlighted_id:
            self._scene.highlighted_id = segment_id
            self.update(self._to_widget(self._screen.draw_highlight(self._scene)))

    # What the document says.

    @Slot()
    def _on_image_changed(self) -> None:
        self._scene.image = self._document.picture
        self._follow_ids()
        self.fit()
        self._screen.spoil_all()
        self.update()

    @Slot()
    def _on_proposal_changed(self) -> None:
        self._follow_ids()

    def _follow_ids(self) -> None:
        ids, layer = self._document.shown_ids, self._scene.map
        if ids is None:
            self._scene.map = None
        elif layer is None or layer.ids is not ids:
            self._scene.map = MapLayer(ids)
        self._scene.highlighted_id = VOID
        self._recolor()

    @Slot(QRect)
    def _on_map_changed(self, rect: QRect) -> None:
        changed = Rect(rect.top(), rect.left(), rect.bottom() + 1, rect.right() + 1)
        if self._scene.map is not None:
            self._scene.map.follow(changed)
        self._spoil_map(changed)

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

    @Slot(object)
    def show_draft(self, draft: Draft | None) -> None:
        """Paint what a gesture has drawn so far over the map; None ends it."""
        last = self._scene.draft
        if draft is not last:
            self._scene.draft = draft
            self._on_colors_changed()
            if last is not None:
                self._spoil_map(last.reached)
        if draft is not None:
            draft.reached = (draft.reached or NOWHERE).united(draft.dirty)
            self._spoil_map(draft.dirty)
            if draft.line:
                self.update()

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
        self._screen.draw(painter, self._scene, with_map=not self.look.is_image_only)
        if self._scene.image is None:
            paint_empty(painter, self.rect(), *why_empty(self._document))
        else:
            self.paint_marks(painter)
        painter.end()

    def paint_marks(self, painter: QPainter) -> None:
        """Draw what lies over the map; a view without a mouse has nothing there."""
