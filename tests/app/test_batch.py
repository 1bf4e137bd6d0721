"""Many images get a map beside all other work, by real clicks and a real inference process."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QLabel,
    QPushButton,
    QTableView,
    QToolButton,
)

from app.batch_bar import BatchBar
from app.window import MainWindow
from core.authors import AuthorKind
from core.panoptic import Category, Segment, Source
from core.store import AnnotationStore, ImageQuery, Order, Review

NUCLEUS = Category(1, "Nucleus", is_thing=True, color=(80, 160, 220))
GROUND = Category(2, "background", is_thing=False, color=(90, 90, 100))
SIZE = (48, 64)
PATIENT = {"timeout": 60_000}  # the first answer waits for torch
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def store(tmp_path, pictures, tiny_model):
    """A project of three images whose categories the tiny model knows."""
    categories = (NUCLEUS, GROUND)
    with AnnotationStore.create(tmp_path / "a.bitbrush", categories, str(tiny_model)) as store:
        store.add_images([(path, None, *SIZE) for path in pictures])
        yield store


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.resize(1400, 800)
    window.show()
    window.start_model()
    qtbot.waitUntil(lambda: window.model_run.can_begin, **PATIENT)
    yield window
    window.batch.run.stop()
    window.close()


@pytest.fixture
def ask(qtbot, window):
    """A function that opens the dialog by its key."""

    def ask() -> QDialog:
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        qtbot.keyClick(window.canvas, Qt.Key.Key_P, both)
        return next(d for d in window.findChildren(QDialog) if d.isVisible())

    return ask


@pytest.fixture
def begin(qtbot, ask):
    """A function that begins a batch by the mouse."""

    def begin(choice: str = "All images", *boxes: str) -> None:
        dialog = ask()
        images = dialog.findChild(QComboBox)
        images.setCurrentIndex(images.findText(choice, Qt.MatchFlag.MatchContains))
        for text in boxes:
            box = next(b for b in dialog.findChildren(QCheckBox) if text in plain(b.text()))
            qtbot.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))
        press_button(qtbot, dialog, "Pre-annotate")

    return begin


def press_button(qtbot, dialog: QDialog, text: str) -> None:
    button = next(b for b in dialog.findChildren(QPushButton) if plain(b.text()) == text)
    assert button.isEnabled()
    qtbot.mouseClick(button, LEFT)


def plain(text: str) -> str:
    return text.replace("&", "")


def click_bar(qtbot, window: MainWindow, text: str) -> None:
    bar = window.findChild(BatchBar)
    button = next(b for b in bar.findChildren(QToolButton) if b.text() == text)
    assert button.isVisible()
    qtbot.mouseClick(button, LEFT)


def states(store) -> list[Review]:
    return [record.review for record in store.images()]


def notices(window) -> str:
    return "\n".join(notice.text for notice in window.notice_stack.shown)


def wait_for_end(qtbot, window) -> None:
    qtbot.waitUntil(lambda: not window.batch.run.is_active, **PATIENT)


def test_all_images_get_a_map_and_the_open_one_shows_it(qtbot, window, store, begin):
    document = window.document
    begin()
    bar = window.findChild(BatchBar)
    assert bar.isVisible()
    wait_for_end(qtbot, window)
    assert not bar.isVisible()
    assert states(store) == [Review.PROPOSED] * 3
    assert "3 images got a map." in notices(window)
    assert document.map.segment_ids.any()
    assert not document.has_proposal
    for record in store.images():
        assert store.history(record.id) == (["pre-annotate"], 1)
        assert record.model == "tiny"
    makers = {author.kind for author in store.authors().values()}
    assert makers == {AuthorKind.MODEL}
    window.commands["undo"].trigger()
    assert not document.map.segment_ids.any()
    assert states(store)[0] is Review.EMPTY


def test_approved_and_rejected_images_and_those_in_work_are_left_out(
    qtbot, window, store, begin, ask
):
    store.set_review(1, Review.APPROVED)
    store.set_review(2, Review.REJECTED, "dark")
    dialog = ask()
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert "1 image will be segmented. Left out: 1 approved, 1 rejected." in texts
    press_button(qtbot, dialog, "Pre-annotate")
    wait_for_end(qtbot, window)
    assert states(store) == [Review.APPROVED, Review.REJECTED, Review.PROPOSED]


def test_what_is_done_is_left_out_when_the_batch_is_asked_for_again(
    qtbot, window, store, begin, ask
):
    begin("selected")
    wait_for_end(qtbot, window)
    assert states(store) == [Review.PROPOSED, Review.EMPTY, Review.EMPTY]
    dialog = ask()
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert "2 images will be segmented. Left out: 1 that have this map already." in texts


def test_selected_images_are_those_clicked_with_ctrl(qtbot, window, store, begin):
    view = window.image_list.findChild(QTableView)
    for row, modifier in ((1, Qt.NoModifier), (2, Qt.ControlModifier)):
        place = view.visualRect(view.model().index(row, 0)).center()
        qtbot.mouseClick(view.viewport(), LEFT, modifier, place)
    assert window.image_list.selected_ids == [2, 3]
    begin("selected")
    wait_for_end(qtbot, window)
    assert states(store) == [Review.EMPTY, Review.PROPOSED, Review.PROPOSED]


def test_going_to_another_image_selects_it_alone_though_ctrl_is_held(window):
    window.image_list.choose(3)
    assert window.image_list.selected_ids == [3]
    window.image_list.step(-1)
    assert window.image_list.selected_ids == [2]


def test_what_a_person_drew_stays_when_the_rest_is_filled_in(qtbot, window, store, put, begin):
    put(Segment(1, NUCLEUS.id, Source.HUMAN), slice(4, 12), slice(4, 20))
    begin("All images", "around what people drew")
    wait_for_end(qtbot, window)
    map = window.document.map
    assert (map.segment_ids[4:12, 4:20] == 1).all()
    assert map.segments[1] == Segment(1, NUCLEUS.id, Source.HUMAN)
    assert store.human_pixels(1).sum() == 8 * 16
    assert states(store)[0] is Review.IN_WORK
    assert store.history(1) == (["put", "pre-annotate"], 2)


def test_an_image_in_which_somebody_draws_is_left_out_with_a_sentence(
    qtbot, window, store, begin
):
    begin()
    canvas = window.canvas
    qtbot.mousePress(canvas, LEFT, pos=canvas.rect().center())
    qtbot.mouseMove(canvas, canvas.rect().center() + QPoint(9, 9))
    assert canvas.is_gesturing
    wait_for_end(qtbot, window)
    assert canvas.is_gesturing
    qtbot.mouseRelease(canvas, LEFT, pos=canvas.rect().center())
    assert states(store) == [Review.IN_WORK, Review.PROPOSED, Review.PROPOSED]
    assert "picture0.png is being edited" in notices(window)


@pytest.mark.parametrize("choice", [Review.APPROVED, Review.REJECTED])
def test_an_image_that_was_decided_on_meanwhile_stays_as_it_is(
    qtbot, window, store, begin, choice
):
    window.batch.run.changed.connect(lambda: store.set_review(1, choice, "nothing to label"))
    begin("selected")
    wait_for_end(qtbot, window)
    assert store.image_record(1).review is choice
    assert store.history(1) == ([], 0)


def test_a_run_that_is_asked_for_goes_first(qtbot, window, store, begin):
    order = []
    window.model_run.answers.finished.connect(lambda *_: order.append("asked for"))
    window.batch.run.saved.connect(order.append)
    begin()
    qtbot.waitUntil(lambda: order == [1], **PATIENT)
    window.commands["segment_image"].trigger()
    wait_for_end(qtbot, window)
    assert order == [1, "asked for", 2, 3]
    assert window.document.has_proposal


def test_a_paused_batch_makes_no_map_until_it_goes_on(qtbot, window, store, begin):
    begin()
    click_bar(qtbot, window, "Pause")
    assert window.batch.run.is_paused
    before = states(store)
    qtbot.wait(500)
    assert states(store) == before != [Review.PROPOSED] * 3
    click_bar(qtbot, window, "Go on")
    wait_for_end(qtbot, window)
    assert states(store) == [Review.PROPOSED] * 3


def test_a_stopped_batch_keeps_what_is_done_and_the_next_one_does_the_rest(
    qtbot, window, store, begin
):
    begin()
    qtbot.waitUntil(lambda: window.batch.run.n_saved == 1, **PATIENT)
    click_bar(qtbot, window, "Stop")
    assert not window.batch.run.is_active
    assert states(store) == [Review.PROPOSED, Review.EMPTY, Review.EMPTY]
    assert "Pre-annotation was stopped. 1 image got a map." in notices(window)
    begin()
    assert window.batch.run.n_images == 2
    wait_for_end(qtbot, window)
    assert states(store) == [Review.PROPOSED] * 3


def test_another_model_ends_the_batch(qtbot, window, store, begin):
    begin()
    window.model_run.use_model("")
    assert not window.batch.run.is_active
    assert "another model was chosen" in notices(window)


def test_closing_during_a_batch_is_asked_about_once(qtbot, window, store, begin):
    begin()
    window.batch.run.toggle_pause()
    assert not window.close()
    assert "of 3 images are done and saved" in notices(window)
    assert window.close()
    assert not window.batch.run.is_active


def test_no_map_is_saved_while_a_dialog_may_edit_the_project(qtbot, window, store, begin):
    begin()
    dialog = QDialog(window)
    dialog.open()
    qtbot.wait(1500)
    assert states(store) == [Review.EMPTY] * 3
    dialog.close()
    wait_for_end(qtbot, window)
    assert states(store) == [Review.PROPOSED] * 3


def test_images_that_cannot_be_read_are_named_and_the_others_are_done(
    qtbot, window, store, pictures, begin
):
    pictures[1].unlink()
    begin()
    wait_for_end(qtbot, window)
    assert states(store) == [Review.PROPOSED, Review.EMPTY, Review.PROPOSED]
    assert "2 images got a map. 1 image could not get one." in notices(window)
    assert "picture1.png" in notices(window)


def test_several_maps_of_each_image_sort_the_list_by_expected_work(qtbot, window, store, begin):
    begin("list shows", "expected work")
    wait_for_end(qtbot, window)
    work = {record.id: record.expected_work for record in store.images()}
    assert all(seconds is not None for seconds in work.values())
    ordered = store.image_ids(ImageQuery(order=Order.WORK))
    assert [work[image_id] for image_id in ordered] == sorted(work.values(), reverse=True)


def test_an_inference_process_that_is_killed_costs_the_image_in_hand(
    qtbot, window, store, begin
):
    begin()
    qtbot.waitUntil(lambda: window.batch.run.n_saved == 1, **PATIENT)
    os.kill(window.segmenter.process_id, signal.SIGKILL)
    wait_for_end(qtbot, window)
    assert states(store)[0] is Review.PROPOSED
    assert states(store).count(Review.PROPOSED) >= 2
    assert np.any(store.load_map(3).segment_ids)
    assert QApplication.activeModalWidget() is None


def test_an_image_in_which_nothing_was_found_is_not_tried_again(
    qtbot, window, store, begin, ask
):
    window.step_panel.set_options(replace(window.step_panel.options(), min_area=10_000))
    begin("selected")
    wait_for_end(qtbot, window)
    assert states(store) == [Review.EMPTY] * 3
    texts = [label.text() for label in ask().findChildren(QLabel)]
    assert "2 images will be segmented. Left out: 1 that have this map already." in texts


def test_categories_that_were_renamed_get_their_segments(qtbot, window, store, begin):
    store.set_categories([replace(c, name=f"my {c.name}") for c in store.categories])
    window.document.follow_store()
    begin("selected")
    wait_for_end(qtbot, window)
    assert states(store) == [Review.PROPOSED, Review.EMPTY, Review.EMPTY]
    assert {s.category_id for s in store.load_map(1).segments.values()} <= {1, 2}
    assert store.load_map(1).segments
