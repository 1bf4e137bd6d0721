"""What can be done to the selected segment at once, without a gesture."""

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Signal

from app.document import Document
from app.slow_edit import SlowEdit
from core import borders, edits, segment_edits
from core.errors import AnnotateError
from core.panoptic import Edit, PanopticMap, Segment
from core.snapping import MAX_REACH as MAX_SNAP
from core.snapping import snap_border
from core.whole_maps import copy_segments

MAX_REACH: Final = 100
MAX_AT_ONCE: Final = 1_000_000  # pixels of a segment whose border is snapped without a thread
MAX_ISLAND: Final = 100_000
OUTDATED: Final = "{name} was edited while its border was being moved; do it again."
NOTHING: Final = "{name} stays as it is: {reason}."

MakeEdit = Callable[[PanopticMap, Segment], Edit]


class SegmentCommands(QObject):
    """Each command is one edit of the document's map, or a sentence on why it is not.

    Attributes:
        reach: pixels by which a border is grown, shrunk, smoothed or moved.
        island_area: parts with fewer pixels are islands.

    Signals:
        changed(): another reach or island area.
        told(object): a sentence on what takes a while.
    """

    changed = Signal()
    told = Signal(object)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.reach = 2
        self.island_area = 50

    def set_reach(self, pixels: int) -> None:
        """Move borders by that many pixels from now on, within limits."""
        self.reach = min(max(pixels, 1), MAX_REACH)
        self.changed.emit()

    def set_island_area(self, pixels: int) -> None:
        """Call parts with fewer pixels islands from now on, within limits."""
        self.island_area = min(max(pixels, 1), MAX_ISLAND)
        self.changed.emit()

    # The whole segment.

    def delete(self) -> None:
        """Give the selected segment's pixels to void."""
        self._push("delete it", lambda map, s: edits.delete_segment(map, s.id))

    def give_to_neighbours(self) -> None:
        """Delete the selected segment: each pixel goes to the nearest segment around it."""
        self._push(
            "delete it",
            lambda map, s: segment_edits.give_to_neighbours(map, s.id),
            "no unlocked segment touches it",
        )

    def recategorise(self) -> None:
        """Give the selected segment the current category."""
        category = self._document.category
        if category is not None:
            self._push(
                "change it", lambda map, s: edits.set_segment(map, s.id, category=category)
            )

    def split_components(self) -> None:
        """Make each part of the selected segment that touches no other a segment of its own."""
        document = self._document
        segment, stuff = document.selected, document.stuff
        is_stuff = segment is not None and segment.category_id in stuff
        self._push(
            "split it",
            lambda map, s: segment_edits.split_components(map, s.id, stuff),
            "stuff has one segment an image" if is_stuff else "it has only one part",
        )

    # Its border.

    def fill_holes(self) -> None:
        """Fill the holes of the selected segment."""
        self._push("fill it", lambda map, s: borders.fill_holes(map, s.id), "it has no holes")

    def remove_islands(self) -> None:
        """Take away the small parts of the selected segment; with none selected, of all."""
        document, area = self._document, self.island_area
        reason = f"no part has fewer than {area} pixels"
        if document.selected is not None:
            self._push(
                "change it",
                lambda map, s: borders.remove_islands(map, area, s.id),
                reason,
            )
        elif document.map is not None and document.may_edit():
            self._finish(borders.remove_islands(document.map, area), "The map", reason)

    def smooth(self) -> None:
        """Smooth the border of the selected segment."""
        self._push(
            "smooth it",
            lambda map, s: borders.smooth_border(map, s.id, self.reach),
            "its border is as smooth as that already",
        )

    def grow(self) -> None:
        """Move the border of the selected segment outwards."""
        self._push(
            "grow it",
            lambda map, s: borders.grow(map, s.id, self.reach),
            "only locked segments and the image's border are around it",
        )

    def shrink(self) -> None:
        """Move the border of the selected segment inwards."""
        self._push("shrink it", lambda map, s: borders.shrink(map, s.id, self.reach))

    def snap(self) -> None:
        """Move the border of the selected segment to the edges in the image near it.

        A thread moves that of a large one, and the map can be edited meanwhile.
        """
        document = self._document
        image, segment = document.image, document.selected
        if image is None or document.map is None or segment is None:
            return
        reach, name = min(self.reach, MAX_SNAP), document.name(segment)
        reason = f"no edge within {reach} pixels fits better"

        def make(map: PanopticMap) -> Edit:
            return snap_border(map, image, segment.id, reach)

        if document.map.areas()[segment.id] <= MAX_AT_ONCE:
            self._push("move its border", lambda map, _: make(map), reason)
        elif document.free_selected("move its border") is not None:
            self.told.emit(f"The border of {name} is being moved.")
            slow = SlowEdit(document, make, self)
            slow.made.connect(lambda edit: self._finish(edit, name, reason))
            slow.outdated.connect(partial(document.refused.emit, OUTDATED.format(name=name)))
            slow.failed.connect(document.failed)
            slow.start()

    # Other images.

    def copy_from(self, source: PanopticMap, name: str) -> None:
        """Lay the segments of another image over the void of this one."""
        document = self._document
        if document.map is None or not document.may_edit():
            return
        if source.segment_ids.shape != document.map.segment_ids.shape:
            document.refused.emit(
                f"{name} has {source.width} x {source.height} pixels and this image "
                f"{document.map.width} x {document.map.height}: segments are copied only "
                "between images of one size."
            )
            return
        try:
            edit = copy_segments(document.map, source, None, document.stuff)
        except AnnotateError as error:
            document.failed.emit(str(error))
            return
        self._finish(edit, "The map", f"{name} has nothing where it is void")

    def _push(self, purpose: str, make: MakeEdit, reason: str = "nothing would change") -> None:
        """Make an edit of the selected segment and push it, or say why not."""
        document = self._document
        segment = document.free_selected(purpose)
        if segment is None or document.map is None:
            return
        try:
            edit = make(document.map, segment)
        except AnnotateError as error:
            document.failed.emit(str(error))
        else:
            self._finish(edit, document.name(segment), reason)

    def _finish(self, edit: Edit, name: str, reason: str) -> None:
        if edit.is_empty:
            self._document.refused.emit(NOTHING.format(name=name, reason=reason))
        else:
            self._document.push(edit)
