"""What the window's menus do with the settings."""

from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.keys import Keys
from app.settings import MAX_FONT_PERCENT, MIN_FONT_PERCENT, Preferences, Theme


class SettingsCommands(QObject):
    """Changes settings at once, or opens the dialog that has all of them."""

    def __init__(self, preferences: Preferences, keys: Keys, window: QWidget) -> None:
        super().__init__(window)
        self._preferences = preferences
        self._keys = keys
        self._window = window

    @property
    def theme(self) -> str:
        """Light, dark or as the system is."""
        return self._preferences.values.theme.value

    def wear(self, theme: str) -> None:
        """Choose light, dark or as the system is."""
        self._preferences.use(replace(self._preferences.values, theme=Theme(theme)))

    def grow_text(self, by_percent: int) -> None:
        """Make the text larger or smaller, within limits."""
        percent = self._preferences.values.font_percent + by_percent
        percent = min(max(percent, MIN_FONT_PERCENT), MAX_FONT_PERCENT)
        self._preferences.use(replace(self._preferences.values, font_percent=percent))

    def show_dialog(self) -> None:
        """Open the dialog with all settings."""
        # Only now: the window opens without waiting for it.
        from app.settings_dialog import SettingsDialog  # noqa: PLC0415

        SettingsDialog(self._preferences, self._keys, self._window).open()
