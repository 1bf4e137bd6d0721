"""Theme and size of text change at once, everywhere in the window."""

from collections import Counter
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QColor, QFontInfo, QGuiApplication, QIcon
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QSpinBox,
    QTableView,
    QToolBar,
    QTreeWidget,
)

from app.appearance import Appearance
from app.settings import Preferences, Theme
from app.settings_dialog import SettingsDialog
from app.style_sheet import DARK, LIGHT
from app.theme import current_tones, dress, swatch
from app.window import MainWindow

SPECK = 10


@pytest.fixture
def preferences(qapp):
    preferences = Preferences()
    appearance = Appearance(qapp, preferences, preferences)
    yield preferences
    appearance.deleteLater()
    QApplication.sendPostedEvents(appearance, QEvent.Type.DeferredDelete)
    dress(qapp, LIGHT)
    qapp.setStyleSheet("")


@pytest.fixture
def window(store, qtbot, preferences) -> MainWindow:
    window = MainWindow(store, preferences)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def wear(window, theme):
    window.commands[f"theme_{theme}"].trigger()
    QApplication.processEvents()


def colors_of(widget) -> set[str]:
    """The colours of a widget's areas; the edges of letters mix any others."""
    image = widget.grab().toImage()
    rows, columns = range(0, image.height(), 2), range(0, image.width(), 2)
    counts = Counter(image.pixel(x, y) for y in rows for x in columns)
    return {QColor(rgb).name() for rgb, count in counts.items() if count >= SPECK}


@pytest.mark.parametrize(("first", "second"), [("light", "dark"), ("dark", "light")])
def test_every_part_changes_its_theme_at_once(window, first, second):
    tones = {"light": LIGHT, "dark": DARK}
    wear(window, first)
    window.notices.warn("A notice that is open while the theme changes.")
    wear(window, second)
    assert current_tones() == tones[second]
    shown = colors_of(window)
    old, new = tones[first], tones[second]
    assert shown.isdisjoint({old.window, old.canvas, old.selection, old.warning})
    assert {new.window, new.base, new.canvas, new.accent, new.warning} <= shown


def test_the_menu_ticks_the_theme_in_force(window):
    wear(window, "dark")
    assert window.commands["theme_dark"].isChecked()
    assert not window.commands["theme_light"].isChecked()


def test_the_system_is_followed_when_nothing_else_is_asked_for(qapp, preferences, monkeypatch):
    monkeypatch.setattr("app.appearance.system_tones", lambda: DARK)
    QGuiApplication.styleHints().colorSchemeChanged.emit(qapp.styleHints().colorScheme())
    assert current_tones() == DARK
    preferences.use(replace(preferences.values, theme=Theme.LIGHT))
    assert current_tones() == LIGHT
    QGuiApplication.styleHints().colorSchemeChanged.emit(qapp.styleHints().colorScheme())
    assert current_tones() == LIGHT


def test_text_grows_from_the_menu_and_everything_with_it(window, preferences):
    rows, bar = window.segments.findChild(QTableView), window.findChild(QToolBar)
    tree = window.categories.findChild(QTreeWidget)
    item = tree.topLevelItem(0)

    def sizes() -> list[float]:
        QApplication.processEvents()
        return [
            QFontInfo(window.statusBar().font()).pointSizeF(),
            rows.verticalHeader().defaultSectionSize(),
            bar.iconSize().width(),
            tree.visualItemRect(item).height(),
        ]

    usual = sizes()
    for _ in range(5):
        window.commands["larger_text"].trigger()
    assert preferences.values.font_percent == 150
    assert sizes() == pytest.approx([size * 1.5 for size in usual], rel=0.06)
    for _ in range(20):
        window.commands["smaller_text"].trigger()
    assert preferences.values.font_percent == 80
    assert sizes() == pytest.approx([size * 0.8 for size in usual], rel=0.08)


def test_the_settings_try_looks_on_and_cancel_takes_them_back(window, preferences):
    window.settings.wear("light")
    window.settings.show_dialog()
    dialog = window.findChild(SettingsDialog)
    theme, size = dialog.findChildren(QComboBox)[0], dialog.findChild(QSpinBox)
    theme.setCurrentText("Dark")
    size.setValue(120)
    assert current_tones() == DARK
    assert preferences.values.font_percent == 120
    dialog.reject()
    assert current_tones() == LIGHT
    assert preferences.values.font_percent == 100


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_swatches_have_the_pixels_of_their_display(qapp, ratio):
    pixmap = swatch((200, 30, 30), is_round=False).pixmap(QSize(16, 16), ratio)
    assert pixmap.size() == QSize(16, 16) * ratio
    image = pixmap.toImage()
    middle = image.pixelColor(image.width() // 2, image.height() // 2)
    assert middle == QColor(200, 30, 30)


def test_swatches_stay_when_they_are_copied(qapp):
    icon = QIcon(swatch((200, 30, 30), is_round=True))
    image = icon.pixmap(32, 32).toImage()
    assert image.pixelColor(16, 16) == QColor(200, 30, 30)
    assert image.pixelColor(0, 0).alpha() == 0
