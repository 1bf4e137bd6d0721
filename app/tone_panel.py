"""The panel that sets the tone in which the image is shown."""

from enum import StrEnum
from math import log
from typing import Final

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QFormLayout,
    QLabel,
    QPushButton,
    QSlider,
    QWidget,
)

from app.focus import claims_move
from app.look import Look
from app.tone import GREATEST_GAMMA, Channel, Stretch, Tone

TICKS: Final = 100  # of a slider, on either side of its middle
MAX_CUT_TENTHS: Final = 50
SETTINGS: Final = ("Brightness", "Contrast", "Gamma", "Cut")
CUT_TIP: Final = "Percent of the values that a stretch makes black, and as many white"


class ToneSlider(QSlider):
    """A slider that keeps its keys while it has the focus, whatever commands they are for."""

    def event(self, event: QEvent) -> bool:
        if claims_move(event):
            event.accept()
            return True
        return super().event(event)


class TonePanel(QWidget):
    """Sliders and choices for the tone of a look, which they follow."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._form = QFormLayout(self)
        self._form.setContentsMargins(10, 8, 10, 8)
        self._labels: dict[str, QLabel] = {}
        self._brightness, self._contrast, self._gamma = (
            self._slider(name, -TICKS, TICKS) for name in SETTINGS[:3]
        )
        self._channel = self._choice("Channel", Channel)
        self._stretch = self._choice("Stretch", Stretch)
        self._cut = self._slider("Cut", 0, MAX_CUT_TENTHS)
        self._cut.setToolTip(CUT_TIP)
        reset = QPushButton("Reset", self)
        reset.setAccessibleName("Reset the tone")
        reset.setAutoDefault(False)
        reset.clicked.connect(look.reset_tone)
        self._form.addRow(reset)
        look.changed.connect(self._follow)
        self._follow()

    def take_focus(self) -> None:
        """Let the keyboard set the first of the controls."""
        self._brightness.setFocus(Qt.FocusReason.OtherFocusReason)

    def _slider(self, name: str, least: int, most: int) -> QSlider:
        slider = ToneSlider(Qt.Orientation.Horizontal, self)
        slider.setRange(least, most)
        slider.setPageStep(TICKS // 10)
        slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        slider.valueChanged.connect(self._on_moved)
        self._add_row(name, slider)
        return slider

    def _choice(self, name: str, members: type[StrEnum]) -> QComboBox:
        box = QComboBox(self)
        box.addItems([str(member) for member in members])
        box.currentIndexChanged.connect(self._on_moved)
        self._add_row(name, box)
        return box

    def _add_row(self, name: str, control: QSlider | QComboBox) -> None:
        control.setAccessibleName(name)
        label = self._labels[name] = QLabel(name, self)
        label.setBuddy(control)
        self._form.addRow(label, control)

    @Slot()
    def _on_moved(self) -> None:
        self._look.set_tone(
            Tone(
                brightness=self._brightness.value() / TICKS,
                contrast=self._contrast.value() / TICKS,
                gamma=GREATEST_GAMMA ** (self._gamma.value() / TICKS),
                channel=Channel(self._channel.currentText()),
                stretch=Stretch(self._stretch.currentText()),
                cut=self._cut.value() / 10,
            )
        )

    @Slot()
    def _follow(self) -> None:
        """Show the tone as it is, without setting it again."""
        tone = self._look.tone
        gamma = log(tone.gamma) / log(GREATEST_GAMMA)
        for slider, place in (
            (self._brightness, tone.brightness * TICKS),
            (self._contrast, tone.contrast * TICKS),
            (self._gamma, gamma * TICKS),
            (self._cut, tone.cut * 10),
        ):
            slider.blockSignals(True)
            slider.setValue(round(place))
            slider.blockSignals(False)
        for box, choice in ((self._channel, tone.channel), (self._stretch, tone.stretch)):
            box.blockSignals(True)
            box.setCurrentText(str(choice))
            box.blockSignals(False)
        values = (
            f"{tone.brightness:+.2f}",
            f"{tone.contrast:+.2f}",
            f"{tone.gamma:.2f}",
            f"{tone.cut:.1f} %",
        )
        for name, value in zip(SETTINGS, values, strict=True):
            self._labels[name].setText(f"{name} {value}")


class ToneDock(QDockWidget):
    """Where the panel is, as long as it is wanted."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__("Tone", parent)
        self.setObjectName("Tone")
        self.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        self._panel = TonePanel(look, self)
        self.setWidget(self._panel)
        self.hide()

    @property
    def is_open(self) -> bool:
        return not self.isHidden()

    def toggle(self) -> None:
        """Show the panel with the keyboard in it, or hide it."""
        self.setVisible(not self.is_open)
        if self.is_open:
            self._panel.take_focus()
