"""Any sequence of edits keeps the rules of the map, and can be taken back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.panoptic import PanopticMap, count_pixels
from tests.core.map_edits import (
    HEIGHT,
    WIDTH,
    assert_is_partition,
    assert_locked_pixels_stay,
    edits_of,
    same_map,
)


@given(st.data())
@settings(max_examples=150)
def test_any_edits_keep_the_rules_of_the_map_and_can_be_taken_back(data):
    panoptic = PanopticMap.empty(HEIGHT, WIDTH)
    states, made, used = [panoptic.copy()], [], set()
    for _ in range(data.draw(st.integers(1, 12))):
        before = panoptic.copy()
        edit = data.draw(edits_of(panoptic))
        assert same_map(panoptic, before)
        assert np.array_equal(before.segment_ids[edit.rect.slices], edit.before)
        assert_knows_itself(edit)
        assert_knows_itself(edit.inverted())
        panoptic.apply(edit)
        assert_is_partition(panoptic)
        assert_locked_pixels_stay(before, panoptic)
        created = edit.segments_after.keys() - edit.segments_before.keys()
        assert not created & used
        used |= created
        undone = panoptic.copy()
        undone.apply(edit.inverted())
        assert same_map(undone, before)
        states.append(panoptic.copy())
        made.append(edit)
    for edit, state in zip(reversed(made), reversed(states[:-1]), strict=True):
        panoptic.apply(edit.inverted())
        assert same_map(panoptic, state)
        assert_is_partition(panoptic)


@given(st.data())
def test_an_edit_names_only_what_differs(data):
    panoptic = PanopticMap.empty(HEIGHT, WIDTH)
    for _ in range(4):
        edit = data.draw(edits_of(panoptic))
        for segment_id in edit.segments_before.keys() & edit.segments_after.keys():
            assert edit.segments_before[segment_id] != edit.segments_after[segment_id]
        changed = edit.before != edit.after
        for edge in (changed[:1], changed[-1:], changed[:, :1], changed[:, -1:]):
            assert changed.size == 0 or edge.any()
        panoptic.apply(edit)


def assert_knows_itself(edit):
    """What an edit says that it has found out is what there is to be found."""
    for box, (lengths, ids), counts in zip(
        (edit.before, edit.after), edit.runs, edit.counts, strict=True
    ):
        assert np.array_equal(np.repeat(ids, lengths), box.ravel())
        assert (ids[1:] != ids[:-1]).all()
        assert counts == count_pixels(box)
