"""Approving an image is kept, shown, and leads to the next one that is left."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QInputDialog,
    QSpinBox,
    QTableView,
)

from app.image_commands import ALL_APPROVED, REASONS
from app.window import MainWindow
from core.edits import erase_stroke
from core.panoptic import Segment
from core.review import TO_REVIEW
from core.store import ImageQuery, Review

APPROVED = ImageQuery(states=(Review.APPROVED,))
SPOKEN = Qt.ItemDataRole.AccessibleTextRole
CONTROL = Qt.KeyboardModifier.ControlModifier


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
    return lambda key: qtbot.keyClick(window.canvas, key, CONTROL)


def test_approving_goes_on_to_the_next_image_and_at_last_says_that_all_is_done(
    window, document, store, press
):
    for left in ([2, 3], [3], []):
        press(Qt.Key.Key_Return)
        assert store.image_ids(ImageQuery(states=TO_REVIEW)) == left
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


def test_an_approval_can_be_taken_back(window, store, press, qtbot):
    press(Qt.Key.Key_Return)
    window.open_image(1)
    qtbot.keyClick(window.canvas, Qt.Key.Key_R, CONTROL | Qt.KeyboardModifier.ShiftModifier)
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
    document.redo()
    assert store.image_ids(APPROVED) == [1]
    texts = [notice.text for notice in window.notice_stack.shown]
    assert texts == [
        "picture0.png was approved, and is to be reviewed again.",
        "picture0.png is as it was when it was approved, and so is approved again.",
    ]


def test_an_image_is_rejected_for_a_reason_that_is_typed_or_chosen(
    window, document, store, press, qtbot
):
    for image_id, reason in ((1, "too dark"), (2, "too dark"), (3, REASONS[0])):
        assert document.record.id == image_id
        press(Qt.Key.Key_R)
        dialog = window.findChild(QInputDialog)
        field = dialog.findChild(QComboBox)
        assert field.currentText() == (REASONS[0] if image_id == 1 else "too dark")
        if image_id == 1:
            qtbot.keyClicks(field.lineEdit(), reason)
        field.setCurrentText(reason)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        record = store.image_record(image_id)
        assert (record.review, record.reason) == (Review.REJECTED, reason)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert [notice.text for notice in window.notice_stack.shown] == [ALL_APPROVED]


def test_a_rejection_that_is_called_off_changes_nothing(window, document, store, press, qtbot):
    press(Qt.Key.Key_R)
    qtbot.keyClick(window.findChild(QInputDialog), Qt.Key.Key_Escape)
    assert store.image_record(1).review is Review.EMPTY and document.record.id == 1


def test_accepting_a_proposal_makes_an_image_proposed_and_a_stroke_in_work(
    document, store, proposal, put
):
    document.propose(proposal, {7: 1, 8: 2})
    document.accept()
    assert store.image_record(1).review is Review.PROPOSED
    assert store.image_record(1).model == "tiny"
    edit = erase_stroke(document.map, [(5, 5)], 3)
    assert document.push(edit)
    assert store.image_record(1).review is Review.IN_WORK
    document.undo()
    assert store.image_record(1).review is Review.PROPOSED


def test_the_next_image_to_review_follows_the_order_of_the_list(
    window, document, store, press, put
):
    window.open_image(3)
    put(Segment(1, 1), slice(0, 5), slice(0, 5))
    window.findChild(QComboBox, "order").setCurrentText("Sorted by number of segments")
    seen = []
    for _ in range(3):
        seen.append(document.record.id)
        press(Qt.Key.Key_Return)
    assert seen == [3, 1, 2]


def test_the_next_image_to_review_is_one_that_is_listed(window, document, store, press):
    window.findChild(QComboBox, "state").setCurrentText("Approved")
    press(Qt.Key.Key_D)
    assert document.record.id == 1
    assert [notice.text for notice in window.notice_stack.shown] == [ALL_APPROVED]


def test_the_list_says_which_images_are_held_out(window, store, press, qtbot):
    store.set_hold_out_share(90)
    store._execute("UPDATE image SET origin = id")  # noqa: SLF001 - not alike, for once
    for _ in range(3):
        press(Qt.Key.Key_Return)
    window.reload_images()
    window.image_list.findChild(QComboBox, "state").setCurrentText("Held out")
    rows = window.image_list.findChild(QTableView).model()
    spoken = [rows.index(row).data(SPOKEN) for row in range(rows.rowCount())]
    assert spoken == [
        f"picture{number}.png, 64 by 48, approved, held out from training"
        for number in range(3)
        if store.images()[number].is_held_out
    ]
    assert len(spoken) == len(store.hold_out_images()) > 0


def test_the_share_of_the_hold_out_can_be_changed(window, store, qtbot):
    window.commands["hold_out_share"].trigger()
    dialog = window.findChild(QInputDialog)
    assert dialog.intValue() == 20
    field = dialog.findChild(QSpinBox)
    field.selectAll()
    qtbot.keyClicks(field, "35")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert store.hold_out_share == 35
