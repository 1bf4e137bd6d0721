"""The image list: images and video frames of the project, to filter and to choose from."""

from collections.abc import Iterable, Sequence
from typing import Final

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.image_delegate import MIN_WIDTH, ROW_HEIGHT, ImageDelegate
from app.image_filter import ImageFilter
from app.image_model import ImageModel
from app.keys import Keys
from app.row_table import RowTable
from core.errors import AnnotateError
from core.store import AnnotationStore, ImageQuery

NO_IMAGE: Final = 0
FORGET_MS: Final = 100  # without an edit, before the list shows what edits changed


class ImageList(QWidget):
    """The images of the project; one is open.

    Signals:
        image_chosen(int): somebody wants the image of this id.
        forgotten(int): something about the image of this id has changed.
        failed(object): a sentence on why the project's images cannot be listed.
    """

    image_chosen = Signal(int)
    forgotten = Signal(int)
    failed = Signal(object)

    def __init__(
        self, store: AnnotationStore, keys: Keys, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._keys = keys
        self._open_id = NO_IMAGE
        self._n_images = 0
        self._model = ImageModel(store, self)
        self._view = RowTable(ROW_HEIGHT, self)
        self._view.setModel(self._model)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._view.setItemDelegate(ImageDelegate(self._view))
        self._view.horizontalHeader().hide()
        self._view.horizontalHeader().setStretchLastSection(True)
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.setMinimumWidth(MIN_WIDTH)
        self._view.setAccessibleName("Images of the project")
        self._filter = ImageFilter(self)
        self._forgotten: set[int] = set()
        self._forgetting = QTimer(self, singleShot=True, interval=FORGET_MS)
        self._place = QLabel(self)
        self._previous = self._arrow(Qt.ArrowType.UpArrow, -1)
        self._next = self._arrow(Qt.ArrowType.DownArrow, 1)
        self._lay_out()
        self._connect()

    def _connect(self) -> None:
        self._view.selectionModel().currentChanged.connect(self._on_current_changed)
        self._filter.changed.connect(self.reload)
        self._filter.entered.connect(self._on_filter_entered)
        self._forgetting.timeout.connect(self._forget_now)
        self._keys.changed.connect(self._write_keys)
        self._write_keys()

    @property
    def n_images(self) -> int:
        """Images of the project, shown or not."""
        return self._n_images

    @property
    def first_id(self) -> int:
        """The image in the first row; 0 when there is none."""
        return self._model.id_at(0) if self._model.rowCount() else NO_IMAGE

    @property
    def listed_ids(self) -> list[int]:
        """The images that are listed, in their order."""
        return self._model.ids

    @property
    def selected_ids(self) -> list[int]:
        """The images that are selected, in the order of the list."""
        rows = sorted(index.row() for index in self._view.selectionModel().selectedRows())
        return [self._model.id_at(row) for row in rows]

    @property
    def query(self) -> ImageQuery:
        """What the list is filtered by now."""
        return self._filter.query

    @Slot()
    def reload(self) -> None:
        """Ask the project for its images again; the open one stays marked if it is listed."""
        try:
            ids = self._store.image_ids(self.query)
            self._n_images = self._store.n_images()
        except AnnotateError as error:
            self.failed.emit(str(error))
            return
        open_id, self._open_id = self._open_id, NO_IMAGE
        self._model.set_ids(ids)
        self.set_current(open_id)

    def set_current(self, image_id: int) -> None:
        """Mark the image that is open; nobody is told, since whoever opened it knows."""
        self._open_id = image_id
        index = self._model.index(self._model.row_of(image_id))
        if index != self._view.currentIndex() or not index.isValid():
            self._go_to(index)
        self._view.scrollTo(index)
        self._show_place()

    def forget(self, image_id: int) -> None:
        """Show an image's state anew, soon: the canvas is painted first."""
        self._forgotten.add(image_id)
        self._forgetting.start()
        self.forgotten.emit(image_id)

    @Slot(object)
    def forget_all(self, image_ids: Iterable[int]) -> None:
        """Show the states of some images anew, soon."""
        for image_id in image_ids:
            self.forget(image_id)

    @Slot()
    def _forget_now(self) -> None:
        for image_id in self._forgotten:
            self._model.forget(image_id)
        self._forgotten.clear()

    def step(self, by: int) -> None:
        """Choose the image that many rows further; the ends of the list stop it."""
        row = self._view.currentIndex().row() + by
        if 0 <= row < self._model.rowCount():
            self._go_to(self._model.index(row))

    def _go_to(self, index: QModelIndex) -> None:
        """Select one row alone; by itself Qt would add to the rows while Ctrl is held."""
        flag = QItemSelectionModel.SelectionFlag
        self._view.selectionModel().setCurrentIndex(index, flag.ClearAndSelect | flag.Rows)

    def next_of(self, image_ids: Sequence[int], image_id: int) -> int | None:
        """The first of some images that is listed below another one, else from the top."""
        return self._model.next_of(image_ids, image_id)

    def choose(self, image_id: int) -> None:
        """Want an image, listed or not."""
        row = self._model.row_of(image_id)
        if row >= 0:
            self._go_to(self._model.index(row))
        else:
            self.image_chosen.emit(image_id)

    def reload_moved(self) -> None:
        """Ask again for images and thumbnails: files have come back, or are elsewhere."""
        self._model.thumbnails.try_again()
        self.reload()

    def begin_search(self) -> None:
        """Put the cursor into the field that filters."""
        self._filter.begin_search()

    def stop(self) -> None:
        """Let the thread that makes thumbnails end."""
        self._model.thumbnails.stop()

    @Slot()
    def _write_keys(self) -> None:
        for button, name in ((self._previous, "previous"), (self._next, "next")):
            button.setToolTip(self._keys.title(name))
            button.setAccessibleName(self._keys.title(name))

    def _arrow(self, arrow: Qt.ArrowType, by: int) -> QToolButton:
        button = QToolButton(self)
        button.setArrowType(arrow)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.step(by))
        return button

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
        whole.addWidget(self._filter)
        whole.addLayout(header)
        whole.addWidget(self._view)

    @Slot()
    def _on_filter_entered(self) -> None:
        """Go to the first image that is listed."""
        self.reload()
        if self._model.rowCount():
            self._go_to(self._model.index(0))

    @Slot(QModelIndex, QModelIndex)
    def _on_current_changed(self, current: QModelIndex, _: QModelIndex) -> None:
        self._show_place()
        image_id = self._model.id_at(current.row()) if current.isValid() else NO_IMAGE
        if image_id not in {NO_IMAGE, self._open_id}:
            self._open_id = image_id
            self.image_chosen.emit(image_id)

    def _show_place(self) -> None:
        row, n_rows = self._view.currentIndex().row(), self._model.rowCount()
        total = "" if n_rows == self._n_images else f" (of {self._n_images:,} in all)"
        if row >= 0:
            self._place.setText(f"{row + 1:,} of {n_rows:,}{total}")
        else:
            self._place.setText(("1 image" if n_rows == 1 else f"{n_rows:,} images") + total)
        self._previous.setEnabled(row > 0)
        self._next.setEnabled(row < n_rows - 1)
