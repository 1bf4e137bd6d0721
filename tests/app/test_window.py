"""The window, driven by its keys: every part acts on the same document."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QTreeWidget, QWidget

from app.category_panel import CategoryPanel
from app.help_sheet import HelpSheet
from app.style_sheet import DARK, LIGHT
from app.theme import current_tones
from app.toolbox import BRUSH, ERASER
from app.tools import GESTURES
from app.window import SIZE, MainWindow
from core.jobs import Device
from core.panoptic import Segment
from core.proposals import Preview

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py
Key = Qt.Key


def place_of(window, x, y) -> QPoint:
    """Where on the canvas an image position is shown; displays may be scaled."""
    device = window.canvas.view.to_device(x, y)
    ratio = window.canvas.devicePixelRatioF()
    return QPoint(round(device[0] / ratio), round(device[1] / ratio))


def click_image(qtbot, window, x, y):
    place = place_of(window, x, y)
    qtbot.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=place)


def status(window) -> str:
    return " | ".join(label.text() for label in window.statusBar().findChildren(QLabel))


def test_the_first_image_is_open(window, document, pictures):
    assert document.record.path == pictures[0]
    assert window.windowTitle().startswith("picture0.png")


def test_the_image_that_was_open_last_is_opened_again(store, qtbot, pictures):
    store.set_last_image(store.images()[2].id)
    window = MainWindow(store)
    qtbot.addWidget(window)
    assert window.document.record.path == pictures[2]


def test_a_and_d_go_through_the_images(document, press, pictures):
    press(Key.Key_D)
    assert document.record.path == pictures[1]
    press(Key.Key_PageDown)
    press(Key.Key_D)
    assert document.record.path == pictures[2]
    press(Key.Key_A)
    press(Key.Key_PageUp)
    assert document.record.path == pictures[0]


def test_a_broken_image_is_a_notice_and_the_next_key_goes_on(window, document, press, pictures):
    pictures[1].write_bytes(b"no image")
    press(Key.Key_D)
    assert "picture1.png" in window.notice_stack.shown[0].text
    press(Key.Key_D)
    assert document.record.path == pictures[2]
    assert document.has_image


def test_paint_undo_redo_by_keys(qtbot, window, document, press):
    click_image(qtbot, window, 32, 24)
    assert document.map.segment_ids[24, 32] == 1
    press(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert document.map.segment_ids[24, 32] == 0
    press(Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert document.map.segment_ids[24, 32] == 1
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    press(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    press(Key.Key_Z, both)
    assert document.map.segment_ids[24, 32] == 1


def test_m_and_number_keys_begin_segments(qtbot, window, document, press):
    window.tools.set_size(4)
    click_image(qtbot, window, 10, 10)
    press(Key.Key_M)
    click_image(qtbot, window, 20, 10)
    press(Key.Key_3)
    click_image(qtbot, window, 30, 10)
    press(Key.Key_2)
    click_image(qtbot, window, 40, 10)
    categories = [segment.category_id for segment in document.map.segments.values()]
    assert categories == [CELL, CELL, DEBRIS, GROUND]


def test_x_locks_h_hides_and_delete_deletes(document, press, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    press(Key.Key_X)
    assert document.selected.is_locked
    press(Key.Key_X)
    press(Key.Key_H)
    assert document.hidden == {1}
    press(Key.Key_Delete)
    assert not document.map.segments


def test_enter_accepts_and_escape_rejects(document, press, proposal):
    document.propose(proposal, {7: CELL, 8: GROUND})
    press(Key.Key_Escape)
    assert not document.has_proposal
    assert not document.can_undo
    document.propose(proposal, {7: CELL, 8: GROUND})
    press(Key.Key_Return)
    assert not document.has_proposal
    assert document.can_undo


def test_escape_drops_the_stroke_in_hand_first(qtbot, window, document, press, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    qtbot.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    press(Key.Key_Escape)
    assert not window.canvas.is_gesturing
    assert document.selected_id == 1
    press(Key.Key_Escape)
    assert document.selected_id == 0


def test_undo_and_redo_wait_for_the_stroke_in_hand(qtbot, window, document, press, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    put(Segment(2, CELL), slice(5, 10), slice(0, 5))
    document.undo()
    qtbot.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=place_of(window, 32, 24))
    press(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    press(Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert list(document.map.segments) == [1]
    qtbot.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, pos=place_of(window, 32, 24))
    assert document.map.segment_ids[24, 32] == document.selected_id != 0
    press(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert list(document.map.segments) == [1]


def test_brush_keys(window, press):
    press(Key.Key_E)
    assert window.tools.name == ERASER
    press(Key.Key_B)
    assert window.tools.name == BRUSH
    size = window.tools.size
    press(Key.Key_BracketRight)
    one = window.tools.size - size
    press(Key.Key_BracketLeft)
    press(Key.Key_BracketRight, Qt.KeyboardModifier.ShiftModifier)
    assert window.tools.size - size >= 5 * one > 0


def test_q_shows_the_image_alone_while_it_is_held(qtbot, window):
    qtbot.keyPress(window.canvas, Key.Key_Q)
    assert window.canvas.look.is_image_only
    qtbot.keyRelease(window.canvas, Key.Key_Q)
    assert not window.canvas.look.is_image_only


def test_opacity_and_outline_keys(window, press):
    opacity = window.canvas.look.opacity
    press(Key.Key_Period)
    assert window.canvas.look.opacity > opacity
    press(Key.Key_Comma)
    assert window.canvas.look.opacity == pytest.approx(opacity)
    press(Key.Key_O)
    assert window.canvas.look.is_outlined
    assert window.commands["outlines"].isChecked()


def test_bare_keys_are_text_while_somebody_types(window, document, press, pictures):
    press(Key.Key_Slash)
    field = window.categories.findChild(QLineEdit)
    assert field.hasFocus()
    for key in (Key.Key_D, Key.Key_E, Key.Key_B, Key.Key_1):
        press(key)
    assert field.text() == "deb1"
    assert document.record.path == pictures[0]
    assert window.tools.name == BRUSH
    press(Key.Key_PageDown)
    assert document.record.path == pictures[0]


def test_searching_a_category_chooses_it(window, document, press):
    press(Key.Key_0)
    for key in (Key.Key_D, Key.Key_E, Key.Key_B):
        press(key)
    press(Key.Key_Return)
    assert document.category_id == DEBRIS
    assert not window.categories.findChild(QLineEdit).text()


def test_a_click_in_the_categories_panel_chooses(qtbot, window, document):
    tree = window.findChild(CategoryPanel).findChild(QTreeWidget)
    item = tree.topLevelItem(1)
    place = tree.visualItemRect(item).center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert document.category_id == GROUND


def test_enter_and_escape_in_a_number_field_go_back_to_the_canvas(
    window, document, press, proposal
):
    document.propose(proposal, {7: CELL, 8: GROUND})
    box = window.step_panel.findChild(QWidget, "qt_spinbox_lineedit").parent()
    box.setFocus()
    press(Key.Key_Return)
    assert document.has_proposal
    assert window.canvas.hasFocus()


def test_the_palette_runs_what_it_finds(qtbot, window, press):
    press(Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = window.findChild(QWidget, "palette")
    assert palette.isVisible()
    field = palette.findChild(QLineEdit)
    qtbot.keyClicks(field, "outlin")
    qtbot.keyClick(field, Key.Key_Return)
    assert window.canvas.look.is_outlined
    assert not palette.isVisible()


def test_the_palette_shows_what_cannot_be_done_and_does_not_do_it(
    qtbot, window, document, press
):
    press(Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = window.findChild(QWidget, "palette")
    tree, field = palette.findChild(QTreeWidget), palette.findChild(QLineEdit)
    rows = [tree.topLevelItem(row) for row in range(tree.topLevelItemCount())]
    greyed = {row.text(0) for row in rows if row.isDisabled()}
    assert {"Edit: Undo", "Segment: Fill holes"} <= greyed
    assert [row.isDisabled() for row in rows] == sorted(row.isDisabled() for row in rows)
    qtbot.keyClicks(field, "holes")
    assert [row.text(0) for row in rows if not row.isHidden()] == ["Segment: Fill holes"]
    qtbot.keyClick(field, Key.Key_Return)
    assert palette.isVisible()
    qtbot.keyClicks(field, "xyz")
    assert any(label.isVisible() for label in palette.findChildren(QLabel))


def test_the_help_sheet_lists_every_key(window, press):
    press(Key.Key_F1)
    sheet = window.findChild(HelpSheet)
    assert sheet.isVisible()
    texts = {label.text() for label in sheet.findChildren(QLabel)}
    assert {"Undo", "Ctrl+Z", "1 to 9", "Space+Drag, Middle drag"} <= texts


def test_the_status_bar_says_what_is_under_the_cursor(qtbot, window, document, put):
    put(Segment(1, CELL), slice(0, 48), slice(0, 32))
    qtbot.mouseMove(window.canvas, place_of(window, 10.5, 20.5))
    assert "cell 1" in status(window)
    assert "10, 20" in status(window)
    assert "64 x 48" in status(window)
    assert "no model" in status(window)


def test_no_tool_moves_the_image_under_the_mouse(window, document, put):
    put(Segment(1, CELL), slice(0, 48), slice(0, 64))
    document.select(1)
    before = place_of(window, 20, 20), window.canvas.size()
    for name in GESTURES:
        window.tools.take(name)
        QApplication.processEvents()
        assert (place_of(window, 20, 20), window.canvas.size()) == before


def test_what_the_document_refuses_is_a_notice(qtbot, window, document, put):
    put(Segment(1, CELL, is_locked=True), slice(0, 48), slice(0, 64))
    document.select(1)
    click_image(qtbot, window, 10, 10)
    assert "cell 1 is locked" in window.notice_stack.shown[0].text


def test_everything_in_the_step_panel_is_in_sight_when_a_proposal_waits(
    window, document, proposal
):
    panel = window.step_panel
    window.resize(*SIZE)
    panel.set_device(Device("cuda:0", "Running on a GPU."))
    panel.begin(4)
    for step in range(1, 21):
        panel.add_preview(Preview(step, 20, 0.5, 120.5, document.map.segment_ids, {}))
    document.propose(proposal, {7: 1, 8: 2})
    panel.end_with_proposal()
    QApplication.processEvents()
    for part in panel.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
        assert part.visibleRegion().boundingRect() == part.rect() or part.isHidden(), part


def test_every_control_has_a_name(window):
    for control in window.findChildren(QWidget):
        if control.focusPolicy() & Qt.FocusPolicy.TabFocus and control.isVisible():
            text = getattr(control, "text", str)()
            name = control.accessibleName() or control.toolTip() or text
            assert name, control


def test_tab_reaches_every_part(window):
    start = focus = window.canvas
    reached = set()
    for _ in range(500):
        focus = focus.nextInFocusChain()
        reached.add(focus)
        if focus is start:
            break
    for part in (window.image_list, window.categories, window.segments, window.step_panel):
        assert any(part.isAncestorOf(widget) for widget in reached)


def test_both_themes_can_be_read():
    for tones in (DARK, LIGHT):
        for ink, paper in ((tones.text, tones.window), (tones.muted, tones.window)):
            assert contrast(ink, paper) >= 4.5
    assert current_tones() in (DARK, LIGHT)


def contrast(first: str, second: str) -> float:
    """Contrast ratio of WCAG 2, 1 to 21."""

    def luminance(color: str) -> float:
        parts = [part / 255 for part in QColor(color).getRgb()[:3]]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)
