"""The timeline under the canvas: buttons, the frames of the clip, its segments over time."""

from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.icons import line_icon
from app.menus import Actions
from app.settings import MAX_FPS
from app.theme import scaled
from app.timeline_bar import Place, TimelineBar
from app.timeline_player import SPEEDS, Player
from app.timeline_strip import TimelineStrip

ICON_PX: Final = 18
LEFT_BUTTONS: Final = ("previous_frame", "play", "next_frame")
RIGHT_BUTTONS: Final = (
    "previous_corrected",
    "next_corrected",
    "next_doubtful",
    "loop",
    "onion_previous",
)
ARROWS: Final = {
    "previous_frame": Qt.ArrowType.LeftArrow,
    "next_frame": Qt.ArrowType.RightArrow,
}


class Timeline(QWidget):
    """Shows a clip, and asks for frames and segments.

    Attributes:
        bar: the frames.
        strip: the segments.

    Signals:
        fps_chosen(int): so many frames a second for a folder.
    """

    fps_chosen = Signal(int)

    def __init__(self, player: Player, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player = player
        self.bar = TimelineBar(self)
        self.strip = TimelineStrip(self)
        self._place = QLabel(self)
        self._speed = QComboBox(self)
        self._fps = QSpinBox(self)
        self._buttons: list[QToolButton] = []
        self._left, self._right = QHBoxLayout(), QHBoxLayout()
        self._build()
        self._lay_out()
        player.changed.connect(self._follow)
        self._follow()

    def join(self, commands: Actions) -> None:
        """Put the actions of the table onto buttons."""
        for layout, names in ((self._left, LEFT_BUTTONS), (self._right, RIGHT_BUTTONS)):
            for name in names:
                layout.addWidget(self._button(commands, name))
        self._fit_text()

    def show_place(self, place: Place, text: str) -> None:
        """Show where in the clip one is."""
        self.bar.show_place(place)
        self._place.setText(text)

    def show_fps(self, fps: int, *, is_folder: bool) -> None:
        """Show the rate that a folder is played at; a video knows its own."""
        self._fps.setVisible(is_folder)
        self._fps.blockSignals(True)
        self._fps.setValue(fps)
        self._fps.blockSignals(False)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fit_text()
        super().changeEvent(event)

    def _build(self) -> None:
        self.setObjectName("timeline")
        self.setAccessibleName("Timeline")
        # Its text does not make the window wider.
        self._place.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._speed.addItems([f"{speed:g}x" for speed in SPEEDS])
        self._speed.setAccessibleName("Speed of playing")
        self._speed.setToolTip("Speed of playing")
        self._speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._speed.activated.connect(self._on_speed_chosen)
        self._fps.setRange(1, MAX_FPS)
        self._fps.setSuffix(" fps")
        self._fps.setKeyboardTracking(False)
        self._fps.setAccessibleName("Frames a second of a folder")
        self._fps.setToolTip("How many files of a folder are a second")
        self._fps.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._fps.valueChanged.connect(self.fps_chosen)

    def _lay_out(self) -> None:
        top = QWidget(self)
        top.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        header = QHBoxLayout(top)
        header.setContentsMargins(8, 3, 8, 3)
        header.setSpacing(6)
        self._left.setSpacing(2)
        self._right.setSpacing(2)
        header.addLayout(self._left)
        header.addWidget(self._speed)
        header.addWidget(self._fps)
        header.addSpacing(6)
        header.addWidget(self._place, 1)
        header.addLayout(self._right)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(top)
        whole.addWidget(self.bar)
        whole.addWidget(self.strip)

    def _button(self, commands: Actions, name: str) -> QToolButton:
        action = commands[name]
        button = QToolButton(self)
        button.setDefaultAction(action)
        if name in ARROWS:
            button.setArrowType(ARROWS[name])
        else:
            action.setIcon(line_icon(name))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setAutoRaise(True)
        button.setAutoRepeat(name in ARROWS)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(action.text())
        self._buttons.append(button)
        return button

    def _fit_text(self) -> None:
        for button in self._buttons:
            button.setIconSize(QSize(scaled(ICON_PX), scaled(ICON_PX)))

    @Slot()
    def _follow(self) -> None:
        self._speed.setCurrentIndex(SPEEDS.index(self._player.speed))

    @Slot(int)
    def _on_speed_chosen(self, index: int) -> None:
        self._player.set_speed(SPEEDS[index])
