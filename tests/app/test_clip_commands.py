"""One action changes a segment in many frames, and approved ones only if that is said."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QInputDialog, QListWidget, QMessageBox, QPushButton

from app.clip_dialogs import MergeDialog
from core.edits import brush_stroke, set_segment
from core.panoptic import Segment
from core.store import Review

from .conftest import CELL, DEBRIS, SIZE

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
Left = Qt.MouseButton.LeftButton
N_FRAMES = 6


@pytest.fixture
def store(store, tmp_path):
    """Six files of a folder: cell 4 in the first three, and as cell 7 in the last two."""
    names = [f"picture{number}.png" for number in range(3, N_FRAMES)]
    for name in names:
        (tmp_path / name).write_bytes((tmp_path / "picture0.png").read_bytes())
    store.add_images((tmp_path / name, None, *SIZE) for name in names)
    for image_id, segment_id in ((1, 4), (2, 4), (3, 4), (5, 7), (6, 7)):
        map = store.load_map(image_id)
        edit = brush_stroke(map, [(20, 20)], 6, Segment(segment_id, CELL.id))
        store.append_edit(image_id, edit)
    return store


@pytest.fixture
def window(window, qtbot):
    qtbot.waitUntil(lambda: window.timeline.index.is_complete)
    return window


@pytest.fixture
def done(window, qtbot):
    """A function that waits until frames have been changed, and all is read."""

    def done():
        qtbot.waitUntil(lambda: not window.clip_commands.is_running)
        qtbot.waitUntil(lambda: window.timeline.index.is_complete)

    return done


def select(window, image_id, segment_id):
    window.open_image(image_id)
    window.document.select(segment_id)


def segments(store):
    return [set(store.load_segments(image_id)) for image_id in range(1, N_FRAMES + 1)]


def button(dialog, text):
    return next(b for b in dialog.findChildren(QPushButton) if b.text() == text)


def shown(window, kind):
    return next(dialog for dialog in window.findChildren(kind) if dialog.isVisible())


def test_a_segment_that_came_back_gets_its_first_id_in_all_frames(
    qtbot, window, document, store, done
):
    select(window, 5, 7)
    qtbot.keyClick(window.canvas, Qt.Key.Key_J, CONTROL)
    dialog = shown(window, MergeDialog)
    texts = [dialog.findChild(QListWidget).item(0).text()]
    assert texts == ["cell 4: frames 1 to 3"]
    qtbot.mouseClick(button(dialog, "Merge"), Left)
    done()
    assert segments(store) == [{4}, {4}, {4}, set(), {4}, {4}]
    assert document.selected_id == 4
    assert window.timeline.view.strip.rows == [4]
    assert "changed 2 frames" in window.notice_stack.shown[-1].text


def test_it_is_deleted_from_here_on_or_in_the_whole_clip(qtbot, window, store, done):
    select(window, 2, 4)
    qtbot.keyClick(window.canvas, Qt.Key.Key_Delete, CONTROL)
    done()
    assert segments(store) == [{4}, set(), set(), set(), {7}, {7}]
    select(window, 6, 7)
    window.commands["delete_in_clip"].trigger()
    done()
    assert segments(store) == [{4}, set(), set(), set(), set(), set()]


def test_it_gets_the_current_category_where_it_is(qtbot, window, document, store, done):
    select(window, 2, 4)
    document.category_id = DEBRIS.id
    window.commands["recategorise_onwards"].trigger()
    done()
    found = [store.load_segments(image_id)[4].category_id for image_id in (1, 2, 3)]
    assert found == [CELL.id, DEBRIS.id, DEBRIS.id]
    assert document.map.segments[4].category_id == DEBRIS.id


def test_it_is_copied_to_so_many_frames_but_not_over_locked_segments(
    qtbot, window, store, done
):
    store.append_edit(5, set_segment(store.load_map(5), 7, is_locked=True))
    select(window, 3, 4)
    qtbot.keyClick(window.canvas, Qt.Key.Key_C, SHIFT)
    dialog = shown(window, QInputDialog)
    dialog.setIntValue(2)
    dialog.accept()
    done()
    assert segments(store) == [{4}, {4}, {4}, {4}, {7}, {7}]
    assert store.load_map(4).areas()[4] == store.load_map(3).areas()[4]


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("Leave them as they are", {2}),
        ("Change them too", set()),
        ("Cancel", {1, 2, 3}),
    ],
)
def test_approved_frames_are_asked_about(qtbot, window, store, done, answer, left):
    store.set_review(2, Review.APPROVED)
    window.image_list.forget(2)
    done()
    select(window, 1, 4)
    window.commands["delete_in_clip"].trigger()
    box = shown(window, QMessageBox)
    assert "1 of the 3 frames" in box.text()
    texts = {b.text().replace("&", ""): b for b in box.buttons()}
    qtbot.mouseClick(texts[answer], Left)
    done()
    assert {i for i in (1, 2, 3) if 4 in store.load_segments(i)} == left


def test_undo_and_redo_in_any_of_its_frames_take_all_of_them(qtbot, window, store, done):
    select(window, 1, 4)
    window.commands["delete_in_clip"].trigger()
    done()
    window.open_image(3)
    for key, expected in ((Qt.Key.Key_Z, {4}), (Qt.Key.Key_Y, set()), (Qt.Key.Key_Z, {4})):
        qtbot.keyClick(window.canvas, key, CONTROL)
        done()
        assert segments(store)[:3] == [expected] * 3
        assert set(window.document.map.segments) == expected
    assert window.timeline.index.presence.frames_of(4).tolist() == [0, 1, 2]


def test_a_frame_that_was_edited_since_holds_undo_up_and_is_named(
    qtbot, window, document, store, done
):
    select(window, 1, 4)
    window.commands["delete_in_clip"].trigger()
    done()
    window.open_image(2)
    document.push(brush_stroke(document.map, [(30, 30)], 3, Segment(9, CELL.id)))
    window.open_image(1)
    qtbot.keyClick(window.canvas, Qt.Key.Key_Z, CONTROL)
    assert segments(store)[:3] == [set(), {9}, set()]
    assert "picture1.png was changed since" in window.notice_stack.shown[-1].text


def test_where_it_is_locked_nothing_is_done_and_that_is_said(window, store, done):
    for image_id in (5, 6):
        edit = set_segment(store.load_map(image_id), 7, is_locked=True)
        store.append_edit(image_id, edit)
    select(window, 5, 7)
    window.commands["delete_in_clip"].trigger()
    done()
    assert segments(store)[4:] == [{7}, {7}]
    assert "changed no frame" in window.notice_stack.shown[-1].text


def test_without_a_selected_segment_nothing_can_be_done(window, document):
    document.select(0)
    names = ("merge_in_clip", "copy_onwards", "delete_onwards", "recategorise_in_clip")
    assert not any(window.commands[name].isEnabled() for name in names)
    assert not any(dialog.isVisible() for dialog in window.findChildren(QDialog))
