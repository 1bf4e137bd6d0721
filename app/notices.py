"""The one door for messages and errors: logged, and stacked over the canvas until closed."""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

MAX_SHOWN: Final = 4
MAX_WIDTH: Final = 640
MARGIN: Final = 12

_log = logging.getLogger("bitbrush")


class Severity(StrEnum):
    """How much a notice matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


LIFETIME_MS: Final = {Severity.INFO: 6_000, Severity.WARNING: 12_000}  # errors stay
_LEVELS: Final = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ERROR: logging.ERROR,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user, perhaps with something to do about it.

    Attributes:
        offer: what the button beside the sentence says; empty for no button.
        accept: what it does.
        about: what has to change for the notice to be out of date; None for nothing.
    """

    text: str
    severity: Severity = Severity.INFO
    offer: str = ""
    accept: Callable[[], None] | None = None
    about: Hashable = None


class Notices(QObject):
    """Takes sentences from everywhere in the window's thread.

    Signals:
        posted(Notice): there is something to read.
        settled(object): what is about this is out of date.
    """

    posted = Signal(object)
    settled = Signal(object)

    @Slot(object)
    def tell(self, text: str) -> None:
        """Say that something happened."""
        self._post(Notice(text, Severity.INFO))

    @Slot(object)
    def warn(self, text: str) -> None:
        """Say that something was not done, or not as one might expect."""
        self._post(Notice(text, Severity.WARNING))

    @Slot(object)
    def fail(self, text: str, about: Hashable = None) -> None:
        """Say that something went wrong."""
        self._post(Notice(text, Severity.ERROR, about=about))

    def offer(
        self, text: str, offer: str, accept: Callable[[], None], about: Hashable = None
    ) -> None:
        """Say that something is wrong which a press of a button would mend; it stays."""
        self._post(Notice(text, Severity.ERROR, offer, accept, about))

    def settle(self, about: Hashable) -> None:
        """Take notices away of which the cause is gone, or nobody looks at it any more."""
        self.settled.emit(about)

    def _post(self, notice: Notice) -> None:
        _log.log(_LEVELS[notice.severity], "%s", notice.text)
        self.posted.emit(notice)


class NoticeStack(QWidget):
    """The notices that nobody has closed yet, newest below, at the top of another widget."""

    def __init__(self, notices: Notices, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self.setMouseTracking(True)  # what the canvas shows at the mouse follows it here too
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self._bars: list[NoticeBar] = []
        self._left: list[NoticeBar] = []  # closed and not yet deleted
        notices.posted.connect(self.show_notice)
        notices.settled.connect(self.close_about)
        over.installEventFilter(self)
        self.hide()

    @property
    def shown(self) -> list[Notice]:
        """What can be read now."""
        return [bar.notice for bar in self._bars]

    @Slot(object)
    def show_notice(self, notice: Notice) -> None:
        """Add a notice; one that is there already is shown for longer instead."""
        for bar in self._bars:
            if bar.notice == notice:
                bar.live_on()
                return
        bar = NoticeBar(notice, self)
        bar.closed.connect(self._on_closed)
        self._bars.append(bar)
        self._layout.addWidget(bar)
        bar.show()  # by itself Qt shows it only later, too late to be measured
        for old in self._bars[:-MAX_SHOWN]:
            old.close_notice()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, notice.text))
        self._place()

    @Slot(object)
    def close_about(self, about: Hashable) -> None:
        """Take the notices about one thing away."""
        for bar in [bar for bar in self._bars if bar.notice.about == about]:
            bar.close_notice()

    @Slot()
    def close_passing(self) -> None:
        """Take away what only tells that something happened: it is in the way by now."""
        for bar in [bar for bar in self._bars if bar.notice.severity is Severity.INFO]:
            bar.close_notice()

    def close_all(self) -> None:
        """Take every notice away."""
        for bar in list(self._bars):
            bar.close_notice()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self._place()
        if watched is self._over and event.type() == QEvent.Type.MouseButtonRelease:
            self._delete_left()
        return False

    @Slot(object)
    def _on_closed(self, bar: "NoticeBar") -> None:
        self._bars.remove(bar)
        self._layout.removeWidget(bar)
        bar.hide()
        self._left.append(bar)
        self._place()
        if QApplication.mouseButtons() == Qt.MouseButton.NoButton:
            self._delete_left()

    def _delete_left(self) -> None:
        """Delete what was closed; not while a stroke that began on it goes on through it."""
        for bar in self._left:
            bar.deleteLater()
        self._left.clear()

    def _place(self) -> None:
        self.setVisible(bool(self._bars))
        width = max(min(self._over.width() - 2 * MARGIN, MAX_WIDTH), 1)
        height = self._layout.totalHeightForWidth(width)
        self.setGeometry((self._over.width() - width) // 2, MARGIN, width, height)
        self.raise_()


class NoticeBar(QFrame):
    """One notice with a button that closes it, and perhaps one that takes its offer.

    But for these, the mouse goes through it to the canvas: a stroke may begin anywhere.

    Signals:
        closed(NoticeBar): it was read, or has been seen for long enough.
    """

    closed = Signal(object)

    def __init__(self, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setMouseTracking(True)
        self.setObjectName("notice")
        self.setProperty("severity", notice.severity.value)
        self._text = QLabel(notice.text, self)
        self._text.setWordWrap(True)
        self._text.setMouseTracking(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)  # file names may look like HTML
        button = QToolButton(self)
        button.setText("\N{MULTIPLICATION SIGN}")
        button.setAutoRaise(True)
        button.setToolTip("Close this notice")
        button.setAccessibleName("Close notice")
        button.clicked.connect(self.close_notice)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.addWidget(self._text, stretch=1)
        if notice.accept is not None:
            offer = QPushButton(notice.offer, self)
            offer.clicked.connect(self._on_accepted)
            row.addWidget(offer, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(button, alignment=Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.close_notice)
        self.live_on()

    def live_on(self) -> None:
        """Start its time again."""
        if self.notice.severity in LIFETIME_MS:
            self._timer.start(LIFETIME_MS[self.notice.severity])

    @Slot()
    def _on_accepted(self) -> None:
        self.close_notice()
        if self.notice.accept is not None:
            self.notice.accept()

    @Slot()
    def close_notice(self) -> None:
        self._timer.stop()
        self.closed.emit(self)
