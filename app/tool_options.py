"""What can be set about the tool in hand, beside the tools in the tool bar."""

from typing import Final

from PySide6.QtCore import QEvent, Qt, QTimer, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from app.keys import Keys
from app.theme import scaled
from app.toolbox import AREAS, BRUSH, ERASER, MAX_SIZE, SUPERPIXEL, WAND, ToolBox
from core import superpixels
from core.strokes import Tip
from core.wand import MAX_TOLERANCE

SLIDER_WIDTH: Final = 90
STROKES: Final = frozenset({BRUSH, ERASER})
SIZE_TICKS: Final = 100  # the size grows with the square of the slider's place


class ToolOptions(QWidget):
    """Shows the settings of the tool in hand, and sets them."""

    def __init__(self, tools: ToolBox, keys: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self._tools = tools
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(4, 0, 4, 0)
        self._parts: list[tuple[frozenset[str], tuple[QWidget, ...]]] = []
        self._add_strokes()
        self._add_areas()
        self._row.addStretch()
        tools.changed.connect(self._follow)
        keys.changed.connect(self._write_keys)
        self._keep_widest()
        self._follow()
        self._write_keys()

    def _add_strokes(self) -> None:
        self._size, self._size_value = self._add_slider(
            "Size", "Brush size", (0, SIZE_TICKS), " 1000 px ", STROKES
        )
        self._size.valueChanged.connect(self._on_size_moved)
        self._square = self._add_box("Square", "Square tip instead of a round one", STROKES)
        self._square.toggled.connect(self._on_square_toggled)

    def _add_areas(self) -> None:
        self._tolerance, self._tolerance_value = self._add_slider(
            "Tolerance", "Tolerance of the wand", (0, MAX_TOLERANCE), " 255 ", frozenset({WAND})
        )
        self._tolerance.valueChanged.connect(self._tools.set_tolerance)
        self._contiguous = self._add_box(
            "Connected", "Only pixels connected to the one pressed on", frozenset({WAND})
        )
        self._contiguous.toggled.connect(self._tools.set_contiguous)
        limits = superpixels.MIN_SIZE, superpixels.MAX_SIZE
        self._patch, self._patch_value = self._add_slider(
            "Size", "Size of superpixels", limits, " 64 px ", frozenset({SUPERPIXEL})
        )
        self._patch.valueChanged.connect(self._tools.set_superpixel_size)
        self._subtract = self._add_box("Subtract", "Subtract areas (or hold Ctrl)", AREAS)
        self._subtract.toggled.connect(self._tools.set_subtracting)

    def _add_slider(
        self,
        name: str,
        tip: str,
        limits: tuple[int, int],
        widest: str,
        tools: frozenset[str],
    ) -> tuple[QSlider, QLabel]:
        label, value = QLabel(name, self), QLabel(self)
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setRange(*limits)
        slider.setFixedWidth(scaled(SLIDER_WIDTH))
        slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        slider.setAccessibleName(tip.split(" (", maxsplit=1)[0])
        slider.setToolTip(tip)
        value.setMinimumWidth(value.fontMetrics().horizontalAdvance(widest))
        self._add(tools, label, slider, value)
        return slider, value

    def _add_box(self, name: str, tip: str, tools: frozenset[str]) -> QCheckBox:
        box = QCheckBox(name, self)
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        box.setAccessibleName(tip)
        box.setToolTip(tip)
        self._add(tools, box)
        return box

    def _add(self, tools: frozenset[str], *widgets: QWidget) -> None:
        for widget in widgets:
            self._row.addWidget(widget)
        self._parts.append((tools, widgets))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            QTimer.singleShot(0, self, self._fit_text)  # once the parts have the font too
        super().changeEvent(event)

    @Slot()
    def _fit_text(self) -> None:
        for slider in self.findChildren(QSlider):
            slider.setFixedWidth(scaled(SLIDER_WIDTH))
        self._keep_widest()
        self._follow()

    def _keep_widest(self) -> None:
        """Be as wide as with the tool that has most to set, so that nothing beside it moves."""
        names = frozenset().union(*(tools for tools, _ in self._parts))
        widths = []
        for name in names:
            self._show_for(name)
            widths.append(self._row.sizeHint().width())
        self.setFixedWidth(max(widths))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def _show_for(self, name: str) -> None:
        for tools, widgets in self._parts:
            for widget in widgets:
                widget.setVisible(name in tools)

    @Slot()
    def _write_keys(self) -> None:
        smaller, larger = self._keys.hint("smaller"), self._keys.hint("larger")
        self._size.setToolTip(f"Brush size ({smaller} and {larger}, Alt+Wheel)")

    @Slot()
    def _follow(self) -> None:
        """Show settings as they are, without setting them again."""
        tools = self._tools
        self._show_for(tools.name)
        _set_quietly(self._size, round((tools.size / MAX_SIZE) ** 0.5 * SIZE_TICKS))
        self._size_value.setText(f"{tools.size} px")
        _set_quietly(self._square, tools.tip is Tip.SQUARE)
        _set_quietly(self._tolerance, tools.tolerance)
        self._tolerance_value.setText(f"{tools.tolerance}")
        _set_quietly(self._contiguous, tools.is_contiguous)
        _set_quietly(self._patch, tools.superpixel_size)
        self._patch_value.setText(f"{tools.superpixel_size} px")
        _set_quietly(self._subtract, tools.is_subtracting)

    @Slot(int)
    def _on_size_moved(self, place: int) -> None:
        self._tools.set_size(round((place / SIZE_TICKS) ** 2 * MAX_SIZE))

    @Slot(bool)
    def _on_square_toggled(self, is_square: bool) -> None:
        self._tools.set_tip(Tip.SQUARE if is_square else Tip.ROUND)


def _set_quietly(control: QSlider | QCheckBox, value: int | bool) -> None:
    control.blockSignals(True)
    if isinstance(control, QSlider):
        control.setValue(value)
    else:
        control.setChecked(bool(value))
    control.blockSignals(False)
