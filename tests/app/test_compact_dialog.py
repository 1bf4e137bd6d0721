"""Old steps of undo are dropped only when asked, and not before it is said how many."""

import sqlite3
from contextlib import closing

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSpinBox

from app.compact_dialog import CompactDialog, say_plan
from core.compaction import CompactionPlan
from core.panoptic import Segment

CELL = 1  # category id of the project in conftest.py


@pytest.fixture
def dialog(document, put, qtbot) -> CompactDialog:
    """Over a project whose first image has five steps."""
    for number in range(1, 6):
        put(Segment(number, CELL), slice(0, 5), slice(8 * number, 8 * number + 5))
    dialog = CompactDialog(document.store)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def button(dialog, text) -> QPushButton:
    return next(b for b in dialog.findChildren(QPushButton) if b.text() == text)


def says(dialog, text) -> bool:
    return any(text in label.text() for label in dialog.findChildren(QLabel))


def test_the_usual_limit_drops_nothing(dialog):
    assert says(dialog, "nothing would be dropped")
    assert not button(dialog, "Drop these steps").isEnabled()


def test_the_plan_follows_the_limit_and_nothing_is_dropped_by_looking(dialog, document):
    dialog.findChild(QSpinBox).setValue(2)
    assert says(dialog, "3 steps of 1 image would be dropped for good")
    assert document.history() == (["put"] * 5, 5)


def test_dropping_keeps_the_map_and_the_last_steps(qtbot, dialog, document, assert_same):
    before = document.map.copy()
    dialog.findChild(QSpinBox).setValue(2)
    with qtbot.waitSignal(dialog.compacted):
        qtbot.mouseClick(button(dialog, "Drop these steps"), Qt.MouseButton.LeftButton)
    assert document.history() == (["put"] * 2, 2)
    assert_same(document.store.load_map(document.record.id), before)
    document.travel(0)
    assert document.map.segments.keys() == {1, 2, 3}
    assert document.store.undo_limit == 2
    assert says(dialog, "nothing would be dropped")


def test_a_project_that_is_busy_elsewhere_is_a_sentence(dialog, document):
    dialog.findChild(QSpinBox).setValue(0)
    with closing(sqlite3.connect(document.store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        button(dialog, "Drop these steps").click()
    assert says(dialog, "busy")
    assert document.history() == (["put"] * 5, 5)


def test_sizes_are_said_as_people_say_them():
    assert say_plan(CompactionPlan(9, 2, 1_234, 5_000_000)) == (
        "1,234 steps of 2 images would be dropped for good, which frees 5.0 MB."
    )
