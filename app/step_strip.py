"""The denoising steps side by side: each a small coloured map over the dimmed image."""

from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.theme import finest_ratio, scaled
from core.palette import segment_color
from core.panoptic import Category, Ids
from core.proposals import Preview

Rgb = NDArray[np.uint8]  # [H, W, 3]
Index = QModelIndex | QPersistentModelIndex

THUMB_HEIGHT: Final = 72
MIN_THUMB_WIDTH: Final = 40
MAX_THUMB_WIDTH: Final = 144
CAPTION_HEIGHT: Final = 18
PADDING: Final = 4
SAMPLES: Final = 4  # rows, and columns, that a thumbnail's pixel is the mean of, at least
IMAGE_SHARE: Final = 0.3  # of the dimmed image in what is shown
MAP_SHARE: Final = 0.8  # of a segment's colour, where there is one


def fit_thumb(height: int, width: int) -> tuple[int, int]:
    """Height and width of a thumbnail for an image of that size."""
    scaled = round(width * THUMB_HEIGHT / height)
    return THUMB_HEIGHT, min(max(scaled, MIN_THUMB_WIDTH), MAX_THUMB_WIDTH)


def shrink(image: Rgb, size: tuple[int, int]) -> Rgb:
    """The image at (height, width); of a large one, enough pixels are looked at and not all."""
    height, width = size
    step = max(min(image.shape[0] // height, image.shape[1] // width) // SAMPLES, 1)
    image = np.ascontiguousarray(image[::step, ::step])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def paint_map(
    ids: Ids,
    category_ids: Mapping[int, int],
    categories: Mapping[int, Category],
    background: Rgb,
) -> Rgb:
    """Colour a map over a dimmed picture.

    Args:
        ids: uint16 [h, w], stretched over the background.
        category_ids: of each id; ids of unknown categories are left out, like void.
        background: [H, W, 3].

    Returns:
        [H, W, 3].
    """
    height, width = background.shape[:2]
    shown = cv2.resize(ids, (width, height), interpolation=cv2.INTER_NEAREST)
    table = np.zeros((int(ids.max(initial=0)) + 1, 4), np.float32)  # RGB and share
    for segment_id, category_id in category_ids.items():
        if category_id in categories and segment_id < len(table):
            color = segment_color(categories[category_id], segment_id)
            table[segment_id] = (*color, MAP_SHARE)
    colored = table[shown]  # [H, W, 4]
    share = colored[..., 3:]
    dimmed = background.astype(np.float32) * IMAGE_SHARE
    return (dimmed * (1 - share) + colored[..., :3] * share).astype(np.uint8)


def to_qimage(pixels: Rgb) -> QImage:
    """A QImage with its own copy of the pixels."""
    height, width = pixels.shape[:2]
    flat = np.ascontiguousarray(pixels)
    return QImage(flat.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


class StepModel(QAbstractListModel):
    """The steps of one run, first to last; each keeps its preview and its thumbnail."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ratio = finest_ratio()
        self._background: Rgb = np.zeros((THUMB_HEIGHT, THUMB_HEIGHT, 3), np.uint8)
        self._categories: Mapping[int, Category] = {}
        self._previews: list[Preview] = []
        self._thumbs: list[QImage] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._previews)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        preview = self._previews[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return str(preview.step)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._thumbs[index.row()]
        if role in {Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole}:
            n_segments = len(preview.category_ids)
            return (
                f"Step {preview.step} of {preview.steps}, t = {preview.t:.2f}, "
                f"{n_segments} segments, after {preview.elapsed_s:.1f} s"
            )
        return None

    def set_image(self, image: Rgb | None) -> None:
        """Show later steps over this image, [H, W, 3], and forget the steps so far."""
        self.clear()
        if image is not None:
            height, width = fit_thumb(*image.shape[:2])
            size = (round(height * self._ratio), round(width * self._ratio))
            self._background = shrink(image, size)

    def set_categories(self, categories: Mapping[int, Category]) -> None:
        """Colour later steps by these, found by the model's category ids."""
        self._categories = categories

    def clear(self) -> None:
        """Forget all steps."""
        self.beginResetModel()
        self._previews.clear()
        self._thumbs.clear()
        self.endResetModel()

    def append(self, preview: Preview) -> None:
        """Add the newest step."""
        painted = paint_map(
            preview.segment_ids, preview.category_ids, self._categories, self._background
        )
        row = len(self._previews)
        self.beginInsertRows(QModelIndex(), row, row)
        self._previews.append(preview)
        thumb = to_qimage(painted)
        thumb.setDevicePixelRatio(self._ratio)
        self._thumbs.append(thumb)
        self.endInsertRows()

    def preview(self, row: int) -> Preview:
        """The step at a row."""
        return self._previews[row]


class StepDelegate(QStyledItemDelegate):
    """Draws one step: its map, its number, and a frame when it is the one on the canvas."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        image: QImage = index.data(Qt.ItemDataRole.DecorationRole)
        size = image.deviceIndependentSize().toSize()
        return size + QSize(2 * PADDING, 2 * PADDING + scaled(CAPTION_HEIGHT))

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        image: QImage = index.data(Qt.ItemDataRole.DecorationRole)
        box: QRect = option.rect
        size = image.deviceIndependentSize().toSize()
        picture = QRect(box.topLeft() + QPoint(PADDING, PADDING), size)
        painter.drawImage(picture, image)
        palette: QPalette = option.palette
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.Accent if is_current else QPalette.ColorRole.Mid
        painter.setPen(QColor(palette.color(role)))
        painter.drawRect(picture.adjusted(-1, -1, 0, 0))
        if is_current:
            painter.drawRect(picture.adjusted(-2, -2, 1, 1))
        ink = QPalette.ColorRole.Text if is_current else QPalette.ColorRole.PlaceholderText
        painter.setPen(palette.color(ink))
        caption = QRect(box.left(), picture.bottom() + 2, box.width(), scaled(CAPTION_HEIGHT))
        painter.drawText(caption, Qt.AlignmentFlag.AlignCenter, index.data())


class StepStrip(QListView):
    """A row of steps that scrolls sideways; arrow keys and clicks choose one.

    Attributes:
        hint: what is written where no step is yet.
    """

    def __init__(self, steps: StepModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hint = ""
        self.setModel(steps)
        self.setItemDelegate(StepDelegate(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )  # see the slider
        self._fit_text()
        self.setAccessibleName("Denoising steps")

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fit_text()
        super().changeEvent(event)

    def _fit_text(self) -> None:
        self.setFixedHeight(THUMB_HEIGHT + 2 * PADDING + scaled(CAPTION_HEIGHT) + 2)

    def set_hint(self, hint: str) -> None:
        """Say what is written where no step is yet."""
        self.hint = hint
        self.viewport().update()

    def paintEvent(self, event: Any) -> None:
        super().paintEvent(event)
        if self.model().rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(16, 0, -16, 0), flags, self.hint)
            painter.end()
