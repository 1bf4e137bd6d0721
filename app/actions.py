"""One table of all that the window can be asked for: menus, keys and help come from it.

A row reads: name, menu, text, slot, keys, argument; see `ActionSpec` for the rest.
"""

from typing import Final

from app.action_spec import (
    EDIT,
    FILE,
    HELP,
    IMAGE,
    SEGMENT,
    TOOLS,
    VIEW,
    ActionSpec,
    category_spec,
)
from app.toolbox import (
    BRUSH,
    ERASER,
    FILL,
    LASSO,
    MERGE,
    PAN,
    PICK,
    POLYGON,
    REGION,
    SPLIT,
    SUPERPIXEL,
    WAND,
)

N_CATEGORY_KEYS: Final = 9

# A row takes a line or two; the formatter would give each argument a line of its own.
# fmt: off
ACTIONS: Final = (
    ActionSpec("new", FILE, "New project…", "new_project_requested.emit", ("Ctrl+N",)),
    ActionSpec("open", FILE, "Open…", "open_requested.emit", ("Ctrl+O",)),
    ActionSpec("model", FILE, "Choose model…", "choose_model"),
    ActionSpec("export", FILE, "Export COCO panoptic…", "export", ("Ctrl+E",),
               when="has_images"),
    ActionSpec("checkpoint", FILE, "Checkpoint", "checkpoint", ("Ctrl+S",),
               has_line_above=True, tip="All is saved at every edit; this brings it into one "
               "file, for a copy of it."),
    ActionSpec("compact", FILE, "Drop old steps of undo…", "compact",
               tip="Makes the project file smaller, when you say how many steps to keep."),
    ActionSpec("quit", FILE, "Quit", "close", ("Ctrl+Q",), has_line_above=True),

    ActionSpec("undo", EDIT, "Undo", "undo", ("Ctrl+Z",),
               when="document.can_undo", repeats=True),
    ActionSpec("redo", EDIT, "Redo", "redo", ("Ctrl+Shift+Z", "Ctrl+Y"),
               when="document.can_redo", repeats=True),
    ActionSpec("accept", EDIT, "Accept proposal", "document.accept", ("Return", "Enter"),
               when="document.has_proposal", has_line_above=True,
               tip="Make the proposal part of the map, as one edit."),
    ActionSpec("escape", EDIT, "Cancel, reject or deselect", "escape", ("Esc",),
               tip="Drop the stroke in hand, stop the model, reject the proposal, or select "
               "nothing."),
    ActionSpec("settings", EDIT, "Settings…", "settings.show_dialog", ("Ctrl+,",),
               has_line_above=True, tip="Keys, theme and size of the text."),

    ActionSpec("new_segment", SEGMENT, "New segment", "document.begin_segment", ("M",),
               when="document.has_image",
               tip="The next stroke makes a new segment of the current category."),
    ActionSpec("lock", SEGMENT, "Lock or unlock", "document.toggle_lock", ("X",),
               when="document.can_edit_selected",
               tip="Locked segments never lose a pixel, neither to a brush nor to the model."),
    ActionSpec("hide", SEGMENT, "Hide or show", "document.toggle_hidden", ("H",),
               when="document.has_selection"),
    ActionSpec("recategorise", SEGMENT, "Give it the current category",
               "segment_commands.recategorise", when="document.can_edit_selected"),
    ActionSpec("delete", SEGMENT, "Delete", "segment_commands.delete", ("Del",),
               when="document.can_edit_selected", tip="Its pixels become void."),
    *(category_spec(number) for number in range(1, N_CATEGORY_KEYS + 1)),
    ActionSpec("search_categories", SEGMENT, "Search categories", "categories.begin_search",
               ("0", "/"), has_line_above=True),

    ActionSpec("brush", TOOLS, "Brush", "tools.take", ("B",), BRUSH, checked="tools.name",
               tip="Paints the selected segment, or a new one; Ctrl held: the eraser."),
    ActionSpec("eraser", TOOLS, "Eraser", "tools.take", ("E",), ERASER, checked="tools.name",
               tip="Erases the selected segment, or with none selected all; Ctrl held: the "
               "brush."),
    ActionSpec("polygon", TOOLS, "Polygon", "tools.take", ("P",), POLYGON,
               checked="tools.name", tip="Each click adds a corner, Backspace takes it back; a "
               "double click or Enter closes, with Ctrl to subtract."),
    ActionSpec("lasso", TOOLS, "Lasso", "tools.take", ("L",), LASSO, checked="tools.name",
               tip="Takes what you draw around; Ctrl held: subtracts it."),
    ActionSpec("fill", TOOLS, "Fill", "tools.take", ("G",), FILL, checked="tools.name",
               tip="Takes the connected part of void or of a segment; Ctrl held: erases it."),
    ActionSpec("wand", TOOLS, "Magic wand", "tools.take", ("W",), WAND, checked="tools.name",
               tip="Takes pixels of like colour; drag right for more of them, left for fewer; "
               "Ctrl held: subtracts them."),
    ActionSpec("superpixel", TOOLS, "Superpixels", "tools.take", ("S",), SUPERPIXEL,
               checked="tools.name", tip="Takes the patches of like colour that you drag over; "
               "Ctrl held: subtracts them."),
    ActionSpec("merge", TOOLS, "Merge", "tools.take", ("J",), MERGE, checked="tools.name",
               tip="Segments that you click or drag over become part of the selected one; with "
               "none selected, of the first."),
    ActionSpec("split", TOOLS, "Split", "tools.take", ("K",), SPLIT, checked="tools.name",
               tip="Draw a line across the selected segment; Shift held: a straight one."),
    ActionSpec("segment_region", TOOLS, "Segment region", "tools.take", ("R",), REGION,
               checked="tools.name", tip="Drag a rectangle: the model proposes a map in it; "
               "all else stays."),
    ActionSpec("pick", TOOLS, "Pick segment", "tools.hold", ("I",), PICK, checked="tools.name",
               tip="A click selects a segment; hold the key to go back to the last tool after "
               "it."),
    ActionSpec("pan", TOOLS, "Pan", "tools.take", (), PAN, checked="tools.name",
               tip="Drags the image; with any tool, so do Space-drag and the middle button."),
    ActionSpec("smaller", TOOLS, "Smaller brush", "tools.grow", ("[",), -1,
               repeats=True, has_line_above=True),
    ActionSpec("larger", TOOLS, "Larger brush", "tools.grow", ("]",), 1, repeats=True),
    ActionSpec("much_smaller", TOOLS, "Much smaller brush", "tools.grow", ("Shift+[", "{"), -5,
               repeats=True),
    ActionSpec("much_larger", TOOLS, "Much larger brush", "tools.grow", ("Shift+]", "}"), 5,
               repeats=True),

    ActionSpec("next", IMAGE, "Next image", "image_list.step", ("D", "PgDown"), 1,
               when="has_images", repeats=True),
    ActionSpec("previous", IMAGE, "Previous image", "image_list.step", ("A", "PgUp"), -1,
               when="has_images", repeats=True),
    ActionSpec("next_frame", IMAGE, "Next frame of the video", "image_commands.step_frame",
               ("Right",), 1, when="image_commands.is_in_video", repeats=True),
    ActionSpec("previous_frame", IMAGE, "Previous frame of the video",
               "image_commands.step_frame", ("Left",), -1, when="image_commands.is_in_video",
               repeats=True),
    ActionSpec("next_to_review", IMAGE, "Next image to review", "image_commands.next_to_review",
               ("Ctrl+D",), when="has_images", tip="The next image that is not approved."),
    ActionSpec("approve", IMAGE, "Approve and go on", "image_commands.approve",
               ("Ctrl+Return", "Ctrl+Enter"), when="document.is_editable",
               has_line_above=True, tip="The image is done; the next one to review opens."),
    ActionSpec("reopen", IMAGE, "Take the approval back", "image_commands.reopen",
               when="document.has_image"),
    ActionSpec("segment_image", IMAGE, "Segment image", "model_run.begin", ("Shift+R",),
               has_line_above=True,
               tip="Let the model propose a map; locked segments stay as they are."),

    ActionSpec("fit", VIEW, "Fit image", "canvas.fit", ("F",), when="document.has_image"),
    ActionSpec("actual", VIEW, "Zoom to 100 %", "canvas.zoom_to_actual", ("Ctrl+0",),
               when="document.has_image"),
    ActionSpec("zoom_in", VIEW, "Zoom in", "canvas.zoom_in", ("Ctrl++", "Ctrl+="),
               when="document.has_image", repeats=True),
    ActionSpec("zoom_out", VIEW, "Zoom out", "canvas.zoom_out", ("Ctrl+-",),
               when="document.has_image", repeats=True),
    ActionSpec("less_opaque", VIEW, "Less opaque", "canvas.look.lower_opacity", (",",),
               repeats=True, has_line_above=True),
    ActionSpec("more_opaque", VIEW, "More opaque", "canvas.look.raise_opacity", (".",),
               repeats=True),
    ActionSpec("outlines", VIEW, "Outlines only", "canvas.look.toggle_outlines", ("O",),
               checked="canvas.look.is_outlined"),
    ActionSpec("by_category", VIEW, "Colour by category", "canvas.look.toggle_by_category",
               ("Shift+O",), checked="canvas.look.is_by_category",
               tip="All segments of a category in its colour, or each in one close to it."),
    ActionSpec("image_only", VIEW, "Image only (while held)", "canvas.look.toggle_image_only",
               ("Q",), checked="canvas.look.is_image_only"),
    ActionSpec("highlight", VIEW, "Mark the segment under the mouse",
               "canvas.look.toggle_highlight", checked="canvas.look.is_highlighting"),
    ActionSpec("grid", VIEW, "Pixel grid", "canvas.look.toggle_grid",
               checked="canvas.look.has_grid", has_line_above=True,
               tip="Parts the pixels of the image by lines from 8 times its size on."),
    ActionSpec("rulers", VIEW, "Rulers", "canvas.look.toggle_rulers",
               checked="canvas.look.has_rulers"),
    ActionSpec("navigator", VIEW, "Navigator", "canvas.look.toggle_navigator",
               checked="canvas.look.has_navigator",
               tip="A small picture that shows where the view lies, and moves it."),
    ActionSpec("tone", VIEW, "Brightness and contrast", "tone_dock.toggle", ("Shift+T",),
               checked="tone_dock.is_open", has_line_above=True,
               tip="Changes what you see, not the image, and not what the model sees."),
    ActionSpec("reset_tone", VIEW, "Reset brightness and contrast", "canvas.look.reset_tone",
               tip="Dark images and images of more than 8 bits are stretched again."),
    ActionSpec("theme_system", VIEW, "Theme as the system", "settings.wear", (), "system",
               checked="settings.theme", has_line_above=True),
    ActionSpec("theme_light", VIEW, "Light theme", "settings.wear", (), "light",
               checked="settings.theme"),
    ActionSpec("theme_dark", VIEW, "Dark theme", "settings.wear", (), "dark",
               checked="settings.theme"),
    ActionSpec("larger_text", VIEW, "Larger text", "settings.grow_text", (), 10),
    ActionSpec("smaller_text", VIEW, "Smaller text", "settings.grow_text", (), -10),

    ActionSpec("help", HELP, "Keys and mouse", "show_help", ("F1",)),
    ActionSpec("palette", HELP, "Find a command…", "show_palette", ("Ctrl+K",)),
)
# fmt: on

# Keys of what is still to come: no action may have them in the meantime.
RESERVED: Final = {
    "next_uncertain": ("N",),
    "propagate_forward": ("Shift+Right",),
    "propagate_back": ("Shift+Left",),
}

MOUSE: Final = (
    ("Zoom at the cursor", "Wheel, Ctrl+Wheel"),
    ("Pan", "Space+Drag, Middle drag"),
    ("Brush size", "Alt+Wheel"),
    ("Brush and eraser swapped; areas subtracted", "Ctrl held"),
    ("Polygon: close", "Double click, Enter"),
    ("Polygon: take back a corner", "Backspace"),
    ("Split: straight line", "Shift held"),
    ("Magic wand: more or less tolerance", "Drag right or left"),
)
