"""A run in a thread tells how far it is, what came of it, and why it ended early."""

from itertools import count
from threading import current_thread, main_thread

import pytest

from app.thread_run import ThreadRun
from core.errors import CocoError


def test_the_last_step_is_the_result_and_no_step_runs_in_the_windows_thread(qtbot):
    threads = []

    def steps():
        for number in range(3):
            threads.append(current_thread())
            yield number

    run = ThreadRun(steps, "Counting")
    with qtbot.waitSignal(run.finished) as caught:
        run.start()
    assert caught.args == [2]
    assert main_thread() not in threads


def test_a_cancelled_run_closes_its_steps(qtbot):
    closed = []

    def steps():
        try:
            yield from count()
        finally:
            closed.append(True)

    run = ThreadRun(steps, "Counting")
    with qtbot.waitSignal(run.progressed):
        run.start()
    with qtbot.waitSignal(run.cancelled):
        run.cancel()
    assert closed == [True]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (CocoError("a.json is gone."), "a.json is gone."),
        (RuntimeError("oops"), "Counting failed (oops); the log has the details."),
    ],
)
def test_an_error_is_a_sentence(qtbot, error, sentence):
    def steps():
        yield 1
        raise error

    run = ThreadRun(steps, "Counting")
    with qtbot.waitSignal(run.failed) as caught:
        run.start()
    assert caught.args == [sentence]
