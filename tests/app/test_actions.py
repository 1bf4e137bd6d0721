"""The table of actions: no key twice, and everything in it leads somewhere."""

from collections import Counter
from operator import attrgetter

import pytest
from PySide6.QtGui import QKeySequence

from app.action_spec import MENUS
from app.actions import ACTIONS
from app.icons import DRAWINGS, line_icon
from app.window import MainWindow


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    return window


def test_no_two_actions_share_a_key():
    keys = Counter(QKeySequence(key).toString() for spec in ACTIONS for key in spec.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_key_is_understood():
    for spec in ACTIONS:
        for key in spec.keys:
            assert not QKeySequence(key).isEmpty(), spec.name


def test_names_are_unique():
    assert len({spec.name for spec in ACTIONS}) == len(ACTIONS)


def test_every_row_leads_to_something_of_the_window(window):
    for spec in ACTIONS:
        assert callable(attrgetter(spec.slot)(window)), spec.name
        for path in filter(None, (spec.when, spec.checked)):
            attrgetter(path)(window)


def test_every_action_is_in_its_menu(window):
    menus = {action.text().replace("&", ""): action for action in window.menuBar().actions()}
    assert tuple(menus) == MENUS
    for spec in ACTIONS:
        assert window.commands[spec.name] in menus[spec.menu].menu().actions()


def test_keys_are_those_of_the_product():
    wanted = {
        "next": {"D", "PgDown"},
        "previous": {"A", "PgUp"},
        "undo": {"Ctrl+Z"},
        "redo": {"Ctrl+Shift+Z", "Ctrl+Y"},
        "fit": {"F"},
        "actual": {"Ctrl+0"},
        "accept": {"Return", "Enter"},
        "escape": {"Esc"},
        "brush": {"B"},
        "eraser": {"E"},
        "polygon": {"P"},
        "lasso": {"L"},
        "fill": {"G"},
        "wand": {"W"},
        "merge": {"J"},
        "split": {"K"},
        "segment_region": {"R"},
        "superpixel": {"S"},
        "pick": {"I"},
        "smaller": {"["},
        "larger": {"]"},
        "new_segment": {"M"},
        "segment_image": {"Shift+R"},
        "lock": {"X"},
        "hide": {"H"},
        "image_only": {"Q"},
        "outlines": {"O"},
        "help": {"F1"},
        "palette": {"Ctrl+K"},
        "search_categories": {"0", "/"},
    }
    keys = {spec.name: set(spec.keys) for spec in ACTIONS}
    assert {name: keys[name] for name in wanted} == wanted


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_icon_draws_something(qapp, name):
    image = line_icon(name).pixmap(24, 24).toImage()
    assert any(image.pixelColor(x, y).alpha() for x in range(24) for y in range(24))
