"""The editor checks each row at once, and changes the project only when it is saved."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QColorDialog,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
)

from app.category_editor import CategoryEditor
from app.category_impact import CategoryImpact
from app.category_table import COUNT, GROUP, KEY, KIND, NAME
from core.category_files import read_categories
from core.palette import PALETTE
from core.panoptic import Category, Segment

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py
Key, CTRL = Qt.Key, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def editor(qtbot, window) -> CategoryEditor:
    button(window.categories, "Edit…").click()
    editor = window.findChild(CategoryEditor)
    qtbot.waitExposed(editor)
    qtbot.waitUntil(lambda: editor._counts is not None)  # noqa: SLF001
    return editor


@pytest.fixture
def table(editor):
    return editor._table  # noqa: SLF001


def button(parent, text):
    found = [b for b in parent.findChildren(QPushButton) if b.text() == text]
    return found[0] if found else parent._edit  # noqa: SLF001 - the panel's tool button


def seen(dialog) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def write(table, row, column, text):
    """Type into a cell as a person does."""
    table.setCurrentIndex(table.model().index(row, column))
    table.setFocus()
    QTest.keyClick(table, Key.Key_F2)
    type_into_cell(table, text)


def type_into_cell(table, text):
    (field,) = table.viewport().findChildren(QLineEdit)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Key.Key_Return)
    QApplication.sendPostedEvents()  # Qt commits a moment after the key
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def save(editor):
    button(editor, "Save").click()


def test_a_category_is_added_by_typing(editor, table, store):
    button(editor, "Add").click()
    type_into_cell(table, "leaf")
    write(table, 3, KEY, "t")
    write(table, 3, GROUP, "plant")
    assert len(store.categories) == 3
    save(editor)
    leaf = Category(4, "leaf", True, PALETTE[0], "plant", "T")
    assert store.categories[3] == leaf


def test_renaming_recolouring_and_reordering_reach_the_window(editor, table, store, window):
    write(table, 0, NAME, "nucleus")
    table.selectRow(0)
    table.setFocus()
    QTest.keyClick(table, Key.Key_Down, CTRL)
    assert [c.name for c in editor.categories()] == ["ground", "nucleus", "debris"]
    button(editor, "Down (Ctrl+Down)").click()
    button(editor, "Up (Ctrl+Up)").click()
    assert table.selected_rows() == [1]
    save(editor)
    assert [c.id for c in store.categories] == [GROUND, CELL, DEBRIS]
    assert window.commands["category_2"].text() == "Category 2: nucleus"


def test_kind_and_colour_are_changed_by_keys(qtbot, editor, table, store):
    table.clearSelection()  # the Ctrl of another test may still count as held
    table.selectRow(1)
    table.setFocus()
    QTest.keyClick(table, Key.Key_Space)
    QTest.keyClick(table, Key.Key_L, CTRL)
    colors = table.findChild(QColorDialog)
    qtbot.waitExposed(colors)
    colors.setCurrentColor(QColor(12, 34, 56))
    colors.accept()
    save(editor)
    assert store.categories[1] == Category(GROUND, "ground", True, (12, 34, 56))


@pytest.mark.parametrize(
    ("column", "text", "fault"),
    [
        (NAME, " ", "Give category 1 a name."),
        (NAME, "Ground", "Two categories are called 'ground'; rename one of them."),
        (KEY, "b", "The key B of 'cell' is taken by 'Brush'."),
        (KEY, "?", "The key '?' of 'cell' is no letter A-Z and no digit 1-9."),
    ],
)
def test_a_fault_is_said_at_once_and_cannot_be_saved(editor, table, column, text, fault):
    write(table, 0, column, text)
    assert fault in seen(editor)
    assert not button(editor, "Save").isEnabled()


def test_cancelling_changes_nothing(editor, table, store):
    before = store.categories
    write(table, 0, NAME, "nucleus")
    table.selectRow(1)
    button(editor, "Delete").click()
    QTest.keyClick(editor, Key.Key_Escape)
    assert store.categories == before


def test_counts_of_all_images_are_shown(qtbot, window, put):
    put(Segment(1, DEBRIS), slice(0, 5), slice(0, 5))
    put(Segment(2, DEBRIS), slice(6, 9), slice(0, 5))
    window.edit_categories()
    table = window.findChild(CategoryEditor)._table  # noqa: SLF001
    qtbot.waitUntil(lambda: table.item(2, COUNT).text() == "2")
    assert table.item(0, COUNT).text() == ""


def test_what_is_not_used_is_deleted_without_a_question(editor, table, store, put):
    table.selectRow(2)
    button(editor, "Delete").click()
    save(editor)
    assert [c.id for c in store.categories] == [CELL, GROUND]


def test_rows_are_found_by_typing_and_deleted_by_a_key(editor, table, store):
    field = editor._search  # noqa: SLF001
    field.setFocus()
    QTest.keyClicks(field, "deb")
    assert [table.isRowHidden(row) for row in range(3)] == [True, True, False]
    assert table.selected_rows() == [2]
    table.setFocus()
    QTest.keyClick(table, Key.Key_Delete)
    field.clear()
    assert not table.isRowHidden(0)
    save(editor)
    assert [c.id for c in store.categories] == [CELL, GROUND]


def test_lists_are_added_without_those_that_are_there(qtbot, editor, tmp_path, store):
    path = tmp_path / "list.json"
    path.write_text('[{"id": 1, "name": "Cell"}, {"id": 2, "name": "sky", "isthing": 0}]')
    editor._sources.read(path)  # noqa: SLF001
    qtbot.waitUntil(lambda: len(editor.categories()) == 4)
    assert "1 of 2 are in the list already." in seen(editor)
    assert editor.categories()[3].name == "sky"
    assert editor.categories()[3].id == 4
    path.write_text("{}")
    editor._sources.read(path)  # noqa: SLF001
    qtbot.waitUntil(lambda: "has no list 'categories'" in seen(editor))


def test_the_list_is_saved_for_others(editor, tmp_path, store):
    path = tmp_path / "shared.json"
    editor._save_list(str(path))  # noqa: SLF001
    assert read_categories(path) == store.categories
    editor._save_list(str(tmp_path / "none" / "shared.json"))  # noqa: SLF001
    assert "choose another place" in seen(editor)


def test_merging_needs_a_source_and_another_target(editor, table):
    table.clearSelection()
    button(editor, "Merge selected into").click()
    assert "Select the categories to be merged" in seen(editor)


def test_a_merge_says_what_it_will_do_and_is_shown_before_it_is_done(
    qtbot, window, document, store, put
):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    put(Segment(2, DEBRIS), slice(6, 9), slice(0, 5))
    window.edit_categories()
    editor = window.findChild(CategoryEditor)
    table, box = editor._table, editor._target  # noqa: SLF001
    table.selectRow(2)
    box.setCurrentIndex(box.findText("cell"))
    button(editor, "Merge selected into").click()
    assert "On saving: 'debris' becomes 'cell'." in seen(editor)
    save(editor)
    impact = editor.findChild(CategoryImpact)
    change = impact._change  # noqa: SLF001
    qtbot.waitUntil(change.isEnabled)
    assert change.text() == "Change 1 image"
    assert "1 image of 1 with edits will change, by one edit each." in seen(impact)
    assert document.map.segments[2].category_id == DEBRIS
    with qtbot.waitSignal(editor.accepted):
        change.click()
    assert document.map.segments[2] == replace(Segment(2, CELL))
    assert [c.id for c in store.categories] == [CELL, GROUND]
    assert window.commands["undo"].isEnabled()
    document.undo()
    assert document.map.segments[2].category_id == DEBRIS
    assert [c.name for c in store.categories] == ["cell", "ground", "debris"]


def test_a_thing_made_stuff_joins_its_segments_and_undo_parts_them(
    qtbot, window, document, store, put
):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    put(Segment(2, CELL, is_locked=True), slice(6, 9), slice(0, 5))
    window.edit_categories()
    editor = window.findChild(CategoryEditor)
    kind = editor._table.cellWidget(0, KIND)  # noqa: SLF001
    assert isinstance(kind, QComboBox)
    kind.setCurrentText("stuff")
    assert "'cell' becomes stuff" in seen(editor)
    save(editor)
    impact = editor.findChild(CategoryImpact)
    qtbot.waitUntil(impact._change.isEnabled)  # noqa: SLF001
    assert "In 1 image, 2 segments become one 'cell' an image." in seen(impact)
    assert "1 segment of them is locked and will change too" in seen(impact)
    with qtbot.waitSignal(editor.accepted):
        impact._change.click()  # noqa: SLF001
    stuff = next(iter(document.categories.values()))
    assert (stuff.name, stuff.is_thing, stuff.id) == ("cell", False, 4)
    assert document.map.segments == {1: Segment(1, 4, is_locked=True)}
    assert (document.map.segment_ids == 1).sum() == 40
    document.undo()
    assert [s.category_id for s in document.map.segments.values()] == [CELL, CELL]
    assert store.categories[-1] == replace(store.categories[-1], name="cell (thing)", id=CELL)


def test_a_proposal_is_decided_on_before_its_map_changes(
    qtbot, window, document, put, proposal
):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.propose(proposal, {7: CELL, 8: GROUND})
    window.edit_categories()
    editor = window.findChild(CategoryEditor)
    editor._table.selectRow(0)  # noqa: SLF001
    button(editor, "Delete").click()
    save(editor)
    assert "Decide on the proposal first" in seen(editor)
    assert editor.findChild(CategoryImpact) is None
