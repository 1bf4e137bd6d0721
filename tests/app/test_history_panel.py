"""The history list shows every step of the image, and a click goes to any of them."""

import pytest
from PySide6.QtCore import Qt

from app.history_panel import HistoryPanel
from app.segment_commands import SegmentCommands
from core.panoptic import PanopticMap, Segment

CELL = 1  # category id of the project in conftest.py


@pytest.fixture
def panel(document, qtbot) -> HistoryPanel:
    panel = HistoryPanel(document)
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.fixture
def states(document, panel, put, qtbot) -> list[PanopticMap]:
    """The map after each of three steps, and before the first."""
    states = [document.map.copy()]
    for number in (1, 2, 3):
        put(Segment(number, CELL), slice(0, 5), slice(10 * number, 10 * number + 5))
        states.append(document.map.copy())
    qtbot.waitUntil(lambda: len(rows(panel)) == 4)
    return states


def rows(panel) -> list[str]:
    model = panel.view.model()
    return [model.index(row).data() for row in range(model.rowCount())]


def click(qtbot, panel, row: int) -> None:
    place = panel.view.visualRect(panel.view.model().index(row)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_every_step_is_listed_and_the_present_one_is_marked(panel, states):
    assert rows(panel) == ["Start", "1  put", "2  put", "3  put"]
    assert panel.view.currentIndex().row() == 3


@pytest.mark.parametrize("row", [0, 1, 2, 3])
def test_a_click_goes_to_a_step_and_the_last_one_comes_back(
    qtbot, document, panel, states, assert_same, row
):
    click(qtbot, panel, row)
    assert_same(document.map, states[row])
    assert_same(document.store.load_map(document.record.id), states[row])
    click(qtbot, panel, 3)
    assert_same(document.map, states[3])


def test_the_keyboard_goes_to_a_step(qtbot, document, panel, states, assert_same):
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Home)
    qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    assert_same(document.map, states[0])


def test_an_edit_after_going_back_drops_what_was_taken_back(qtbot, document, panel, states):
    click(qtbot, panel, 1)
    document.select(1)
    SegmentCommands(document).delete()
    qtbot.waitUntil(lambda: rows(panel) == ["Start", "1  put", "2  delete segment"])


def test_going_back_tells_the_list_of_images(qtbot, document, panel, states):
    with qtbot.waitSignal(document.edited) as edited:
        click(qtbot, panel, 0)
    assert edited.args == [document.record.id]


def test_a_pending_proposal_keeps_the_history_from_being_walked(
    qtbot, document, panel, states, proposal, assert_same
):
    document.propose(proposal, {7: CELL})
    qtbot.waitUntil(lambda: not panel.view.isEnabled())
    document.travel(0)
    assert_same(document.map, states[3])


def test_another_image_has_another_history(qtbot, document, panel, states):
    document.open_image(document.store.image_record(2))
    qtbot.waitUntil(lambda: rows(panel) == ["Start"])


def test_steps_keep_their_numbers_when_older_ones_are_dropped(qtbot, document, panel, states):
    document.store.compact(1)
    document.history_changed.emit()
    kept = ["Kept start (2 earlier steps were dropped)", "3  put"]
    qtbot.waitUntil(lambda: rows(panel) == kept)
    document.open_image(document.store.image_record(2))
    qtbot.waitUntil(lambda: rows(panel) == ["Start"])


def test_the_history_of_an_image_that_cannot_be_shown_is_there_but_not_to_be_walked(
    qtbot, document, panel, states, pictures
):
    pictures[0].unlink()
    document.open_image(document.store.image_record(1))
    qtbot.waitUntil(lambda: not panel.view.isEnabled())
    assert rows(panel) == ["Start", "1  put", "2  put", "3  put"]
