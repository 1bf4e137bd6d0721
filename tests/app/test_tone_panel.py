"""The tone of the image, set by keys; map, project and what the model sees stay as they are."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QSlider

from app.status_bar import describe_value
from app.tone import Channel, Stretch, Tone

Key = Qt.Key


def pixel(canvas, x: int, y: int) -> tuple[int, int, int]:
    """The colour on the display in the middle of an image pixel."""
    left, top = canvas.view.to_device(x + 0.5, y + 0.5)
    color = canvas.grab().toImage().pixelColor(int(left), int(top))
    return color.red(), color.green(), color.blue()


def control(window, kind, name: str):
    (found,) = (each for each in window.findChildren(kind) if each.accessibleName() == name)
    return found


def value_field(window) -> QLabel:
    return control(window.statusBar(), QLabel, "Value of the image under the cursor")


def place_of(canvas, x: int, y: int) -> tuple[int, int]:
    """The widget's pixel in the middle of an image pixel."""
    ratio = canvas.devicePixelRatioF()
    left, top = canvas.view.to_device(x + 0.5, y + 0.5)
    return int(left / ratio), int(top / ratio)


def test_the_status_bar_has_the_values_under_the_cursor_whatever_the_tone(qtbot, window):
    window.canvas.look.set_tone(Tone(brightness=0.5))
    qtbot.mouseMove(window.canvas, QPoint(*place_of(window.canvas, 40, 7)))
    assert value_field(window).text() == "40 7 0"
    qtbot.mouseMove(window.canvas, QPoint(1, 1))
    assert value_field(window).text() == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.uint16(65_535), "65535"),
        (np.float32(0.1), "0.1"),
        (np.float64(-1.5e-9), "-1.5e-09"),
        (np.float32(np.nan), "nan"),
        (np.array([1, 2, 300], np.uint16), "1 2 300"),
    ],
)
def test_a_value_is_written_as_the_file_has_it(value, text):
    assert describe_value(value) == text


def test_the_panel_opens_and_closes_by_its_key_with_the_keyboard_in_it(window, press):
    assert not window.tone_dock.is_open
    press(Key.Key_T, Qt.KeyboardModifier.ShiftModifier)
    assert window.tone_dock.isVisible()
    assert QApplication.focusWidget().accessibleName() == "Brightness"
    press(Key.Key_T, Qt.KeyboardModifier.ShiftModifier)
    assert not window.tone_dock.isVisible()


def test_every_control_is_reached_by_tab_and_has_a_name(window, press):
    window.tone_dock.toggle()
    names = []
    for _ in range(7):
        names.append(QApplication.focusWidget().accessibleName())
        press(Key.Key_Tab)
    wanted = ["Brightness", "Contrast", "Gamma", "Channel", "Stretch", "Cut"]
    assert names == [*wanted, "Reset the tone"]


def test_keys_on_a_slider_make_the_image_brighter_and_nothing_else(window, document, press):
    window.canvas.zoom_to_actual()
    before = document.image.copy()
    window.tone_dock.toggle()
    press(Key.Key_PageUp)
    assert window.canvas.look.tone.brightness == pytest.approx(0.1)
    red, green, blue = before[7, 40] / 255 + 0.1
    expected = tuple(int(255 * share + 0.5) for share in (red, green, blue))
    assert pixel(window.canvas, 40, 7) == expected
    np.testing.assert_array_equal(document.image, before)
    assert not document.can_undo


def test_one_channel_is_chosen_and_reset(window, document):
    window.canvas.zoom_to_actual()
    control(window, QComboBox, "Channel").setCurrentText(Channel.RED)
    assert pixel(window.canvas, 40, 7) == (40, 40, 40)
    control(window, QPushButton, "Reset the tone").click()
    assert window.canvas.look.tone == Tone()
    assert control(window, QComboBox, "Channel").currentText() == Channel.COLOR
    assert pixel(window.canvas, 40, 7) == tuple(document.image[7, 40])


def test_the_panel_shows_a_tone_set_elsewhere_and_keeps_it(window):
    tone = Tone(0.5, -0.5, 2.0, Channel.GREEN, Stretch.ON, 1.5)
    window.canvas.look.set_tone(tone)
    assert control(window, QSlider, "Brightness").value() == 50
    assert control(window, QSlider, "Gamma").value() == 50
    assert control(window, QSlider, "Cut").value() == 15
    assert window.canvas.look.tone == tone


def test_the_tone_stays_for_the_next_image(window, document):
    window.canvas.look.set_tone(Tone(channel=Channel.GREEN))
    document.open_image(document.store.images()[1])
    window.canvas.zoom_to_actual()
    assert pixel(window.canvas, 40, 7) == (7, 7, 7)


def test_sixteen_bits_are_seen_in_steps_that_eight_bits_lose(qtbot, window, document, pictures):
    values = np.full((48, 64), 300, np.uint16)
    values[:, :32] = np.arange(200, 232)
    values[0, 63] = 60_000  # one hot pixel
    Image.fromarray(values).save(pictures[1])
    document.open_image(document.store.images()[1])
    assert len(np.unique(document.image[1:])) == 1, "the model's image is as it was"
    window.canvas.zoom_to_actual()
    qtbot.mouseMove(window.canvas, QPoint(*place_of(window.canvas, 5, 20)))
    assert value_field(window).text() == "205"
    qtbot.mouseMove(window.canvas, QPoint(1, 1))  # the brush's ring is no part of the image
    greys = [pixel(window.canvas, x, 20)[0] for x in range(32)]
    assert greys == sorted(set(greys))
