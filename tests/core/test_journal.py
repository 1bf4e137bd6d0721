"""Edits and maps come back from their bytes bit for bit, and damaged bytes never do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import journal
from core.journal import decode_edit, decode_map, encode_edit, encode_map
from core.panoptic import Edit, PanopticMap, Segment, Source

sides = st.integers(0, 5)
segments = st.dictionaries(
    st.integers(1, 65_535),
    st.builds(
        Segment,
        id=st.just(0),
        category_id=st.integers(0, 2**31),
        source=st.sampled_from(Source),
        is_locked=st.booleans(),
        is_crowd=st.booleans(),
    ),
    max_size=3,
)


def named(segments):
    """Each segment under its own id."""
    return {
        i: Segment(i, s.category_id, s.source, s.is_locked, s.is_crowd)
        for i, s in segments.items()
    }


@st.composite
def boxes(draw):
    """Two arrays of ids of one size."""
    shape = draw(sides), draw(sides)
    data = draw(st.binary(min_size=4 * shape[0] * shape[1], max_size=4 * shape[0] * shape[1]))
    both = np.frombuffer(data, np.uint16).reshape(2, *shape)
    return both[0].copy(), both[1] // 16384


@given(boxes(), st.integers(0, 2**32 - 1), segments, segments)
def test_an_edit_survives(box, top, old, new):
    edit = Edit(top, 3, *box, named(old), named(new), "brush")
    again = decode_edit(encode_edit(edit), "brush")
    assert (again.top, again.left, again.label) == (top, 3, "brush")
    assert np.array_equal(again.before, edit.before) and again.before.dtype == np.uint16
    assert np.array_equal(again.after, edit.after) and again.after.shape == edit.after.shape
    assert again.segments_before == named(old) and again.segments_after == named(new)


@given(boxes(), segments)
def test_a_map_survives(box, some):
    panoptic = PanopticMap(box[0], named(some))
    again = decode_map(encode_map(panoptic), panoptic.height, panoptic.width)
    assert np.array_equal(again.segment_ids, box[0])
    assert again.segments == named(some)


@pytest.mark.parametrize("length", [65_535, 65_536])
def test_runs_of_any_length_survive(length):
    ids = np.zeros((1, length + 2), np.uint16)
    ids[0, -2:] = 3, 65_535
    after = np.full_like(ids, 9)
    edit = decode_edit(encode_edit(Edit(0, 0, ids, after, {}, {}, "fill")), "fill")
    assert np.array_equal(edit.before, ids) and np.array_equal(edit.after, after)


@given(boxes(), st.sampled_from([0, 3, 1000]))
def test_runs_parted_into_short_pieces_survive(box, few):
    edit = Edit(0, 0, *box, {}, {}, "fill")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "_LONGEST", 2)
        patch.setattr(journal, "_FEW_PIECES", few)
        again = decode_edit(encode_edit(edit), "fill")
    assert np.array_equal(again.before, edit.before) and np.array_equal(again.after, edit.after)
    assert again.counts == edit.counts


def test_a_long_run_does_not_lengthen_all_the_others():
    ids = np.zeros((300, 1000), np.uint16)
    ids[100:] = np.random.default_rng(0).integers(0, 900, (200, 1000))
    long, short = (len(encode_map(PanopticMap(each))) for each in (ids, ids[100:].copy()))
    assert long < short + 100


@pytest.fixture
def data():
    ids = np.zeros((40, 50), np.uint16)
    after = ids.copy()
    after[10:30, 5:45] = 7
    return encode_edit(Edit(3, 4, ids, after, {}, {7: Segment(7, 1)}, "brush"))


def test_a_stroke_takes_few_bytes(data):
    assert len(data) < 250


def test_no_flipped_bit_of_an_edit_becomes_a_pixel(data):
    edit = decode_edit(data, "brush")
    for place in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        try:
            again = decode_edit(bytes(flipped), "brush")
        except ValueError:
            continue
        assert np.array_equal(again.after, edit.after)  # a bit that means nothing
        assert (again.rect, again.segments_after) == (edit.rect, edit.segments_after)


def test_every_edit_cut_short_is_noticed(data):
    for size in range(len(data)):
        with pytest.raises(ValueError, match="no edit"):
            decode_edit(data[:size], "brush")


def test_a_map_of_another_size_is_noticed():
    data = encode_map(PanopticMap.empty(4, 6))
    with pytest.raises(ValueError, match="runs of 24 pixels for a box of 5 x 6"):
        decode_map(data, 5, 6)
