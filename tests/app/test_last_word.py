"""Proposals that nobody has decided on are not lost with the project without a word."""

import faulthandler
import time

import pytest
from PySide6.QtCore import QEvent, QThreadPool
from PySide6.QtWidgets import QApplication

from app.last_word import UNDECIDED
from app.window import MainWindow

CELL, GROUND = 1, 2  # category ids of the project in conftest.py
TO_PROJECT = {7: CELL, 8: GROUND}


def said(window) -> list[str]:
    return [notice.text for notice in window.notice_stack.shown if notice.about is not None]


def names(store) -> list[str]:
    return [record.path.name for record in store.images()]


def test_closing_drops_a_proposal_only_when_it_is_asked_for_again(
    window, document, store, proposal
):
    document.propose(proposal, TO_PROJECT)
    assert not window.close()
    assert window.isVisible()
    assert document.has_proposal
    assert said(window) == [UNDECIDED.format(names=names(store)[0])]
    assert window.close()


def test_proposals_that_wait_with_other_images_are_named_too(window, document, store, proposal):
    for record in store.images()[:2]:
        document.open_image(record)
        document.propose(proposal, TO_PROJECT)
    first, second, _ = names(store)
    assert not window.close()
    assert said(window) == [UNDECIDED.format(names=f"{first}, {second}")]


@pytest.mark.parametrize("decide", ["accept", "reject"])
def test_once_decided_nothing_is_asked(window, document, proposal, decide):
    document.propose(proposal, TO_PROJECT)
    assert not window.close()
    getattr(document, decide)()
    assert said(window) == []
    assert window.close()


def test_a_proposal_that_came_after_the_warning_is_warned_of_as_well(
    window, document, proposal
):
    document.propose(proposal, TO_PROJECT)
    assert not window.close()
    document.reject()
    document.propose(proposal, TO_PROJECT)
    assert not window.close()
    assert window.close()


@pytest.mark.parametrize(
    ("action", "asked"),
    [
        ("new", "new_project_requested"),
        ("open", "open_requested"),
        ("recover", "recovery_requested"),
    ],
)
def test_another_project_is_asked_for_only_after_a_warning(
    qtbot, window, document, proposal, action, asked
):
    document.propose(proposal, TO_PROJECT)
    with qtbot.assertNotEmitted(getattr(window, asked)):
        window.commands[action].trigger()
    assert len(said(window)) == 1
    with qtbot.waitSignal(getattr(window, asked)):
        window.commands[action].trigger()


def test_a_program_that_closes_its_window_is_not_refused(window, document, proposal):
    document.propose(proposal, TO_PROJECT)
    window.last_word.give_up()
    assert window.close()


def test_a_window_that_is_deleted_unasked_waits_for_its_threads_and_they_not_for_it(
    store, qapp, proposal
):
    window = MainWindow(store)
    window.document.propose(proposal, TO_PROJECT)
    assert not window.close()  # so nothing has told the threads to end
    done = []
    pool = QThreadPool(window)

    def work() -> None:
        time.sleep(0.2)  # the other thread begins to delete the window
        done.append(True)

    pool.start(work)
    faulthandler.dump_traceback_later(30, exit=True)  # a hang would never end by itself
    window.deleteLater()
    QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)
    faulthandler.cancel_dump_traceback_later()
    assert done
