"""The categories of a project: those in its list, and those that its journal remembers."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from core.database import ProjectDatabase
from core.panoptic import Category

_RENAMED: Final = "renamed_categories"


class ProjectCategories(ProjectDatabase):
    """The part of `AnnotationStore` about categories.

    A category that leaves the list is kept: undo may bring segments of it back, and its id is
    never given to another one. Such a former category has a negative place in the file.
    """

    @property
    def categories(self) -> tuple[Category, ...]:
        """In the order that `set_categories` gave."""
        return self._categories("WHERE place >= 0 ORDER BY place")

    @property
    def former_categories(self) -> tuple[Category, ...]:
        """Those that were in the list once, as they were then."""
        return self._categories("WHERE place < 0 ORDER BY id")

    def set_categories(self, categories: Sequence[Category]) -> None:
        """Replace the list of categories; segments keep their category ids.

        Raises:
            ValueError: two categories have the same id.
        """
        ids = {category.id for category in categories}
        if len(ids) < len(categories):
            raise ValueError(f"two of the categories {categories} have the same id")
        with self._writing():
            known = (*self.former_categories, *self.categories)
            self._note_renamed({c.id: c.name for c in self.categories}, categories)
            self._execute("DELETE FROM category")
            for place, category in enumerate(categories):
                self._insert_category(place, category)
            former = [category for category in known if category.id not in ids]
            for place, category in enumerate(former, 1):
                self._insert_category(-place, category)

    @property
    def renamed_categories(self) -> dict[str, str]:
        """Names that categories had before -> what they are called now, or what they became.

        A model that was trained before still says the old ones.
        """
        now = {category.name for category in self.categories}
        noted: dict[str, str] = json.loads(self._setting(_RENAMED) or "{}")
        return {old: new for old, new in noted.items() if old not in now and new in now}

    def note_merged(self, categories: Mapping[str, str]) -> None:
        """Remember what categories have become that leave the list, by their names."""
        with self._writing():
            self._add_renamed(categories)

    def _note_renamed(self, before: Mapping[int, str], categories: Sequence[Category]) -> None:
        """Remember which names of a list are others than before; inside a transaction."""
        self._add_renamed(
            {
                before[category.id]: category.name
                for category in categories
                if before.get(category.id, category.name) != category.name
            }
        )

    def _add_renamed(self, names: Mapping[str, str]) -> None:
        if not names:
            return
        noted: dict[str, str] = json.loads(self._setting(_RENAMED) or "{}")
        noted = {old: names.get(new, new) for old, new in noted.items()}
        self._put_setting(_RENAMED, json.dumps(noted | dict(names)))

    @property
    def next_category_id(self) -> int:
        """The smallest id that no category has had, nor a smaller one than any had."""
        known = (*self.categories, *self.former_categories)
        return max((category.id for category in known), default=0) + 1

    @property
    def category_change(self) -> str:
        """What `core.category_changes` has noted of a change that has begun; else empty."""
        return self._setting("category_change") or ""

    def set_category_change(self, change: str) -> None:
        """Remember a change that begins; empty when it is done."""
        self._set_setting("category_change", change)

    def _categories(self, where: str) -> tuple[Category, ...]:
        return tuple(
            Category(id_, name, bool(is_thing), parse_color(color), supercategory, hotkey)
            for id_, _, name, is_thing, color, supercategory, hotkey in self._read(
                "category", where
            )
        )

    def _insert_category(self, place: int, c: Category) -> None:
        color = bytes(c.color).hex()
        row = c.id, place, c.name, c.is_thing, color, c.supercategory, c.hotkey
        self._insert("category", *row)


def parse_color(text: str) -> tuple[int, int, int]:
    """What rrggbb means.

    Raises:
        ValueError: it means no colour.
    """
    red, green, blue = bytes.fromhex(text)
    return red, green, blue
