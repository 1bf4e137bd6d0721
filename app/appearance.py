"""Dresses the program as its user wants it, and follows the system's colour scheme."""

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QApplication

from app.settings import Preferences, Theme
from app.style_sheet import DARK, LIGHT
from app.theme import dress, system_tones


class Appearance(QObject):
    """Puts theme and size of text into force whenever the user or the system changes them."""

    def __init__(
        self, app: QApplication, preferences: Preferences, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._app = app
        self._preferences = preferences
        preferences.changed.connect(self._dress)
        app.styleHints().colorSchemeChanged.connect(self._dress)
        self._worn: tuple[object, int] | None = None
        self._dress()

    @Slot()
    def _dress(self) -> None:
        wanted = self._preferences.values
        tones = {Theme.LIGHT: LIGHT, Theme.DARK: DARK}.get(wanted.theme) or system_tones()
        if self._worn != (tones, wanted.font_percent):
            self._worn = (tones, wanted.font_percent)
            dress(self._app, tones, wanted.font_percent)
