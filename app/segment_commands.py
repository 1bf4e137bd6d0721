"""What can be done to the selected segment at once, without a gesture."""

from PySide6.QtCore import QObject

from app.document import Document
from core import edits


class SegmentCommands(QObject):
    """Each command is one edit of the document's map, or a sentence on why it is not."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document

    def delete(self) -> None:
        """Give the selected segment's pixels to void."""
        document = self._document
        segment = document.free_selected("delete it")
        if segment is not None and document.map is not None:
            document.push(edits.delete_segment(document.map, segment.id))

    def recategorise(self) -> None:
        """Give the selected segment the current category."""
        document = self._document
        segment, category = document.free_selected("change it"), document.category
        if segment is not None and category is not None and document.map is not None:
            document.push(edits.set_segment(document.map, segment.id, category=category))
