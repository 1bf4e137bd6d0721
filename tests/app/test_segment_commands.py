"""Commands on the selected segment: each is one edit, or a sentence on why it is none."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QSpinBox

from app.border_panel import BorderPanel
from app.segment_commands import SegmentCommands
from app.window import MainWindow
from core import borders, segment_edits
from core.giving import repaint
from core.panoptic import PanopticMap, Rect, Segment
from core.snapping import snap_border
from core.whole_maps import copy_segments

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py
STUFF = {GROUND}


@pytest.fixture
def commands(document) -> SegmentCommands:
    return SegmentCommands(document)


@pytest.fixture
def ragged(document, put) -> PanopticMap:
    """The open map: cell 1 with a hole, an island and a spike; ground 2 beside it."""
    put(Segment(1, CELL), slice(10, 30), slice(10, 30))
    put(Segment(2, GROUND), slice(0, 48), slice(40, 64))
    rows = [(slice(15, 18), slice(15, 18), 0), (slice(2, 4), slice(2, 4), 1)]
    rows += [(slice(20, 21), slice(30, 36), 1)]
    for number, (top, left, segment_id) in enumerate(rows):
        ids = document.map.segment_ids[top, left].copy()
        edit = repaint(
            document.map,
            Rect(top.start, left.start, top.stop, left.stop),
            np.full_like(ids, segment_id),
            f"put {number}",
        )
        assert document.push(edit)
    document.select(1)
    return document.map.copy()


@pytest.mark.parametrize(
    ("command", "make"),
    [
        ("grow", lambda map: borders.grow(map, 1, 3)),
        ("shrink", lambda map: borders.shrink(map, 1, 3)),
        ("smooth", lambda map: borders.smooth_border(map, 1, 3)),
        ("fill_holes", lambda map: borders.fill_holes(map, 1)),
        ("remove_islands", lambda map: borders.remove_islands(map, 9, 1)),
        ("split_components", lambda map: segment_edits.split_components(map, 1, STUFF)),
        ("give_to_neighbours", lambda map: segment_edits.give_to_neighbours(map, 1)),
    ],
)
def test_a_command_is_the_edit_of_its_name_and_one_step(
    document, commands, ragged, assert_same, command, make
):
    commands.set_reach(3)
    commands.set_island_area(9)
    labels, _ = document.history()
    edit = make(ragged)
    expected = ragged.copy()
    expected.apply(edit)
    assert not edit.is_empty
    getattr(commands, command)()
    assert_same(document.map, expected)
    assert document.history()[0] == [*labels, edit.label]
    document.undo()
    assert_same(document.map, ragged)


def test_a_border_is_snapped_to_the_image_that_is_seen(document, commands, put, assert_same):
    put(Segment(1, CELL), slice(10, 30), slice(10, 30))
    document.select(1)
    document.image[...] = 20
    document.image[12:33, 12:33] = 230
    commands.set_reach(4)
    expected = document.map.copy()
    expected.apply(snap_border(document.map, document.image, 1, 4))
    commands.snap()
    assert_same(document.map, expected)
    assert document.map.segment_ids[30, 20] == 1


@pytest.fixture
def large(document, put, monkeypatch) -> PanopticMap:
    """The open map with a segment that counts as large, on an edge it does not fit."""
    monkeypatch.setattr("app.segment_commands.MAX_AT_ONCE", 10)
    put(Segment(1, CELL), slice(10, 30), slice(10, 30))
    document.select(1)
    document.image[...] = 20
    document.image[12:33, 12:33] = 230
    return document.map.copy()


def test_the_border_of_a_large_segment_is_snapped_in_a_thread(
    qtbot, document, commands, large, assert_same
):
    large.apply(snap_border(large, document.image, 1, commands.reach))
    with qtbot.waitSignal(document.edited):
        commands.snap()
    assert_same(document.map, large)


def test_what_was_edited_meanwhile_is_not_undone_by_a_slow_snap(
    qtbot, document, commands, large, complaints
):
    with qtbot.waitSignal(document.refused):
        commands.snap()
        commands.delete()
    assert not document.map.segments
    assert complaints == ["cell 1 was edited while its border was being moved; do it again."]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("fill_holes", "ground stays as it is: it has no holes."),
        ("split_components", "ground stays as it is: stuff has one segment an image."),
        ("remove_islands", "ground stays as it is: no part has fewer than 50 pixels."),
    ],
)
def test_a_command_that_changes_nothing_says_why(
    document, commands, ragged, complaints, command, sentence
):
    document.select(2)
    getattr(commands, command)()
    assert complaints == [sentence]


def test_with_none_selected_the_islands_of_all_segments_go(document, commands, ragged):
    document.select(0)
    commands.set_island_area(9)
    commands.remove_islands()
    assert document.map.segment_ids[2, 2] == 0


@pytest.mark.parametrize(
    "command", ["delete", "recategorise", "grow", "smooth", "fill_holes", "split_components"]
)
def test_a_locked_segment_is_left_alone(document, commands, complaints, put, command):
    put(Segment(1, CELL, is_locked=True), slice(0, 5), slice(0, 5))
    before = document.map.segment_ids.copy()
    document.select(1)
    getattr(commands, command)()
    np.testing.assert_array_equal(document.map.segment_ids, before)
    assert len(complaints) == 1
    assert complaints[0].startswith("cell 1 is locked; unlock it with X to ")


def test_deleting_the_selected_segment_leaves_void_and_no_selection(document, commands, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    commands.delete()
    assert not document.map.segments
    assert document.selected_id == 0


def test_the_selected_segment_gets_the_current_category(document, commands, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.begin_segment(DEBRIS)
    document.select(1)
    commands.recategorise()
    assert document.map.segments[1].category_id == DEBRIS
    document.undo()
    assert document.map.segments[1].category_id == CELL


def test_the_previous_images_segments_come_to_where_this_one_is_void(
    store, qtbot, document, ragged, assert_same
):
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.open_image(2)
    expected = window.document.map.copy()
    expected.apply(copy_segments(expected, ragged, None, STUFF))
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window.canvas, Qt.Key.Key_V, keys)
    assert_same(window.document.map, expected)
    assert expected.segments
    window.open_image(1)
    qtbot.keyClick(window.canvas, Qt.Key.Key_V, keys)
    assert window.notice_stack.shown[-1].text == "This is the first image: none is before it."
    window.close()


def test_only_images_of_one_size_are_copied_between(document, commands, complaints):
    commands.copy_from(PanopticMap.empty(3, 5), "small.png")
    (sentence,) = complaints
    assert sentence.startswith("small.png has 5 x 3 pixels and this image 64 x 48: segments")


def test_the_buttons_do_what_the_fields_say(store, qtbot, document, ragged, assert_same):
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    window.document.select(1)
    panel = window.findChild(BorderPanel)
    reach, _ = panel.findChildren(QSpinBox)
    reach.setValue(5)
    grow = next(b for b in panel.findChildren(QPushButton) if b.text() == "Grow")
    qtbot.mouseClick(grow, Qt.MouseButton.LeftButton)
    expected = ragged.copy()
    expected.apply(borders.grow(expected, 1, 5))
    assert_same(window.document.map, expected)
    window.document.select(0)
    assert not grow.isEnabled()
    window.close()
