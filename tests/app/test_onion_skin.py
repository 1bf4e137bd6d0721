"""The outlines of the frames beside the open one are drawn over it, and follow what changes."""

import pytest
from PySide6.QtCore import Qt

from core.edits import brush_stroke, delete_segment
from core.panoptic import Segment

from .conftest import CELL

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def store(store):
    """Three frames: the first and the last have cell 3, at different places."""
    for image_id, x in ((1, 15), (3, 45)):
        map = store.load_map(image_id)
        store.append_edit(image_id, brush_stroke(map, [(x, 20)], 5, Segment(3, CELL.id)))
    return store


@pytest.fixture
def look(window, qtbot):
    """A function that takes a picture of the canvas, once all is read."""

    def look():
        qtbot.waitUntil(lambda: not window.timeline.onion.is_reading)
        return window.canvas.grab().toImage()

    window.open_image(2)
    window.canvas.leaveEvent(None)
    return look


def test_the_outlines_of_each_neighbour_come_and_go_with_their_key(qtbot, window, look):
    plain = look()
    qtbot.keyClick(window.canvas, Qt.Key.Key_U)
    with_previous = look()
    qtbot.keyClick(window.canvas, Qt.Key.Key_U, SHIFT)
    with_both = look()
    assert with_previous != plain
    assert with_both != with_previous
    qtbot.keyClick(window.canvas, Qt.Key.Key_U)
    assert look() != with_both
    qtbot.keyClick(window.canvas, Qt.Key.Key_U, SHIFT)
    assert look() == plain


def test_they_lie_where_the_segment_is_in_the_other_frame(window, look):
    plain = look()
    window.commands["onion_previous"].trigger()
    after = look()
    x, y = window.canvas.view.to_device(15, 20)
    reach = 6 * window.canvas.scale
    changed = [
        (column, row)
        for column in range(after.width())
        for row in range(after.height())
        if after.pixel(column, row) != plain.pixel(column, row)
    ]
    assert changed
    assert all(abs(column - x) <= reach and abs(row - y) <= reach for column, row in changed)


def test_they_are_not_drawn_over_the_image_alone(window, look):
    window.canvas.look.set_image_only(True)
    plain = look()
    window.commands["onion_previous"].trigger()
    assert look() == plain


def test_the_first_frame_has_none_before_it(window, look):
    window.open_image(1)
    plain = look()
    window.commands["onion_previous"].trigger()
    assert look() == plain


def test_an_edit_of_the_other_frame_is_seen_soon(qtbot, window, store, look):
    plain = look()
    window.commands["onion_previous"].trigger()
    assert look() != plain
    store.append_edit(1, delete_segment(store.load_map(1), 3))
    window.image_list.forget(1)
    assert look() == plain
