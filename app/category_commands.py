"""What can be done to the project's list of categories, and the keys that choose from it."""

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from app.action_spec import is_category_key
from app.actions import ACTIONS, RESERVED
from app.document import Document
from app.keys import Keys
from core.categories import NUMBER_KEYS, assign_keys
from core.category_changes import bring_back
from core.errors import AnnotateError
from core.panoptic import Category

UNFINISHED: Final = (
    "A change of categories was stopped before its end: old and new ones stand side by side."
)


class CategoryCommands(QObject):
    """Chooses categories by their keys, and brings back those that an undo needs.

    Attributes:
        keys: which key chooses which category; a letter that an action has now chooses none.

    Signals:
        told(object): a sentence on what happened to the list by itself.
        unfinished(object): a sentence on a change that was stopped; editing finishes it.
    """

    told = Signal(object)
    unfinished = Signal(object)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.keys: Mapping[str, int] = {}
        self._follow()
        document.categories_changed.connect(self._follow)
        document.keys.changed.connect(self._follow)
        document.segments_changed.connect(self._bring_back)

    @Slot()
    def _follow(self) -> None:
        """Find the keys once: menus ask for them after every edit."""
        keys = assign_keys(tuple(self._document.categories.values()))
        taken = taken_keys(self._document.keys)
        self.keys = {key: keys[key] for key in keys if key in NUMBER_KEYS or key not in taken}

    @property
    def number(self) -> int:
        """The number key of the current category; 0 for none."""
        keys = assign_keys(tuple(self._document.categories.values()))
        current = self._document.category_id
        return next((int(key) for key in NUMBER_KEYS if keys.get(key) == current), 0)

    def choose_number(self, number: int) -> None:
        """Let the next stroke make a new segment of the category that a number key has."""
        self.choose_key(str(number))

    def choose_key(self, key: str) -> None:
        """Let the next stroke make a new segment of the category that a key has."""
        category_id = self.keys.get(key)
        if category_id is not None:
            self._document.begin_segment(category_id)

    def tell_unfinished(self) -> None:
        """Say so if a change of the maps' categories was stopped before its end."""
        try:
            is_begun = bool(self._document.store.category_change)
        except AnnotateError as error:
            self._document.failed.emit(str(error))
        else:
            if is_begun:
                self.unfinished.emit(UNFINISHED)

    def set_categories(self, categories: Sequence[Category]) -> bool:
        """Save another list of categories, and let everything follow it; False: it failed."""
        try:
            self._document.store.set_categories(categories)
        except AnnotateError as error:
            self._document.failed.emit(str(error))
            return False
        self._document.follow_store()
        return True

    @Slot()
    def _bring_back(self) -> None:
        """Put categories that left the list back into it if segments are of them again."""
        document, map = self._document, self._document.map
        used = set() if map is None else {s.category_id for s in map.segments.values()}
        if used <= document.categories.keys():
            return
        try:
            former = document.store.former_categories
        except AnnotateError as error:
            document.failed.emit(str(error))
            return
        categories = tuple(document.categories.values())
        back = bring_back(categories, former, used)[len(categories) :]
        if back and self.set_categories((*categories, *back)):
            names = ", ".join(f"'{category.name}'" for category in back)
            self.told.emit(f"Segments are back, and so is their category in the list: {names}.")


def taken_keys(keys: Keys) -> dict[str, str]:
    """The keys in force that do something else than to choose a category -> what."""
    others = {spec.name: spec.text for spec in ACTIONS if not is_category_key(spec)}
    names = {name: name.replace("_", " ") for name in RESERVED} | others
    return {key: text for name, text in names.items() for key in keys[name]}
