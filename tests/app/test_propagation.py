"""Segments are followed through a clip, by real keys and a real inference process."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QPushButton, QSpinBox

from app.propagation_commands import PropagationBar, say_progress
from app.propagation_steps import PropagationWish
from app.window import MainWindow
from core.authors import AuthorKind
from core.model_card import ModelCard
from core.panoptic import Category, Edit, Segment
from core.propagation import VideoOptions
from core.proposals import SamplingOptions
from core.store import AnnotationStore, Review
from tests.journeys.video_parts import make_video_model

NUCLEUS = Category(1, "nucleus", is_thing=True, color=(80, 160, 220))
GROUND = Category(2, "background", is_thing=False, color=(90, 90, 100))
SIZE = (48, 64)
PATIENT = {"timeout": 60_000}  # the first answer waits for torch
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
FAST = PropagationWish(options=VideoOptions(2, 2))
ENDLESS = PropagationWish(options=VideoOptions(100_000, 100_000))


@pytest.fixture(scope="session")
def video_model(tmp_path_factory):
    return make_video_model(tmp_path_factory.mktemp("model") / "video.safetensors")


@pytest.fixture
def store(tmp_path, pictures, video_model):
    """A clip of three frames; a person has drawn in the first."""
    with AnnotationStore.create(
        tmp_path / "a.bitbrush", (NUCLEUS, GROUND), str(video_model)
    ) as store:
        store.add_images([(path, None, *SIZE) for path in pictures])
        draw(store, 1)
        yield store


def draw(store, image_id):
    map = store.load_map(image_id)
    after = map.segment_ids.copy()
    after[10:30, 10:30] = map.next_id
    new = {map.next_id: Segment(map.next_id, 1)}
    store.append_edit(image_id, Edit(0, 0, map.segment_ids, after, {}, new, "draw"))


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    window.open_image(1)
    window.start_model()
    qtbot.waitUntil(lambda: window.model_run.can_begin, **PATIENT)
    window.propagation.wish = FAST
    yield window
    window.close()


def wait_for_end(qtbot, window):
    qtbot.waitUntil(lambda: not window.propagation.run.is_active, **PATIENT)


def open_image(qtbot, window, image_id):
    window.open_image(image_id)
    document = window.document
    qtbot.waitUntil(lambda: document.record.id == image_id and document.map is not None)


def states(store):
    return [record.review for record in store.images()]


def notices(window):
    return "\n".join(notice.text for notice in window.notice_stack.shown)


def test_the_frames_after_this_one_get_maps_and_undo_takes_all_back(qtbot, window, store):
    qtbot.keyClick(window, Qt.Key.Key_Right, SHIFT)
    assert window.findChild(PropagationBar).isVisible()
    wait_for_end(qtbot, window)
    assert states(store) == [Review.IN_WORK, Review.PROPOSED, Review.PROPOSED]
    assert store.provenance(3).of_kinds([AuthorKind.PROPAGATED]).any()
    assert "2 frames got a map (2.0 steps each" in notices(window)
    assert not window.findChild(PropagationBar).isVisible()
    open_image(qtbot, window, 3)
    assert window.document.map.segments
    qtbot.keyClick(window, Qt.Key.Key_Z, CONTROL)
    assert states(store) == [Review.IN_WORK, Review.EMPTY, Review.EMPTY]
    assert not window.document.map.segments
    assert "taken in this frame and 1 other frame together" in notices(window)
    qtbot.keyClick(window, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert states(store) == [Review.IN_WORK, Review.PROPOSED, Review.PROPOSED]
    assert np.array_equal(window.document.map.segment_ids, store.load_map(3).segment_ids)


def test_it_goes_back_as_well(qtbot, window, store):
    draw(store, 3)
    open_image(qtbot, window, 3)
    window.propagation.wish = replace(FAST, n_frames=1)
    qtbot.keyClick(window, Qt.Key.Key_Left, SHIFT)
    wait_for_end(qtbot, window)
    assert states(store) == [Review.IN_WORK, Review.PROPOSED, Review.IN_WORK]


def test_the_open_frame_fills_in_when_its_map_is_made(qtbot, window, store):
    qtbot.keyClick(window, Qt.Key.Key_Right, SHIFT)
    open_image(qtbot, window, 3)
    wait_for_end(qtbot, window)
    assert window.document.map.segments
    assert np.array_equal(window.document.map.segment_ids, store.load_map(3).segment_ids)


def test_escape_stops_it_within_a_step_and_what_is_done_stays(qtbot, window, store):
    qtbot.keyClick(window, Qt.Key.Key_Right, SHIFT)
    wait_for_end(qtbot, window)
    before = store.load_map(2)
    open_image(qtbot, window, 2)
    window.propagation.wish = ENDLESS
    with qtbot.waitSignal(window.segmenter.frame_stepped, **PATIENT):
        qtbot.keyClick(window, Qt.Key.Key_Right, SHIFT)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    wait_for_end(qtbot, window)
    assert "Propagation was stopped. No frame got a map." in notices(window)
    assert np.array_equal(store.load_map(2).segment_ids, before.segment_ids)
    assert store.history(3)[1] == 1


def test_approved_frames_and_what_people_drew_stay(qtbot, window, store):
    draw(store, 2)
    store.set_review(3, Review.APPROVED)
    before, approved = store.load_map(2), store.load_map(3)
    qtbot.keyClick(window, Qt.Key.Key_Right, SHIFT)
    wait_for_end(qtbot, window)
    after = store.load_map(2)
    drawn = before.segment_ids > 0
    assert np.array_equal(after.segment_ids[drawn], before.segment_ids[drawn])
    assert len(after.segments) > len(before.segments)
    assert np.array_equal(store.load_map(3).segment_ids, approved.segment_ids)
    assert "ends before picture2.png, which is approved" in notices(window)


def test_a_frame_that_was_corrected_holds_undo_up(qtbot, window, store):
    qtbot.keyClick(window, Qt.Key.Key_Right, SHIFT)
    wait_for_end(qtbot, window)
    draw(store, 2)
    open_image(qtbot, window, 3)
    qtbot.keyClick(window, Qt.Key.Key_Z, CONTROL)
    assert "picture1.png was changed since" in notices(window)
    assert states(store)[2] is Review.PROPOSED


def test_a_model_of_single_images_is_explained(qtbot, window, tiny_model):
    window.model_run.use_model(str(tiny_model))
    qtbot.waitUntil(lambda: window.model_run.card.name == "tiny", **PATIENT)
    qtbot.keyClick(window, Qt.Key.Key_Right, SHIFT)
    wait_for_end(qtbot, window)
    assert "The model 'tiny' was made for single images" in notices(window)


def test_each_frame_is_opened_and_its_steps_are_shown_when_wanted(qtbot, window):
    window.propagation.wish = PropagationWish(
        options=VideoOptions(100_000, 100_000), is_watched=True
    )
    qtbot.keyClick(window, Qt.Key.Key_Right, SHIFT)
    document = window.document
    qtbot.waitUntil(lambda: document.record.id == 2 and document.preview is not None, **PATIENT)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    wait_for_end(qtbot, window)
    assert document.preview is None
    assert document.is_editable


def test_the_dialog_keeps_what_is_set_and_begins(qtbot, window, store):
    window.commands["propagation"].trigger()
    dialog = next(d for d in window.findChildren(QDialog) if d.isVisible())
    frames, first, later = dialog.findChildren(QSpinBox)[:3]
    frames.setValue(1)
    first.setValue(5)
    later.setValue(3)
    (watched,) = dialog.findChildren(QCheckBox)
    assert not watched.isChecked()
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Forward")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    wait_for_end(qtbot, window)
    assert window.propagation.wish == PropagationWish(1, VideoOptions(5, 3))
    assert states(store)[1:] == [Review.PROPOSED, Review.EMPTY]
    assert QApplication.activeModalWidget() is None


def test_a_lone_image_has_no_propagation(qtbot, window, store, tmp_path, pictures):
    store.add_images([(pictures[0].rename(tmp_path / "alone.png"), None, *SIZE)])
    window.reload_images()
    open_image(qtbot, window, 4)
    assert not window.commands["propagate_forward"].isEnabled()


def test_closing_during_a_run_is_refused_once(qtbot, window):
    window.propagation.wish = ENDLESS
    with qtbot.waitSignal(window.segmenter.frame_stepped, **PATIENT):
        qtbot.keyClick(window, Qt.Key.Key_Right, SHIFT)
    window.close()
    assert window.isVisible()
    assert "Propagation is under way: 0 of 2 frames" in notices(window)
    window.close()
    assert not window.isVisible()


def test_progress_is_said_with_pace_and_time_left():
    assert say_progress(0, 0, 0) == "Propagating"
    assert say_progress(0, 20, 3) == "Propagating: 0 of 20"
    assert say_progress(5, 20, 10) == "Propagating: 5 of 20 · 0.5 frames a second · 30 s left"


def test_steps_are_those_of_the_models_card_until_somebody_says(qtbot, store):
    window = MainWindow(store)
    qtbot.addWidget(window)
    assert window.propagation.wish.options.later_steps == VideoOptions().later_steps
    card = ModelCard("quick", "", (NUCLEUS,), SamplingOptions(steps=2))
    window.segmenter.loaded.emit(card)
    assert window.propagation.wish.options.later_steps == 2
    window.propagation.wish = FAST
    assert window.propagation.wish == FAST
