"""The time that somebody works on a proposal is added up, by real mouse and keys."""

import pytest
from PySide6.QtCore import QPoint, Qt

from app.activity import ActivityMeter
from core.store import Review

Key = Qt.Key


@pytest.fixture
def clock(window):
    """Seconds that only a test lets pass."""
    now_s = [0.0]
    window.canvas_frame.activity._clock = lambda: now_s[0]  # noqa: SLF001
    return now_s


@pytest.fixture
def work(qtbot, window, clock):
    """A function that moves the mouse over the canvas after some seconds."""

    def work(pause_s):
        clock[0] += pause_s
        work.x = 140 - getattr(work, "x", 60)
        qtbot.mouseMove(window.canvas, QPoint(work.x, 80))

    return work


def accept(document, proposal):
    document.propose(proposal, {7: 1, 8: 2})
    document.accept()


def active_s(store):
    ((active_ms,),) = store._execute("SELECT sum(active_ms) FROM correction")  # noqa: SLF001
    return (active_ms or 0) / 1000


def test_pauses_are_left_out_and_the_time_is_saved_with_the_approval(
    window, document, store, proposal, press, work
):
    accept(document, proposal)
    for pause_s in (0, 2, 5, 31, 1.5):
        work(pause_s)
    press(Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert document.record.id == 2
    (correction,) = store.corrections()
    assert (correction.image, correction.active_s) == ("picture0.png", 8.5)


def test_a_stroke_is_a_gesture_and_a_sign_of_work(
    window, document, store, proposal, press, work, clock, qtbot
):
    accept(document, proposal)
    work(0)
    clock[0] += 4
    press(Key.Key_E)
    middle = window.canvas.rect().center()
    qtbot.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, pos=middle)
    clock[0] += 3
    press(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    press(Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    (correction,) = store.corrections()
    assert (correction.n_gestures, correction.n_pixels) == (2, 0)
    assert correction.active_s == pytest.approx(7)


def test_time_on_another_image_is_not_added(document, store, proposal, press, work):
    accept(document, proposal)
    work(0)
    press(Key.Key_D)
    for pause_s in (3, 4, 5):
        work(pause_s)
    press(Key.Key_A)
    assert active_s(store) == 0
    work(6)
    work(1)
    store.set_review(1, Review.APPROVED)
    press(Key.Key_D)
    assert active_s(store) == 1


def test_closing_the_window_saves_it(window, document, store, proposal, work):
    accept(document, proposal)
    work(0)
    work(2)
    assert active_s(store) == 0
    window.close()
    assert active_s(store) == 2


def test_a_project_that_cannot_be_written_is_no_reason_to_stop(window, document, proposal):
    accept(document, proposal)
    meter: ActivityMeter = window.canvas_frame.activity
    meter._time.touch(0)  # noqa: SLF001
    meter._time.touch(9)  # noqa: SLF001
    document.store._execute("PRAGMA query_only = ON")  # noqa: SLF001
    meter.save()
    document.store._execute("PRAGMA query_only = OFF")  # noqa: SLF001
    assert active_s(document.store) == 0
