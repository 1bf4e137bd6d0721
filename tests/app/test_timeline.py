"""The timeline shows the clip of the open image, and mouse and keys go through it."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.window import MainWindow
from core.edits import brush_stroke
from core.panoptic import Segment
from core.review import Review
from core.store import AnnotationStore

from .conftest import CELL, DEBRIS, GROUND, SIZE

N_FRAMES = 8
Key = Qt.Key
Left = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def store(tmp_path):
    """A folder of eight numbered files, of which 2 and 5 have cell 3; and a file alone."""
    with AnnotationStore.create(tmp_path / "a.bitbrush", (CELL, GROUND, DEBRIS)) as store:
        names = [f"walk{number}.png" for number in range(N_FRAMES)] + ["alone.png"]
        for name in names:
            Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(tmp_path / name)
        ids = store.add_images((tmp_path / name, None, *SIZE) for name in names)
        for frame in (2, 5):
            map = store.load_map(ids[frame])
            edit = brush_stroke(map, [(20, 20)], 6, Segment(3, CELL.id))
            store.append_edit(ids[frame], edit)
        store.set_review(ids[5], Review.APPROVED)
        store.set_expected_work(ids[6], 0.5)
        yield store


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.resize(1400, 900)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.waitUntil(lambda: window.timeline.index.is_complete)
    window.canvas.setFocus()
    return window


def frame_of(window) -> int:
    return window.document.record.id - 1


def at(bar, frame) -> QPoint:
    return QPoint(round(bar.scale.middle_of(frame)), bar.height() // 2)


def row_at(strip, segment_id, frame=None) -> QPoint:
    """A place in the row of a segment: at a frame, or on its name."""
    y = (strip.rows.index(segment_id) + 0.5) * strip.viewport().height() / 5
    return QPoint(20 if frame is None else round(strip.scale.middle_of(frame)), round(y))


def test_the_timeline_is_there_for_a_clip_and_not_for_an_image_alone(window):
    assert window.timeline.view.isVisible()
    window.open_image(N_FRAMES + 1)
    assert not window.timeline.view.isVisible()
    assert not window.commands["play"].isEnabled()
    window.open_image(1)
    assert window.timeline.view.isVisible()


def test_it_can_be_put_away_and_shown_again(window):
    window.commands["timeline"].trigger()
    assert not window.timeline.view.isVisible()
    window.commands["timeline"].trigger()
    assert window.timeline.view.isVisible()


def test_a_click_opens_the_frame_under_the_mouse(qtbot, window):
    bar = window.timeline.view.bar
    qtbot.mouseClick(bar, Left, pos=at(bar, 4))
    qtbot.waitUntil(lambda: frame_of(window) == 4)


def test_of_many_frames_dragged_over_the_last_is_opened_and_few_others(qtbot, window):
    bar = window.timeline.view.bar
    opened = []
    window.document.image_changed.connect(lambda: opened.append(frame_of(window)))
    qtbot.mousePress(bar, Left, pos=at(bar, 1))
    for frame in (2, 3, 4, 5, 6, 7):
        qtbot.mouseMove(bar, at(bar, frame))
    assert window.timeline.frame == 7
    qtbot.waitUntil(lambda: frame_of(window) == 7)
    qtbot.mouseRelease(bar, Left, pos=at(bar, 7))
    assert len(set(opened)) < 6


def test_arrows_and_ends_go_through_the_files_of_a_folder(qtbot, window):
    for key, frame in (
        (Key.Key_Right, 1),
        (Key.Key_Right, 2),
        (Key.Key_Left, 1),
        (Key.Key_Left, 0),
        (Key.Key_Left, 0),
        (Key.Key_End, 7),
        (Key.Key_Right, 7),
        (Key.Key_Home, 0),
    ):
        qtbot.keyClick(window.canvas, key)
        assert frame_of(window) == frame


def test_the_bar_takes_keys_when_it_has_the_focus(qtbot, window):
    bar = window.timeline.view.bar
    bar.setFocus()
    for key, frame in ((Key.Key_End, 7), (Key.Key_Left, 6), (Key.Key_Home, 0), (Key.Key_Up, 1)):
        qtbot.keyClick(bar, key)
        qtbot.waitUntil(lambda frame=frame: frame_of(window) == frame)
    assert bar.accessibleDescription() == "Frame 2 of 8, empty"


def test_control_and_arrows_go_to_corrected_frames_around_the_ends(qtbot, window):
    for key, frame in ((Key.Key_Right, 2), (Key.Key_Right, 5), (Key.Key_Right, 2)):
        qtbot.keyClick(window.canvas, key, CONTROL)
        assert frame_of(window) == frame
    qtbot.keyClick(window.canvas, Key.Key_Left, CONTROL)
    assert frame_of(window) == 5


def test_the_next_uncertain_frame_is_where_most_work_is_expected(qtbot, window):
    qtbot.keyClick(window.canvas, Key.Key_Right, CONTROL | SHIFT)
    assert frame_of(window) == 6
    qtbot.keyClick(window.canvas, Key.Key_Right, CONTROL | SHIFT)
    assert "no other frame" in window.notice_stack.shown[-1].text.lower()


def test_the_row_of_a_segment_shows_where_it_is_and_goes_there(qtbot, window):
    strip = window.timeline.view.strip
    assert strip.rows == [3]
    qtbot.mouseClick(strip.viewport(), Left, pos=row_at(strip, 3, 5))
    assert frame_of(window) == 5
    assert window.document.selected_id == 3
    qtbot.mouseClick(strip.viewport(), Left, pos=row_at(strip, 3, 1))
    assert frame_of(window) == 2


def test_a_new_segment_has_a_row_after_its_first_stroke_and_none_after_undo(qtbot, window):
    strip, map = window.timeline.view.strip, window.document.map
    stroke = brush_stroke(map, [(30, 30)], 5, Segment(9, CELL.id))
    window.document.push(stroke)
    qtbot.waitUntil(lambda: set(strip.rows) == {3, 9})
    window.document.select(3)
    window.commands["undo"].trigger()
    qtbot.waitUntil(lambda: strip.rows == [3])


def test_the_selected_segment_is_on_top_and_stays_selected_in_the_next_frame(qtbot, window):
    strip = window.timeline.view.strip
    window.open_image(6)
    window.document.push(
        brush_stroke(window.document.map, [(40, 40)], 3, Segment(1, DEBRIS.id))
    )
    qtbot.waitUntil(lambda: set(strip.rows) == {1, 3})
    window.document.select(3)
    assert strip.rows[0] == 3
    qtbot.keyClick(window.canvas, Key.Key_Left, CONTROL)
    assert window.document.selected_id == 3


def test_playing_goes_through_the_clip_and_stops_at_its_end(qtbot, window):
    seen = set()
    window.document.image_changed.connect(lambda: seen.add(frame_of(window)))
    window.timeline.player.set_speed(2.0)
    qtbot.keyClick(window.canvas, Key.Key_Space, SHIFT)
    assert window.timeline.is_playing
    qtbot.waitUntil(lambda: not window.timeline.is_playing)
    qtbot.waitUntil(lambda: frame_of(window) == 7)
    assert max(seen) == 7


def test_a_range_is_played_again_and_again_until_the_key_is_pressed(qtbot, window):
    qtbot.keyClick(window.canvas, Key.Key_Right)
    qtbot.keyClick(window.canvas, Key.Key_BracketLeft, CONTROL)
    for _ in range(2):
        qtbot.keyClick(window.canvas, Key.Key_Right)
    qtbot.keyClick(window.canvas, Key.Key_BracketRight, CONTROL)
    seen = []
    window.document.image_changed.connect(lambda: seen.append(frame_of(window)))
    qtbot.keyClick(window.canvas, Key.Key_Space, SHIFT)
    qtbot.waitUntil(lambda: seen.count(1) > 1)
    qtbot.keyClick(window.canvas, Key.Key_Space, SHIFT)
    assert not window.timeline.is_playing
    assert set(seen) <= {1, 2, 3}


def test_a_stroke_stops_the_playing(qtbot, window):
    window.timeline.player.set_speed(0.25)
    window.commands["play"].trigger()
    qtbot.mousePress(window.canvas, Left, pos=window.canvas.rect().center())
    assert not window.timeline.is_playing
    qtbot.mouseRelease(window.canvas, Left, pos=window.canvas.rect().center())


def test_the_rate_of_a_folder_is_remembered(window):
    window.timeline.view.fps_chosen.emit(10)
    assert window.timeline.player.fps == 10
    assert window.preferences.values.folder_fps == 10


def test_a_frame_is_not_left_while_something_is_being_drawn(qtbot, window):
    bar = window.timeline.view.bar
    window.tools.take("polygon")
    qtbot.mouseClick(window.canvas, Left, pos=window.canvas.rect().center())
    qtbot.mouseClick(bar, Left, pos=at(bar, 4))
    QTest.qWait(50)
    assert frame_of(window) == 0
    assert window.timeline.frame == 0
