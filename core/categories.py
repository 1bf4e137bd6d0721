"""What makes a list of categories a good one: its names and keys, and how lists are joined."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from core.palette import PALETTE
from core.panoptic import Category

NUMBER_KEYS: Final = "123456789"
NO_KEYS: Final[Mapping[str, str]] = {}


def find_fault(categories: Sequence[Category], taken_keys: Mapping[str, str] = NO_KEYS) -> str:
    """Say what is wrong with a list of categories; empty when nothing is.

    Args:
        categories: in their order.
        taken_keys: keys that do something else already -> what they do.
    """
    if not categories:
        return "Add at least one category."
    seen: set[str] = set()
    keys: dict[str, str] = {}
    for number, category in enumerate(categories, start=1):
        name = category.name.casefold()
        if not name:
            return f"Give category {number} a name."
        if name in seen:
            return f"Two categories are called '{category.name}'; rename one of them."
        seen.add(name)
        if fault := find_key_fault(category, keys, taken_keys):
            return fault
        keys[category.hotkey] = category.name
    return ""


def find_key_fault(
    category: Category, others: Mapping[str, str], taken_keys: Mapping[str, str]
) -> str:
    """Say why a category cannot have its key; empty when it can.

    Args:
        category: may have no key.
        others: keys of other categories -> their names.
        taken_keys: keys that do something else already -> what they do.
    """
    key = category.hotkey
    if not key:
        return ""
    if not (key in NUMBER_KEYS or ("A" <= key <= "Z" and len(key) == 1)):
        return f"The key '{key}' of '{category.name}' is no letter A-Z and no digit 1-9."
    if key in others:
        return f"'{others[key]}' and '{category.name}' have the same key {key}; change one."
    if key in taken_keys:
        return f"The key {key} of '{category.name}' is taken by '{taken_keys[key]}'."
    return ""


def assign_keys(categories: Sequence[Category]) -> dict[str, int]:
    """Which key chooses which category: its own, else the first number that is free.

    Returns:
        Key, as Qt writes keys -> category id.
    """
    keys = {category.hotkey: category.id for category in categories if category.hotkey}
    free = [number for number in NUMBER_KEYS if number not in keys]
    without = [category.id for category in categories if not category.hotkey]
    return keys | dict(zip(free, without, strict=False))


def fresh_color(categories: Sequence[Category]) -> tuple[int, int, int]:
    """A colour for one more category: the first that the fewest have."""
    used = Counter(category.color for category in categories)
    return min(PALETTE, key=lambda color: used[color])


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, or the name with a number if another category is called so."""
    seen = {other.casefold() for other in taken}
    candidate, number = name, 2
    while candidate.casefold() in seen:
        candidate, number = f"{name} ({number})", number + 1
    return candidate


def add_missing(
    categories: Sequence[Category], wanted: Sequence[Category], used_ids: Collection[int]
) -> tuple[Category, ...]:
    """A list with those of another list at its end whose names it lacks.

    They keep their ids where no category of the project has or had them, and have no keys.

    Args:
        categories: the list.
        wanted: the other list.
        used_ids: all that were ever given in the project.
    """
    names = {category.name.casefold() for category in categories}
    ids = {category.id for category in categories} | set(used_ids)
    next_id = max([*ids, *(category.id for category in wanted)], default=0) + 1
    joined = list(categories)
    for category in wanted:
        if category.name.casefold() in names:
            continue
        new_id = category.id
        if new_id in ids:
            new_id, next_id = next_id, next_id + 1
        joined.append(replace(category, id=new_id, hotkey=""))
        ids.add(new_id)
        names.add(category.name.casefold())
    return tuple(joined)


def find_matches(categories: Sequence[Category], text: str) -> list[int]:
    """Ids of the categories that have each word of a text in their name or supercategory.

    Those whose name begins with the text come first, then those with it in their name.
    """
    wanted = text.casefold().split()

    def distance(category: Category) -> int:
        name, phrase = category.name.casefold(), " ".join(wanted)
        return 0 if name.startswith(phrase) else 1 if phrase in name else 2

    found = [
        category
        for category in categories
        if all(
            word in f"{category.name} {category.supercategory}".casefold() for word in wanted
        )
    ]
    return [category.id for category in sorted(found, key=distance)]
