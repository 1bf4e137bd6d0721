"""How long somebody works on the open image, as far as mouse and keys over it tell."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtWidgets import QWidget

from app.document import Document
from core.corrections import ActiveTime
from core.errors import AnnotateError

SIGNS: Final = frozenset(
    {
        QEvent.Type.MouseMove,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.Wheel,
        QEvent.Type.KeyPress,
    }
)


class ActivityMeter(QObject):
    """Adds the time of work on an image to its correction, when it is left.

    Every event over the canvas and every edit is a sign of work; what is done in the panels
    lies between two of them.
    """

    def __init__(
        self,
        document: Document,
        canvas: QWidget,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(canvas)
        self._document = document
        self._canvas = canvas
        self._clock = clock
        self._time = ActiveTime()
        self._image_id: int | None = None
        canvas.installEventFilter(self)
        document.edited.connect(self._touch)
        document.image_changed.connect(self._on_image_changed)
        document.proposal_changed.connect(self.save)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._canvas and event.type() in SIGNS:
            self._touch()
        return super().eventFilter(watched, event)

    @Slot()
    def save(self) -> None:
        """Write the time so far to the image that it was spent on."""
        active_ms = self._time.take_ms()
        if self._image_id is not None and active_ms:
            # Seconds are not worth a notice; whoever edits is told what is wrong.
            with suppress(AnnotateError):
                self._document.store.add_active_ms(self._image_id, active_ms)

    @Slot()
    def _touch(self) -> None:
        self._time.touch(self._clock())

    @Slot()
    def _on_image_changed(self) -> None:
        record = self._document.record
        image_id = None if record is None else record.id
        if image_id != self._image_id:
            self.save()
            self._time.stop()
            self._image_id = image_id
