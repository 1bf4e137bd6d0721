"""The map can be tinted by who changed each pixel last, and the tint follows what is done."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage

from app.author_tint import COLORS, AuthorLegend
from core.authors import A_PERSON, Author, AuthorKind
from core.edits import erase_stroke
from core.panoptic import Edit, Segment

MODEL = Author(AuthorKind.MODEL, "nuclei v3", 0, 20)
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def painted(window, document):
    """The left half is by a model, the right by a person."""
    for number, author in enumerate((MODEL, A_PERSON)):
        after = np.full((48, 32), number + 1, np.uint16)
        new = {number + 1: Segment(number + 1, 1)}
        edit = Edit(0, 32 * number, np.zeros_like(after), after, {}, new, "put")
        assert document.push(edit, author)
    return window


def hue_of(kind: AuthorKind) -> int:
    return QColor(*COLORS[kind]).hue()


def look_at(canvas, x: float, y: float) -> QColor:
    """The colour that is seen in the middle of an image pixel."""
    left, top = canvas.view.to_device(x + 0.5, y + 0.5)
    image: QImage = canvas.grab().toImage()
    return image.pixelColor(round(left), round(top))


def tint_at(canvas, x: float, y: float) -> str:
    """Whose tint is seen: the nearer of the two that are there, or none."""
    seen, without = look_at(canvas, x, y), 0
    canvas.look.set_image_only(True)
    without = look_at(canvas, x, y)
    canvas.look.set_image_only(False)
    added = [a - b for a, b in zip(seen.getRgb()[:3], without.getRgb()[:3], strict=True)]
    if max(abs(part) for part in added) < 10:
        return ""
    blended = {
        kind: [(130 * c - 130 * b) / 255 for c, b in zip(color, without.getRgb(), strict=False)]
        for kind, color in COLORS.items()
    }
    return min(blended, key=lambda kind: np.abs(np.subtract(blended[kind], added)).sum())


def test_a_key_tints_pixels_by_their_author_and_the_legend_says_who(painted, press) -> None:
    canvas, legend = painted.canvas, painted.findChild(AuthorLegend)
    assert legend.isHidden()
    press(Qt.Key.Key_A, SHIFT)
    assert (tint_at(canvas, 10, 20), tint_at(canvas, 50, 20)) == ("model", "human")
    assert "model nuclei v3 50.0 %" in legend.text() and "people 50.0 %" in legend.text()
    assert legend.isVisible()
    press(Qt.Key.Key_A, SHIFT)
    assert legend.isHidden()


def test_kinds_of_authors_can_be_left_out(painted, press) -> None:
    press(Qt.Key.Key_A, SHIFT)
    painted.commands["tint_model"].trigger()
    canvas = painted.canvas
    assert (tint_at(canvas, 10, 20), tint_at(canvas, 50, 20)) == ("", "human")
    assert not painted.commands["tint_model"].isChecked()
    painted.commands["tint_model"].trigger()
    assert tint_at(canvas, 10, 20) == "model"


def test_the_tint_follows_strokes_and_undo(painted, document, press) -> None:
    press(Qt.Key.Key_A, SHIFT)
    assert document.push(erase_stroke(document.map, [(10, 20)], 6))
    assert tint_at(painted.canvas, 10, 20) == "human"
    press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert tint_at(painted.canvas, 10, 20) == "model"
    press(Qt.Key.Key_D)
    assert tint_at(painted.canvas, 10, 20) == ""


def test_there_is_no_tint_over_a_proposal(painted, document, press, proposal) -> None:
    press(Qt.Key.Key_A, SHIFT)
    document.propose(proposal, {7: 1, 8: 2})
    assert painted.canvas.tint.tint is None
    document.reject()
    assert painted.canvas.tint.tint is not None


def test_what_cannot_be_read_is_a_sentence(painted, document, store, press, complaints) -> None:
    store._execute("UPDATE edit SET payload = x'00' WHERE seq = 1")  # noqa: SLF001
    press(Qt.Key.Key_A, SHIFT)
    assert painted.canvas.tint.tint is None
    assert "Edit 1 of image 1" in complaints[0]
