"""Names and keys of categories are checked with a sentence each; lists are joined safely."""

import pytest

from core.categories import (
    add_missing,
    assign_keys,
    find_fault,
    find_matches,
    free_name,
    fresh_color,
)
from core.palette import PALETTE
from core.panoptic import Category


def category(id_, name="", key="", *, is_thing=True):
    return Category(id_, name or f"c{id_}", is_thing, (1, 2, 3), hotkey=key)


@pytest.mark.parametrize(
    ("categories", "fault"),
    [
        ([], "Add at least one category."),
        ([category(1, "cell"), Category(2, "", True, (0, 0, 0))], "Give category 2 a name."),
        (
            [category(1, "cell"), category(2, "CELL")],
            "Two categories are called 'CELL'; rename one of them.",
        ),
        (
            [category(1, "cell", "C"), category(2, "dish", "C")],
            "'cell' and 'dish' have the same key C; change one.",
        ),
        ([category(1, "cell", "B")], "The key B of 'cell' is taken by 'Brush'."),
        (
            [category(1, "cell", "Ctrl+B")],
            "The key 'Ctrl+B' of 'cell' is no letter A-Z and no digit 1-9.",
        ),
        (
            [category(1, "cell", "0")],
            "The key '0' of 'cell' is no letter A-Z and no digit 1-9.",
        ),
        ([category(1, "cell", "T"), category(2, "dish", "9")], ""),
    ],
)
def test_each_fault_is_a_sentence(categories, fault):
    assert find_fault(categories, {"B": "Brush"}) == fault


def test_numbers_go_to_the_first_without_a_key_of_their_own():
    categories = [category(1), category(2, key="1"), category(3, key="T"), category(4)]
    assert assign_keys(categories) == {"1": 2, "T": 3, "2": 1, "3": 4}
    many = [category(i) for i in range(1, 20)]
    assert assign_keys(many) == {str(i): i for i in range(1, 10)}


def test_a_name_that_is_taken_gets_a_number():
    assert free_name("car", ["bus"]) == "car"
    assert free_name("car", ["Car", "car (2)"]) == "car (3)"


def test_joining_adds_what_is_missing_under_ids_that_nobody_had():
    present = [category(1, "cell", "C")]
    wanted = [category(1, "sky"), category(7, "CELL"), category(9, "sea", "S"), category(3)]
    joined = add_missing(present, wanted, used_ids=[1, 3])
    assert [(c.id, c.name, c.hotkey) for c in joined] == [
        (1, "cell", "C"),
        (10, "sky", ""),
        (9, "sea", ""),
        (11, "c3", ""),
    ]


def test_a_search_finds_words_anywhere_and_names_that_begin_so_first():
    tree = Category(1, "palm tree", True, (0, 0, 0), "plant")
    oak = Category(2, "oak", True, (0, 0, 0), "tree")
    stump = Category(3, "Tree stump", True, (0, 0, 0))
    assert find_matches([tree, oak, stump], "tree") == [3, 1, 2]
    assert find_matches([tree, oak, stump], "pal TREE") == [1]
    assert find_matches([tree, oak, stump], "  ") == [1, 2, 3]
    assert find_matches([tree, oak, stump], "car") == []


def test_new_categories_go_through_the_colours_and_begin_again():
    categories = []
    for id_ in range(2 * len(PALETTE)):
        categories.append(Category(id_, f"c{id_}", True, fresh_color(categories)))
    assert [c.color for c in categories] == [*PALETTE, *PALETTE]
