"""The settings of the tool in hand, set by mouse and keys in the tool bar."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QSlider, QWidget

from app.keys import Keys
from app.tool_options import ToolOptions
from app.toolbox import BRUSH, PICK, SUPERPIXEL, WAND, ToolBox
from core.strokes import Tip


@pytest.fixture
def tools(qapp) -> ToolBox:
    return ToolBox()


@pytest.fixture
def options(tools, qtbot) -> ToolOptions:
    options = ToolOptions(tools, Keys())
    qtbot.addWidget(options)
    options.show()
    return options


def named(options, kind: type[QWidget], name: str) -> QWidget:
    """The control that a screen reader calls by that name."""
    (control,) = (c for c in options.findChildren(kind) if c.accessibleName() == name)
    return control


def test_a_slider_sets_the_size_of_the_brush_and_follows_it(qtbot, tools, options):
    slider = named(options, QSlider, "Brush size")
    tools.set_size(250)
    assert slider.value() == 50
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert tools.size > 250


def test_following_does_not_set_the_size_again(tools, options):
    tools.set_size(37)
    assert tools.size == 37


def test_the_space_key_makes_the_tip_square(qtbot, tools, options):
    box = named(options, QCheckBox, "Square tip instead of a round one")
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert tools.tip is Tip.SQUARE
    tools.set_tip(Tip.ROUND)
    assert not box.isChecked()


def test_only_settings_of_the_tool_in_hand_are_shown_and_nothing_moves(tools, options):
    slider = named(options, QSlider, "Brush size")
    width = options.width()
    tools.take(PICK)
    assert not slider.isVisible()
    assert options.width() == width
    tools.take(BRUSH)
    assert slider.isVisible()


def test_the_wand_and_superpixels_have_settings_of_their_own(qtbot, tools, options):
    tools.take(WAND)
    tolerance = named(options, QSlider, "Tolerance of the wand")
    tools.set_tolerance(100)
    qtbot.keyClick(tolerance, Qt.Key.Key_Right)
    assert tools.tolerance == tolerance.value() == 101
    qtbot.keyClick(
        named(options, QCheckBox, "Only pixels connected to the one pressed on"),
        Qt.Key.Key_Space,
    )
    assert not tools.is_contiguous
    tools.take(SUPERPIXEL)
    assert not tolerance.isVisible()
    patch = named(options, QSlider, "Size of superpixels")
    qtbot.keyClick(patch, Qt.Key.Key_Right)
    assert tools.superpixel_size == patch.value() == 25
    qtbot.keyClick(named(options, QCheckBox, "Subtract areas (or hold Ctrl)"), Qt.Key.Key_Space)
    assert tools.is_subtracting
