"""What the list of images is filtered and sorted by: a field to type in and two choices."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from core.errors import QueryError
from core.image_query import ImageQuery, Order
from core.query_language import parse_query
from core.review import TO_REVIEW, Review

TYPING_MS: Final = 150  # without a key, before the list follows what was typed
STATES: Final = (
    ("All images", ImageQuery()),
    ("To review", ImageQuery(states=TO_REVIEW)),
    *((review.value.capitalize(), ImageQuery(states=(review,))) for review in Review),
    ("Held out", ImageQuery(is_held_out=True)),
    ("With edits", ImageQuery(has_edits=True)),
    ("Without edits", ImageQuery(has_edits=False)),
)
HELP: Final = (
    "Words that must all hold: a part of the name, or\n"
    "state:proposed,in-work   category:nucleus   segments>50\n"
    "model:v3   age>7d   edits>0   work>0.5   holdout:yes   reason:dark\n"
    'A hyphen before a word asks for the opposite; quotes hold blanks: category:"dead cell".'
)


class ImageFilter(QWidget):
    """The query that somebody has put together.

    Attributes:
        query: the last one that means something.

    Signals:
        changed(): another query.
        entered(): Enter in the field, after `changed`.
    """

    changed = Signal()
    entered = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.query = ImageQuery()
        self._field = QLineEdit(self)
        self._field.setPlaceholderText("Filter: name, category:…, segments>50")
        self._field.setAccessibleName("Filter images")
        self._field.setAccessibleDescription(HELP)
        self._field.setToolTip(HELP)
        self._field.setClearButtonEnabled(True)
        self._complaint = QLabel(self)
        self._complaint.setObjectName("complaint")
        self._complaint.setWordWrap(True)
        self._complaint.hide()
        self._state = QComboBox(self)
        self._state.addItems([text for text, _ in STATES])
        self._state.setObjectName("state")
        self._state.setAccessibleName("Filter images by state")
        self._order = QComboBox(self)
        for order in Order:
            text = "As they came in" if order is Order.ADDED else f"Sorted {order.value}"
            self._order.addItem(text, order)
        self._order.setObjectName("order")
        self._order.setAccessibleName("Order of the images")
        self._typing = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._lay_out()
        self._field.textChanged.connect(self._typing.start)
        self._field.returnPressed.connect(self._on_entered)
        self._typing.timeout.connect(self._follow)
        self._state.currentIndexChanged.connect(self._follow)
        self._order.currentIndexChanged.connect(self._follow)

    def begin_search(self) -> None:
        """Put the cursor into the field."""
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._field.selectAll()

    @Slot()
    def _follow(self) -> None:
        """Take what is typed and chosen; what means nothing is named, and changes nothing."""
        self._typing.stop()
        try:
            conditions = parse_query(self._field.text())
        except QueryError as error:
            self._complaint.setText(str(error))
            self._complaint.show()
            return
        self._complaint.hide()
        query = replace(
            STATES[self._state.currentIndex()][1],
            conditions=conditions,
            order=Order(self._order.currentData()),  # Qt makes it text
        )
        if query != self.query:
            self.query = query
            self.changed.emit()

    @Slot()
    def _on_entered(self) -> None:
        self._follow()
        self.entered.emit()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 0)
        column.setSpacing(6)
        for widget in (self._field, self._complaint, self._state, self._order):
            column.addWidget(widget)
