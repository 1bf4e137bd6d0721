"""assign_codes(): which code each category gets in a model that goes on from another one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from core.categories import free_name
from core.panoptic import Category

NOT_RENAMED: Final[Mapping[str, str]] = {}


def assign_codes(
    known: Sequence[Category],
    wanted: Sequence[Category],
    renamed: Mapping[str, str] = NOT_RENAMED,
) -> tuple[Category, ...]:
    """Categories in the order of the codes 1, 2, ..., such that what is known keeps its code.

    The network knows codes by their bits, and these cannot be exchanged in its weights. So a
    category of the same name keeps its code, whatever its place in the list or its id. Of
    several that became one, the first gives its code. New ones take the codes of those that
    are gone, then further ones. A code that stays without a category in the middle keeps the
    model's, under an id that the data does not have, and no pixel is trained as it.

    Args:
        known: of the model; wanted: of the data.
        renamed: names of the model's categories -> the data's, where these differ.

    Returns:
        All of `wanted`, and of `known` only what fills a gap.
    """
    by_name = {category.name.casefold(): category for category in wanted}
    codes: list[Category | None] = []
    for category in known:
        name = renamed.get(category.name, category.name).casefold()
        codes.append(by_name.pop(name, None))
    for category in wanted:
        if category.name.casefold() not in by_name:
            continue
        if None in codes:
            codes[codes.index(None)] = category
        else:
            codes.append(category)
    while codes and codes[-1] is None:
        codes.pop()
    return _fill_gaps(codes, known)


def _fill_gaps(
    codes: Sequence[Category | None], known: Sequence[Category]
) -> tuple[Category, ...]:
    taken = [category for category in codes if category is not None]
    next_id = max((category.id for category in (*taken, *known)), default=0) + 1
    names = {category.name for category in taken}
    filled = []
    for place, category in enumerate(codes):
        if category is not None:
            filled.append(category)
            continue
        name = free_name(known[place].name, names)
        filled.append(replace(known[place], id=next_id, name=name, hotkey=""))
        names.add(name)
        next_id += 1
    return tuple(filled)
