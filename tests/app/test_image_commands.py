"""Approving an image is kept, shown, and leads to the next one that is left."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox

from app.image_commands import ALL_APPROVED
from app.window import MainWindow
from core.panoptic import Segment
from core.store import ImageQuery, Review

APPROVED = ImageQuery(review=Review.APPROVED)


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


@pytest.fixture
def press(qtbot, window):
    """A function that presses a key with Ctrl held."""
    return lambda key: qtbot.keyClick(window.canvas, key, Qt.KeyboardModifier.ControlModifier)


def test_approving_goes_on_to_the_next_image_and_at_last_says_that_all_is_done(
    window, document, store, press
):
    for left in ([2, 3], [3], []):
        press(Qt.Key.Key_Return)
        assert store.image_ids(ImageQuery(review=Review.OPEN)) == left
    assert document.record.id == 3
    assert [notice.text for notice in window.notice_stack.shown] == [ALL_APPROVED]


def test_the_next_image_to_review_is_searched_to_the_end_and_from_the_start(
    document, store, press
):
    store.set_review(2, Review.APPROVED)
    press(Qt.Key.Key_D)
    assert document.record.id == 3
    press(Qt.Key.Key_D)
    assert document.record.id == 1


def test_only_listed_images_are_gone_to(window, document, store, press, put):
    window.open_image(2)
    put(Segment(1, 1), slice(0, 5), slice(0, 5))
    window.open_image(1)
    window.findChild(QComboBox, "state").setCurrentText("Without edits")
    press(Qt.Key.Key_Return)
    assert document.record.id == 3


def test_an_approval_can_be_taken_back(window, store, press):
    press(Qt.Key.Key_Return)
    window.open_image(1)
    window.commands["reopen"].trigger()
    assert store.image_ids(APPROVED) == []


def test_an_image_with_a_pending_proposal_is_not_approved(document, store, press, proposal):
    document.propose(proposal, {7: 1, 8: 2})
    press(Qt.Key.Key_Return)
    assert store.image_ids(APPROVED) == []


def test_a_map_that_is_edited_after_its_approval_is_to_be_reviewed_again(
    window, document, store, press, put
):
    put(Segment(1, 1), slice(0, 5), slice(0, 5))
    press(Qt.Key.Key_Return)
    assert store.image_ids(APPROVED) == [1]
    window.open_image(1)
    document.undo()
    assert store.image_ids(APPROVED) == []
    texts = [notice.text for notice in window.notice_stack.shown]
    assert texts == ["picture0.png was approved, and is to be reviewed again."]
