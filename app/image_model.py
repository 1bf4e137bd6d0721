"""The project's images as rows of a list, however many: only those that are seen are read."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Slot,
)

from app.thumbnails import Thumbnails
from core.store import AnnotationStore, ImageRecord, Review

Index = QModelIndex | QPersistentModelIndex
RECORD_ROLE: Final = Qt.ItemDataRole.UserRole
BLOCK: Final = 128  # rows that are read at once
MAX_BLOCKS: Final = 32  # about 4,000 records, whatever the size of the project


class ImageModel(QAbstractListModel):
    """Some of a project's images in order; records and thumbnails are read for rows in view."""

    def __init__(self, store: AnnotationStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.thumbnails = Thumbnails(self)
        self.thumbnails.made.connect(self._on_made)
        self._store = store
        self._ids = np.zeros(0, np.int64)
        self._order = np.zeros(0, np.intp)  # that sorts the ids
        self._blocks: OrderedDict[int, list[ImageRecord]] = OrderedDict()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._ids)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        record = self.record(index.row())
        answer: Any = None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                answer = describe(record)
            case Qt.ItemDataRole.DecorationRole:
                answer = self.thumbnails.find(record)
            case Qt.ItemDataRole.ToolTipRole:
                answer = f"{record.path}\n{say_state(record)}"
            case Qt.ItemDataRole.AccessibleTextRole:
                size = f"{record.width} by {record.height}"
                answer = f"{describe(record)}, {size}, {say_state(record)}"
            case _ if role == RECORD_ROLE:
                answer = record
        return answer

    def set_ids(self, ids: Sequence[int]) -> None:
        """Show the images of these ids, in this order."""
        self.beginResetModel()
        self._ids = np.asarray(ids, np.int64)
        self._order = np.argsort(self._ids, kind="stable")
        self._blocks.clear()
        self.endResetModel()

    def forget(self, image_id: int) -> None:
        """Read a record again when it is next seen: something about it has changed."""
        row = self.row_of(image_id)
        if row >= 0:
            self._blocks.pop(row // BLOCK, None)
            self.dataChanged.emit(self.index(row), self.index(row))

    @property
    def ids(self) -> list[int]:
        """Of the images that are shown, in their order."""
        return [int(image_id) for image_id in self._ids.tolist()]

    def id_at(self, row: int) -> int:
        """The id of the image in a row."""
        return int(self._ids[row])

    def record(self, row: int) -> ImageRecord:
        """The image in a row."""
        block = row // BLOCK
        if block not in self._blocks:
            ids = self._ids[block * BLOCK : (block + 1) * BLOCK].tolist()
            self._blocks[block] = self._store.image_records(ids)
            while len(self._blocks) > MAX_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(block)
        return self._blocks[block][row % BLOCK]

    def row_of(self, image_id: int) -> int:
        """The row of an image; -1 when it is not in the list."""
        place = int(np.searchsorted(self._ids, image_id, sorter=self._order))
        if place == len(self._ids) or self._ids[self._order[place]] != image_id:
            return -1
        return int(self._order[place])

    def next_of(self, image_ids: Sequence[int], image_id: int) -> int | None:
        """The first of some images below another one, else from the top; None for none."""
        row = self.row_of(image_id)
        rows = np.flatnonzero(np.isin(self._ids, np.asarray(image_ids, np.int64)))
        rows = np.concatenate([rows[rows > row], rows[rows < row]])
        return self.id_at(int(rows[0])) if rows.size else None

    @Slot(int)
    def _on_made(self, image_id: int) -> None:
        row = self.row_of(image_id)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))


def describe(record: ImageRecord) -> str:
    """An image's file name, and which frame of a video it is, counted from 1."""
    return (
        record.path.name if record.frame is None else f"{record.path.name} #{record.frame + 1}"
    )


def say_state(record: ImageRecord) -> str:
    """How far an image is, in words."""
    is_told = record.review is Review.REJECTED and record.reason
    state = f"rejected: {record.reason}" if is_told else record.review.value
    return f"{state}, held out from training" if record.is_held_out else state
