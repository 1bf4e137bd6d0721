"""A run from Shift+R to the accepted map, with a real inference process and a tiny model."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel

from app.model_run import AT_WORK
from app.window import MainWindow
from core.panoptic import Category, Rect, Segment
from core.store import AnnotationStore

NUCLEUS = Category(1, "Nucleus", is_thing=True, color=(80, 160, 220))
GROUND = Category(2, "background", is_thing=False, color=(90, 90, 100))
OTHER = Category(3, "debris", is_thing=True, color=(230, 160, 0))
SIZE = (48, 64)
PATIENT = {"timeout": 60_000}  # the first answer waits for torch


@pytest.fixture
def store(tmp_path, pictures, tiny_model):
    """A project whose categories the tiny model knows but for one."""
    categories = (NUCLEUS, GROUND, OTHER)
    with AnnotationStore.create(tmp_path / "a.bitbrush", categories, str(tiny_model)) as store:
        store.add_images([(path, None, *SIZE) for path in pictures])
        yield store


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    window.start_model()
    yield window
    window.close()


@pytest.fixture
def ready(qtbot, window):
    """The run of a window whose model is loaded."""
    qtbot.waitUntil(lambda: window.model_run.can_begin, **PATIENT)
    return window.model_run


def test_a_project_without_a_model_says_so(qtbot, store):
    store.set_model("")
    window = MainWindow(store)
    qtbot.addWidget(window)
    assert not window.model_run.can_begin
    window.commands["segment_image"].trigger()
    assert "This project has no model" in window.notice_stack.shown[0].text


def test_a_missing_model_file_is_a_notice_and_labelling_goes_on(qtbot, store, tmp_path):
    store.set_model(str(tmp_path / "gone.safetensors"))
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    window.start_model()
    qtbot.waitUntil(lambda: bool(window.model_run.device), **PATIENT)
    qtbot.waitUntil(
        lambda: any("gone.safetensors" in n.text for n in window.notice_stack.shown), **PATIENT
    )
    assert not window.model_run.can_begin
    assert window.document.is_editable
    window.close()


def test_a_run_asked_for_too_early_begins_once_the_model_is_loaded(qtbot, window):
    assert not window.model_run.can_begin
    window.commands["segment_image"].trigger()
    texts = [notice.text for notice in window.notice_stack.shown]
    assert "Segmentation begins as soon as the model is loaded." in texts
    qtbot.waitUntil(lambda: window.document.has_proposal, **PATIENT)


def test_escape_takes_back_a_run_that_waits_for_the_model(qtbot, window):
    window.commands["segment_image"].trigger()
    window.escape()
    qtbot.waitUntil(lambda: window.model_run.can_begin, **PATIENT)
    assert not window.model_run.is_running


def test_each_step_is_seen_and_the_accepted_proposal_is_one_edit(qtbot, window, ready):
    document, seen = window.document, []
    document.proposal_changed.connect(lambda: seen.append(document.preview))
    window.commands["segment_image"].trigger()
    assert ready.is_running
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    assert [preview.step for preview in seen if preview] == [1, 2, 3, 4]
    assert document.preview is None
    window.commands["accept"].trigger()
    assert document.store.history(document.record.id) == (["accept proposal"], 1)
    assert {s.category_id for s in document.map.segments.values()} <= {1, 2}
    window.commands["undo"].trigger()
    assert not document.map.segment_ids.any()


def test_what_the_model_does_not_know_and_where_it_runs_are_said(window, ready):
    texts = [notice.text for notice in window.notice_stack.shown]
    assert "The model 'tiny' does not know 'debris': label these by hand." in texts
    assert ready.device.note in texts
    assert ready.card.name == "tiny"


def test_where_the_model_runs_is_said_once_a_machine(qtbot, store, window, ready):
    again = MainWindow(store)
    qtbot.addWidget(again)
    again.start_model()
    qtbot.waitUntil(lambda: again.model_run.card is not None, **PATIENT)
    assert again.model_run.device == ready.device
    assert ready.device.note not in [notice.text for notice in again.notice_stack.shown]


def test_locked_segments_stay_as_they_are(qtbot, window, ready, put):
    document = window.document
    put(Segment(1, OTHER.id, is_locked=True), slice(8, 40), slice(8, 40))
    ready.begin()
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    document.accept()
    assert (document.map.segment_ids[8:40, 8:40] == 1).all()
    assert document.map.areas()[1] == 32 * 32


def test_escape_stops_a_run_and_shows_the_map_again(qtbot, window, ready):
    window.step_panel.set_options(window.step_panel.options().__class__(steps=1000))
    ready.begin()
    qtbot.waitUntil(lambda: window.document.preview is not None, **PATIENT)
    window.escape()
    qtbot.waitUntil(lambda: not ready.is_running, **PATIENT)
    assert window.document.is_editable
    assert ready.can_begin


def test_another_image_stops_the_run(qtbot, window, ready):
    window.step_panel.set_options(window.step_panel.options().__class__(steps=1000))
    ready.begin()
    qtbot.waitUntil(lambda: window.document.preview is not None, **PATIENT)
    window.commands["next"].trigger()
    assert not ready.is_running
    QApplication.processEvents()
    assert window.document.preview is None
    window.step_panel.set_options(ready.card.sampling)
    ready.begin()
    qtbot.waitUntil(lambda: window.document.has_proposal, **PATIENT)


def test_a_killed_process_costs_the_run_and_no_edit(qtbot, window, ready, put):
    put(Segment(1, OTHER.id), slice(0, 5), slice(0, 5))
    window.step_panel.set_options(window.step_panel.options().__class__(steps=1000))
    ready.begin()
    qtbot.waitUntil(lambda: window.document.preview is not None, **PATIENT)
    os.kill(window.segmenter.process_id, signal.SIGKILL)
    qtbot.waitUntil(lambda: not ready.is_running, **PATIENT)
    assert any("started again" in notice.text for notice in window.notice_stack.shown)
    assert window.document.map.areas() == {1: 25}
    window.step_panel.set_options(ready.card.sampling)
    ready.begin()
    qtbot.waitUntil(lambda: window.document.has_proposal, **PATIENT)


def test_a_region_is_segmented_and_the_rest_of_the_map_stays(qtbot, document, ready):
    region = Rect(10, 10, 40, 50)
    ready.begin_region(region)
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    proposed = document.shown_map.segment_ids.copy()
    assert proposed[region.slices].any()
    proposed[region.slices] = 0
    assert not proposed.any()
    document.accept()
    document.undo()
    assert not document.map.segment_ids.any()


def test_a_region_takes_half_the_steps_of_the_image_and_the_panel_says_so(
    qtbot, window, document, ready
):
    panel = window.step_panel
    panel.set_options(replace(panel.options(), steps=5))
    ready.begin_region(Rect(10, 10, 40, 50))
    texts = [label.text() for label in panel.findChildren(QLabel)]
    assert any(text.startswith("step 0 of 3") for text in texts)
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    assert document.suggestion.proposal.options.steps == 3
    assert panel.options().steps == 5


def test_each_step_on_a_region_shows_the_map_around_it(qtbot, document, ready, put):
    put(Segment(1, OTHER.id), slice(0, 24), slice(0, 64))
    put(Segment(2, NUCLEUS.id), slice(24, 48), slice(0, 64))
    seen = []
    document.proposal_changed.connect(
        lambda: document.preview and seen.append((document.shown_ids, document.shown_segments))
    )
    region = Rect(12, 16, 36, 48)
    ready.begin_region(region)
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    assert len(seen) >= 2
    for ids, segments in seen:
        height, width = ids.shape
        top, bottom = -(-12 * height // 48), 36 * height // 48
        left, right = -(-16 * width // 64), 48 * width // 64
        around = np.repeat([[1], [2]], height // 2, axis=0).repeat(width, axis=1)
        around[top:bottom, left:right] = ids[top:bottom, left:right]
        np.testing.assert_array_equal(ids, around)
        assert not np.isin(ids[top:bottom, left:right], [1, 2]).any()
        assert segments[1].category_id == OTHER.id
        assert set(np.unique(ids)) - {0} <= segments.keys()


def test_a_region_is_framed_from_its_first_step_until_it_is_decided_on(
    qtbot, window, document, ready
):
    ratio = window.canvas.devicePixelRatioF()

    def colors() -> list[int]:
        image = window.canvas.grab().toImage()
        left, top = (round(x) for x in window.canvas.view.to_device(10, 10))
        corner = QPoint(round(left / ratio), round(top / ratio))
        return [  # of the row that is lightest, since the line may fall beside or between rows
            max(
                image.pixelColor((corner + QPoint(n, down)) * ratio).lightness()
                for down in (-1, 0, 1)
            )
            for n in range(9)
        ]

    window.notice_stack.hide()  # it may lie over the corner, white if a style is set
    dark = max(colors())
    assert dark < 90
    ready.begin_region(Rect(10, 10, 40, 50))
    assert min(colors()) > dark + 40
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    assert min(colors()) > dark + 40
    document.reject()
    assert max(colors()) == dark
    ready.begin()
    assert max(colors()) == dark


def test_what_is_asked_for_during_a_run_does_not_change_what_the_run_is_for(
    qtbot, window, document, ready
):
    region = Rect(10, 10, 40, 50)
    ready.begin_region(region)
    ready.begin_region(Rect(0, 0, 5, 5))
    ready.begin()
    assert any(notice.text == AT_WORK for notice in window.notice_stack.shown)
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    proposed = document.shown_map.segment_ids.copy()
    assert proposed[region.slices].any()
    proposed[region.slices] = 0
    assert not proposed.any()


def test_a_rectangle_drawn_with_the_mouse_is_the_region_that_is_segmented(
    qtbot, window, document, ready
):
    canvas, left = window.canvas, Qt.MouseButton.LeftButton
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_R)
    ratio = canvas.devicePixelRatioF()
    first, last = (
        QPoint(*(round(place / ratio) for place in canvas.view.to_device(x, y)))
        for x, y in ((10.5, 8.5), (49.5, 39.5))
    )
    qtbot.mousePress(canvas, left, pos=first)
    qtbot.mouseMove(canvas, last)
    qtbot.mouseRelease(canvas, left, pos=last)
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    proposed = document.shown_map.segment_ids.copy()
    assert proposed[8:40, 10:50].any()
    proposed[8:40, 10:50] = 0
    assert not proposed.any()
