"""What is seen of an image's segments: its map, or the model's guess in place of it."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, QRect, Signal

from app.suggestion import Suggestion
from core.panoptic import VOID, Category, Ids, PanopticMap, Segment, Segments
from core.proposals import Preview
from core.store import ImageRecord


class ShownMap(QObject):
    """The preview, else the suggestion, else the map without the segments that are hidden.

    Attributes:
        record: the open image, or None.
        map: of the open image; None when there is none.
        selected_id: the segment that is worked on; 0 for none.
        categories: the project's, by id.
        preview: the model's guess that is shown instead of the map, or None.
        suggestion: what the model suggests and nobody has decided on, or None.

    Signals:
        map_changed(QRect): image pixels that may look different now.
        segments_changed(): segments, their areas, locks or visibility.
    """

    map_changed = Signal(QRect)
    segments_changed = Signal()

    def __init__(self, categories: Iterable[Category], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.record: ImageRecord | None = None
        self.map: PanopticMap | None = None
        self.selected_id = VOID
        self.categories = {category.id: category for category in categories}
        self.preview: Preview | None = None
        self.suggestion: Suggestion | None = None
        self._preview_segments: Segments = {}
        self._hidden: dict[int, frozenset[int]] = {}  # by image id

    @property
    def stuff(self) -> frozenset[int]:
        """Ids of the categories that have at most one segment an image."""
        return frozenset(c.id for c in self.categories.values() if not c.is_thing)

    @property
    def has_proposal(self) -> bool:
        return self.suggestion is not None

    @property
    def shown_ids(self) -> Ids | None:
        """uint16 [h, w], stretched over the image; only a preview is coarser than it."""
        if self.preview is not None:
            return self.preview.segment_ids
        return None if self.shown_map is None else self.shown_map.segment_ids

    @property
    def shown_segments(self) -> Segments:
        """The segments that `shown_ids` names, in categories of the project."""
        if self.preview is not None:
            return self._preview_segments
        return {} if self.shown_map is None else self.shown_map.segments

    @property
    def shown_map(self) -> PanopticMap | None:
        """The suggested map, else the map."""
        return self.map if self.suggestion is None else self.suggestion.map

    def segment_at(self, x: float, y: float) -> Segment | None:
        """The segment that is seen at an image position; None in void or outside."""
        ids = self.shown_ids
        if ids is None or self.map is None:
            return None
        row = int(y * ids.shape[0] // self.map.height)
        column = int(x * ids.shape[1] // self.map.width)
        if not (0 <= row < ids.shape[0] and 0 <= column < ids.shape[1]):
            return None
        return self.shown_segments.get(int(ids[row, column]))

    def name(self, segment: Segment) -> str:
        """What a segment is called: its category, and for things its id."""
        category = self.categories.get(segment.category_id)
        if category is None:
            return f"unknown category {segment.category_id}, segment {segment.id}"
        return f"{category.name} {segment.id}" if category.is_thing else category.name

    # What is hidden.

    @property
    def hidden(self) -> frozenset[int]:
        """Ids of segments of the open image that are not drawn."""
        nothing: frozenset[int] = frozenset()
        return nothing if self.record is None else self._hidden.get(self.record.id, nothing)

    def toggle_hidden(self, segment_id: int = VOID) -> None:
        """Hide a segment or show it again, by default the selected one.

        Nothing is saved, but each image keeps what is hidden until the project is closed.
        """
        segment_id = segment_id or self.selected_id
        if self.record is not None and self.map is not None and segment_id in self.map.segments:
            self._hidden[self.record.id] = self.hidden ^ {segment_id}
            self.segments_changed.emit()
            self._tell_everywhere()

    def _tell_everywhere(self) -> None:
        if self.map is not None:
            self.map_changed.emit(QRect(0, 0, self.map.width, self.map.height))
