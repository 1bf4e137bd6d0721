"""Among many categories, the one that a search found stays in sight."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QTreeWidget

from app.category_commands import CategoryCommands
from app.category_panel import CategoryPanel
from app.document import Document
from core.panoptic import Category
from core.store import AnnotationStore


@pytest.fixture
def panel(tmp_path, qtbot):
    """The panel of a project with 133 categories."""
    categories = [
        Category(n, f"kind {n:03}", is_thing=True, color=(n, n, n)) for n in range(1, 134)
    ]
    with AnnotationStore.create(tmp_path / "many.bitbrush", categories) as store:
        document = Document(store)
        panel = CategoryPanel(document, CategoryCommands(document))
        qtbot.addWidget(panel)
        panel.resize(240, 200)
        panel.show()
        yield panel


def test_what_was_chosen_by_typing_is_in_sight_and_marked(qtbot, panel):
    field, tree = panel.findChild(QLineEdit), panel.findChild(QTreeWidget)
    qtbot.keyClicks(field, "kind 1")
    qtbot.keyClick(field, Qt.Key.Key_Down)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    item = tree.currentItem()
    assert item.text(0) == "kind 101"
    assert item.isSelected()
    assert tree.viewport().rect().contains(tree.visualItemRect(item))


def test_a_search_that_finds_nothing_says_so(qtbot, panel):
    (nothing,) = panel.findChildren(QLabel)
    assert not nothing.isVisible()
    qtbot.keyClicks(panel.findChild(QLineEdit), "xyz")
    assert nothing.isVisible()
