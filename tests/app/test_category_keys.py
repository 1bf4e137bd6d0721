"""Categories are chosen and found by keys, and the window follows the list when it changes."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QTreeWidget

from app.category_panel import COUNT, KEY, NAME, CategoryPanel
from core.category_files import category_templates, read_categories
from core.panoptic import Category, Edit, Segment

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py
Key = Qt.Key


@pytest.fixture
def press(qtbot, window):
    """A function that presses a key on whatever has the focus."""
    return lambda key: QTest.keyClick(window.focusWidget() or window, key)


@pytest.fixture
def rename(window, document):
    """A function that changes one category of the project."""

    def rename(category_id: int, **changes) -> None:
        categories = dict(document.categories)
        categories[category_id] = replace(categories[category_id], **changes)
        assert window.category_commands.set_categories(tuple(categories.values()))

    return rename


def column(window, number):
    tree = window.findChild(CategoryPanel).findChild(QTreeWidget)
    return [tree.topLevelItem(row).text(number) for row in range(tree.topLevelItemCount())]


def test_a_number_lets_the_next_stroke_begin_a_segment(document, press, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    press(Key.Key_3)
    assert document.category.id == DEBRIS
    assert document.segment_to_paint() == Segment(2, DEBRIS)


def test_a_letter_and_a_number_of_its_own_choose_a_category(window, document, press, rename):
    rename(DEBRIS, hotkey="T")
    rename(CELL, hotkey="7")
    press(Key.Key_T)
    assert document.category_id == DEBRIS
    press(Key.Key_7)
    assert document.category_id == CELL
    assert window.commands["category_7"].isChecked()
    press(Key.Key_1)
    assert document.category_id == GROUND
    assert column(window, KEY) == ["7", "1", "T"]


def test_a_letter_that_an_action_has_in_another_preset_chooses_nothing(
    window, document, press, rename
):
    rename(DEBRIS, hotkey="T")
    window.keys.use("Bitbrush", {"fit": ("T",)})
    press(Key.Key_T)
    assert document.category_id == CELL
    assert column(window, KEY) == ["1", "2", ""]


def test_menus_panels_and_colours_follow_the_list(window, document, put, rename):
    put(Segment(1, DEBRIS), slice(0, 5), slice(0, 5))
    rename(DEBRIS, name="dirt", color=(10, 20, 30))
    assert window.commands["category_3"].text() == "Category 3: dirt"
    assert column(window, NAME) == ["cell", "ground", "dirt"]
    assert document.name(document.map.segments[1]) == "dirt 1"
    shown = window.canvas.grab().toImage()
    rename(DEBRIS, color=(200, 20, 30))
    assert window.canvas.grab().toImage() != shown


def test_the_current_category_is_another_one_when_it_leaves_the_list(window, document):
    document.begin_segment(DEBRIS)
    cell = document.categories[CELL]
    assert window.category_commands.set_categories([cell])
    assert document.category_id == CELL
    assert not window.commands["category_2"].isVisible()


def test_counts_of_segments_in_the_image_are_shown(window, document, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    put(Segment(2, CELL), slice(6, 9), slice(0, 5))
    assert column(window, COUNT) == ["2", "", ""]
    document.undo()
    assert column(window, COUNT) == ["1", "", ""]


def test_undo_brings_a_category_back_into_the_list(window, document, store, put):
    put(Segment(1, DEBRIS), slice(0, 5), slice(0, 5))
    before, after = Segment(1, DEBRIS), Segment(1, CELL)
    nothing = document.map.segment_ids[:0, :0]
    edit = Edit(0, 0, nothing, nothing, {1: before}, {1: after}, "merge categories")
    assert document.push(edit)
    window.category_commands.set_categories(store.categories[:2])
    document.undo()
    assert [category.name for category in store.categories] == ["cell", "ground", "debris"]
    assert column(window, NAME) == ["cell", "ground", "debris"]
    notice = window.notice_stack.shown[-1].text
    assert notice == "Segments are back, and so is their category in the list: 'debris'."


def test_a_category_is_found_and_chosen_by_keys_alone_among_133(window, document, press):
    full = read_categories(category_templates()["COCO panoptic: 80 things and 53 stuff"])
    assert window.category_commands.set_categories(full)
    press(Key.Key_Slash)
    field = window.categories.findChild(QLineEdit)
    QTest.keyClicks(field, "tre")
    press(Key.Key_Return)
    assert document.category.name == "tree-merged"
    assert not field.text() and not field.hasFocus()
    press(Key.Key_0)
    QTest.keyClicks(field, "dog")
    press(Key.Key_Down)
    press(Key.Key_Return)
    assert document.category.name == "hot dog"
    press(Key.Key_0)
    QTest.keyClicks(field, "vehicle")
    press(Key.Key_Down)
    press(Key.Key_Down)
    press(Key.Key_Up)
    press(Key.Key_Return)
    assert document.category.name == "car"
    press(Key.Key_0)
    QTest.keyClicks(field, "zzz")
    press(Key.Key_Return)
    assert field.hasFocus()
    press(Key.Key_Escape)
    assert document.category.name == "car"


def test_a_project_that_cannot_be_written_says_so(window, store, complaints):
    store._connection.execute("PRAGMA query_only = ON")  # noqa: SLF001
    added = Category(9, "new", is_thing=True, color=(1, 2, 3))
    assert not window.category_commands.set_categories([added])
    assert "cannot be written" in complaints[0]
