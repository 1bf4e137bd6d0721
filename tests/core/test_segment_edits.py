"""Flood, merge, split, cut, give away, copy: each does what it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ProjectError
from core.panoptic import MAX_SEGMENT_ID, PanopticMap, Rect, Segment, Source
from core.segment_edits import (
    cut_segment,
    flood_area,
    give_to_neighbours,
    merge_segments,
    split_by_line,
    split_components,
)
from tests.core.map_edits import CELL, DISH, GLASS, STUFF, cells, ids

LOCKED = Segment(1, CELL.id, is_locked=True)


def applied(panoptic, edit):
    """The ids after an edit."""
    after = panoptic.copy()
    after.apply(edit)
    return after.segment_ids


class TestFlood:
    def test_takes_the_pixels_of_one_id_that_connect_edge_to_edge(self):
        panoptic = cells([1, 1, 0, 1], [0, 1, 0, 1], [2, 0, 1, 1])
        rect, covered = flood_area(panoptic, 1, 0)
        assert rect == Rect(0, 0, 2, 2)
        assert np.array_equal(covered, [[True, True], [False, True]])

    def test_takes_void_like_any_other_segment(self):
        rect, covered = flood_area(cells([0, 1, 0], [0, 1, 0]), 2, 1)
        assert rect == Rect(0, 2, 2, 3) and covered.all()

    @pytest.mark.parametrize("place", [(-1, 0), (0, -1), (3, 0), (0, 2)])
    def test_from_outside_the_map_is_a_mistake(self, place):
        with pytest.raises(ValueError, match="of a map of 3 x 2"):
            flood_area(PanopticMap.empty(2, 3), *place)


class TestMerge:
    def test_joins_all_under_the_id_and_the_category_of_one(self):
        panoptic = cells([1, 2, 3, 4], but=Segment(2, DISH.id))
        edit = merge_segments(panoptic, [1, 2, 3], into=2)
        panoptic.apply(edit)
        assert np.array_equal(panoptic.segment_ids, ids([2, 2, 2, 4]))
        assert panoptic.segments[2] == Segment(2, DISH.id) and edit.rect == Rect(0, 0, 1, 3)

    def test_leaves_locked_segments_alone(self):
        panoptic = cells([1, 2, 3], but=LOCKED)
        assert np.array_equal(
            applied(panoptic, merge_segments(panoptic, [1, 2], 3)), ids([1, 3, 3])
        )
        assert merge_segments(panoptic, [1], 3).is_empty

    def test_may_extend_a_locked_segment(self):
        panoptic = cells([1, 2], but=LOCKED)
        panoptic.apply(merge_segments(panoptic, [2], into=1))
        assert panoptic.areas() == {1: 2} and panoptic.segments == {1: LOCKED}

    def test_of_many_segments_is_the_same(self):
        panoptic = cells([*range(1, 40)])
        panoptic.apply(merge_segments(panoptic, range(1, 40), into=7))
        assert panoptic.areas() == {7: 39}

    def test_of_a_segment_with_itself_is_empty(self):
        assert merge_segments(cells([1, 2]), [1, 1], into=1).is_empty

    def test_of_a_segment_that_is_not_there_is_a_mistake(self):
        with pytest.raises(ValueError, match="no segment 9"):
            merge_segments(cells([1]), [9], into=1)


class TestSplitIntoParts:
    def test_the_largest_part_keeps_the_id_and_the_others_get_new_ones(self):
        panoptic = cells([1, 0, 1, 1, 0, 1])
        edit = split_components(panoptic, 1, STUFF)
        panoptic.apply(edit)
        assert np.array_equal(panoptic.segment_ids, ids([2, 0, 1, 1, 0, 3]))
        assert panoptic.segments[3] == Segment(3, CELL.id, Source.HUMAN)

    def test_what_touches_at_a_corner_stays_together(self):
        assert split_components(cells([1, 0], [0, 1]), 1, STUFF).is_empty

    def test_stores_only_the_parts_that_change(self):
        panoptic = cells([1, 1, 1, 0, 0, 1])
        assert split_components(panoptic, 1, STUFF).rect == Rect(0, 5, 1, 6)

    @pytest.mark.parametrize("whole", [Segment(1, DISH.id), LOCKED])
    def test_stuff_and_locked_segments_stay_whole(self, whole):
        assert split_components(cells([1, 0, 1], but=whole), 1, STUFF).is_empty

    def test_the_parts_of_a_crowd_are_crowds(self):
        panoptic = cells([1, 1, 0, 1], but=Segment(1, DISH.id, is_crowd=True))
        panoptic.apply(split_components(panoptic, 1, STUFF))
        assert panoptic.segments[2] == Segment(2, DISH.id, is_crowd=True)

    def test_into_more_parts_than_there_are_ids_is_refused(self):
        panoptic = PanopticMap(ids([1, 0, 1]), {1: Segment(1, CELL.id)}, MAX_SEGMENT_ID + 1)
        with pytest.raises(ProjectError, match="used all"):
            split_components(panoptic, 1, STUFF)


class TestCut:
    def test_parts_the_pixels_on_either_side_of_a_line(self):
        panoptic = cells(*[[1] * 5] * 2)
        edit = cut_segment(panoptic, 1, (1.9, -1), (1.9, 9), STUFF)
        assert np.array_equal(applied(panoptic, edit), ids(*[[2, 2, 1, 1, 1]] * 2))
        assert edit.rect == Rect(0, 0, 2, 2) and edit.segments_after[2].source is Source.HUMAN

    @pytest.mark.parametrize("x", [1.51, 2.0, 2.49])
    def test_a_pixel_goes_to_the_side_on_which_its_centre_lies(self, x):
        panoptic = cells([1] * 5)
        edit = cut_segment(panoptic, 1, (x, 0), (x, 1), STUFF)
        assert np.array_equal(applied(panoptic, edit), ids([2, 2, 1, 1, 1]))

    @pytest.mark.parametrize(
        ("start", "end"), [((0, 0), (6, 6)), ((6, 0), (0, 6)), ((0.5, 0), (0.5, 6))]
    )
    def test_a_line_through_the_middles_of_pixels_cuts_too(self, start, end):
        panoptic = cells(*[[1] * 6] * 6)
        edit = cut_segment(panoptic, 1, start, end, STUFF)
        assert not edit.is_empty
        backwards = cut_segment(panoptic, 1, end, start, STUFF)
        assert np.array_equal(applied(panoptic, edit), applied(panoptic, backwards))

    def test_a_line_that_ends_inside_cuts_nothing(self):
        panoptic = cells(*[[1] * 5] * 5)
        assert cut_segment(panoptic, 1, (2, -1), (2, 3), STUFF).is_empty

    def test_a_line_beside_the_segment_cuts_nothing(self):
        panoptic = cells([1, 1, 0, 2, 2])
        assert cut_segment(panoptic, 1, (4, 0), (4, 1), STUFF).is_empty

    @pytest.mark.parametrize("end", [(4, 0), (4, 0.3), (3.8, 0), (0.1, 4)])
    def test_a_thin_diagonal_is_cut_between_pixels_that_touch_at_a_corner(self, end):
        panoptic = cells(*np.eye(4, dtype=np.uint16))
        start = (4 - end[0], 4 - end[1])
        after = applied(panoptic, cut_segment(panoptic, 1, start, end, STUFF))
        assert np.array_equal(np.diag(after), [1, 1, 2, 2])

    def test_a_strip_two_pixels_wide_is_cut_lengthwise(self):
        panoptic = cells([1] * 7, [1] * 7)
        edit = cut_segment(panoptic, 1, (-1, 1), (8, 1), STUFF)
        assert np.array_equal(applied(panoptic, edit), ids([1] * 7, [2] * 7))

    @pytest.mark.parametrize("whole", [Segment(1, GLASS.id), LOCKED])
    def test_stuff_and_locked_segments_stay_whole(self, whole):
        panoptic = cells([1, 1], but=whole)
        assert cut_segment(panoptic, 1, (1, 0), (1, 1), STUFF).is_empty

    @given(st.lists(st.integers(0, 48).map(lambda n: n / 4), min_size=4, max_size=4))
    def test_a_line_right_across_parts_a_rectangle_by_the_side_of_each_centre(self, ends):
        top, bottom = (ends[0], -2), (ends[1], 14)
        panoptic = cells(*[[1] * 12] * 12)
        after = applied(panoptic, cut_segment(panoptic, 1, top, bottom, STUFF))
        y, x = np.mgrid[:12, :12] + 0.5
        distance = (x - top[0]) * 16 - (y + 2) * (bottom[0] - top[0])
        for side in (distance > 1e-3, distance < -1e-3):
            assert len(np.unique(after[side])) <= 1
        if (distance > 1e-3).any() and (distance < -1e-3).any():
            assert len(np.unique(after)) == 2


class TestSplitByLine:
    def test_cuts_along_a_bent_line(self):
        panoptic = cells(*[[1] * 4] * 4)
        edit = split_by_line(panoptic, 1, [(2, -1), (2, 2), (5, 2)], STUFF)
        corner = ids([1, 1, 2, 2], [1, 1, 2, 2], [1] * 4, [1] * 4)
        assert np.array_equal(applied(panoptic, edit), corner)

    def test_cuts_out_what_a_closed_line_goes_around(self):
        panoptic = cells(*[[1] * 5] * 5)
        ring = [(1, 1), (4, 1), (4, 4), (1, 4), (1, 0.5)]
        after = applied(panoptic, split_by_line(panoptic, 1, ring, STUFF))
        assert (after[1:4, 1:4] == 2).all() and (after == 2).sum() == 9

    def test_makes_two_segments_of_an_object_in_several_parts(self):
        panoptic = cells([1, 1, 1, 1, 1], [0] * 5, [1, 1, 1, 1, 1])
        after = applied(panoptic, cut_segment(panoptic, 1, (2, -1), (2, 4), STUFF))
        assert np.array_equal(after, ids([2, 2, 1, 1, 1], [0] * 5, [2, 2, 1, 1, 1]))

    def test_parts_that_the_line_does_not_reach_keep_the_id(self):
        panoptic = cells([1, 1, 1, 0, 1])
        after = applied(panoptic, cut_segment(panoptic, 1, (1, 0), (1, 1), STUFF))
        assert np.array_equal(after, ids([2, 1, 1, 0, 1]))

    def test_cuts_off_a_piece_with_a_line_that_ends_in_the_rest(self):
        panoptic = cells([1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 1])
        line = [(1, 3.5), (1, 2.2), (-1, 1.8), (-1, -1), (1, -1), (1, 0.8), (2.1, 1.5)]
        after = applied(panoptic, split_by_line(panoptic, 1, line, STUFF))
        assert len(np.unique(after[after > 0])) == 2

    @pytest.mark.parametrize("points", [[], [(1.0, 0.0)]])
    def test_a_line_without_length_cuts_nothing(self, points):
        assert split_by_line(cells([1, 1]), 1, points, STUFF).is_empty

    def test_a_line_that_is_no_number_is_refused(self):
        with pytest.raises(ValueError, match="a line through"):
            split_by_line(cells([1, 1]), 1, [(np.nan, 0), (1, 1)], STUFF)


class TestGiveToNeighbours:
    def test_each_pixel_goes_to_the_nearest_segment_that_touches(self):
        panoptic = cells([2, 1, 1, 1, 1, 3])
        panoptic.apply(give_to_neighbours(panoptic, 1))
        assert np.array_equal(panoptic.segment_ids, ids([2, 2, 2, 3, 3, 3]))
        assert panoptic.segments.keys() == {2, 3}

    def test_void_takes_none_while_a_segment_touches(self):
        panoptic = cells([0, 1, 1, 2, 0])
        assert np.array_equal(
            applied(panoptic, give_to_neighbours(panoptic, 1)), ids([0, 2, 2, 2, 0])
        )

    def test_a_segment_that_is_only_near_takes_none(self):
        panoptic = cells([3, 1, 1, 1, 1], [1, 0, 0, 0, 0], [1, 0, 2, 2, 0], [1, 0, 2, 2, 0])
        panoptic.apply(give_to_neighbours(panoptic, 1))
        assert panoptic.areas() == {2: 4, 3: 8}

    def test_without_a_neighbour_it_becomes_void(self):
        panoptic = cells([2, 0, 1, 1])
        assert np.array_equal(
            applied(panoptic, give_to_neighbours(panoptic, 1)), ids([2, 0, 0, 0])
        )

    def test_locked_neighbours_take_nothing(self):
        panoptic = cells([1, 2, 2, 3], but=LOCKED)
        assert np.array_equal(
            applied(panoptic, give_to_neighbours(panoptic, 2)), ids([1, 3, 3, 3])
        )

    def test_a_locked_segment_stays(self):
        assert give_to_neighbours(cells([1, 2], but=LOCKED), 1).is_empty
