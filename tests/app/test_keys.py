"""Keys: no preset gives one key to two actions, and what a user changes can be trusted."""

import ast
import re

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from app.action_spec import MENUS
from app.actions import ACTIONS, RESERVED
from app.keys import (
    BITBRUSH,
    CVAT,
    PRESETS,
    TAKEN,
    Keys,
    changes_from,
    combine,
    describe_conflicts,
    find_conflicts,
    find_fault,
    same_key,
    sound_changes,
)

PRESET_NAMES = tuple(PRESETS)
NAMES = {spec.name for spec in ACTIONS}


@pytest.fixture
def keys(qapp) -> Keys:
    return Keys()


@pytest.mark.parametrize("preset", PRESET_NAMES)
def test_no_preset_gives_a_key_to_two_actions(preset):
    assert find_conflicts(combine(preset, {})) == {}


@pytest.mark.parametrize("preset", PRESET_NAMES)
def test_every_key_of_a_preset_can_be_an_actions(preset):
    table = combine(preset, {})
    assert [find_fault(key) for keys in table.values() for key in keys if find_fault(key)] == []


@pytest.mark.parametrize("preset", PRESET_NAMES)
def test_alt_is_never_the_only_way(preset):
    for name, keys in combine(preset, {}).items():
        assert not keys or any("Alt+" not in key for key in keys), name


@pytest.mark.parametrize("preset", PRESET_NAMES)
def test_keys_of_what_is_to_come_are_kept_free(preset):
    table = combine(preset, {})
    for name in RESERVED:
        others = {same_key(key) for other in NAMES - {name} for key in table[other]}
        assert others.isdisjoint(same_key(key) for key in table[name])


def test_the_cvat_preset_goes_through_images_as_cvat_does():
    table = combine(CVAT, {})
    assert table["next"] == ("F", "PgDown")
    assert table["previous"] == ("D", "PgUp")
    assert "F" not in table["fit"]


def test_tab_and_space_are_no_actions_keys():
    for key in ("Space", "Tab", "Shift+Tab"):
        assert key in TAKEN
        assert find_fault(key)


@pytest.mark.parametrize("menu", MENUS)
def test_the_keys_that_open_menus_are_no_actions_keys(menu):
    assert find_fault(f"Alt+{menu[0]}")


@pytest.mark.parametrize("key", ["", "nonsense", "Ctrl+", "Ctrl+K, Ctrl+B"])
def test_what_is_not_one_key_is_refused(key):
    assert find_fault(key)


def test_shifted_symbols_are_the_same_key():
    assert same_key("Shift+[") == same_key("{")
    assert same_key("Ctrl+Shift+=") == same_key("Ctrl++")
    assert same_key("[") != same_key("{")
    assert same_key("Ctrl++") == "Ctrl++"
    assert same_key("Shift+A") == "Shift+A"


def test_a_conflict_names_the_key_and_both_actions():
    table = combine(BITBRUSH, {"fit": ("B",)})
    assert find_conflicts(table) == {"B": ("brush", "fit")}
    assert describe_conflicts(table) == "B is the key of 'Brush' and of 'Fit image'."


def test_a_key_kept_for_later_conflicts_too():
    assert find_conflicts(combine(BITBRUSH, {"fit": ("N",)})) == {
        "N": ("next_uncertain", "fit")
    }


def test_two_actions_can_exchange_their_keys(keys):
    keys.use(BITBRUSH, {"brush": ("E",), "eraser": ("B",)})
    assert (keys["brush"], keys["eraser"]) == (("E",), ("B",))


def test_changes_that_share_a_key_are_left_out_together(keys):
    keys.use(BITBRUSH, {"brush": ("Z",), "eraser": ("Z",), "fit": ("Ctrl+Y",), "hide": ("Y",)})
    assert keys.changes == {"hide": ("Y",)}
    assert keys["brush"] == ("B",)
    assert keys["fit"] == ("F",)


def test_leaving_out_a_change_does_not_make_another_conflict():
    # Without its change the eraser has E again, so the brush cannot have it.
    assert sound_changes(BITBRUSH, {"eraser": ("H",), "brush": ("E",)}) == {}


def test_changes_of_unknown_actions_and_faulty_keys_are_left_out(keys):
    keys.use("no such preset", {"gone": ("Y",), "brush": ("Ctrl+",), "hide": ("Alt+H",)})
    assert keys.preset == BITBRUSH
    assert keys.changes == {}


def test_only_what_differs_from_the_preset_counts_as_changed():
    table = combine(CVAT, {"hide": ("Y",)})
    assert changes_from(CVAT, table) == {"hide": ("Y",)}


def test_no_action_has_one_key_twice_which_qt_calls_ambiguous():
    for preset in PRESETS:
        for name, keys in combine(preset, {}).items():
            assert len({same_key(key) for key in keys}) == len(keys), name


def test_a_key_that_a_user_gave_an_action_twice_counts_once(keys):
    keys.use(BITBRUSH, {"fit": ("Shift+[", "Y", "{"), "much_smaller": ()})
    assert keys["fit"] == ("Shift+[", "Y")


def test_hints_say_the_key_in_force_or_the_place_in_the_menu(keys):
    assert keys.hint("lock") == "X"
    assert keys.title("next") == "Next image (D)"
    keys.use(CVAT, {"hide": ()})
    assert keys.hint("lock") == "L"
    assert keys.title("next") == "Next image (F)"
    assert keys.hint("hide") == "Segment > Hide or show"
    assert keys.title("hide") == "Hide or show"


def test_enter_is_named_as_it_is_on_the_keyboard(keys):
    assert keys.list_of("accept") == "Enter"


def test_a_released_key_is_known_whatever_was_held_with_it(keys):
    keys.use(BITBRUSH, {"pick": ("Ctrl+U",)})
    released = QKeyEvent(QEvent.Type.KeyRelease, Qt.Key.Key_U, Qt.KeyboardModifier.NoModifier)
    assert keys.is_released("pick", released)
    assert not keys.is_released("image_only", released)


def test_portable_texts_are_as_qt_writes_them():
    for preset in PRESETS:
        for keys in combine(preset, {}).values():
            for key in keys:
                assert QKeySequence(key).toString() == key


def test_no_sentence_names_a_key_that_could_be_another(repository):
    named = re.compile(
        r"\b(Esc|Enter|F\d|(Ctrl|Shift)\+\w)\b|\([A-Z]\)|\bwith [B-Z]\b|"
        r"\b[B-Z] (begins|drops|lets|locks|shows|hides)\b"
    )
    # Of a polygon in hand and of the category editor; no table gives them to anything else.
    fixed = re.compile(r"\(Ctrl\+L\)|Enter (closes|or a click)")
    tables = {"actions.py", "action_spec.py", "keys.py", "__main__.py"}
    found = []
    for path in sorted((repository / "app").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and isinstance(node.body[0], ast.Expr)
        }
        found += [
            f"{path.name}:{node.lineno}: {node.value}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documented
            and path.name not in tables
            and named.search(fixed.sub("", node.value))
        ]
    assert found == []
