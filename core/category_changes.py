"""Changes of the list of categories that reach into the maps of the whole project.

A category never turns from thing to stuff under a segment: edits that can be undone speak of
it as a thing, and an image may have many of a thing but one of a stuff. So what looks like
that change gives the segments a new category with a new id, and the old one leaves the list;
merging and deleting work alike. Undo then brings segments and their old category back, and
the rules of the map hold at every step of every history.

A change is one edit in each image that it touches. It is noted in the project before the first
and until the last, and any part of it is valid by itself: whoever stops or kills it finds old
and new categories side by side, and can finish it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.categories import free_name
from core.category_moves import Moves, move_categories, move_segments
from core.errors import DamagedProjectError
from core.panoptic import VOID, Category, Segment
from core.store import AnnotationStore, ImageQuery

MERGE, TO_STUFF, DELETE = "merge categories", "thing to stuff", "delete category"
NO_MOVES: Moves = {}


@dataclass(frozen=True, slots=True)
class CategoryChange:
    """What segments get another category.

    Attributes:
        moves: category id -> id of what its segments become; 0 for void.
        label: of the edits.
    """

    moves: Mapping[int, int]
    label: str

    def targets(self, categories: Sequence[Category]) -> Moves:
        """The moves by category, but for those to one that has left the list meanwhile."""
        by_id: dict[int, Category | None] = {category.id: category for category in categories}
        by_id[VOID] = None
        return {i: by_id[target] for i, target in self.moves.items() if target in by_id}


@dataclass(frozen=True, slots=True)
class CategoryPlan:
    """How to come from one list of categories to another.

    Attributes:
        categories: the new list, and at its end those whose segments are to be moved.
        change: what is to be moved.
    """

    categories: tuple[Category, ...]
    change: CategoryChange

    @property
    def final(self) -> tuple[Category, ...]:
        """The new list, as it is when everything is moved."""
        return tuple(c for c in self.categories if c.id not in self.change.moves)


def plan_change(
    old: Sequence[Category],
    new: Sequence[Category],
    becomes: Mapping[int, int],
    next_id: int,
    *,
    is_untouched: bool = False,
) -> CategoryPlan:
    """Find out what a new list of categories asks of the maps.

    Args:
        old: the project's.
        new: the wanted ones; those of an old one's id are that one, changed.
        becomes: id of an old one that is not wanted -> id of what its segments become, which
            may be another such; void if it is not here.
        next_id: never used by a category of the project.
        is_untouched: whether no image has had an edit; then nothing is to be moved.
    """
    if is_untouched:
        return CategoryPlan(tuple(new), CategoryChange({}, MERGE))
    before = {category.id: category for category in old}
    next_id = max([next_id, *(category.id + 1 for category in new)])
    wanted: list[Category] = []
    moves: dict[int, int] = {}
    for category in new:
        was = before.get(category.id)
        if was is not None and was.is_thing and not category.is_thing:
            moves[category.id] = next_id
            wanted.append(replace(category, id=next_id))
            next_id += 1
        else:
            wanted.append(category)
    label = TO_STUFF if moves else DELETE
    kept = {category.id for category in new}
    for category_id in [i for i in before if i not in kept]:
        target = category_id
        while target not in kept and target != VOID:
            target = becomes.get(target, VOID)
        moves[category_id] = moves.get(target, target)
        label = MERGE if target else label
    names = [category.name for category in wanted]
    leaving = tuple(_leaving(before[i], names) for i in before if i in moves)
    return CategoryPlan((*wanted, *leaving), CategoryChange(moves, label))


def _leaving(category: Category, names: list[str]) -> Category:
    """A category on its way out, under a name of its own and without a key."""
    name = category.name
    if name.casefold() in {other.casefold() for other in names}:
        name = f"{name} ({'thing' if category.is_thing else 'stuff'})"
    names.append(free_name(name, names))
    return replace(category, name=names[-1], hotkey="")


@dataclass(slots=True)
class Count:
    """How many segments, and in how many images."""

    n_images: int = 0
    n_segments: int = 0
    n_locked: int = 0
    n_crowds: int = 0

    def add_image(self, segments: Sequence[Segment]) -> None:
        """Count some segments of one image."""
        self.n_images += 1
        self.n_segments += len(segments)
        self.n_locked += sum(segment.is_locked for segment in segments)
        self.n_crowds += sum(segment.is_crowd for segment in segments)


@dataclass(slots=True)
class Survey:
    """What the maps of a project hold, and what a change would do to them.

    Attributes:
        n_read: images looked at so far.
        n_unreadable: those whose journal is damaged.
        n_touched: those that the change would edit.
        counts: by category id.
        joins: by the id of the stuff that several segments of an image become: these images
            and these segments.
    """

    n_read: int = 0
    n_unreadable: int = 0
    n_touched: int = 0
    counts: dict[int, Count] = field(default_factory=dict)
    joins: dict[int, Count] = field(default_factory=dict)

    def add_image(self, segments: Mapping[int, Segment], moves: Moves) -> None:
        """Count what one map has."""
        by_category: dict[int, list[Segment]] = {}
        for segment in segments.values():
            by_category.setdefault(segment.category_id, []).append(segment)
        for category_id, some in by_category.items():
            self.counts.setdefault(category_id, Count()).add_image(some)
        if not moves.keys().isdisjoint(by_category):
            self.n_touched += 1
            self._add_joins(segments, moves)

    def _add_joins(self, segments: Mapping[int, Segment], moves: Moves) -> None:
        found = move_segments(segments, moves)
        joining: dict[int, list[Segment]] = {}
        for segment_id, home_id in found.joined.items():
            if home_id != VOID:
                joining.setdefault(home_id, [segments[home_id]]).append(segments[segment_id])
        for home_id, some in joining.items():
            stuff = found.segments[home_id].category_id
            self.joins.setdefault(stuff, Count()).add_image(some)


def list_edited(store: AnnotationStore) -> list[int]:
    """Ids of the images that can have a segment."""
    return store.image_ids(ImageQuery(has_edits=True))


def survey(store: AnnotationStore, moves: Moves = NO_MOVES) -> Iterator[Survey]:
    """Count segments, image after image.

    Args:
        store: may be open for reading only.
        moves: of a change that is thought about.

    Yields:
        The counts so far, one object that grows; once before the first image.
    """
    counts = Survey()
    yield counts
    for image_id in list_edited(store):
        try:
            counts.add_image(store.load_segments(image_id), moves)
        except DamagedProjectError:
            counts.n_unreadable += 1
        counts.n_read += 1
        yield counts


def begin_change(store: AnnotationStore, plan: CategoryPlan) -> None:
    """Put the new list into the project, and note that the maps are to follow.

    In this order: the list alone is valid, a note about categories that are not there is not.
    """
    store.set_categories(plan.categories)
    change = plan.change
    if change.moves:
        store.set_category_change(
            json.dumps({"moves": list(change.moves.items()), "label": change.label})
        )


def begun_change(store: AnnotationStore) -> CategoryChange | None:
    """The change that was begun and not finished, if any."""
    text = store.category_change
    if not text:
        return None
    noted = json.loads(text)
    return CategoryChange(dict(noted["moves"]), noted["label"])


def carry_out(store: AnnotationStore, change: CategoryChange) -> Iterator[int]:
    """Let the maps follow, image after image, then take the moved categories off the list.

    Closing it leaves the rest for later. Images that are done already are not touched again,
    nor those whose journal is damaged: what is recovered of them brings its categories back.

    Yields:
        The number of images looked at so far, of `list_edited`.
    """
    moves = change.targets(store.categories)
    for n_done, image_id in enumerate(list_edited(store), 1):
        try:
            segments = store.load_segments(image_id).values()
            if any(segment.category_id in moves for segment in segments):
                edit = move_categories(store.load_map(image_id), moves, change.label)
                store.append_edit(image_id, edit, keeps_review=True)
        except DamagedProjectError:
            pass  # the survey has said so
        yield n_done
    finish_change(store, change)


def finish_change(store: AnnotationStore, change: CategoryChange) -> None:
    """Take the moved categories off the list, and the note away."""
    targets, names = change.targets(store.categories), {}
    for category in store.categories:
        if (target := targets.get(category.id)) is not None:
            names[category.name] = target.name
    kept = [category for category in store.categories if category.id not in change.moves]
    store.note_merged(names)
    store.set_categories(kept)
    store.set_category_change("")


def forget_change(store: AnnotationStore) -> None:
    """Leave a change that was begun as far as it is; its categories stay in the list."""
    store.set_category_change("")


def bring_back(
    categories: Sequence[Category], former: Sequence[Category], used_ids: set[int]
) -> tuple[Category, ...]:
    """The list with the former categories at its end that a map uses again.

    Returns:
        The same list if nothing is missing.
    """
    missing = used_ids - {category.id for category in categories}
    names = [category.name for category in categories]
    back = []
    for category in former:
        if category.id in missing:
            names.append(free_name(category.name, names))
            back.append(replace(category, name=names[-1], hotkey=""))
    return (*categories, *back)
