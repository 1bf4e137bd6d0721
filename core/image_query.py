"""Which images of a project are wanted, and in which order, as SQL."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.review import Review

Values = tuple[object, ...]


class Order(StrEnum):
    """The order of a list of images; equal ones come as they came in."""

    ADDED = "as they came in"
    NAME = "by name"
    STATE = "by state"
    CHANGED = "by last change of state"
    SEGMENTS = "by number of segments"
    MODEL = "by age of the model version"
    WORK = "by expected work"


# With the one first that is wanted first: the least done, the oldest, the most work.
_ORDERS: Final = {
    Order.ADDED: "id",
    Order.NAME: "path, frame, id",
    Order.STATE: "CASE review WHEN 'empty' THEN 0 WHEN 'proposed' THEN 1 WHEN 'in work' THEN 2 "
    "WHEN 'rejected' THEN 3 ELSE 4 END, id",
    Order.CHANGED: "changed_at, id",
    Order.SEGMENTS: "n_segments DESC, id",
    Order.MODEL: "(SELECT created FROM model_version WHERE name = image.model), id",
    Order.WORK: "expected_work DESC, id",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a WHERE clause on the table `image`, with the values of its question marks."""

    sql: str
    values: Values = ()


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """Which images are wanted, and in which order; the default is all, as they came in.

    Attributes:
        text: part of the path from the project's folder, whatever its case.
        states: any of these; empty for all.
        has_edits: None for either.
        is_held_out: whether no training may see them; None for either.
        conditions: that hold as well, of `core.query_language`.
        order: of the images.
    """

    text: str = ""
    states: tuple[Review, ...] = ()
    has_edits: bool | None = None
    is_held_out: bool | None = None
    conditions: tuple[Condition, ...] = ()
    order: Order = Order.ADDED

    @property
    def source(self) -> Condition:
        """What follows SELECT, all conditions in one."""
        parts = [*self._own_conditions(), *self.conditions]
        where = " AND ".join(part.sql for part in parts) or "1"
        values = tuple(value for part in parts for value in part.values)
        return Condition(f" FROM image WHERE {where}", values)

    @property
    def order_by(self) -> str:
        return f" ORDER BY {_ORDERS[self.order]}"

    def _own_conditions(self) -> list[Condition]:
        parts = []
        if self.text:
            parts.append(Condition("contains(path, ?)", (self.text,)))
        if self.states:
            marks = ", ".join("?" * len(self.states))
            parts.append(Condition(f"review IN ({marks})", tuple(s.value for s in self.states)))
        if self.has_edits is not None:
            parts.append(Condition("(position > 0) = ?", (self.has_edits,)))
        if self.is_held_out is not None:
            parts.append(Condition("coalesce(held_out, 0) = ?", (self.is_held_out,)))
        return parts


ALL_IMAGES: Final = ImageQuery()
