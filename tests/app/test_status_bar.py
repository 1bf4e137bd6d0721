"""The status bar says what the next stroke does, as the map is at that moment."""

from PySide6.QtWidgets import QLabel

from core.panoptic import Segment

GROUND = 2  # the stuff of the project in conftest.py


def hint(window) -> str:
    labels = window.statusBar().findChildren(QLabel)
    return next(label.text() for label in labels if label.text().startswith("Brush"))


def test_stuff_is_made_once_and_extended_from_then_on(window, document, put):
    document.begin_segment(GROUND)
    assert hint(window) == "Brush: makes the ground segment"
    put(Segment(1, GROUND), slice(0, 9), slice(0, 9))
    assert hint(window) == "Brush: extends the ground segment"
    document.undo()
    assert hint(window) == "Brush: makes the ground segment"


def test_a_locked_segment_is_not_said_to_be_extended(window, document, put):
    put(Segment(1, GROUND), slice(0, 9), slice(0, 9))
    document.select(1)
    document.toggle_lock()
    assert hint(window) == "Brush: ground is locked; X unlocks it"
    document.begin_segment(GROUND)
    assert hint(window) == "Brush: the ground segment is locked; select it to unlock it"
