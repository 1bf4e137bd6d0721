"""Settings: remembered as they were, and never a reason not to start."""

from dataclasses import replace

import pytest

from app.keys import CVAT
from app.settings import Preferences, Settings, Theme, read_settings, write_settings
from app.window import MainWindow
from core.strokes import Tip

CHANGED = Settings(
    theme=Theme.DARK,
    font_percent=150,
    preset=CVAT,
    keys={"less_opaque": (";", ","), "fit": (), "more_opaque": ("Ctrl+Shift+É", '"')},
    brush_size=64,
    brush_tip=Tip.SQUARE,
    wand_tolerance=7,
    is_wand_contiguous=False,
    superpixel_size=40,
    opacity_percent=75,
    is_by_category=True,
    is_highlighting=False,
    has_grid=False,
    has_rulers=False,
    has_navigator=False,
    told_device="Running on a GPU; 100 %, é.",
    geometry=bytes(range(256)),
    arrangement=b"\x00,;%\n",
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "with space and é" / "settings.ini"


def test_settings_come_back_as_they_were(path):
    write_settings(path, CHANGED)
    assert read_settings(path) == CHANGED


def test_keys_that_were_reset_are_forgotten(path):
    write_settings(path, CHANGED)
    write_settings(path, replace(CHANGED, keys={}))
    assert read_settings(path).keys == {}


def test_without_a_file_all_is_as_at_first(path):
    assert read_settings(path) == Settings()


@pytest.mark.parametrize(
    "line",
    [
        "theme=pink",
        "font_percent=9000",
        "font_percent=big",
        "brush_size=-1",
        "opacity_percent=@Invalid()",
        "brush_tip=1, 2, 3",
        "geometry=none",
    ],
)
def test_what_makes_no_sense_has_its_default(path, line):
    path.parent.mkdir()
    path.write_text(f"[General]\n{line}\n")
    assert read_settings(path) == Settings()


@pytest.mark.parametrize("content", [b"\xff\x00\xfe" * 999, b"[General\ntheme", b"", b"]["])
def test_a_broken_file_does_not_stop_the_start(store, qtbot, own_home, content):
    folder = own_home / "config" / "bitbrush"
    folder.mkdir(parents=True)
    (folder / "settings.ini").write_bytes(content)
    window = MainWindow(store)
    qtbot.addWidget(window)
    assert window.preferences.values == Settings()


def test_nonsense_for_geometry_and_arrangement_does_not_stop_the_start(store, qtbot):
    preferences = Preferences()
    preferences.use(replace(CHANGED, geometry=b"no geometry", arrangement=b"none"))
    window = MainWindow(store, preferences)
    qtbot.addWidget(window)
    window.show()
    assert window.width() > 300


def test_a_folder_that_cannot_be_made_does_not_stop_the_start(store, qtbot, own_home):
    (own_home / "config").write_text("a file where the folder should be")
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.settings.wear("dark")
    assert window.preferences.values.theme == Theme.DARK


def test_the_next_window_begins_as_the_last_was_left(store, qtbot):
    first = MainWindow(store)
    qtbot.addWidget(first)
    first.show()
    untouched = first.size()
    first.resize(790, 590)  # offscreen displays are small
    first.tools.set_size(33)
    first.tools.set_tip(Tip.SQUARE)
    first.canvas.look.set_opacity(0.8)
    first.canvas.look.toggle_rulers()
    first.canvas.look.toggle_by_category()
    width = first.categories.width()
    first.close()
    second = MainWindow(store)
    qtbot.addWidget(second)
    second.show()
    assert second.size() == first.size()
    assert second.size() != untouched
    assert second.categories.width() == width
    assert second.tools.size == 33
    assert second.tools.tip == Tip.SQUARE
    look = second.canvas.look
    assert look.opacity == pytest.approx(0.8)
    assert not look.has_rulers
    assert not any(ruler.isVisible() for ruler in second.canvas_frame.rulers)
    assert look.is_by_category
    assert look.has_grid


def test_changed_keys_are_in_force_in_the_next_window(store, qtbot):
    first = MainWindow(store)
    qtbot.addWidget(first)
    first.preferences.use(replace(first.preferences.values, keys={"hide": ("Y",)}))
    assert first.keys["hide"] == ("Y",)
    second = MainWindow(store)
    qtbot.addWidget(second)
    assert second.keys["hide"] == ("Y",)
    assert second.commands["hide"].shortcut().toString() == "Y"
