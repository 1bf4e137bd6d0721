"""An edit that takes a while: a thread makes it, and it is used only if it still fits."""

from collections.abc import Callable, Generator

from PySide6.QtCore import QObject, Signal, Slot

from app.document import Document
from app.thread_run import ThreadRun
from core.panoptic import Edit, PanopticMap

MakeEdit = Callable[[PanopticMap], Edit]


class SlowEdit(QObject):
    """Makes an edit of the document's map as it is now; the map can be edited meanwhile.

    Signals:
        made(Edit): it fits the map as it is by then.
        outdated(): what it would change was edited, or another image is open.
        failed(str): a sentence on why there is no edit.
    """

    made = Signal(object)
    outdated = Signal()
    failed = Signal(object)

    def __init__(self, document: Document, make: MakeEdit, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._map = document.map
        copy = PanopticMap.empty(0, 0) if self._map is None else self._map.copy()
        self._run = ThreadRun(lambda: _in_one_step(make, copy), "making the edit", self)
        self._run.finished.connect(self._on_finished)
        self._run.failed.connect(self.failed)

    def start(self) -> None:
        """Begin; one of `made`, `outdated` and `failed` follows."""
        self._run.start()

    @Slot(object)
    def _on_finished(self, edit: Edit) -> None:
        map = self._document.map
        if map is not None and map is self._map and map.fits(edit):
            self.made.emit(edit)
        else:
            self.outdated.emit()


def _in_one_step(make: MakeEdit, map: PanopticMap) -> Generator[Edit, None, None]:
    yield make(map)
