"""The tool bar: tools, brush size, opacity, and what is needed at every stroke."""

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QLabel, QSlider, QToolBar, QWidget

from app.canvas import CanvasView
from app.icons import line_icon
from app.keys import Keys
from app.menus import Actions
from app.toolbox import MAX_SIZE, ToolBox

ICON_PX = 20
SLIDER_WIDTH = 120
SIZE_TICKS = 100  # the size grows with the square of the slider's place
BUTTONS = ("brush", "eraser", "pick", "pan")
VIEW_BUTTONS = ("outlines", "fit")
HISTORY_BUTTONS = ("undo", "redo")


class ToolBar(QToolBar):
    """Buttons for actions of the table, and two sliders."""

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
        self._tools = tools
        self._canvas = canvas
        self.setObjectName("tools")
        self.setMovable(False)
        self.setIconSize(QSize(ICON_PX, ICON_PX))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._add_buttons(actions, BUTTONS)
        self._size = self._slider(SIZE_TICKS)
        self._size_label = self._add_slider("Size", self._size)
        self._opacity = self._slider(100)
        self._opacity_label = self._add_slider("Opacity", self._opacity)
        self._add_buttons(actions, VIEW_BUTTONS)
        self._add_buttons(actions, HISTORY_BUTTONS)
        self._size.valueChanged.connect(self._on_size_moved)
        self._opacity.valueChanged.connect(self._on_opacity_moved)
        tools.changed.connect(self._follow)
        canvas.style_changed.connect(self._follow)
        keys.changed.connect(self._write_keys)
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

    def _slider(self, maximum: int) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setRange(0, maximum)
        slider.setFixedWidth(SLIDER_WIDTH)
        slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return slider

    def _add_slider(self, name: str, slider: QSlider) -> QLabel:
        self.addSeparator()
        slider.setAccessibleName(name)
        self.addWidget(QLabel(f"{name} ", self))
        self.addWidget(slider)
        value = QLabel(self)
        value.setMinimumWidth(value.fontMetrics().horizontalAdvance(" 1000 px "))
        self.addWidget(value)
        return value

    @Slot()
    def _write_keys(self) -> None:
        smaller, larger, less, more = (
            self._keys.hint(name)
            for name in ("smaller", "larger", "less_opaque", "more_opaque")
        )
        self._size.setToolTip(f"Brush size ({smaller} and {larger}, Alt+Wheel)")
        self._opacity.setToolTip(f"Opacity of segments ({less} and {more})")

    @Slot()
    def _follow(self) -> None:
        """Show size and opacity as they are, without setting them again."""
        for slider, value in (
            (self._size, round((self._tools.size / MAX_SIZE) ** 0.5 * SIZE_TICKS)),
            (self._opacity, round(self._canvas.opacity * 100)),
        ):
            slider.blockSignals(True)
            slider.setValue(value)
            slider.blockSignals(False)
        self._size_label.setText(f" {self._tools.size} px")
        self._opacity_label.setText(f" {self._canvas.opacity:.0%}")

    @Slot(int)
    def _on_size_moved(self, place: int) -> None:
        self._tools.set_size(round((place / SIZE_TICKS) ** 2 * MAX_SIZE))

    @Slot(int)
    def _on_opacity_moved(self, percent: int) -> None:
        self._canvas.set_opacity(percent / 100)
