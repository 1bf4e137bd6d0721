"""The name of what the mouse is over, beside the mouse."""

from typing import Final

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QLabel, QWidget

OFFSET: Final = QPoint(16, 20)  # from the mouse, clear of its pointer


class NameTag(QLabel):
    """A small label that follows the mouse inside its parent and never takes an event."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setObjectName("tag")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def follow(self, mouse: QPointF, name: str) -> None:
        """Show a name beside the mouse; an empty one shows nothing."""
        if not name:
            self.hide()
            return
        if name != self.text():
            self.setText(name)
            self.adjustSize()
        corner = mouse.toPoint() + OFFSET
        room = self._over.size() - self.size()
        self.move(min(corner.x(), room.width()), min(corner.y(), room.height()))
        self.show()
