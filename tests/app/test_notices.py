"""Notices are logged, stacked, merged when equal, and closed by hand or by time."""

import logging

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget

from app.notices import (
    LIFETIME_MS,
    MAX_SHOWN,
    Notice,
    NoticeBar,
    Notices,
    NoticeStack,
    Severity,
)


@pytest.fixture
def below(qtbot) -> QWidget:
    widget = QWidget()
    widget.resize(700, 500)
    qtbot.addWidget(widget)
    widget.show()
    return widget


@pytest.fixture
def notices(qapp) -> Notices:
    return Notices()


@pytest.fixture
def stack(notices, below) -> NoticeStack:
    return NoticeStack(notices, below)


def test_a_notice_is_logged_and_lies_over_the_widget(notices, stack, below, caplog):
    with caplog.at_level(logging.INFO):
        notices.fail("The disk is full.")
    assert caplog.records[0].levelno == logging.ERROR
    assert stack.shown == [Notice("The disk is full.", Severity.ERROR)]
    assert stack.isVisible()
    assert stack.height() > 20
    assert below.rect().contains(stack.geometry())


def test_a_long_notice_gets_the_lines_it_needs(notices, stack):
    notices.tell("Short.")
    short = stack.height()
    stack.close_all()
    notices.tell("A long sentence that goes on. " * 20)
    assert stack.height() > 2 * short


def test_the_same_notice_is_shown_once(notices, stack):
    notices.warn("It is locked.")
    notices.warn("It is locked.")
    assert len(stack.shown) == 1


def test_old_notices_make_room(notices, stack):
    for number in range(MAX_SHOWN + 2):
        notices.tell(f"Number {number}.")
    assert [notice.text for notice in stack.shown] == [
        f"Number {number}." for number in range(2, MAX_SHOWN + 2)
    ]


def test_its_button_closes_a_notice(qtbot, notices, stack):
    notices.fail("The disk is full.")
    qtbot.mouseClick(stack.findChild(QToolButton), Qt.MouseButton.LeftButton)
    assert not stack.shown
    assert not stack.isVisible()


def test_a_warning_goes_by_itself_and_an_error_stays(qtbot, notices, stack, monkeypatch):
    monkeypatch.setitem(LIFETIME_MS, Severity.WARNING, 10)
    notices.warn("It is locked.")
    notices.fail("The disk is full.")
    qtbot.waitUntil(lambda: len(stack.shown) == 1)
    assert stack.shown[0].severity is Severity.ERROR


def test_a_file_name_that_looks_like_html_is_read_as_it_is(qtbot):
    bar = NoticeBar(Notice("<b>a</b>.png is damaged."))
    qtbot.addWidget(bar)
    (text,) = bar.findChildren(QLabel)
    assert text.textFormat() == Qt.TextFormat.PlainText


def test_an_offer_stays_until_it_is_taken_once(qtbot, notices, stack):
    taken = []
    notices.offer("Three images are missing.", "Relink…", lambda: taken.append("relink"))
    assert stack.shown[0].severity not in LIFETIME_MS
    qtbot.mouseClick(stack.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert taken == ["relink"]
    assert stack.shown == []
