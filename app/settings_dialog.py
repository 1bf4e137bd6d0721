"""The settings: how the program looks, and its keys."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.key_page import KeyPage
from app.keys import Keys
from app.settings import MAX_FONT_PERCENT, MIN_FONT_PERCENT, Preferences, Theme
from app.theme import scaled

SIZE: Final = (640, 560)
FONT_STEP: Final = 10
THEMES: Final = {
    Theme.SYSTEM: "As the system",
    Theme.LIGHT: "Light",
    Theme.DARK: "Dark",
}


class SettingsDialog(QDialog):
    """Looks are tried on at once and taken back by Cancel; keys are in force once saved."""

    def __init__(self, preferences: Preferences, keys: Keys, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Settings")
        self._preferences = preferences
        self._before = preferences.values
        self._theme = QComboBox(self)
        self._font = QSpinBox(self, minimum=MIN_FONT_PERCENT, maximum=MAX_FONT_PERCENT)
        self._keys = KeyPage(keys, self)
        button = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(button.Save | button.Cancel, self)
        self._fill()
        self._lay_out()
        self._connect()
        self.resize(*(scaled(side) for side in SIZE))

    def _fill(self) -> None:
        for theme, text in THEMES.items():
            self._theme.addItem(text, theme)
        self._theme.setCurrentIndex(list(THEMES).index(self._before.theme))
        self._font.setSingleStep(FONT_STEP)
        self._font.setSuffix(" %")
        self._font.setValue(self._before.font_percent)

    def _lay_out(self) -> None:
        looks = QWidget(self)
        form = QFormLayout(looks)
        form.addRow("&Theme", self._theme)
        form.addRow("Size of &text", self._font)
        pages = QTabWidget(self)
        pages.addTab(self._keys, "Keys")
        pages.addTab(looks, "Looks")
        pages.setAccessibleName("Pages of settings")
        whole = QVBoxLayout(self)
        whole.addWidget(pages)
        whole.addWidget(self._buttons)

    def _connect(self) -> None:
        self._theme.currentIndexChanged.connect(self._try_on)
        self._font.valueChanged.connect(self._try_on)
        self._keys.edited.connect(self._on_keys_edited)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)

    @Slot()
    def _try_on(self) -> None:
        self._preferences.use(
            replace(
                self._preferences.values,
                theme=Theme(self._theme.currentData()),
                font_percent=self._font.value(),
            )
        )

    @Slot()
    def _on_keys_edited(self) -> None:
        save = self._buttons.button(QDialogButtonBox.StandardButton.Save)
        save.setEnabled(not self._keys.has_conflict)

    def accept(self) -> None:
        if not self._keys.has_conflict:
            values = self._preferences.values
            page = self._keys
            self._preferences.use(replace(values, preset=page.preset, keys=page.changes))
            super().accept()

    def reject(self) -> None:
        before = self._before
        self._preferences.use(
            replace(
                self._preferences.values,
                theme=before.theme,
                font_percent=before.font_percent,
            )
        )
        super().reject()
