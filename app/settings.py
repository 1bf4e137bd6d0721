"""What the program remembers of its user from run to run: named values, checked when read."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal
from PySide6.QtGui import QKeySequence

from app.folders import config_folder
from app.keys import BITBRUSH, KeyTable
from app.toolbox import MAX_SIZE, MIN_SIZE
from core import superpixels
from core.strokes import Tip
from core.wand import MAX_TOLERANCE

MIN_FONT_PERCENT: Final = 80
MAX_FONT_PERCENT: Final = 200
MAX_FPS: Final = 240
FILE_NAME: Final = "settings.ini"
SWITCHES: Final = (
    "is_wand_contiguous",
    "is_by_category",
    "is_highlighting",
    "has_grid",
    "has_rulers",
    "has_navigator",
)

Choice = TypeVar("Choice", bound=StrEnum)

_log = logging.getLogger(__name__)


class Theme(StrEnum):
    """Which colours the program wears."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that is remembered; the defaults are those of a first start.

    Attributes:
        theme: light, dark or the system's.
        font_percent: size of the text, in percent of the system's.
        preset: of keys, one of `app.keys.PRESETS`.
        keys: those that differ from the preset's.
        brush_size: of brush and eraser, in image pixels.
        brush_tip: their shape.
        wand_tolerance: 0..255, how far a colour may be from the one that the wand touched.
        is_wand_contiguous: whether the wand takes only pixels connected to that one.
        superpixel_size: in image pixels, about.
        opacity_percent: of segments on the canvas.
        is_by_category: whether all segments of a category have its colour.
        is_highlighting: whether the segment under the mouse is marked.
        has_grid: whether lines part magnified pixels.
        has_rulers: whether coordinates are written along the canvas.
        has_navigator: whether a small picture shows where the view lies.
        folder_fps: how many files of a folder are played in a second.
        told_device: what was said last about the device that models run on.
        geometry: place and size of the window, in Qt's own form; empty at first.
        arrangement: its docks and tool bars, in Qt's own form; empty at first.
    """

    theme: Theme = Theme.SYSTEM
    font_percent: int = 100
    preset: str = BITBRUSH
    keys: KeyTable = field(default_factory=dict)
    brush_size: int = 20
    brush_tip: Tip = Tip.ROUND
    wand_tolerance: int = 24
    is_wand_contiguous: bool = True
    superpixel_size: int = 24
    opacity_percent: int = 40
    is_by_category: bool = False
    is_highlighting: bool = True
    has_grid: bool = True
    has_rulers: bool = True
    has_navigator: bool = True
    folder_fps: int = 25
    told_device: str = ""
    geometry: bytes = b""
    arrangement: bytes = b""


class Preferences(QObject):
    """The settings in force, written to the user's file whenever they change.

    Attributes:
        values: the settings.

    Signals:
        changed(): there are other settings.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = _find_path()
        self.values = Settings() if self._path is None else read_settings(self._path)

    def use(self, settings: Settings) -> None:
        """Put settings into force and remember them; nobody is told where nothing differs."""
        if settings == self.values:
            return
        self.values = settings
        if self._path is not None:
            write_settings(self._path, settings)
        self.changed.emit()


def read_settings(path: Path) -> Settings:
    """Read a file of settings; what is missing or makes no sense has its default."""
    stored = QSettings(str(path), QSettings.Format.IniFormat)
    if stored.status() != QSettings.Status.NoError:
        _log.warning("%s cannot be read; the settings are those of a first start", path)
        return Settings()
    plain = Settings()
    return Settings(
        theme=_one_of(Theme, _text(stored, "theme"), plain.theme),
        font_percent=_whole(
            stored, "font_percent", plain.font_percent, MIN_FONT_PERCENT, MAX_FONT_PERCENT
        ),
        preset=_text(stored, "preset") or plain.preset,
        keys=_keys(stored),
        brush_size=_whole(stored, "brush_size", plain.brush_size, MIN_SIZE, MAX_SIZE),
        brush_tip=_one_of(Tip, _text(stored, "brush_tip"), plain.brush_tip),
        wand_tolerance=_whole(stored, "wand_tolerance", plain.wand_tolerance, 0, MAX_TOLERANCE),
        is_wand_contiguous=_is_on(stored, "is_wand_contiguous", plain.is_wand_contiguous),
        superpixel_size=_whole(
            stored,
            "superpixel_size",
            plain.superpixel_size,
            superpixels.MIN_SIZE,
            superpixels.MAX_SIZE,
        ),
        opacity_percent=_whole(stored, "opacity_percent", plain.opacity_percent, 0, 100),
        is_by_category=_is_on(stored, "is_by_category", plain.is_by_category),
        is_highlighting=_is_on(stored, "is_highlighting", plain.is_highlighting),
        has_grid=_is_on(stored, "has_grid", plain.has_grid),
        has_rulers=_is_on(stored, "has_rulers", plain.has_rulers),
        has_navigator=_is_on(stored, "has_navigator", plain.has_navigator),
        folder_fps=_whole(stored, "folder_fps", plain.folder_fps, 1, MAX_FPS),
        told_device=_text(stored, "told_device"),
        geometry=_bytes(stored, "geometry"),
        arrangement=_bytes(stored, "arrangement"),
    )


def write_settings(path: Path, settings: Settings) -> None:
    """Write a file of settings; one that cannot be written is a line in the log."""
    stored = QSettings(str(path), QSettings.Format.IniFormat)
    stored.clear()
    stored.setValue("theme", settings.theme.value)
    stored.setValue("font_percent", settings.font_percent)
    stored.setValue("preset", settings.preset)
    for name, keys in settings.keys.items():
        stored.setValue(f"keys/{name}", QKeySequence.listToString(_sequences(keys)))
    stored.setValue("brush_size", settings.brush_size)
    stored.setValue("brush_tip", settings.brush_tip.value)
    stored.setValue("wand_tolerance", settings.wand_tolerance)
    for name in SWITCHES:
        stored.setValue(name, int(getattr(settings, name)))
    stored.setValue("superpixel_size", settings.superpixel_size)
    stored.setValue("opacity_percent", settings.opacity_percent)
    stored.setValue("folder_fps", settings.folder_fps)
    stored.setValue("told_device", settings.told_device)
    stored.setValue("geometry", QByteArray(settings.geometry))
    stored.setValue("arrangement", QByteArray(settings.arrangement))
    stored.sync()
    if stored.status() != QSettings.Status.NoError:
        _log.warning("the settings cannot be written to %s", path)


def _find_path() -> Path | None:
    try:
        return config_folder() / FILE_NAME
    except OSError as error:
        _log.warning("settings are not remembered: %s", error)
        return None


def _sequences(keys: tuple[str, ...]) -> list[QKeySequence]:
    return [QKeySequence(key) for key in keys]


def _text(stored: QSettings, name: str) -> str:
    value = stored.value(name, "")
    return value if isinstance(value, str) else ""


def _is_on(stored: QSettings, name: str, default: bool) -> bool:
    return bool(_whole(stored, name, int(default), 0, 1))


def _bytes(stored: QSettings, name: str) -> bytes:
    value = stored.value(name, QByteArray())
    return bytes(value.data()) if isinstance(value, QByteArray) else b""


def _whole(stored: QSettings, name: str, default: int, low: int, high: int) -> int:
    text = str(stored.value(name, default))
    value = int(text) if text.isascii() and text.isdigit() else default
    return value if low <= value <= high else default


def _one_of(kind: type[Choice], text: str, default: Choice) -> Choice:
    return next((choice for choice in kind if choice.value == text), default)


def _keys(stored: QSettings) -> Mapping[str, tuple[str, ...]]:
    stored.beginGroup("keys")
    texts = {name: _text(stored, name) for name in stored.childKeys()}
    stored.endGroup()
    return {
        name: tuple(
            key.toString() for key in QKeySequence.listFromString(text) if not key.isEmpty()
        )
        for name, text in texts.items()
    }
