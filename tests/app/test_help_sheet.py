"""The help sheet opens with every key in sight, if the screen has room for them."""

import pytest
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QScrollArea, QWidget

from app.help_sheet import FRAME, HelpSheet
from app.keys import Keys


@pytest.fixture
def window(qtbot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    return window


def open_sheet(qtbot, window, points: int) -> HelpSheet:
    """A sheet with text of that size."""
    sheet = HelpSheet(Keys(window), window)
    sheet.setFont(QFont(sheet.font().family(), points))
    with qtbot.waitExposed(sheet):
        sheet.show()
    return sheet


def test_no_key_is_cut_off_where_the_screen_has_room(qtbot, window):
    area = open_sheet(qtbot, window, 5).findChild(QScrollArea)
    assert area.horizontalScrollBar().maximum() == 0
    assert area.verticalScrollBar().maximum() == 0


def test_a_sheet_that_is_too_large_fills_the_screen_and_scrolls(qtbot, window):
    sheet = open_sheet(qtbot, window, 24)
    area = sheet.findChild(QScrollArea)
    assert sheet.size() == sheet.screen().availableSize() - FRAME
    assert area.horizontalScrollBar().maximum() > 0
    assert area.verticalScrollBar().maximum() > 0
