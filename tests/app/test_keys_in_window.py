"""Other keys in force: every part of the window works by them and names them."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QToolButton, QTreeWidget, QWidget

from app.help_sheet import HelpSheet
from app.keys import BITBRUSH, CVAT
from app.toolbox import BRUSH, PICK
from core.panoptic import Segment

CELL = 1
Key = Qt.Key


def test_cvat_keys_go_through_the_images(qtbot, window, document, pictures):
    window.keys.use(CVAT, {})
    qtbot.keyClick(window.canvas, Key.Key_F)
    assert document.record.path == pictures[1]
    qtbot.keyClick(window.canvas, Key.Key_D)
    assert document.record.path == pictures[0]
    qtbot.keyClick(window.canvas, Key.Key_D)
    assert document.record.path == pictures[0]


def test_an_old_key_does_nothing_any_more(qtbot, window):
    window.keys.use(BITBRUSH, {"outlines": ("Ctrl+U",)})
    qtbot.keyClick(window.canvas, Key.Key_O)
    assert not window.canvas.look.is_outlined
    qtbot.keyClick(window.canvas, Key.Key_U, Qt.KeyboardModifier.ControlModifier)
    assert window.canvas.look.is_outlined


def test_what_lasts_while_a_key_is_held_follows_the_key(qtbot, window):
    window.keys.use(BITBRUSH, {"image_only": ("Y",), "outlines": ("Q",)})
    qtbot.keyPress(window.canvas, Key.Key_Y)
    assert window.canvas.look.is_image_only
    qtbot.keyRelease(window.canvas, Key.Key_Q)
    assert window.canvas.look.is_image_only
    qtbot.keyRelease(window.canvas, Key.Key_Y)
    assert not window.canvas.look.is_image_only


def test_holding_another_key_for_pick_goes_back_to_the_brush(qtbot, window):
    window.keys.use(BITBRUSH, {"pick": ("Y",)})
    qtbot.keyPress(window.canvas, Key.Key_Y)
    assert window.tools.name == PICK
    qtbot.wait(350)
    qtbot.keyRelease(window.canvas, Key.Key_Y)
    assert window.tools.name == BRUSH


def test_tool_tips_help_and_palette_name_the_keys_in_force(qtbot, window):
    window.keys.use(CVAT, {"brush": ("Ctrl+U",), "search_categories": ("=",)})
    assert window.commands["brush"].toolTip() == "Brush (Ctrl+U)"
    tips = {button.toolTip() for button in window.image_list.findChildren(QToolButton)}
    assert {"Next image (F)", "Previous image (D)"} <= tips
    field = window.categories.findChild(QLineEdit)
    assert field.placeholderText() == "Search (=)"
    sheet = window.findChild(HelpSheet)
    texts = {label.text() for label in sheet.findChildren(QLabel)}
    assert {"Ctrl+U", "F, PgDown"} <= texts
    window.show_palette()
    rows = window.findChild(QWidget, "palette").findChild(QTreeWidget)
    found = {
        rows.topLevelItem(n).text(0): rows.topLevelItem(n).text(1)
        for n in range(rows.topLevelItemCount())
    }
    assert found["Tools: Brush"] == "Ctrl+U"


def test_hints_name_the_keys_in_force(qtbot, window, document, put, proposal):
    window.keys.use(CVAT, {"escape": ("Ctrl+U",), "category_1": ("Ctrl+1",)})
    put(Segment(1, CELL, is_locked=True), slice(0, 48), slice(0, 64))
    document.select(1)
    document.refuse_locked(document.selected, "paint it")
    assert "unlock it with L" in window.notice_stack.shown[0].text
    rows = window.categories.findChild(QTreeWidget)
    assert rows.topLevelItem(0).text(3) == "Ctrl+1"
    document.propose(proposal, {7: 1, 8: 2})
    hints = [label.text() for label in window.statusBar().findChildren(QLabel)]
    assert "Proposal: Enter accepts it, Ctrl+U rejects it" in hints
