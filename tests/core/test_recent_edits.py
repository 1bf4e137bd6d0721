"""Edits are found again for their own bytes only, and take no more memory than allowed."""

import numpy as np
import pytest

from core.panoptic import Edit, Segment
from core.recent_edits import RecentEdits


def make_edit(side, label="brush"):
    before = np.zeros((side, side), np.uint16)
    return Edit(0, 0, before, before + 1, {}, {1: Segment(1, 7)}, label)


def test_an_edit_is_found_for_its_image_number_label_and_bytes():
    recent, edit = RecentEdits(), make_edit(4)
    recent.keep(1, 5, b"bytes", edit)
    assert recent.find(1, 5, "brush", b"bytes") is edit
    for other in ((2, 5, "brush", b"bytes"), (1, 6, "brush", b"bytes")):
        assert recent.find(*other) is None
    assert recent.find(1, 5, "fill", b"bytes") is None
    assert recent.find(1, 5, "brush", b"other") is None


def test_the_edits_used_last_are_kept_as_far_as_they_fit():
    size = 2 * 2 * 100 + 1
    recent = RecentEdits(2 * size)
    edits = [make_edit(10) for _ in range(3)]
    recent.keep(1, 1, b"a", edits[0])
    recent.keep(1, 2, b"b", edits[1])
    assert recent.find(1, 1, "brush", b"a") is edits[0]
    recent.keep(1, 3, b"c", edits[2])
    assert recent.find(1, 1, "brush", b"a") is edits[0]
    assert recent.find(1, 2, "brush", b"b") is None
    assert recent.find(1, 3, "brush", b"c") is edits[2]


def test_what_is_larger_than_all_the_memory_pushes_nothing_out():
    recent, small = RecentEdits(1000), make_edit(10)
    recent.keep(1, 1, b"a", small)
    recent.keep(1, 2, b"b", make_edit(100))
    assert recent.find(1, 1, "brush", b"a") is small
    assert recent.find(1, 2, "brush", b"b") is None


def test_an_edit_takes_the_place_of_another_of_its_number():
    recent, new = RecentEdits(1000), make_edit(10)
    recent.keep(1, 1, b"a", make_edit(10))
    recent.keep(1, 1, b"b", new)
    recent.keep(1, 2, b"c", make_edit(10))
    assert recent.find(1, 1, "brush", b"b") is new


def test_nobody_writes_to_what_undo_would_bring_back():
    recent, edit = RecentEdits(), make_edit(4)
    recent.keep(1, 1, b"a", edit)
    with pytest.raises(ValueError, match="read-only"):
        edit.before[0, 0] = 9
