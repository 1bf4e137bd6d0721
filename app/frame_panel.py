"""The image list: images and video frames of the project, with size and state."""

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.keys import Keys
from app.thumbnails import THUMB_HEIGHT, THUMB_WIDTH, Thumbnails
from core.store import ImageRecord

Index = QModelIndex | QPersistentModelIndex
RECORD_ROLE: Final = Qt.ItemDataRole.UserRole
EDITED_ROLE: Final = Qt.ItemDataRole.UserRole + 1
NO_IMAGE: Final = 0
MIN_WIDTH: Final = 220
PADDING: Final = 6
DOT: Final = 8


class ImageModel(QAbstractListModel):
    """The project's images as rows; thumbnails are asked for only for rows that are seen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.thumbnails = Thumbnails(self)
        self.thumbnails.made.connect(self._on_made)
        self._records: Sequence[ImageRecord] = ()
        self._rows: dict[int, int] = {}
        self._edited: set[int] = set()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._records)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        record = self._records[index.row()]
        answer: Any = None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                answer = describe(record)
            case Qt.ItemDataRole.DecorationRole:
                answer = self.thumbnails.find(record)
            case Qt.ItemDataRole.ToolTipRole:
                answer = str(record.path)
            case Qt.ItemDataRole.AccessibleTextRole:
                state = "edited" if record.id in self._edited else "not edited"
                answer = f"{describe(record)}, {record.width} by {record.height}, {state}"
            case _ if role == RECORD_ROLE:
                answer = record
            case _ if role == EDITED_ROLE:
                answer = record.id in self._edited
        return answer

    def set_records(self, records: Sequence[ImageRecord]) -> None:
        """Show these images, in this order."""
        self.beginResetModel()
        self.thumbnails.clear()
        self._records = records
        self._rows = {record.id: row for row, record in enumerate(records)}
        self._edited = {record.id for record in records if record.n_edits}
        self.endResetModel()

    def set_edited(self, image_id: int, *, is_edited: bool) -> None:
        """Mark an image as edited or untouched."""
        if is_edited == (image_id in self._edited):
            return
        (self._edited.add if is_edited else self._edited.discard)(image_id)
        self._tell(image_id)

    def record(self, row: int) -> ImageRecord:
        """The image at a row."""
        return self._records[row]

    def row_of(self, image_id: int) -> int:
        """The row of an image; -1 when it is not in the list."""
        return self._rows.get(image_id, -1)

    @Slot(int)
    def _on_made(self, image_id: int) -> None:
        self._tell(image_id)

    def _tell(self, image_id: int) -> None:
        row = self.row_of(image_id)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))


class ImageDelegate(QStyledItemDelegate):
    """Draws an image's thumbnail, name and size, and a dot when it has edits."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(MIN_WIDTH, THUMB_HEIGHT + 2 * PADDING)

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        box: QRect = option.rect
        palette: QPalette = option.palette
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        if is_current:
            painter.fillRect(box, palette.color(QPalette.ColorRole.Highlight))
        corner = box.topLeft() + QPoint(PADDING, PADDING)
        frame = QRect(corner, QSize(THUMB_WIDTH, THUMB_HEIGHT))
        _draw_thumbnail(painter, frame, index.data(Qt.ItemDataRole.DecorationRole), palette)
        text = box.adjusted(
            THUMB_WIDTH + 2 * PADDING + 2, PADDING, -PADDING - DOT - 4, -PADDING
        )
        ink = QPalette.ColorRole.HighlightedText if is_current else QPalette.ColorRole.Text
        muted = ink if is_current else QPalette.ColorRole.PlaceholderText
        half = text.height() // 2
        name = option.fontMetrics.elidedText(
            index.data(), Qt.TextElideMode.ElideMiddle, text.width()
        )
        record: ImageRecord = index.data(RECORD_ROLE)
        painter.setPen(palette.color(ink))
        top = text.adjusted(0, 0, 0, -half)
        painter.drawText(top, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, name)
        painter.setPen(palette.color(muted))
        size = f"{record.width} x {record.height}"
        bottom = text.adjusted(0, half + 2, 0, 0)
        painter.drawText(bottom, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, size)
        if index.data(EDITED_ROLE):
            dot = ink if is_current else QPalette.ColorRole.Accent
            _draw_dot(painter, box, palette.color(dot))


class ImageList(QWidget):
    """The images of the project; one is open.

    Signals:
        image_chosen(int): somebody wants the image of this id.
    """

    image_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None, keys: Keys | None = None) -> None:
        super().__init__(parent)
        self._keys = keys or Keys(self)
        self._open_id = NO_IMAGE
        self._model = ImageModel(self)
        self._view = QListView(self)
        self._view.setModel(self._model)
        self._view.setItemDelegate(ImageDelegate(self._view))
        self._view.setUniformItemSizes(True)
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.setMinimumWidth(MIN_WIDTH)
        self._view.setAccessibleName("Images of the project")
        self._place = QLabel(self)
        self._previous = self._arrow(Qt.ArrowType.UpArrow, -1)
        self._next = self._arrow(Qt.ArrowType.DownArrow, 1)
        self._lay_out()
        self._view.selectionModel().currentChanged.connect(self._on_current_changed)
        self._keys.changed.connect(self._write_keys)
        self._write_keys()
        self._show_place()

    def set_records(self, records: Sequence[ImageRecord]) -> None:
        """Show these images; none is current until `set_current`."""
        self._open_id = NO_IMAGE
        self._model.set_records(records)
        self._show_place()

    def set_current(self, image_id: int) -> None:
        """Mark the image that is open; nobody is told, since whoever opened it knows."""
        self._open_id = image_id
        index = self._model.index(self._model.row_of(image_id))
        self._view.setCurrentIndex(index)
        self._view.scrollTo(index)
        self._show_place()

    def set_edited(self, image_id: int, *, is_edited: bool) -> None:
        """Mark an image as edited or untouched."""
        self._model.set_edited(image_id, is_edited=is_edited)

    def step(self, by: int) -> None:
        """Choose the image that many rows further; the ends of the list stop it."""
        row = self._view.currentIndex().row() + by
        if 0 <= row < self._model.rowCount():
            self._view.setCurrentIndex(self._model.index(row))

    def stop(self) -> None:
        """Let the thread that makes thumbnails end."""
        self._model.thumbnails.stop()

    def _arrow(self, arrow: Qt.ArrowType, by: int) -> QToolButton:
        button = QToolButton(self)
        button.setArrowType(arrow)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.step(by))
        return button

    @Slot()
    def _write_keys(self) -> None:
        for button, name in ((self._previous, "previous"), (self._next, "next")):
            button.setToolTip(self._keys.title(name))
            button.setAccessibleName(self._keys.title(name))

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.setContentsMargins(10, 4, 6, 4)
        header.addWidget(self._place)
        header.addStretch()
        header.addWidget(self._previous)
        header.addWidget(self._next)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(header)
        whole.addWidget(self._view)

    @Slot(QModelIndex, QModelIndex)
    def _on_current_changed(self, current: QModelIndex, _: QModelIndex) -> None:
        self._show_place()
        image_id = self._model.record(current.row()).id if current.isValid() else NO_IMAGE
        if image_id not in {NO_IMAGE, self._open_id}:
            self._open_id = image_id
            self.image_chosen.emit(image_id)

    def _show_place(self) -> None:
        row, n_rows = self._view.currentIndex().row(), self._model.rowCount()
        if row >= 0:
            self._place.setText(f"{row + 1:,} of {n_rows:,}")
        else:
            self._place.setText("1 image" if n_rows == 1 else f"{n_rows:,} images")
        self._previous.setEnabled(row > 0)
        self._next.setEnabled(row < n_rows - 1)


def describe(record: ImageRecord) -> str:
    """An image's file name, and which frame of a video it is, counted from 1."""
    return (
        record.path.name if record.frame is None else f"{record.path.name} #{record.frame + 1}"
    )


def _draw_thumbnail(
    painter: QPainter, frame: QRect, image: QImage | None, palette: QPalette
) -> None:
    """The picture in the middle of its frame; a grey field until it is there."""
    if image is None or image.isNull():
        painter.fillRect(frame, palette.color(QPalette.ColorRole.Mid))
        if image is not None:
            painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "unreadable")
        return
    place = QRect(QPoint(), image.size())
    place.moveCenter(frame.center())
    painter.drawImage(place, image)


def _draw_dot(painter: QPainter, box: QRect, color: QColor) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawEllipse(box.right() - PADDING - DOT, box.center().y() - DOT // 2, DOT, DOT)
    painter.restore()
