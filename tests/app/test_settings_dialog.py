"""The settings dialog: keys are tried in a draft, and a conflict cannot be saved."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
)

from app.keys import BITBRUSH, CVAT
from app.settings_dialog import SettingsDialog

Key = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def dialog(window, qtbot) -> SettingsDialog:
    window.commands["settings"].trigger()
    dialog = window.findChild(SettingsDialog)
    qtbot.waitUntil(dialog.isVisible)
    return dialog


def row(dialog, text):
    tree = dialog.findChild(QTreeWidget)
    rows = (tree.topLevelItem(number) for number in range(tree.topLevelItemCount()))
    return next(item for item in rows if item.text(0) == text)


def choose(dialog, text):
    dialog.findChild(QTreeWidget).setCurrentItem(row(dialog, text))


def record(qtbot, dialog, key, modifier=Qt.KeyboardModifier.NoModifier, place=0):
    field = dialog.findChildren(QKeySequenceEdit)[place]
    qtbot.keyClick(field, key, modifier)


def save_button(dialog):
    box = dialog.findChild(QDialogButtonBox)
    return box.button(QDialogButtonBox.StandardButton.Save)


def complaint(dialog) -> str:
    labels = dialog.findChildren(QLabel)
    return next(label.text() for label in labels if label.accessibleName() == "Conflicts")


def press(qtbot, dialog, text):
    buttons = {button.text(): button for button in dialog.findChildren(QPushButton)}
    qtbot.mouseClick(buttons[text], Qt.MouseButton.LeftButton)


def test_a_pressed_key_is_in_force_once_it_is_saved(qtbot, window, dialog):
    choose(dialog, "View: Fit image")
    record(qtbot, dialog, Key.Key_Y)
    assert row(dialog, "View: Fit image").text(1) == "Y"
    assert window.keys["fit"] == ("F",)
    save_button(dialog).click()
    assert window.keys["fit"] == ("Y",)
    assert window.preferences.values.keys == {"fit": ("Y",)}


def test_a_second_key_is_added_beside_the_first(qtbot, window, dialog):
    choose(dialog, "View: Fit image")
    record(qtbot, dialog, Key.Key_U, CONTROL, place=1)
    save_button(dialog).click()
    assert window.keys["fit"] == ("F", "Ctrl+U")


def test_cancel_leaves_the_keys_as_they_were(qtbot, window, dialog):
    choose(dialog, "View: Fit image")
    record(qtbot, dialog, Key.Key_Y)
    dialog.reject()
    assert window.keys["fit"] == ("F",)
    assert window.preferences.values.keys == {}


def test_a_conflict_is_said_at_once_and_cannot_be_saved(qtbot, window, dialog):
    choose(dialog, "View: Fit image")
    record(qtbot, dialog, Key.Key_B)
    assert complaint(dialog) == "B is the key of 'Brush' and of 'Fit image'."
    assert not save_button(dialog).isEnabled()
    dialog.accept()
    assert dialog.isVisible()
    assert window.keys["fit"] == ("F",)
    record(qtbot, dialog, Key.Key_Y)
    assert complaint(dialog) == ""
    assert save_button(dialog).isEnabled()


@pytest.mark.parametrize("key", [Key.Key_Space, Key.Key_N])
def test_a_key_that_is_kept_for_something_else_is_refused(qtbot, window, dialog, key):
    choose(dialog, "View: Fit image")
    record(qtbot, dialog, key)
    assert complaint(dialog)
    save_button(dialog).click()
    assert window.keys["fit"] == ("F",)


def test_the_cvat_preset_can_be_chosen_and_is_shown_at_once(window, dialog):
    dialog.findChildren(QComboBox)[1].setCurrentText(CVAT)
    assert row(dialog, "Image: Next image").text(1) == "F, PgDown"
    save_button(dialog).click()
    assert window.keys.preset == CVAT
    assert window.commands["next"].shortcut().toString() == "F"


def test_another_preset_keeps_the_users_own_keys_where_they_fit(qtbot, window, dialog):
    preset = dialog.findChildren(QComboBox)[1]
    for text, key in (("View: Fit image", Key.Key_Y), ("Segment: Hide or show", Key.Key_F)):
        choose(dialog, text)
        record(qtbot, dialog, key)
    preset.setCurrentText(CVAT)
    assert row(dialog, "View: Fit image").text(1) == "Y"
    assert row(dialog, "Segment: Hide or show").text(1) == "H"
    lost = "CVAT needs the keys that you gave 'Hide or show'; save drops them."
    assert complaint(dialog) == lost
    preset.setCurrentText(BITBRUSH)
    assert row(dialog, "Segment: Hide or show").text(1) == "F"
    assert complaint(dialog) == ""
    preset.setCurrentText(CVAT)
    save_button(dialog).click()
    assert (window.keys.preset, window.keys.changes) == (CVAT, {"fit": ("Y",)})


def test_a_key_that_another_preset_has_anyway_is_not_forgotten(qtbot, window, dialog):
    preset = dialog.findChildren(QComboBox)[1]
    for text, key in (("View: Fit image", Key.Key_Y), ("Image: Next image", Key.Key_F)):
        choose(dialog, text)
        record(qtbot, dialog, key)
    preset.setCurrentText(CVAT)
    assert complaint(dialog) == ""
    preset.setCurrentText(BITBRUSH)
    assert row(dialog, "Image: Next image").text(1).startswith("F")


def test_cancel_leaves_preset_and_own_keys_as_they_were(qtbot, window, dialog):
    choose(dialog, "View: Fit image")
    record(qtbot, dialog, Key.Key_Y)
    save_button(dialog).click()
    window.commands["settings"].trigger()
    again = window.findChildren(SettingsDialog)[-1]
    again.findChildren(QComboBox)[1].setCurrentText(CVAT)
    press(qtbot, again, "Reset &all")
    again.reject()
    assert (window.keys.preset, window.keys.changes) == (BITBRUSH, {"fit": ("Y",)})


def test_an_action_can_be_left_without_a_key(qtbot, window, dialog):
    choose(dialog, "View: Fit image")
    press(qtbot, dialog, "Re&move")
    save_button(dialog).click()
    assert window.keys["fit"] == ()
    assert window.commands["fit"].shortcuts() == []


def test_one_key_or_all_can_be_reset(qtbot, dialog):
    choose(dialog, "View: Fit image")
    record(qtbot, dialog, Key.Key_Y)
    choose(dialog, "Tools: Brush")
    record(qtbot, dialog, Key.Key_Y)
    press(qtbot, dialog, "&Reset this one")
    assert row(dialog, "Tools: Brush").text(1) == "B"
    assert row(dialog, "View: Fit image").text(1) == "Y"
    press(qtbot, dialog, "Reset &all")
    assert row(dialog, "View: Fit image").text(1) == "F"


def test_actions_are_found_by_name_and_by_key(qtbot, dialog):
    fields = dialog.findChildren(QLineEdit)
    search = next(field for field in fields if field.accessibleName() == "Search actions")
    qtbot.keyClicks(search, "opaque")
    assert not row(dialog, "View: Less opaque").isHidden()
    assert row(dialog, "Tools: Brush").isHidden()
    search.setText("ctrl+k")
    assert not row(dialog, "Help: Find a command…").isHidden()
    assert row(dialog, "View: Less opaque").isHidden()


def test_bare_keys_do_nothing_in_the_window_behind_the_dialog(qtbot, window, dialog, pictures):
    tree = dialog.findChild(QTreeWidget)
    tree.setFocus()
    for key in (Key.Key_D, Key.Key_O, Key.Key_E):
        qtbot.keyClick(tree, key)
    assert window.document.record.path == pictures[0]
    assert not window.canvas.look.is_outlined
