"""Categories of a model and a project are matched by name and kind, and nothing is guessed."""

from core.panoptic import Category
from core.proposals import match_categories, name_as_model

BLACK = (0, 0, 0)


def thing(id_, name):
    return Category(id_, name, is_thing=True, color=BLACK)


def stuff(id_, name):
    return Category(id_, name, is_thing=False, color=BLACK)


def test_categories_match_whatever_their_ids_and_letter_case():
    match = match_categories(
        [thing(1, "Nucleus"), stuff(2, "dish ")], [stuff(7, "Dish"), thing(9, "nucleus")]
    )
    assert match.to_project == {1: 9, 2: 7}
    assert match.only_model == () and match.only_project == ()


def test_a_thing_and_a_stuff_of_one_name_are_not_the_same():
    match = match_categories([thing(1, "grass")], [stuff(1, "grass")])
    assert match.to_project == {}
    assert match.only_model == ("grass",) and match.only_project == ("grass",)


def test_what_only_one_side_knows_is_said():
    match = match_categories(
        [thing(1, "cat"), thing(2, "dog")], [thing(1, "dog"), thing(3, "cow")]
    )
    assert match.to_project == {2: 1}
    assert match.only_model == ("cat",) and match.only_project == ("cow",)


def test_what_was_renamed_or_merged_since_is_the_same():
    model = [thing(1, "cat"), thing(2, "kitten"), thing(3, "dog")]
    project = [thing(5, "feline"), thing(6, "dog")]
    renamed = {"cat": "feline", "kitten": "feline", "dog": "feline"}
    match = match_categories(model, project, renamed)
    assert match.to_project == {1: 5, 2: 5, 3: 6}  # a name that is there still is meant
    assert match.only_model == () and match.only_project == ()
    named = name_as_model(project, model, renamed)
    assert [(c.id, c.name) for c in named] == [(5, "cat"), (6, "dog")]
    assert name_as_model(project, [thing(1, "feline")], {}) == tuple(project)
