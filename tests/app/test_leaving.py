"""Nothing that is being drawn is lost by going elsewhere: it is finished first, or saved."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QTableView

from app.gesture import UNFINISHED
from app.held_answers import HELD
from app.last_word import UNSAVED
from app.toolbox import BRUSH, POLYGON
from app.window import MainWindow
from core.errors import ProjectError
from core.panoptic import Segment
from core.proposals import Preview
from core.store import AnnotationStore, ImageQuery, Review

CELL = 1  # category id of the project in conftest.py
LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
CORNERS = [(10, 10), (40, 10), (40, 30), (10, 30)]
Key = Qt.Key


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.canvas.setFocus()
    yield window
    window.canvas.cancel_gesture()
    window.close()


@pytest.fixture
def at(window):
    """A function from an image position to the place where the canvas shows it."""

    def at(x: float, y: float) -> QPoint:
        ratio = window.canvas.devicePixelRatioF()
        return QPoint(*(round(side / ratio) for side in window.canvas.view.to_device(x, y)))

    return at


@pytest.fixture
def begin(qtbot, window, at):
    """A function that leaves a polygon open, or a stroke with its button held."""

    def begin(tool: str) -> None:
        window.tools.take(tool)
        if tool == POLYGON:
            for corner in CORNERS:
                qtbot.mouseClick(window.canvas, LEFT, pos=at(*corner))
        else:
            qtbot.mousePress(window.canvas, LEFT, pos=at(10, 10))
            qtbot.mouseMove(window.canvas, at(40, 30))
        assert window.canvas.is_gesturing

    return begin


def said(window) -> list[str]:
    return [notice.text for notice in window.notice_stack.shown]


@pytest.mark.parametrize("tool", [POLYGON, BRUSH])
@pytest.mark.parametrize(
    ("key", "modifier"),
    [
        (Key.Key_D, Qt.KeyboardModifier.NoModifier),
        (Key.Key_PageDown, Qt.KeyboardModifier.NoModifier),
        (Key.Key_D, CONTROL),
        (Key.Key_Return, CONTROL),
        (Key.Key_R, Qt.KeyboardModifier.ShiftModifier),
    ],
)
def test_no_key_takes_what_is_being_drawn_away(
    qtbot, window, document, store, begin, put, tool, key, modifier
):
    put(Segment(1, CELL), slice(0, 40), slice(0, 60))
    document.begin_segment()
    before = document.map.segment_ids.copy()
    begin(tool)
    qtbot.keyClick(window.canvas, key, modifier)
    assert window.canvas.is_gesturing
    assert document.record.id == 1
    assert (document.map.segment_ids == before).all()
    assert store.image_ids(ImageQuery(states=(Review.APPROVED,))) == []
    assert said(window)[-1] == UNFINISHED.format("Esc")


def test_the_list_goes_back_to_the_image_that_is_drawn_on(qtbot, window, document, begin):
    begin(POLYGON)
    view = window.image_list.findChild(QTableView)
    place = view.visualRect(view.model().index(2, 0)).center()
    qtbot.mouseClick(view.viewport(), LEFT, pos=place)
    assert document.record.id == 1
    assert view.currentIndex().row() == 0
    assert window.canvas.is_gesturing
    window.canvas.cancel_gesture()
    qtbot.mouseClick(view.viewport(), LEFT, pos=place)
    assert document.record.id == 3


@pytest.mark.parametrize("tool", [POLYGON, BRUSH])
def test_closing_the_window_saves_what_is_being_drawn(window, store, begin, tool):
    begin(tool)
    window.close()
    map = store.load_map(1)
    assert map.segment_ids[20, 25]
    assert len(store.history(1)[0]) == 1


def test_an_outline_that_encloses_nothing_is_dropped_at_the_end(qtbot, window, store, at):
    window.tools.take(POLYGON)
    for corner in CORNERS[:2]:
        qtbot.mouseClick(window.canvas, LEFT, pos=at(*corner))
    window.close()
    assert not window.isVisible()
    assert store.history(1)[0] == []


def test_what_cannot_be_saved_keeps_the_window_open_once(window, store, begin, monkeypatch):
    def fail(*_: object) -> None:
        raise ProjectError("The disk is full.")

    begin(BRUSH)
    monkeypatch.setattr(AnnotationStore, "append_edit", fail)
    assert not window.close()
    assert UNSAVED in said(window)
    assert window.canvas.is_gesturing
    assert window.close()


def test_a_warning_at_the_end_is_about_one_stroke_only(window, store, begin, monkeypatch):
    def fail(*_: object) -> None:
        raise ProjectError("The disk is full.")

    begin(BRUSH)
    with monkeypatch.context() as full:
        full.setattr(AnnotationStore, "append_edit", fail)
        assert not window.close()
    window.canvas.cancel_gesture()
    begin(POLYGON)
    assert window.close()
    assert [step.split()[0] for step in store.history(1)[0]] == ["polygon"]


def test_an_outline_that_may_not_be_filled_keeps_the_window_open_once(
    window, store, document, begin, put
):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    begin(POLYGON)
    document.select(1)
    document.toggle_lock()
    assert not window.close()
    assert UNSAVED in said(window)
    assert window.canvas.is_gesturing
    document.toggle_lock()
    assert window.close()
    assert store.load_map(1).segment_ids[20, 25] == 1


def test_every_image_is_shown_although_nothing_can_be_written_and_that_is_said_once(
    window, document, store
):
    connection = store._connection  # noqa: SLF001 - a disk that takes nothing more
    connection.execute("PRAGMA query_only = 1")
    for record in store.images()[1:] + store.images()[:2]:
        window.open_image(record.id)
        assert document.record.id == record.id
        assert document.has_image
    connection.execute("PRAGMA query_only = 0")
    assert len(said(window)) == 1


@pytest.mark.parametrize("tool", [POLYGON, BRUSH])
def test_the_answers_of_the_model_wait_for_what_is_being_drawn(
    window, document, begin, proposal, tool
):
    answers, seen = window.model_run.answers, []
    answers.stepped.connect(lambda ticket, _: seen.append(ticket))
    answers.finished.connect(lambda ticket, _: seen.append(ticket))
    begin(tool)
    preview = Preview(1, 2, 0.5, 1.0, document.map.segment_ids, {})
    answers.expect(7)
    window.segmenter.stepped.emit(7, preview)
    window.segmenter.finished.emit(7, proposal)
    assert seen == []
    assert said(window) == [HELD]
    assert window.canvas.finish_gesture()
    assert document.map.segment_ids[20, 25]
    assert seen == [7, 7]
    window.segmenter.stepped.emit(7, preview)
    assert seen == [7, 7, 7]


@pytest.mark.parametrize("tool", [POLYGON, BRUSH])
def test_a_model_that_is_loaded_meanwhile_drops_nothing(window, document, begin, tool):
    begin(tool)
    document.show_preview(None)  # as when another model is in use
    document.reject()
    assert window.canvas.finish_gesture()
    assert document.map.segment_ids[20, 25]


def test_the_buttons_of_the_model_wait_for_what_is_being_drawn(window, document, begin):
    begin(POLYGON)
    window.step_panel.segment_requested.emit()
    assert said(window) == [UNFINISHED.format("Esc")]
    window.notice_stack.close_all()
    window.step_panel.preview_selected.emit(
        Preview(1, 2, 0.5, 1.0, document.map.segment_ids, {})
    )
    assert said(window) == [UNFINISHED.format("Esc")]
    assert document.preview is None
    assert window.canvas.is_gesturing
