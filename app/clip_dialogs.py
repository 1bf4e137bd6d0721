"""What is asked before many frames of a clip are changed, and how far that is."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app.theme import UNKNOWN, swatch
from core.palette import segment_color
from core.panoptic import Category, Segment
from core.presence import Presence

FRAME, ONWARDS, CLIP = "frame", "onwards", "clip"  # where something is changed
SCOPES: Final = {
    CLIP: "In the whole clip",
    ONWARDS: "From this frame on",
    FRAME: "In this frame",
}
SHOW_AFTER_MS: Final = 300  # what takes less is not worth a dialog


class MergeDialog(QDialog):
    """Lists the segments of a clip that another one may become a part of.

    Signals:
        chosen(int, str): the id of the segment, and in which frames.
    """

    chosen = Signal(int, str)

    def __init__(
        self,
        name: str,
        segment: Segment,
        presence: Presence,
        categories: Mapping[int, Category],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Merge with a segment of the clip")
        self._list = QListWidget(self)
        self._list.setAccessibleName("Segments of the clip")
        ids = [i for i in presence.segment_ids() if i != segment.id]
        # A segment that came back is most likely one of its own category.
        ids.sort(key=lambda i: presence.category_id(i) != segment.category_id)
        for segment_id in ids:
            category = categories.get(presence.category_id(segment_id), UNKNOWN)
            self._list.addItem(_item(segment_id, category, presence))
        self._list.setCurrentRow(0)
        self._list.itemDoubleClicked.connect(self.accept)
        self._scope = QComboBox(self)
        self._scope.setAccessibleName("In which frames")
        for scope, words in SCOPES.items():
            self._scope.addItem(words, scope)
        self.accepted.connect(self._on_accepted)
        self._lay_out(name, has_any=bool(ids))

    def _lay_out(self, name: str, *, has_any: bool) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        merge = buttons.addButton("Merge", QDialogButtonBox.ButtonRole.AcceptRole)
        merge.setEnabled(has_any)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addWidget(QLabel(f"{name} becomes a part of:", self))
        whole.addWidget(self._list)
        whole.addWidget(self._scope)
        whole.addWidget(buttons)

    @Slot()
    def _on_accepted(self) -> None:
        item = self._list.currentItem()
        if item is not None:
            segment_id = item.data(Qt.ItemDataRole.UserRole)
            self.chosen.emit(segment_id, self._scope.currentData())


class ClipProgress(QDialog):
    """Keeps the window as it is while frames are changed, and shows how many are done.

    Signals:
        cancelled(): what is not done shall not be.
    """

    cancelled = Signal()

    def __init__(self, label: str, n_frames: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Changing the clip")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._bar = QProgressBar(self)
        self._bar.setRange(0, n_frames)
        self._bar.setAccessibleName("Frames that are done")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.rejected.connect(self.reject)
        self.rejected.connect(self.cancelled)
        whole = QVBoxLayout(self)
        whole.addWidget(QLabel(f"{label[:1].upper()}{label[1:]}…", self))
        whole.addWidget(self._bar)
        whole.addWidget(buttons)
        self._delay = QTimer(self, singleShot=True, interval=SHOW_AFTER_MS)
        self._delay.timeout.connect(self.open)
        self._delay.start()

    @Slot(int)
    def show_progress(self, n_done: int) -> None:
        """So many frames are done."""
        self._bar.setValue(n_done)

    def end(self) -> None:
        """Close, and never open if it has not."""
        self._delay.stop()
        self.accept()
        self.deleteLater()


def _item(segment_id: int, category: Category, presence: Presence) -> QListWidgetItem:
    frames = presence.frames_of(segment_id)
    where = f"frames {frames[0] + 1:,} to {frames[-1] + 1:,}" if len(frames) > 1 else ""
    where = where or f"frame {frames[0] + 1:,}"
    name = f"{category.name} {segment_id}" if category.is_thing else category.name
    item = QListWidgetItem(f"{name}: {where}")
    item.setIcon(swatch(segment_color(category, segment_id), is_round=category.is_thing))
    item.setData(Qt.ItemDataRole.UserRole, segment_id)
    return item
