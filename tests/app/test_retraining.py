"""Retraining from the window, with a real process where one is needed, through real clicks."""

import os
import signal
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QMessageBox

from app.retrain_ask import find_material
from app.window import MainWindow
from core.retraining import find_open_run, models_folder
from core.run_folder import Wish, holding_run, is_running, read_process
from core.store import AnnotationStore
from tests.app.retrain_parts import (
    NUCLEUS,
    PATIENT,
    approve_all,
    begin_run,
    click,
    find,
    log,
    make_project,
    open_sheet,
    says,
)


@pytest.fixture
def store(tmp_path, tiny_model):
    """A project of the tiny model with seven images."""
    with make_project(tmp_path, tiny_model, 7) as store:
        yield store


@pytest.fixture
def approved(store):
    """The project with all its images approved."""
    approve_all(store)
    assert store.hold_out_images() and len(store.training_images()) >= 3
    return store


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    yield window
    window.training.stop()
    window.last_word.give_up()
    window.close()


@pytest.fixture
def folder(approved):
    """The folder of a run that has begun; its process is gone."""
    return begin_run(approved)


def test_a_project_without_approved_images_is_told_what_is_lacking(window):
    sheet = open_sheet(window)
    assert says(sheet, "at least 3 are needed: approve 3 more.")
    assert not find(sheet, "Start training").isEnabled()


def test_the_sheet_says_which_images_are_held_out(approved, window):
    sheet = open_sheet(window)
    held = approved.hold_out_images()
    assert says(sheet, f"{len(held)}, to measure the model: {held[0].path.name}")
    assert says(sheet, f"{7 - len(held)} approved images are trained on")
    assert find(sheet, "Start training").isEnabled()


def test_a_category_that_was_renamed_is_no_new_one(approved):
    assert find_material(approved).renamed == {}
    approved.set_categories([replace(NUCLEUS, name="core")])
    assert find_material(approved).renamed == {"nucleus": "core"}


# Slow, as it waits for torch and for the five seconds in which a run measures itself.
def test_a_training_is_paused_finished_and_keeps_its_best_model(qtbot, approved, window):
    sheet = open_sheet(window)
    click(qtbot, sheet, "Start training")
    qtbot.waitUntil(lambda: says(sheet, "tiny-v1 is being trained"), **PATIENT)
    folder = find_open_run(approved.path)
    click(qtbot, sheet, "Pause")
    qtbot.waitUntil(lambda: says(sheet, "is paused after step"), **PATIENT)
    n_done = window.training.watch.progress.step
    click(qtbot, sheet, "Go on")
    qtbot.waitUntil(lambda: window.training.watch.progress.step > n_done, **PATIENT)
    click(qtbot, sheet, "Stop and keep the best")
    qtbot.waitUntil(lambda: not is_running(folder), **PATIENT)
    qtbot.waitUntil(lambda: window.training.watch.progress.model is not None, **PATIENT)
    assert window.training.watch.progress.model == folder / "best.safetensors"
    trained = AnnotationStore.open(folder / "training.bitbrush", is_read_only=True)
    with trained:
        seen = {record.path for record in trained.images()}
    assert not seen & {record.path for record in approved.hold_out_images()}


# Slow likewise, twice: the process is killed, as by the machine's restart.
def test_a_run_that_was_killed_goes_on_when_it_is_resumed(qtbot, approved, window):
    sheet = open_sheet(window)
    click(qtbot, sheet, "Start training")
    qtbot.waitUntil(lambda: says(sheet, "tiny-v1 is being trained"), **PATIENT)
    folder = find_open_run(approved.path)
    killed = read_process(folder).pid
    os.kill(killed, signal.SIGKILL)
    qtbot.waitUntil(lambda: says(sheet, "The process that trained tiny-v1 is gone"), **PATIENT)
    click(qtbot, sheet, "Resume")
    assert says(sheet, "tiny-v1 is being prepared")
    qtbot.waitUntil(lambda: says(sheet, "tiny-v1 is being trained"), **PATIENT)
    assert is_running(folder) and read_process(folder).pid != killed
    window.training.ask(Wish.STOP)
    qtbot.waitUntil(lambda: not window.training.watch.is_alive, **PATIENT)
    assert not is_running(folder) and find(sheet, "Resume").isEnabled()


def test_a_run_whose_process_is_gone_is_offered_to_be_resumed(folder, window):
    window.start_model()
    (notice,) = [n for n in window.notice_stack.shown if n.offer == "Resume"]
    assert "tiny-v1 is not done" in notice.text
    sheet = open_sheet(window)
    assert says(sheet, "It can go on from its last checkpoint.")
    assert find(sheet, "Resume").isEnabled()


def test_a_run_that_was_stopped_before_its_first_step_is_not_called_gone(
    qtbot, approved, window
):
    folder = begin_run(approved)
    (folder / "log.jsonl").unlink()
    (folder / "wish").write_text("stop\n")
    window.start_model()
    (notice,) = [n for n in window.notice_stack.shown if n.offer == "Resume"]
    assert notice.text == "The training of tiny-v1 was stopped, and can go on."
    sheet = open_sheet(window)
    assert says(sheet, "was stopped after no step; it can go on from there.")
    assert find(sheet, "Resume").isEnabled()


def test_a_run_that_failed_is_not_resumed_unseen(folder, window):
    log(folder, {"event": "failed", "sentence": "Too little memory.", "change": {"batch": "2"}})
    window.start_model()
    assert not [n for n in window.notice_stack.shown if n.offer == "Resume"]
    assert any(n.offer == "Look at it…" for n in window.notice_stack.shown)


def test_a_process_that_broke_down_leaves_its_last_words(folder, window):
    (folder / "words.txt").write_text("Traceback:\nIndexError: 8 is out of bounds\n")
    sheet = open_sheet(window)
    assert says(sheet, "The process that trained tiny-v1 broke down")
    assert says(sheet, "IndexError: 8 is out of bounds")


def test_a_copy_that_cannot_be_made_leaves_nothing_behind(qtbot, approved, window):
    models_folder(approved.path).touch()  # where a folder is to be
    sheet = open_sheet(window)
    click(qtbot, sheet, "Start training")
    qtbot.waitUntil(lambda: bool(window.notice_stack.shown), **PATIENT)
    assert "could not be copied for the training" in window.notice_stack.shown[0].text
    assert find_open_run(approved.path) is None and find(sheet, "Start training").isEnabled()


def test_a_run_that_goes_on_is_followed_again(qtbot, folder, window):
    with holding_run(folder, ("train",)):
        window.start_model()
        assert any("goes on" in n.text for n in window.notice_stack.shown)
        sheet = open_sheet(window)
        assert says(sheet, "tiny-v1 is being trained: step 1 of 40, about")
        log(folder, {"step": 2, "loss": 1.0, "learning_rate": 0.1, "seconds": 3.0})
        qtbot.waitUntil(lambda: says(sheet, "step 2 of 40"))
        assert not window.close()
        (question,) = window.findChildren(QMessageBox)
        click(qtbot, question, "Leave it running")
        assert not window.isVisible() and (folder / "wish").read_text() == "go on\n"


def test_a_window_that_is_closed_can_stop_the_run(qtbot, folder, window):
    with holding_run(folder, ("train",)):
        window.start_model()
        window.close()
        (question,) = window.findChildren(QMessageBox)
        click(qtbot, question, "Stop it")
        assert not window.isVisible() and (folder / "wish").read_text() == "stop\n"


def test_another_project_is_opened_once_it_is_said_what_becomes_of_the_run(
    qtbot, folder, window
):
    with holding_run(folder, ("train",)):
        window.start_model()
        with qtbot.assertNotEmitted(window.open_requested):
            window.commands["open"].trigger()
        (question,) = window.findChildren(QMessageBox)
        with qtbot.waitSignal(window.open_requested):
            click(qtbot, question, "Leave it running")
        assert (folder / "wish").read_text() == "go on\n"
        assert not window.close()  # as that is another question


def test_a_loss_that_was_no_number_is_told(folder, window):
    log(folder, {"event": "went back", "sentence": "The loss of step 2 was no number."})
    assert says(open_sheet(window), "The loss of step 2 was no number.")


def test_too_little_memory_is_told_with_the_setting_that_helps(folder, window):
    log(folder, {"event": "failed", "sentence": "Too little memory.", "change": {"batch": "2"}})
    sheet = open_sheet(window)
    assert says(sheet, "Too little memory.")
    assert find(sheet, "Begin again with batch 2").isEnabled()


def test_a_discarded_run_makes_room_for_the_next(qtbot, folder, approved, window):
    sheet = open_sheet(window)
    click(qtbot, sheet, "Discard")
    assert find_open_run(approved.path) is None
    assert find(sheet, "Start training").isEnabled()
