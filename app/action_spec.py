"""What one row of the table of actions holds, and the menus that rows are in."""

from dataclasses import dataclass
from typing import Final

FILE, EDIT, SEGMENT, TOOLS, IMAGE, VIDEO, VIEW, HELP = MENUS = (
    "File",
    "Edit",
    "Segment",
    "Tools",
    "Image",
    "Video",
    "View",
    "Help",
)
_CATEGORY_NUMBER: Final = "category_commands.number"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One row of the table.

    Attributes:
        name: unique; the key in `Actions`.
        menu: where it is found.
        text: as it is read in menu, palette and help.
        slot: what is called, as a path of attributes from the window.
        keys: its shortcuts; the first is shown first.
        argument: handed to the slot, unless None.
        when: path of a boolean: whether it can be done now. Empty: always.
        checked: path of the value that ticks it: true, or equal to the argument.
        repeats: whether holding the key does it again and again.
        has_line_above: whether a line in the menu divides it from what comes before.
        tip: one more sentence, for the status bar.
    """

    name: str
    menu: str
    text: str
    slot: str
    keys: tuple[str, ...] = ()
    argument: str | int | None = None
    when: str = ""
    checked: str = ""
    repeats: bool = False
    has_line_above: bool = False
    tip: str = ""


def category_spec(number: int) -> ActionSpec:
    """The row that chooses the category with a number."""
    return ActionSpec(
        f"category_{number}",
        SEGMENT,
        f"Category {number}",
        "category_commands.choose_number",
        (str(number),),
        number,
        checked=_CATEGORY_NUMBER,
        has_line_above=number == 1,
        tip="The next stroke makes a new segment of this category; stuff is extended.",
    )


def is_category_key(spec: ActionSpec) -> bool:
    """Whether the action chooses a category by its number."""
    return spec.checked == _CATEGORY_NUMBER
