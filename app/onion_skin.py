"""Onion skin: the outlines of the frame before or after, drawn over the open one."""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from PySide6.QtCore import QObject, QPoint, QThreadPool, Signal, Slot
from PySide6.QtGui import QImage, QPainter

from app.document import Document
from app.image_layer import Pixels
from app.layers import MapColors, MapLayer, color_map, sample_map
from app.screen import Scene
from app.theme import map_colors
from app.timeline_index import TimelineIndex
from app.viewport import Viewport
from core.errors import AnnotateError
from core.panoptic import PanopticMap, Rect
from core.store import AnnotationStore

BEFORE, AFTER = -1, 1
DASHES: Final = {BEFORE: (6, 3), AFTER: (2, 4)}  # device pixels that are drawn and left out

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Skin:
    """The map of another frame, and the colours of its outlines."""

    layer: MapLayer
    colors: MapColors


class OnionSkin(QObject):
    """Reads the maps of the frames beside the open one in a thread, and draws their outlines.

    A segment has the colour that it has in the open frame; the outlines of the frame before
    are dashed, those of the one after dotted.

    Signals:
        changed(): other outlines are to be drawn.
    """

    changed = Signal()
    _read = Signal(object, int, object)

    def __init__(
        self, document: Document, index: TimelineIndex, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._index = index
        self._wanted: frozenset[int] = frozenset()
        self._reading: dict[int, int] = {}  # way -> image that is read or shown
        self._skins: dict[int, _Skin] = {}
        self._drawn: tuple[object, QImage] | None = None
        self._pool = QThreadPool(self)
        self._read.connect(self._on_read)
        document.image_changed.connect(self._follow)
        document.categories_changed.connect(self._read_again)

    @property
    def shows_previous(self) -> bool:
        return BEFORE in self._wanted

    @property
    def shows_next(self) -> bool:
        return AFTER in self._wanted

    @property
    def is_reading(self) -> bool:
        """Whether outlines are still to come."""
        return self._skins.keys() != self._reading.keys()

    def toggle(self, way: int) -> None:
        """Draw the outlines of the frame before (-1) or after (1), or do not."""
        self._wanted ^= {way}
        self._follow()

    @Slot(int)
    def forget(self, image_id: int) -> None:
        """Read a frame again that has another map now, if its outlines are drawn."""
        for way, shown in list(self._reading.items()):
            if shown == image_id:
                del self._reading[way]
        self._follow()

    def paint(
        self, painter: QPainter, scene: Scene, size: tuple[int, int], ratio: float
    ) -> None:
        """Draw what is to be seen in a canvas of (height, width) device pixels."""
        if scene.image is None or not self._skins:
            return
        state = scene.view, size, ratio, tuple(self._skins.values())
        if self._drawn is None or self._drawn[0] != state:
            pixels = self._draw(scene.image.size, scene.view, size, scene.line_width)
            kind = QImage.Format.Format_ARGB32_Premultiplied
            image = QImage(pixels.data, size[1], size[0], 4 * size[1], kind).copy()
            image.setDevicePixelRatio(ratio)
            self._drawn = state, image
        painter.drawImage(QPoint(0, 0), self._drawn[1])

    def _draw(
        self, image: tuple[int, int], view: Viewport, size: tuple[int, int], width: int
    ) -> Pixels:
        whole = Rect(0, 0, *size)
        pixels: Pixels = np.zeros(size, np.uint32)
        diagonal = np.add.outer(np.arange(size[0]), np.arange(size[1]))
        for way, skin in self._skins.items():
            shown = sample_map(skin.layer, image, view, whole, reach=width + 1)
            lines = color_map(shown, skin.colors, width)
            drawn, left_out = (part * width for part in DASHES[way])
            is_seen = (diagonal % (drawn + left_out) < drawn) & (lines != 0)
            pixels[is_seen] = lines[is_seen]
        return pixels

    # Reading.

    @Slot()
    def _read_again(self) -> None:
        self._reading.clear()
        self._follow()

    @Slot()
    def _follow(self) -> None:
        """Read the frames that are beside the open one now, and forget others."""
        wanted = self._neighbours()
        had_any = bool(self._skins)
        for way in (BEFORE, AFTER):
            if wanted.get(way) != self._reading.get(way):
                self._skins.pop(way, None)
                self._reading.pop(way, None)
        for way, image_id in wanted.items():
            if way not in self._reading:
                self._reading[way] = image_id
                work = partial(self._work, self._document.store, image_id, way)
                self._pool.start(work)
        if had_any:
            self.changed.emit()

    def _neighbours(self) -> dict[int, int]:
        """The images whose outlines are wanted, by way."""
        record, clip = self._document.record, self._index.clip
        frame = None if record is None else self._index.frame_of(record.id)
        if frame is None or clip is None:
            return {}
        places = {way: frame + way for way in self._wanted}
        return {
            way: clip.image_ids[place]
            for way, place in places.items()
            if 0 <= place < len(clip)
        }

    def _work(self, store: AnnotationStore, image_id: int, way: int) -> None:
        """In a thread: read a map through a connection of its own."""
        try:
            with AnnotationStore.open(store.path, is_read_only=True) as own:
                self._read.emit(image_id, way, own.load_map(image_id))
        except AnnotateError:
            return  # opening the frame says what is wrong
        except Exception:  # noqa: BLE001 - the edge of the thread
            _log.exception("the outlines of image %d cannot be read", image_id)

    @Slot(object, int, object)
    def _on_read(self, image_id: int, way: int, map: PanopticMap) -> None:
        if self._reading.get(way) != image_id:
            return
        colors = map_colors(
            map.segments.values(), self._document.categories, opacity=0, is_outlined=True
        )
        self._skins[way] = _Skin(MapLayer(map.segment_ids), colors)
        self.changed.emit()
