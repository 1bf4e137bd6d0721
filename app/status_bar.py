"""The status bar: what the next stroke does, what is under the cursor, and what is in use."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QSizePolicy, QStatusBar, QWidget

from app.action_spec import TOOLS
from app.actions import ACTIONS
from app.canvas import CanvasView
from app.document import Document
from app.model_run import ModelRun
from app.toolbox import AREAS, BRUSH, ERASER, MERGE, PICK, POLYGON, REGION, SPLIT, WAND, ToolBox

DEEDS = {
    MERGE: "drag from one segment over others",
    SPLIT: "draw a line across a segment",
    REGION: "drag over what the model is to segment again",
    PICK: "click a segment to select it",
}
HOW = {
    POLYGON: "  (Enter closes, Backspace takes a corner back)",
    WAND: "  (drag right for more, left for less)",
    SPLIT: "  (Shift: a straight one)",
}
NAMES = {spec.argument: spec.text for spec in ACTIONS if spec.menu == TOOLS}


class StatusBar(QStatusBar):
    """Follows document, tools, canvas and model."""

    def __init__(
        self,
        document: Document,
        tools: ToolBox,
        canvas: CanvasView,
        model_run: ModelRun,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._tools = tools
        self._canvas = canvas
        self._model_run = model_run
        self._point: tuple[float, float] | None = None
        self.setSizeGripEnabled(False)
        self._hint = QLabel(self)
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        # A long hint is cut off; the window and with it the image under the mouse stay put.
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.addWidget(self._hint, 1)
        self._under_cursor = self._field("Segment under the cursor")
        self._place = self._field("Column and row under the cursor")
        self._value = self._field("Value of the image under the cursor")
        self._size = self._field("Width and height of the image")
        self._zoom = self._field("Zoom")
        self._model = self._field("Model")
        self._device = self._field("Device that the model runs on")
        self._connect()
        for show in (self._show_hint, self._show_size, self._show_zoom, self._show_model):
            show()

    def _field(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setAccessibleName(name)
        label.setToolTip(name)
        self.addPermanentWidget(label)
        return label

    def _connect(self) -> None:
        document, canvas = self._document, self._canvas
        document.selection_changed.connect(self._show_hint)
        document.segments_changed.connect(self._show_hint)
        document.keys.changed.connect(self._show_hint)
        document.proposal_changed.connect(self._show_hint)
        document.image_changed.connect(self._show_size)
        document.map_changed.connect(self._show_under_cursor)
        self._tools.changed.connect(self._show_hint)
        canvas.hovered.connect(self._on_hovered)
        canvas.view_changed.connect(self._show_zoom)
        self._model_run.changed.connect(self._show_model)

    @Slot(object)
    def _on_hovered(self, point: tuple[float, float] | None) -> None:
        self._point = point
        self._show_under_cursor()

    @Slot()
    def _show_under_cursor(self) -> None:
        document, picture = self._document, self._document.picture
        x, y = self._point or (-1, -1)
        if picture is None or not (0 <= x < picture.size[1] and 0 <= y < picture.size[0]):
            for field in (self._place, self._value, self._under_cursor):
                field.clear()
            return
        segment = document.segment_at(x, y)
        self._place.setText(f"{int(x)}, {int(y)}")
        self._value.setText(describe_value(picture.values[int(y), int(x)]))
        self._under_cursor.setText("void" if segment is None else document.name(segment))

    @Slot()
    def _show_hint(self) -> None:
        self._hint.setText(describe_tool(self._document, self._tools))

    @Slot()
    def _show_size(self) -> None:
        image = self._document.image
        self._size.setText("" if image is None else f"{image.shape[1]} x {image.shape[0]}")
        self._show_zoom()
        self._show_under_cursor()
        self._show_hint()

    @Slot()
    def _show_zoom(self) -> None:
        self._zoom.setText(f"{self._canvas.scale:.0%}" if self._document.has_image else "")

    @Slot()
    def _show_model(self) -> None:
        card, device = self._model_run.card, self._model_run.device
        self._model.setText("no model" if card is None else card.name)
        self._model.setToolTip("No model is loaded" if card is None else card.summary)
        self._device.setText("device: …" if device is None else device.name)
        self._device.setToolTip("" if device is None else device.note)


def describe_value(value: NDArray[Any]) -> str:
    """A grey or red, green and blue, as the file has them."""
    return " ".join(f"{number:.7g}" for number in np.atleast_1d(value).tolist())


def describe_tool(document: Document, tools: ToolBox) -> str:
    """What the tool in hand does with the next press of the button."""
    if not document.has_image:
        return ""
    if document.has_proposal:
        accept, reject = (document.keys.hint(name) for name in ("accept", "escape"))
        return f"Proposal: {accept} accepts it, {reject} rejects it"
    selected = document.selected
    if tools.name == ERASER or (tools.name in AREAS and tools.is_subtracting):
        what = "every unlocked segment" if selected is None else document.name(selected)
        deed = f"erases {what}"
    elif tools.name == BRUSH or tools.name in AREAS:
        deed = _describe_painting(document)
    elif tools.name == MERGE and selected is not None:
        deed = f"what you drag over becomes part of {document.name(selected)}"
    else:
        deed = DEEDS.get(tools.name, "")
    return f"{NAMES[tools.name]}: {deed}{HOW.get(tools.name, '')}" if deed else ""


def _describe_painting(document: Document) -> str:
    """What becomes of pixels that are painted now."""
    selected, category = document.selected, document.category
    if selected is not None and selected.is_locked:
        return f"{document.name(selected)} is locked; {document.keys.hint('lock')} unlocks it"
    if selected is not None:
        key = document.keys.hint("new_segment")
        return f"extends {document.name(selected)}  ({key} begins a new segment)"
    if category is None:
        return "there is no category to paint"
    if category.is_thing:
        return f"makes a new {category.name} segment"
    stuff = None if document.map is None else document.map.find_stuff(category.id)
    if stuff is not None and stuff.is_locked:
        return f"the {category.name} segment is locked; select it to unlock it"
    return f"{'makes' if stuff is None else 'extends'} the {category.name} segment"
