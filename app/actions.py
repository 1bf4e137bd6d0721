"""One table of all that the window can be asked for: menus, keys and help come from it."""

from dataclasses import dataclass
from typing import Final

from app.toolbox import BRUSH, ERASER, PAN, PICK

N_CATEGORY_KEYS: Final = 9


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One row of the table.

    Attributes:
        name: unique; the key in `Actions`.
        menu: where it is found.
        text: as it is read in menu, palette and help.
        slot: what is called, as a path of attributes from the window.
        argument: handed to the slot, unless None.
        keys: its shortcuts; the first is shown first.
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
    argument: str | int | None = None
    keys: tuple[str, ...] = ()
    when: str = ""
    checked: str = ""
    repeats: bool = False
    has_line_above: bool = False
    tip: str = ""


FILE, EDIT, SEGMENT, TOOLS, IMAGE, VIEW, HELP = MENUS = (
    "File",
    "Edit",
    "Segment",
    "Tools",
    "Image",
    "View",
    "Help",
)

ACTIONS: Final = (
    ActionSpec("new", FILE, "New project…", "new_project_requested.emit", keys=("Ctrl+N",)),
    ActionSpec("open", FILE, "Open…", "open_requested.emit", keys=("Ctrl+O",)),
    ActionSpec("model", FILE, "Choose model…", "choose_model"),
    ActionSpec(
        "export", FILE, "Export COCO panoptic…", "export", keys=("Ctrl+E",), when="has_images"
    ),
    ActionSpec("quit", FILE, "Quit", "close", keys=("Ctrl+Q",), has_line_above=True),
    ActionSpec(
        "undo",
        EDIT,
        "Undo",
        "document.undo",
        keys=("Ctrl+Z",),
        when="document.can_undo",
        repeats=True,
    ),
    ActionSpec(
        "redo",
        EDIT,
        "Redo",
        "document.redo",
        keys=("Ctrl+Shift+Z", "Ctrl+Y"),
        when="document.can_redo",
        repeats=True,
    ),
    ActionSpec(
        "accept",
        EDIT,
        "Accept proposal",
        "document.accept",
        keys=("Return", "Enter"),
        when="document.has_proposal",
        has_line_above=True,
        tip="Make the proposal part of the map, as one edit.",
    ),
    ActionSpec(
        "escape",
        EDIT,
        "Cancel, reject or deselect",
        "escape",
        keys=("Esc",),
        tip="Drop the stroke in hand, stop the model, reject the proposal, or select nothing.",
    ),
    ActionSpec(
        "new_segment",
        SEGMENT,
        "New segment",
        "document.begin_segment",
        keys=("M",),
        when="document.has_image",
        tip="The next stroke makes a new segment of the current category.",
    ),
    ActionSpec(
        "lock",
        SEGMENT,
        "Lock or unlock",
        "document.toggle_lock",
        keys=("X",),
        when="document.can_edit_selected",
        tip="Locked segments never lose a pixel, neither to a brush nor to the model.",
    ),
    ActionSpec(
        "hide",
        SEGMENT,
        "Hide or show",
        "document.toggle_hidden",
        keys=("H",),
        when="document.has_selection",
    ),
    ActionSpec(
        "recategorise",
        SEGMENT,
        "Give it the current category",
        "segment_commands.recategorise",
        when="document.can_edit_selected",
    ),
    ActionSpec(
        "delete",
        SEGMENT,
        "Delete",
        "segment_commands.delete",
        keys=("Del",),
        when="document.can_edit_selected",
        tip="Its pixels become void.",
    ),
    *(
        ActionSpec(
            f"category_{number}",
            SEGMENT,
            f"Category {number}",
            "document.choose_category",
            number,
            keys=(str(number),),
            checked="document.category_number",
            has_line_above=number == 1,
            tip="The next stroke makes a new segment of this category; stuff is extended.",
        )
        for number in range(1, N_CATEGORY_KEYS + 1)
    ),
    ActionSpec(
        "search_categories",
        SEGMENT,
        "Search categories",
        "categories.begin_search",
        keys=("0", "/"),
        has_line_above=True,
    ),
    ActionSpec(
        "brush",
        TOOLS,
        "Brush",
        "tools.take",
        BRUSH,
        keys=("B",),
        checked="tools.name",
        tip="Paints the selected segment, or a new one; Ctrl held: the eraser.",
    ),
    ActionSpec(
        "eraser",
        TOOLS,
        "Eraser",
        "tools.take",
        ERASER,
        keys=("E",),
        checked="tools.name",
        tip="Erases the selected segment, or with none selected all; Ctrl held: the brush.",
    ),
    ActionSpec(
        "pick",
        TOOLS,
        "Pick segment",
        "tools.hold",
        PICK,
        keys=("I",),
        checked="tools.name",
        tip="A click selects a segment; hold the key to go back to the last tool after it.",
    ),
    ActionSpec(
        "pan",
        TOOLS,
        "Pan",
        "tools.take",
        PAN,
        checked="tools.name",
        tip="Drags the image; with any tool, so do Space-drag and the middle button.",
    ),
    ActionSpec(
        "smaller",
        TOOLS,
        "Smaller brush",
        "tools.grow",
        -1,
        keys=("[",),
        repeats=True,
        has_line_above=True,
    ),
    ActionSpec("larger", TOOLS, "Larger brush", "tools.grow", 1, keys=("]",), repeats=True),
    ActionSpec(
        "much_smaller",
        TOOLS,
        "Much smaller brush",
        "tools.grow",
        -5,
        keys=("Shift+[", "{"),
        repeats=True,
    ),
    ActionSpec(
        "much_larger",
        TOOLS,
        "Much larger brush",
        "tools.grow",
        5,
        keys=("Shift+]", "}"),
        repeats=True,
    ),
    ActionSpec(
        "next",
        IMAGE,
        "Next image",
        "image_list.step",
        1,
        keys=("D", "PgDown"),
        when="has_images",
        repeats=True,
    ),
    ActionSpec(
        "previous",
        IMAGE,
        "Previous image",
        "image_list.step",
        -1,
        keys=("A", "PgUp"),
        when="has_images",
        repeats=True,
    ),
    ActionSpec(
        "segment_image",
        IMAGE,
        "Segment image",
        "model_run.begin",
        keys=("Shift+R",),
        has_line_above=True,
        tip="Let the model propose a map; locked segments stay as they are.",
    ),
    ActionSpec("fit", VIEW, "Fit image", "canvas.fit", keys=("F",), when="document.has_image"),
    ActionSpec(
        "actual",
        VIEW,
        "Zoom to 100 %",
        "canvas.zoom_to_actual",
        keys=("Ctrl+0",),
        when="document.has_image",
    ),
    ActionSpec(
        "zoom_in",
        VIEW,
        "Zoom in",
        "canvas.zoom_in",
        keys=("Ctrl++", "Ctrl+="),
        when="document.has_image",
        repeats=True,
    ),
    ActionSpec(
        "zoom_out",
        VIEW,
        "Zoom out",
        "canvas.zoom_out",
        keys=("Ctrl+-",),
        when="document.has_image",
        repeats=True,
    ),
    ActionSpec(
        "less_opaque",
        VIEW,
        "Less opaque",
        "canvas.lower_opacity",
        has_line_above=True,
        keys=(",",),
        repeats=True,
    ),
    ActionSpec(
        "more_opaque", VIEW, "More opaque", "canvas.raise_opacity", keys=(".",), repeats=True
    ),
    ActionSpec(
        "outlines",
        VIEW,
        "Outlines only",
        "canvas.toggle_outlines",
        keys=("O",),
        checked="canvas.is_outlined",
    ),
    ActionSpec(
        "image_only",
        VIEW,
        "Image only (while held)",
        "canvas.toggle_image_only",
        keys=("Q",),
        checked="canvas.is_image_only",
    ),
    ActionSpec("help", HELP, "Keys and mouse", "show_help", keys=("F1",)),
    ActionSpec("palette", HELP, "Find a command…", "show_palette", keys=("Ctrl+K",)),
)


def is_category_key(spec: ActionSpec) -> bool:
    """Whether the action chooses a category by its number."""
    return spec.checked == "document.category_number"


MOUSE: Final = (
    ("Zoom at the cursor", "Wheel, Ctrl+Wheel"),
    ("Pan", "Space+Drag, Middle drag"),
    ("Brush size", "Alt+Wheel"),
    ("Brush and eraser swapped", "Ctrl held"),
)
