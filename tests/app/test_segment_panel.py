"""The segments panel and the document select, lock and hide the same segment."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QTableView

from app.look import Look
from app.segment_panel import AREA, HIDE, LOCK, NAME, SegmentPanel
from core.palette import segment_color
from core.panoptic import PanopticMap, Segment
from core.whole_maps import import_map

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py


@pytest.fixture
def look(qapp) -> Look:
    return Look()


@pytest.fixture
def panel(document, look, qtbot) -> SegmentPanel:
    panel = SegmentPanel(document, look)
    panel.resize(300, 400)
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.fixture
def table(panel) -> QTableView:
    return panel.findChild(QTableView)


def click(qtbot, table, row, column):
    place = table.visualRect(table.model().index(row, column)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def texts(table, column):
    model = table.model()
    return [model.index(row, column).data() for row in range(model.rowCount())]


def test_an_empty_map_says_what_to_do(panel, table):
    assert not table.isVisible()
    assert "Paint with the brush" in panel.findChild(QLabel).text()


def test_each_segment_has_its_name_and_area(table, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 8))
    put(Segment(2, GROUND), slice(10, 48), slice(0, 64))
    assert texts(table, NAME) == ["cell 1", "ground"]
    assert texts(table, AREA) == ["40", "2,432"]


def test_the_patches_have_the_colors_of_the_map(panel, table, look, document, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 8))
    put(Segment(2, CELL), slice(10, 48), slice(0, 64))

    def patches() -> list[tuple[int, ...]]:
        model = table.model()
        icons = [model.index(row, NAME).data(Qt.ItemDataRole.DecorationRole) for row in (0, 1)]
        colors = [icon.pixmap(16, 16).toImage().pixelColor(8, 8) for icon in icons]
        return [(color.red(), color.green(), color.blue()) for color in colors]

    cell = document.categories[CELL]
    assert patches() == [segment_color(cell, 1), segment_color(cell, 2)]
    look.toggle_by_category()
    assert patches() == [cell.color, cell.color]


def test_a_click_selects_the_segment(qtbot, document, table, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 8))
    put(Segment(2, CELL), slice(10, 15), slice(0, 8))
    click(qtbot, table, 1, NAME)
    assert document.selected_id == 2
    click(qtbot, table, 0, AREA)
    assert document.selected_id == 1


def test_a_segment_selected_elsewhere_is_marked(document, table, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 8))
    put(Segment(2, CELL), slice(10, 15), slice(0, 8))
    document.select(2)
    assert [index.row() for index in table.selectionModel().selectedRows()] == [1]
    document.select(0)
    assert not table.selectionModel().hasSelection()


def test_the_icons_lock_and_hide(qtbot, document, table, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 8))
    click(qtbot, table, 0, LOCK)
    assert document.map.segments[1].is_locked
    click(qtbot, table, 0, HIDE)
    assert document.hidden == {1}
    accessible = Qt.ItemDataRole.AccessibleTextRole
    assert table.model().index(0, LOCK).data(accessible) == "Locked (X unlocks)"
    assert table.model().index(0, HIDE).data(accessible) == "Hidden (H shows)"


def test_rows_follow_the_map(document, table, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 8))
    put(Segment(2, CELL), slice(10, 15), slice(0, 8))
    document.undo()
    assert texts(table, NAME) == ["cell 1"]
    document.redo()
    assert texts(table, NAME) == ["cell 1", "cell 2"]


def test_a_suggested_map_is_listed_before_it_is_accepted(document, table, proposal):
    document.propose(proposal, {7: CELL, 8: GROUND})
    assert texts(table, NAME) == ["cell 1", "ground"]
    document.reject()
    assert texts(table, NAME) == []


def test_two_thousand_segments_are_listed(document, table):
    ids = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) % 2001
    segments = {i: Segment(i, CELL) for i in range(1, 2001)}
    document.push(import_map(document.map, PanopticMap(ids, segments, 2001), {GROUND}))
    assert table.model().rowCount() == 2000
    document.select(1900)
    assert table.currentIndex().row() == 1899


def test_rows_are_painted_soon_after_they_changed(qtbot, table, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 8))
    before = table.grab().toImage()
    put(Segment(2, CELL), slice(10, 15), slice(0, 8))
    qtbot.waitUntil(table.updatesEnabled)
    assert table.grab().toImage() != before


def test_an_empty_list_says_what_makes_segments_and_why_there_are_none(
    document, panel, store, pictures
):
    (empty,) = panel.findChildren(QLabel)
    assert empty.text() == "No segments yet.\nPaint with the brush (B)."
    store.set_model("nuclei")
    document.open_image(store.image_record(2))
    assert "let the model propose a map (Shift+R)" in empty.text()
    pictures[2].unlink()
    document.open_image(store.image_record(3))
    assert "Its map and its history are kept" in empty.text()
