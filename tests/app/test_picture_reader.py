"""Images come from files without keeping the window waiting, and only the last one wanted."""

from threading import Event

import numpy as np
import pytest

from app import image_file, picture_reader
from app.canvas_marks import why_empty
from core.images import read_values
from core.panoptic import Segment

CELL = 1


@pytest.fixture
def disk(monkeypatch):
    """An event without which the first two pictures cannot be read, as if they were huge."""
    answers = Event()

    def read_slowly(path, **options):
        if path.name != "picture2.png":
            answers.wait()
        return read_values(path, **options)

    monkeypatch.setattr(image_file, "read_values", read_slowly)
    monkeypatch.setattr(picture_reader, "MAX_SMALL", 0)
    yield answers
    answers.set()


@pytest.fixture
def reading(document, disk):
    """A document whose first picture is on its way."""
    document.open_image(document.store.images()[0])
    yield document
    disk.set()
    document.reader.stop()


def test_a_slow_image_is_said_to_be_read_and_then_shown(reading, disk, qtbot):
    assert why_empty(reading)[0] == "Reading picture0.png…"
    with qtbot.waitSignal(reading.image_changed):
        disk.set()
    assert reading.has_image and reading.map is not None
    assert not reading.reader.is_reading


def test_nothing_can_be_edited_while_an_image_is_read(reading, complaints):
    assert not reading.is_editable
    assert not (reading.can_undo or reading.can_redo)
    assert reading.segment_to_paint() is None
    reading.undo()
    assert not complaints


def test_another_image_is_shown_at_once_and_the_slow_one_is_dropped(reading, disk, qtbot):
    records = reading.store.images()
    reading.open_image(records[2])
    qtbot.waitUntil(lambda: reading.has_image)
    with qtbot.assertNotEmitted(reading.image_changed, wait=50):
        disk.set()
        reading.reader.stop()
    assert reading.record == records[2]
    assert (reading.image[..., 2] == 80).all()
    assert reading.store.last_image == records[2].id


def test_a_slow_image_that_cannot_be_read_is_a_sentence(
    reading, disk, pictures, qtbot, complaints
):
    pictures[0].unlink()
    with qtbot.waitSignal(reading.image_changed):
        disk.set()
    assert "picture0.png does not exist" in complaints[0]
    assert why_empty(reading)[0] == "This image cannot be shown"


def test_edits_of_a_slow_image_are_there_when_it_is(document, put, disk, qtbot):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.open_image(document.record)
    with qtbot.waitSignal(document.image_changed):
        disk.set()
    assert np.count_nonzero(document.map.segment_ids) == 25
    document.reader.stop()
