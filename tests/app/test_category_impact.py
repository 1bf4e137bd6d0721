"""The impact of a change is counted for each choice, and a stopped change can be finished."""

from threading import Event

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QTreeWidget

from app import category_impact
from app.category_impact import CategoryImpact
from app.window import MainWindow
from core.category_changes import begin_change, begun_change, carry_out, plan_change
from core.edits import brush_stroke
from core.panoptic import Segment
from core.store import AnnotationStore

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py


@pytest.fixture
def painted(store) -> AnnotationStore:
    """Debris in all three images, in the first with ground."""
    for image_id in store.image_ids():
        paint(store, image_id, Segment(1, DEBRIS), (8, 8))
    paint(store, 1, Segment(2, GROUND), (40, 8))
    return store


@pytest.fixture
def window(qtbot, painted) -> MainWindow:
    window = MainWindow(painted)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def paint(store, image_id, segment, point):
    store.append_edit(image_id, brush_stroke(store.load_map(image_id), [point], 5, segment))


def merging(store, becomes):
    """The plan to delete debris."""
    return plan_change(store.categories, store.categories[:2], becomes, 4)


def open_impact(qtbot, window, becomes, **kwargs):
    store = window.document.store
    impact = CategoryImpact(
        window.document, lambda chosen: merging(store, chosen), becomes, window, **kwargs
    )
    impact.open()
    qtbot.waitUntil(impact._change.isEnabled)  # noqa: SLF001
    return impact


def seen(dialog) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def press(dialog, text):
    next(b for b in dialog.findChildren(QPushButton) if b.text() == text).click()


def categories_of(store):
    """By image and segment id."""
    maps = [store.load_segments(image_id) for image_id in store.image_ids()]
    return [[segments[i].category_id for i in sorted(segments)] for segments in maps]


def test_what_is_deleted_can_become_something_else_and_is_counted_again(qtbot, window, painted):
    impact = open_impact(qtbot, window, {DEBRIS: 0})
    tree = impact.findChild(QTreeWidget)
    assert tree.topLevelItem(0).text(1) == "3 segments in 3 images"
    assert "become one" not in seen(impact)
    box = impact.findChild(QComboBox)
    box.setCurrentIndex(box.findText("ground"))
    qtbot.waitUntil(lambda: "In 1 image, 2 segments become one 'ground'" in seen(impact))
    with qtbot.waitSignal(impact.changed):
        press(impact, "Change 3 images")
    assert categories_of(painted) == [[GROUND]] * 3
    assert window.document.map.segments.keys() == {2}


def test_deleting_to_void_clears_the_open_map_and_undo_brings_it_back(qtbot, window, painted):
    document = window.document
    document.select(1)
    impact = open_impact(qtbot, window, {DEBRIS: 0})
    with qtbot.waitSignal(impact.changed):
        press(impact, "Change 3 images")
    assert document.map.segments.keys() == {2}
    assert document.selected_id == 0
    document.undo()
    assert document.map.segments.keys() == {1, 2}
    assert painted.load_map(1).segments == document.map.segments


def test_cancelling_changes_nothing(qtbot, window, painted):
    impact = open_impact(qtbot, window, {DEBRIS: CELL})
    with qtbot.waitSignal(impact.rejected):
        press(impact, "Cancel")
    assert categories_of(painted) == [[DEBRIS, GROUND], [DEBRIS], [DEBRIS]]
    assert begun_change(painted) is None


def test_a_change_that_was_stopped_is_offered_and_finished(qtbot, painted):
    plan = merging(painted, {DEBRIS: CELL})
    begin_change(painted, plan)
    steps = carry_out(painted, plan.change)
    next(steps)
    steps.close()
    window = MainWindow(painted)
    qtbot.addWidget(window)
    window.show()
    notice = window.notice_stack.shown[-1]
    assert "was stopped before its end" in notice.text
    notice.accept()
    impact = window.findChild(CategoryImpact)
    qtbot.waitUntil(impact._change.isEnabled)  # noqa: SLF001
    with qtbot.waitSignal(impact.changed):
        press(impact, "Change 2 images")
    assert categories_of(painted) == [[CELL, GROUND], [CELL], [CELL]]
    assert [c.id for c in painted.categories] == [CELL, GROUND]
    assert begun_change(painted) is None


def test_a_change_that_was_stopped_can_be_left_at_that(qtbot, window, painted):
    begin_change(painted, merging(painted, {DEBRIS: CELL}))
    window.edit_categories()
    impact = window.findChild(CategoryImpact)
    qtbot.waitUntil(impact._change.isEnabled)  # noqa: SLF001
    with qtbot.waitSignal(impact.rejected):
        press(impact, "Leave it at that")
    assert begun_change(painted) is None
    assert [c.id for c in painted.categories] == [CELL, GROUND, DEBRIS]


def test_a_change_can_be_stopped_between_two_images_and_go_on(
    qtbot, window, painted, monkeypatch
):
    gate = Event()

    def carry_out_slowly(*args):
        for n_done in carry_out(*args):
            yield n_done
            gate.wait(20)

    monkeypatch.setattr(category_impact, "carry_out", carry_out_slowly)
    impact = open_impact(qtbot, window, {DEBRIS: CELL})
    press(impact, "Change 3 images")
    qtbot.waitUntil(lambda: categories_of(painted)[0] == [CELL, GROUND])
    press(impact, "Stop")
    gate.set()
    qtbot.waitUntil(lambda: "Stopped." in seen(impact))
    assert categories_of(painted)[2] == [DEBRIS]
    assert window.document.map.segments[1].category_id == CELL
    assert len(painted.categories) == 3
    with qtbot.waitSignal(impact.changed):
        press(impact, "Go on")
    assert categories_of(painted) == [[CELL, GROUND], [CELL], [CELL]]


def test_a_disk_that_fails_amid_a_change_is_a_sentence_and_it_can_go_on(qtbot, window, painted):
    impact = open_impact(qtbot, window, {DEBRIS: CELL})
    painted._execute(  # noqa: SLF001
        "CREATE TRIGGER full BEFORE INSERT ON edit WHEN new.image_id = 2 "
        "BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    press(impact, "Change 3 images")
    qtbot.waitUntil(lambda: "The change failed" in seen(impact))
    assert categories_of(painted) == [[CELL, GROUND], [DEBRIS], [DEBRIS]]
    painted._execute("DROP TRIGGER full")  # noqa: SLF001
    with qtbot.waitSignal(impact.changed):
        press(impact, "Go on")
    assert categories_of(painted) == [[CELL, GROUND], [CELL], [CELL]]
