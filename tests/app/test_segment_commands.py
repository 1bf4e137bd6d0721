"""Commands on the selected segment: each is one edit, or a sentence."""

import pytest

from app.segment_commands import SegmentCommands
from core.panoptic import Segment

CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py


@pytest.fixture
def commands(document) -> SegmentCommands:
    return SegmentCommands(document)


def test_a_locked_segment_is_left_alone(document, commands, complaints, put):
    put(Segment(1, CELL, is_locked=True), slice(0, 5), slice(0, 5))
    document.select(1)
    commands.delete()
    commands.recategorise()
    assert document.map.segments == {1: Segment(1, CELL, is_locked=True)}
    assert complaints == [
        "cell 1 is locked; unlock it with X to delete it.",
        "cell 1 is locked; unlock it with X to change it.",
    ]


def test_deleting_the_selected_segment_leaves_void_and_no_selection(document, commands, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    commands.delete()
    assert not document.map.segments
    assert document.selected_id == 0


def test_the_selected_segment_gets_the_current_category(document, commands, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.begin_segment(DEBRIS)
    document.select(1)
    commands.recategorise()
    assert document.map.segments[1].category_id == DEBRIS
    document.undo()
    assert document.map.segments[1].category_id == CELL
