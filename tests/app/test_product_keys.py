"""Every row of the product's table of keys and mouse that has its subject, by real events."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QDialog, QSlider

from app.actions import ACTIONS, RESERVED
from app.keys import PRESETS, combine, same_key
from app.window import MainWindow

Key = Qt.Key
NONE = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier

# Copied from the product's table, not from the table of actions.
PRODUCT = {
    "next": "D PgDown",
    "previous": "A PgUp",
    "undo": "Ctrl+Z",
    "redo": "Ctrl+Shift+Z Ctrl+Y",
    "next_to_review": "Ctrl+D",
    "next_uncertain": "N",
    "checkpoint": "Ctrl+S",
    "accept": "Return Enter",
    "escape": "Esc",
    "fit": "F",
    "actual": "Ctrl+0",
    "segment_image": "Shift+R",
    "segment_region": "R",
    "approve": "Ctrl+Return Ctrl+Enter",
    "brush": "B",
    "eraser": "E",
    "propagate_forward": "Shift+Right",
    "propagate_back": "Shift+Left",
    "smaller": "[",
    "larger": "]",
    "next_frame": "Right",
    "previous_frame": "Left",
    "polygon": "P",
    "lasso": "L",
    "wand": "W",
    "superpixel": "S",
    "fill": "G",
    "merge": "J",
    "split": "K",
    "lock": "X",
    "hide": "H",
    "pick": "I",
    "image_only": "Q",
    "new_segment": "M",
    "less_opaque": ",",
    "more_opaque": ".",
    "outlines": "O",
    "help": "F1",
    "palette": "Ctrl+K",
    "search_categories": "0 /",
    **{f"category_{number}": str(number) for number in range(1, 10)},
}


@pytest.fixture
def window(store, qtbot, tmp_path) -> MainWindow:
    store.add_images([(tmp_path / "clip.mp4", frame, 48, 64) for frame in range(3)])
    store.add_images([(tmp_path / "other.mp4", 0, 48, 64)])
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.resize(1600, 1000)  # wide enough for the whole tool bar
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.canvas.setFocus()
    return window


def frame_of(document) -> tuple[str, int | None]:
    return document.record.path.name, document.record.frame


def turn(window, notches: int, modifier, *, is_sideways: bool = False):
    """Turn the wheel over the canvas; some systems turn Alt+wheel sideways."""
    place = QPointF(100, 100)
    angle = QPoint(notches * 120, 0) if is_sideways else QPoint(0, notches * 120)
    event = QWheelEvent(
        place,
        window.canvas.mapToGlobal(place),
        QPoint(),
        angle,
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(window.canvas, event)


@pytest.mark.parametrize("name", PRODUCT)
def test_the_key_is_that_of_the_product(name):
    assert combine("Bitbrush", {})[name] == tuple(PRODUCT[name].split())


def test_what_is_reserved_is_no_action_yet():
    assert RESERVED.keys().isdisjoint(spec.name for spec in ACTIONS)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_action_of_the_product_has_a_key_in_every_preset(preset):
    table = combine(preset, {})
    assert [name for name in PRODUCT if not table[name]] == []


@pytest.mark.parametrize("preset", PRESETS)
def test_mouse_and_held_keys_are_no_actions(preset):
    keys = {same_key(key) for keys in combine(preset, {}).values() for key in keys}
    assert keys.isdisjoint({"Space", "Tab", "Shift+Tab", "Ctrl", "Alt", "Shift", "Backspace"})


def test_right_and_left_go_through_the_frames_of_one_video(qtbot, window, document):
    window.open_image(4)
    for key, frame in ((Key.Key_Left, 0), (Key.Key_Right, 1), (Key.Key_Right, 2)):
        qtbot.keyClick(window.canvas, key)
        assert frame_of(document) == ("clip.mp4", frame)
    qtbot.keyClick(window.canvas, Key.Key_Right)
    assert frame_of(document) == ("clip.mp4", 2)


def test_right_does_nothing_for_an_image_that_is_alone(qtbot, window, document):
    window.open_image(7)
    qtbot.keyClick(window.canvas, Key.Key_Right)
    assert frame_of(document) == ("other.mp4", 0)


def test_arrows_stay_with_the_list_or_slider_that_has_the_focus(qtbot, window, document):
    window.open_image(4)
    for kind in (QSlider, QAbstractItemView):
        parts = window.findChildren(kind)
        part = next(part for part in parts if part.isVisible() and part.isEnabled())
        part.setFocus()
        assert part.hasFocus()
        qtbot.keyClick(part, Key.Key_Right)
        assert frame_of(document) == ("clip.mp4", 0)


def test_a_checkpoint_says_that_all_is_saved(qtbot, window, document):
    qtbot.keyClick(window.canvas, Key.Key_S, CONTROL)
    text = window.notice_stack.shown[-1].text
    assert text.startswith("All is saved")
    assert str(document.store.path) in text


def test_the_wheel_zooms_with_and_without_control(window):
    for modifier in (NONE, CONTROL):
        scale = window.canvas.scale
        turn(window, 1, modifier)
        assert window.canvas.scale > scale
        turn(window, -1, modifier)
        assert window.canvas.scale == pytest.approx(scale)


@pytest.mark.parametrize("is_sideways", [False, True])
def test_alt_and_the_wheel_set_the_brush_even_when_turned_sideways(window, is_sideways):
    size = window.tools.size
    turn(window, 1, ALT, is_sideways=is_sideways)
    assert window.tools.size > size
    turn(window, -1, ALT, is_sideways=is_sideways)
    assert window.tools.size == size


def test_shift_makes_the_brush_grow_five_times_as_far(qtbot, window):
    window.tools.set_size(5)
    qtbot.keyClick(window.canvas, Key.Key_BracketRight)
    assert window.tools.size == 6
    window.tools.set_size(5)
    qtbot.keyClick(window.canvas, Key.Key_BracketRight, Qt.KeyboardModifier.ShiftModifier)
    assert window.tools.size == 10


def test_a_right_click_changes_nothing(qtbot, window, document):
    for name in ("brush", "eraser", "polygon", "lasso", "wand", "superpixel", "pick", "pan"):
        window.commands[name].trigger()
        qtbot.mouseClick(window.canvas, Qt.MouseButton.RightButton, pos=QPoint(100, 100))
        assert not document.can_undo
        assert not window.canvas.is_gesturing


@pytest.mark.parametrize("name", ["help", "settings"])
def test_bare_keys_do_nothing_in_the_window_while_a_dialog_is_active(qtbot, window, name):
    window.commands[name].trigger()
    dialog = next(dialog for dialog in window.findChildren(QDialog) if dialog.isVisible())
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    qtbot.keyClick(QApplication.focusWidget() or dialog, Key.Key_O)
    assert not window.canvas.look.is_outlined


def test_tab_moves_the_focus_and_never_does_an_action(qtbot, window):
    before = window.canvas
    qtbot.keyClick(before, Key.Key_Tab)
    assert QApplication.focusWidget() is not before
    assert not window.document.can_undo
