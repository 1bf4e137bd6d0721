"""The map tinted by who made its pixels, and the legend that says what the tints mean."""

from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QWidget

from app.document import Document
from app.image_layer import Pixels
from app.layers import MapLayer, sample_map
from app.theme import premultiplied
from app.viewport import Viewport
from core.authors import Author, AuthorKind
from core.errors import AnnotateError
from core.panoptic import MAX_SEGMENT_ID, Rect
from core.provenance import Provenance

ALPHA: Final = 130
MARGIN: Final = 10  # pixels between the legend and the edges of the canvas
# Told apart by the colour-blind: Okabe and Ito 2008.
COLORS: Final = {
    AuthorKind.HUMAN: (0, 114, 178),
    AuthorKind.MODEL: (230, 159, 0),
    AuthorKind.PROPAGATED: (204, 121, 167),
    AuthorKind.IMPORTED: (0, 158, 115),
}
WHO: Final = {
    AuthorKind.HUMAN: "people",
    AuthorKind.MODEL: "model",
    AuthorKind.PROPAGATED: "propagated by",
    AuthorKind.IMPORTED: "imported",
}


@dataclass(frozen=True, slots=True, eq=False)
class Tint:
    """Colours to be laid over an image.

    Attributes:
        layer: numbers, stretched over the image.
        fill: [65536] premultiplied colour of each number.
    """

    layer: MapLayer
    fill: Pixels

    def render(self, size: tuple[int, int], view: Viewport, area: Rect) -> Pixels:
        """The colours of an area of device pixels; `size` is that of the image."""
        return self.fill.take(sample_map(self.layer, size, view, area))


class AuthorTint(QObject):
    """Tints the open image's pixels by the kind of author that changed them last.

    Attributes:
        is_on: whether it is wanted.
        tint: what is to be drawn now, or None.
        provenance: of the open image, while it is tinted.

    Signals:
        changed(): another tint, or none.
    """

    changed = Signal()

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._kinds = frozenset(AuthorKind)
        self.is_on = False
        self.tint: Tint | None = None
        self.provenance: Provenance | None = None
        document.image_changed.connect(self._follow)
        document.proposal_changed.connect(self._follow)
        document.edited.connect(self._follow)

    def toggle(self) -> None:
        """Tint the map, or show it as it is again."""
        self.is_on = not self.is_on
        self._follow()

    def toggle_kind(self, kind: str) -> None:
        """Tint what authors of a kind have made, or leave it out."""
        self._kinds ^= {AuthorKind(kind)}
        self._follow()

    @property
    def shows_human(self) -> bool:
        return AuthorKind.HUMAN in self._kinds

    @property
    def shows_model(self) -> bool:
        return AuthorKind.MODEL in self._kinds

    @property
    def shows_propagated(self) -> bool:
        return AuthorKind.PROPAGATED in self._kinds

    @property
    def shows_imported(self) -> bool:
        return AuthorKind.IMPORTED in self._kinds

    @Slot()
    def _follow(self) -> None:
        had_any = self.tint is not None
        self.tint = self.provenance = None
        document = self._document
        if self.is_on and document.is_editable and document.record is not None:
            try:
                self.provenance = document.store.provenance(document.record.id)
                self.tint = self._make_tint(self.provenance)
            except AnnotateError as error:
                document.failed.emit(str(error))
        if had_any or self.tint is not None:
            self.changed.emit()

    def _make_tint(self, provenance: Provenance) -> Tint:
        fill = np.zeros(MAX_SEGMENT_ID + 1, np.uint32)
        for number, author in enumerate(provenance.authors):
            if author is not None and author.kind in self._kinds:
                color = np.array([COLORS[author.kind]], np.uint32)
                fill[number] = premultiplied(color, ALPHA)[0]
        return Tint(MapLayer(provenance.numbers), fill)


class AuthorLegend(QLabel):
    """Says in a corner of the canvas which tint is whose, and how much each author made."""

    def __init__(self, tint: AuthorTint, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._tint = tint
        self._canvas = canvas
        self.setObjectName("tag")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Who made the pixels")
        self.hide()
        tint.changed.connect(self._follow)
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._canvas and event.type() == QEvent.Type.Resize:
            self._move_to_corner()
        return super().eventFilter(watched, event)

    @Slot()
    def _follow(self) -> None:
        provenance = self._tint.provenance
        if provenance is None:
            self.hide()
            return
        shares: dict[str, int] = {}
        for author, n in provenance.counts().items():
            line = _describe(author)
            shares[line] = shares.get(line, 0) + n
        total = provenance.numbers.size
        lines = [f"{line} {100 * n / total:.1f} %" for line, n in shares.items()]
        self.setText("<br>".join(lines))
        self.adjustSize()
        self._move_to_corner()
        self.show()

    def _move_to_corner(self) -> None:
        self.move(MARGIN, self._canvas.height() - self.height() - MARGIN)


def _describe(author: Author | None) -> str:
    """A line of the legend, without seed and steps."""
    if author is None:
        return "untouched"
    red, green, blue = COLORS[author.kind]
    name = escape(f"{WHO[author.kind]} {author.model}".strip())
    return f'<span style="color: rgb({red}, {green}, {blue})">\N{BLACK SQUARE}</span> {name}'
