"""What a change of categories does to the maps, in sentences."""

from collections.abc import Mapping

from core.category_changes import CategoryPlan, Count, Survey
from core.panoptic import VOID, Category

UNDO = (
    "Undo in an image takes its part of the change back; a category that is needed then comes "
    "back into the list."
)


def say_moves(old: Mapping[int, Category], plan: CategoryPlan) -> str:
    """What becomes of the categories that are not kept as they are, before anything is counted.

    Args:
        old: the project's, by id.
        plan: from them to other ones.
    """
    names = {category.id: category.name for category in plan.categories}
    kinds = {category.id: category.is_thing for category in plan.categories}
    said = []
    for source, target in plan.change.moves.items():
        name = old[source].name
        if target == VOID:
            said.append(f"'{name}' is deleted")
        elif names[target] == name and kinds[target] != old[source].is_thing:
            said.append(f"'{name}' becomes stuff")
        else:
            said.append(f"'{name}' becomes '{names[target]}'")
    return f"On saving: {', '.join(said)}." if said else ""


def say_count(count: Count) -> str:
    """How much of a category the project has."""
    if not count.n_segments:
        return "not used"
    return f"{_many(count.n_segments, 'segment')} in {_many(count.n_images, 'image')}"


def say_impact(survey: Survey, plan: CategoryPlan) -> list[str]:
    """What a change would do to the maps, and what may surprise about it."""
    if not survey.n_touched:
        said = ["No image has a segment of these: only the list of categories changes."]
    else:
        images = _many(survey.n_touched, "image")
        said = [f"{images} of {survey.n_read:,} with edits will change, by one edit each."]
    names = {category.id: category.name for category in plan.categories}
    for stuff, count in survey.joins.items():
        said.append(
            f"In {_many(count.n_images, 'image')}, {count.n_segments:,} segments become one "
            f"'{names[stuff]}' an image."
        )
    said += _say_exceptions(survey, plan)
    return [*said, UNDO] if survey.n_touched else said


def _say_exceptions(survey: Survey, plan: CategoryPlan) -> list[str]:
    kinds = {category.id: category.is_thing for category in plan.categories}
    moves, none = plan.change.moves, Count()
    moved = {source: survey.counts.get(source, none) for source in moves}
    n_locked = sum(count.n_locked for count in moved.values())
    n_crowds = sum(
        count.n_crowds for source, count in moved.items() if not kinds.get(moves[source], True)
    )
    said = []
    if n_locked:
        said.append(
            f"{_many(n_locked, 'segment')} of them {'is' if n_locked == 1 else 'are'} locked "
            "and will change too: a lock keeps pixels, not the list of categories."
        )
    if n_crowds:
        said.append(f"{_many(n_crowds, 'crowd')} will be plain stuff, which is never a crowd.")
    if survey.n_unreadable:
        images = _many(survey.n_unreadable, "image")
        said.append(f"{images} cannot be read and will not change.")
    return said


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
