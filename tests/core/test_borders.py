"""Holes, islands, smoothing, growing and shrinking: each does what it says."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core import borders
from core.borders import fill_holes, grow, remove_islands, shrink, smooth_border
from core.panoptic import PanopticMap, Rect, Segment, Source
from tests.core.map_edits import CELL, cells, ids, whole_maps

LOCKED = Segment(1, CELL.id, is_locked=True)


def applied(panoptic, edit):
    """The ids after an edit."""
    after = panoptic.copy()
    after.apply(edit)
    return after.segment_ids


def square(side, margin, image=0):
    """A square of segment 1 in the middle of an image of another one, or of void."""
    array = np.full((side + 2 * margin,) * 2, image, np.uint16)
    array[margin : margin + side, margin : margin + side] = 1
    return cells(*array)


class TestHoles:
    def test_void_inside_becomes_the_segments(self):
        panoptic = cells([1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0])
        edit = fill_holes(panoptic, 1)
        assert (applied(panoptic, edit)[:, :3] == 1).all() and edit.rect == Rect(1, 1, 2, 2)

    def test_a_hole_whose_wall_touches_at_a_corner_only_is_closed(self):
        panoptic = cells([0, 1, 0], [1, 0, 1], [0, 1, 0])
        assert applied(panoptic, fill_holes(panoptic, 1))[1, 1] == 1

    def test_what_the_images_edge_closes_is_no_hole(self):
        assert fill_holes(cells([1, 0, 1], [1, 1, 1]), 1).is_empty

    def test_strays_of_a_segment_that_goes_on_outside_are_taken(self):
        panoptic = cells([1, 1, 1, 2], [1, 2, 1, 2], [1, 1, 1, 2])
        assert applied(panoptic, fill_holes(panoptic, 1))[1, 1] == 1

    def test_an_object_that_lies_inside_with_all_its_pixels_stays(self):
        panoptic = cells([1, 1, 1, 1], [1, 2, 0, 1], [1, 1, 1, 1])
        after = applied(panoptic, fill_holes(panoptic, 1))
        assert np.array_equal(after, ids([1, 1, 1, 1], [1, 2, 1, 1], [1, 1, 1, 1]))

    def test_a_locked_segment_inside_stays(self):
        panoptic = cells([2, 2, 2, 1], [2, 1, 2, 1], [2, 2, 2, 1], but=LOCKED)
        assert fill_holes(panoptic, 2).is_empty

    def test_a_locked_segment_is_filled_like_a_stroke_would(self):
        panoptic = cells([1, 1, 1], [1, 0, 1], [1, 1, 1], but=LOCKED)
        assert (applied(panoptic, fill_holes(panoptic, 1)) == 1).all()


class TestIslands:
    def test_go_to_the_neighbour_along_most_of_their_border(self):
        panoptic = cells([1, 1, 2, 2, 2], [1, 1, 2, 1, 2], [1, 1, 3, 3, 3])
        panoptic.apply(remove_islands(panoptic, 2, 1))
        assert panoptic.segment_ids[1, 3] == 2 and panoptic.areas() == {1: 6, 2: 6, 3: 3}

    def test_in_void_become_void(self):
        panoptic = cells([1, 1, 0, 1, 0])
        assert np.array_equal(
            applied(panoptic, remove_islands(panoptic, 2)), ids([1, 1, 0, 0, 0])
        )

    def test_of_the_given_area_or_more_stay(self):
        panoptic = cells([1, 1, 1, 0, 1, 1, 0, 1])
        after = applied(panoptic, remove_islands(panoptic, 2))
        assert np.array_equal(after, ids([1, 1, 1, 0, 1, 1, 0, 0]))

    def test_the_largest_part_stays_however_small(self):
        panoptic = cells([1, 0, 2, 2, 0, 2])
        after = applied(panoptic, remove_islands(panoptic, 99))
        assert np.array_equal(after, ids([1, 0, 2, 2, 0, 0]))

    def test_pixels_that_touch_at_a_corner_are_one_part(self):
        assert remove_islands(cells([1, 0, 0], [0, 1, 0]), 2).is_empty

    def test_of_locked_segments_stay_and_locked_neighbours_take_none(self):
        panoptic = cells([1, 1, 2, 1, 2, 2, 3], but=LOCKED)
        after = applied(panoptic, remove_islands(panoptic, 2))
        assert np.array_equal(after, ids([1, 1, 0, 1, 2, 2, 3]))

    def test_of_one_segment_leave_the_others_alone(self):
        panoptic = cells([1, 1, 0, 1, 0, 2, 2, 0, 2])
        edit = remove_islands(panoptic, 2, 2)
        assert edit.rect == Rect(0, 8, 1, 9)
        assert panoptic.segments[1].source is Source.MODEL

    @given(whole_maps, st.integers(1, 6))
    def test_none_are_left_behind(self, array, min_area):
        segments = {int(i): Segment(int(i), CELL.id) for i in np.unique(array) if i}
        panoptic = PanopticMap(array, segments, 10)
        panoptic.apply(remove_islands(panoptic, min_area))
        assert remove_islands(panoptic, min_area).is_empty
        assert panoptic.segments.keys() == segments.keys()

    def test_of_no_size_are_a_mistake(self):
        with pytest.raises(ValueError, match="fewer than 0 pixels"):
            remove_islands(cells([1]), 0)


class TestSmooth:
    def test_takes_off_spikes_and_fills_notches(self):
        panoptic = square(10, 3)
        panoptic.segment_ids[2, 7] = 1
        panoptic.segment_ids[12, 7] = 0
        after = applied(panoptic, smooth_border(panoptic, 1, 2))
        assert after[2, 7] == 0 and after[12, 7] == 1

    def test_leaves_straight_borders_and_the_images_edge(self):
        panoptic = cells([*[1] * 6, *[0] * 6], *[[*[1] * 6, *[0] * 6]] * 9)
        assert smooth_border(panoptic, 1, 3).is_empty

    def test_rounds_corners_alike(self):
        panoptic = square(9, 4)
        after = applied(panoptic, smooth_border(panoptic, 1, 3))
        assert after[4, 4] == 0 and after[4, 8] == 1
        assert np.array_equal(after, after.T) and np.array_equal(after, after[::-1])

    def test_what_it_gives_up_goes_to_what_lies_nearest(self):
        panoptic = square(9, 4, image=2)
        after = applied(panoptic, smooth_border(panoptic, 1, 3))
        assert after[4, 4] == 2 and (after > 0).all()

    def test_opens_no_gap_beside_a_locked_segment(self):
        array = np.full((12, 12), 1, np.uint16)
        array[3:9, 3:9] = 2
        panoptic = cells(*array, but=LOCKED)
        assert smooth_border(panoptic, 2, 3).is_empty

    def test_a_segment_that_would_vanish_stays(self):
        assert smooth_border(cells(*[[0, 0, 1, 0, 0]] * 5), 1, 3).is_empty

    def test_a_locked_segment_only_gains(self):
        locked = cells([1, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1], but=LOCKED)
        after = applied(locked, smooth_border(locked, 1, 1))
        assert after[0, 0] == 1 and after[2, 2] == 1

    @pytest.mark.parametrize("radius", [0, -1, np.inf, np.nan])
    def test_with_a_radius_that_is_no_number_is_a_mistake(self, radius):
        with pytest.raises(ValueError, match="a disc of radius"):
            smooth_border(cells([1]), 1, radius)


class TestGrowAndShrink:
    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_grow_takes_all_pixels_at_most_so_far_away(self, n):
        array = np.zeros((9, 9), np.uint16)
        array[4, 4] = 1
        panoptic = cells(*array)
        y, x = np.mgrid[-4:5, -4:5]
        after = applied(panoptic, grow(panoptic, 1, n))
        assert np.array_equal(after == 1, x**2 + y**2 <= n**2)

    def test_grow_takes_unlocked_segments_whole_and_leaves_locked_ones(self):
        panoptic = cells([1, 2, 3], but=LOCKED)
        panoptic.apply(grow(panoptic, 2, 1))
        assert np.array_equal(panoptic.segment_ids, ids([1, 2, 2]))
        assert panoptic.segments.keys() == {1, 2}

    def test_grow_by_more_than_the_image_takes_all_of_it(self):
        panoptic = cells([0, 1, 0, 0])
        assert (applied(panoptic, grow(panoptic, 1, 500)) == 1).all()

    def test_shrink_takes_all_pixels_at_most_so_far_inside(self):
        panoptic = square(9, 2)
        after = applied(panoptic, shrink(panoptic, 1, 2))
        assert (after[4:9, 4:9] == 1).all() and (after == 1).sum() == 25

    def test_what_shrinks_goes_to_what_lies_nearest_but_not_to_locked_segments(self):
        panoptic = cells([1, 2, 2, 2, 2, 2, 3, 0], but=LOCKED)
        after = applied(panoptic, shrink(panoptic, 2, 1))
        assert np.array_equal(after, ids([1, 0, 2, 2, 2, 3, 3, 0]))

    def test_shrink_leaves_the_images_edge(self):
        panoptic = cells(*[[1, 1, 1, 0]] * 3)
        after = applied(panoptic, shrink(panoptic, 1, 1))
        assert np.array_equal(after, ids(*[[1, 1, 0, 0]] * 3))
        assert shrink(cells([1, 1]), 1, 1).is_empty

    def test_a_segment_that_would_vanish_and_a_locked_one_stay(self):
        assert shrink(cells([0, 1, 1, 0]), 1, 1).is_empty
        assert shrink(cells([1, 1, 1, 0], but=LOCKED), 1, 1).is_empty

    @pytest.mark.parametrize("move", [grow, shrink])
    def test_by_no_pixel_is_a_mistake(self, move):
        with pytest.raises(ValueError, match="moved by 0 pixels"):
            move(cells([1]), 1, 0)


@pytest.mark.parametrize("edit", [fill_holes, lambda map, i: grow(map, i, 1)])
def test_a_segment_that_is_not_there_is_a_mistake(edit):
    with pytest.raises(ValueError, match="no segment 4"):
        edit(cells([1]), 4)


@pytest.mark.parametrize(
    "edit",
    [
        lambda map: smooth_border(map, 1, 2),
        lambda map: grow(map, 1, 3),
        lambda map: shrink(map, 1, 2),
    ],
)
@given(array=whole_maps)
def test_tile_by_tile_is_the_same_as_all_at_once(edit, array):
    segments = {int(i): Segment(int(i), CELL.id) for i in np.unique(array) if i}
    assume(1 in segments)
    panoptic = PanopticMap(array, segments, 10)
    whole = applied(panoptic, edit(panoptic))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(borders, "TILE", 1)
        assert np.array_equal(applied(panoptic, edit(panoptic)) == 1, whole == 1)
