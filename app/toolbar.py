"""The tool bar: tools and their settings, history, and how the map is drawn."""

from PySide6.QtCore import QEvent, QSize, Qt, Slot
from PySide6.QtWidgets import QLabel, QSlider, QToolBar, QToolButton, QWidget

from app.canvas import CanvasView
from app.icons import line_icon
from app.keys import Keys
from app.menus import Actions
from app.theme import scaled
from app.tool_options import ToolOptions
from app.toolbox import ToolBox

ICON_PX = 20
OPACITY_WIDTH = 90
BUTTONS = (
    "brush",
    "eraser",
    "polygon",
    "lasso",
    "fill",
    "wand",
    "superpixel",
    "merge",
    "split",
    "segment_region",
    "pick",
    "pan",
)
VIEW_BUTTONS = ("outlines", "fit")
HISTORY_BUTTONS = ("undo", "redo")


class ToolBar(QToolBar):
    """Buttons for actions of the table, and the settings of the tool in hand."""

    def __init__(
        self,
        actions: Actions,
        keys: Keys,
        tools: ToolBox,
        canvas: CanvasView,
        parent: QWidget,
    ) -> None:
        super().__init__("Tools", parent)
        self._keys = keys
        self._canvas = canvas
        self.setObjectName("tools")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._add_buttons(actions, BUTTONS)
        self.addSeparator()
        self.addWidget(ToolOptions(tools, keys, self))
        self._add_buttons(actions, HISTORY_BUTTONS)
        self._add_buttons(actions, VIEW_BUTTONS)
        self._opacity, self._opacity_value = self._add_opacity()
        self._opacity.valueChanged.connect(self._on_opacity_moved)
        canvas.look.changed.connect(self._follow)
        keys.changed.connect(self._write_keys)
        self._name_extension()
        self._fit_text()
        self._follow()
        self._write_keys()

    def _add_buttons(self, actions: Actions, names: tuple[str, ...]) -> None:
        if self.actions():
            self.addSeparator()
        for name in names:
            actions[name].setIcon(line_icon(name))
            self.addAction(actions[name])
            button = self.widgetForAction(actions[name])
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(actions[name].text())

    def _add_opacity(self) -> tuple[QSlider, QLabel]:
        slider, value = QSlider(Qt.Orientation.Horizontal, self), QLabel(self)
        slider.setRange(0, 100)
        slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        slider.setAccessibleName("Opacity")
        self.addSeparator()
        for widget in (QLabel("Opacity ", self), slider, value):
            self.addWidget(widget)
        return slider, value

    def _name_extension(self) -> None:
        """Dress the button for what has no room: Qt gives it neither name nor theme."""
        button = self.findChild(QToolButton, "qt_toolbar_ext_button")
        if button is not None:
            button.setIcon(line_icon("more"))
            button.setAccessibleName("More tools")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fit_text()
        super().changeEvent(event)

    def _fit_text(self) -> None:
        self.setIconSize(QSize(scaled(ICON_PX), scaled(ICON_PX)))
        self._opacity.setFixedWidth(scaled(OPACITY_WIDTH))
        width = self._opacity_value.fontMetrics().horizontalAdvance(" 100% ")
        self._opacity_value.setMinimumWidth(width)

    @Slot()
    def _write_keys(self) -> None:
        less, more = self._keys.hint("less_opaque"), self._keys.hint("more_opaque")
        self._opacity.setToolTip(f"Opacity of segments ({less} and {more})")

    @Slot()
    def _follow(self) -> None:
        """Show the opacity as it is, without setting it again."""
        self._opacity.blockSignals(True)
        self._opacity.setValue(round(self._canvas.look.opacity * 100))
        self._opacity.blockSignals(False)
        self._opacity_value.setText(f" {self._canvas.look.opacity:.0%}")

    @Slot(int)
    def _on_opacity_moved(self, percent: int) -> None:
        self._canvas.look.set_opacity(percent / 100)
