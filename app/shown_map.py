"""What is seen of an image's segments: its map, or the model's guess in place of it."""

from collections.abc import Iterable

from PySide6.QtCore import QObject

from app.suggestion import Suggestion
from core.panoptic import Category, Ids, PanopticMap, Segment, Segments
from core.proposals import Preview


class ShownMap(QObject):
    """The preview, else the suggestion, else the map.

    Attributes:
        map: of the open image; None when there is none.
        categories: the project's, by id.
        preview: the model's guess that is shown instead of the map, or None.
        suggestion: what the model suggests and nobody has decided on, or None.
    """

    def __init__(self, categories: Iterable[Category], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.map: PanopticMap | None = None
        self.categories = {category.id: category for category in categories}
        self.preview: Preview | None = None
        self.suggestion: Suggestion | None = None
        self._preview_segments: Segments = {}

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
