"""Whatever happens to segments, the view shows what one opened only now would show."""

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from app.layers import Draft
from app.map_view import MapView
from core.edits import delete_segment, new_segment, paint_area
from core.panoptic import Rect, Segment

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py
WIDTH = 64  # of its images


@pytest.fixture
def show(qtbot):
    """Opens a view of a document."""

    def open_view(document) -> MapView:
        view = MapView(document)
        qtbot.addWidget(view)
        view.resize(150, 110)
        view.show()
        qtbot.waitExposed(view)
        return view

    return open_view


def pixels(view: MapView) -> np.ndarray:
    QTest.qWait(0)  # what is due to be painted is painted
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.array(image.constBits()).reshape(image.height(), image.width(), 4)


def paint(document, category_id, rect: Rect) -> None:
    segment = new_segment(document.map, document.categories[category_id])
    shape = rect.bottom - rect.top, rect.right - rect.left
    document.push(paint_area(document.map, rect, np.ones(shape, np.bool_), segment, "paint"))


def test_a_view_that_followed_shows_what_a_new_one_shows(document, show):
    followed = show(document)
    steps = [
        lambda: paint(document, CELL, Rect(2, 2, 20, 30)),
        lambda: paint(document, CELL, Rect(10, 20, 40, 50)),
        lambda: document.select(2),
        lambda: paint(document, GROUND, Rect(0, 0, 12, WIDTH)),
        lambda: document.select(3),
        document.undo,
        document.undo,
        document.redo,
        lambda: document.toggle_hidden(1),
        document.redo,
        lambda: document.toggle_hidden(1),
        lambda: document.push(delete_segment(document.map, 1)),
        lambda: document.select(2),
        document.undo,
        lambda: paint(document, DEBRIS, Rect(30, 3, 45, 60)),
        lambda: document.select(0),
    ]
    for number, step in enumerate(steps):
        before = pixels(followed)
        step()
        after = pixels(followed)
        assert (after != before).any(), f"step {number} shows nothing"
        np.testing.assert_array_equal(after, pixels(show(document)), f"step {number}")


def test_a_draft_is_drawn_where_it_paints_and_gone_when_it_ends(document, show):
    paint(document, CELL, Rect(2, 2, 40, 50))
    followed = show(document)
    without = pixels(followed)
    draft = Draft(Segment(2, DEBRIS), np.zeros((48, 64), np.bool_))
    for rect in (Rect(4, 4, 9, 9), Rect(6, 30, 30, 60), Rect(40, 0, 48, 12)):
        draft.where[rect.slices] = True
        draft.dirty = rect
        followed.show_draft(draft)
        fresh = show(document)
        draft.dirty = Rect(0, 0, 48, 64)
        fresh.show_draft(draft)
        assert (pixels(followed) != without).any()
        np.testing.assert_array_equal(pixels(followed), pixels(fresh))
    followed.show_draft(None)
    np.testing.assert_array_equal(pixels(followed), without)
