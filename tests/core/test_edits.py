"""Brush, eraser and what is done to one segment: each does what it says."""

import numpy as np
import pytest

from core.edits import (
    brush_stroke,
    clear,
    delete_segment,
    erase_stroke,
    new_segment,
    set_segment,
)
from core.errors import ProjectError
from core.panoptic import MAX_SEGMENT_ID, PanopticMap, Rect, Segment, Source
from tests.core.map_edits import CELL, DISH, DOT, GLASS, cells, ids, row


class TestBrush:
    def test_begins_a_new_segment(self):
        panoptic = PanopticMap.empty(3, 4)
        edit = brush_stroke(panoptic, row(2, y=1), DOT, new_segment(panoptic, CELL))
        panoptic.apply(edit)
        assert np.array_equal(panoptic.segment_ids, ids([0] * 4, [1, 1, 0, 0], [0] * 4))
        assert panoptic.segments == {1: Segment(1, CELL.id, Source.HUMAN)}

    def test_changes_no_map(self):
        panoptic = PanopticMap.empty(3, 4)
        brush_stroke(panoptic, row(2), DOT, Segment(1, CELL.id))
        assert not panoptic.segment_ids.any() and panoptic.segments == {}

    def test_stores_only_the_rectangle_that_changes(self):
        panoptic = cells([1, 1, 0, 0, 2])
        edit = brush_stroke(panoptic, row(4), DOT, panoptic.segments[1])
        assert edit.rect == Rect(0, 2, 1, 4)

    def test_over_its_own_pixels_is_empty(self):
        panoptic = cells([1, 1, 0])
        assert brush_stroke(panoptic, row(2), DOT, panoptic.segments[1]).is_empty

    def test_outside_the_image_begins_no_segment(self):
        panoptic = PanopticMap.empty(3, 4)
        edit = brush_stroke(panoptic, [(-9.0, 1.0)], 2, new_segment(panoptic, CELL))
        assert edit.is_empty and edit.segments_after == {}

    def test_leaves_locked_segments_alone(self):
        locked = Segment(2, CELL.id, is_locked=True)
        panoptic = cells([1, 2, 0], but=locked)
        panoptic.apply(brush_stroke(panoptic, row(3), DOT, panoptic.segments[1]))
        assert np.array_equal(panoptic.segment_ids, ids([1, 2, 1]))

    def test_may_extend_a_locked_segment(self):
        panoptic = cells([1, 0], but=Segment(1, CELL.id, is_locked=True))
        panoptic.apply(brush_stroke(panoptic, row(2), DOT, panoptic.segments[1]))
        assert panoptic.areas() == {1: 2} and panoptic.segments[1].is_locked

    def test_over_the_last_pixel_removes_the_segment_in_the_same_edit(self):
        panoptic = cells([1, 2, 3])
        edit = brush_stroke(panoptic, [(1.5, 0.5)], DOT, panoptic.segments[1])
        assert edit.segments_before.keys() == {1, 2} and edit.segments_after.keys() == {1}
        panoptic.apply(edit)
        assert panoptic.segments.keys() == {1, 3}

    def test_makes_every_segment_that_it_reshapes_a_persons_work(self):
        panoptic = cells([1, 2, 2], [3, 3, 3])
        panoptic.apply(brush_stroke(panoptic, row(2), DOT, panoptic.segments[1]))
        sources = {i: segment.source for i, segment in panoptic.segments.items()}
        assert sources == {1: Source.HUMAN, 2: Source.HUMAN, 3: Source.MODEL}

    def test_paints_with_the_segment_as_the_map_knows_it(self):
        panoptic = cells([1, 0], but=Segment(1, CELL.id, is_locked=True, is_crowd=True))
        panoptic.apply(brush_stroke(panoptic, row(2), DOT, Segment(1, DISH.id)))
        assert panoptic.segments == {1: Segment(1, CELL.id, is_locked=True, is_crowd=True)}

    def test_of_stuff_extends_the_one_segment_that_there_is(self):
        panoptic = cells([1, 0], but=Segment(1, DISH.id))
        assert new_segment(panoptic, DISH) == panoptic.segments[1]
        assert new_segment(panoptic, GLASS) == Segment(2, GLASS.id)


class TestEraser:
    def test_gives_pixels_to_void(self):
        panoptic = cells([1, 1, 2, 0])
        panoptic.apply(erase_stroke(panoptic, row(3), DOT))
        assert not panoptic.segment_ids.any() and panoptic.segments == {}

    def test_keeps_to_one_segment_when_told(self):
        panoptic = cells([1, 2, 1])
        panoptic.apply(erase_stroke(panoptic, row(3), DOT, only=1))
        assert np.array_equal(panoptic.segment_ids, ids([0, 2, 0]))

    def test_leaves_locked_segments_alone(self):
        panoptic = cells([1, 2], but=Segment(1, CELL.id, is_locked=True))
        assert erase_stroke(panoptic, row(2), DOT, only=1).is_empty
        panoptic.apply(erase_stroke(panoptic, row(2), DOT))
        assert panoptic.areas() == {1: 1}

    def test_over_void_is_empty(self):
        assert erase_stroke(PanopticMap.empty(3, 3), [(1, 1)], 5).is_empty


class TestSegments:
    def test_delete_takes_the_rectangle_of_the_segment(self):
        panoptic = cells([0, 0, 0], [0, 2, 2], [1, 0, 2])
        edit = delete_segment(panoptic, 2)
        assert edit.rect == Rect(1, 1, 3, 3)
        panoptic.apply(edit)
        assert panoptic.segments.keys() == {1}

    def test_a_locked_segment_is_neither_deleted_nor_cleared(self):
        panoptic = cells([1, 2, 3], but=Segment(2, CELL.id, is_locked=True))
        assert delete_segment(panoptic, 2).is_empty
        panoptic.apply(clear(panoptic))
        assert np.array_equal(panoptic.segment_ids, ids([0, 2, 0]))

    @pytest.mark.parametrize("make", [delete_segment, set_segment])
    def test_a_segment_that_is_not_there_is_a_mistake(self, make):
        with pytest.raises(ValueError, match="no segment 4"):
            make(cells([1]), 4)

    def test_locking_moves_no_pixel_and_can_be_undone(self):
        panoptic = cells([1])
        edit = set_segment(panoptic, 1, is_locked=True)
        panoptic.apply(edit)
        assert edit.rect.is_empty and edit.label == "lock"
        assert panoptic.segments[1] == Segment(1, CELL.id, Source.MODEL, is_locked=True)
        panoptic.apply(edit.inverted())
        assert not panoptic.segments[1].is_locked

    def test_setting_what_is_already_so_is_empty(self):
        assert set_segment(cells([1]), 1, is_locked=False, category=CELL).is_empty

    def test_a_changed_category_keeps_the_crowd_flag(self):
        panoptic = cells([1], but=Segment(1, CELL.id, is_crowd=True))
        panoptic.apply(set_segment(panoptic, 1, category=DISH))
        assert panoptic.segments == {1: Segment(1, DISH.id, is_crowd=True)}

    def test_a_category_changed_to_stuff_that_exists_joins_it(self):
        panoptic = cells([1, 2, 2, 0], but=Segment(1, DISH.id))
        edit = set_segment(panoptic, 2, category=DISH)
        panoptic.apply(edit)
        assert np.array_equal(panoptic.segment_ids, ids([1, 1, 1, 0]))
        assert panoptic.segments.keys() == {1} and edit.rect == Rect(0, 1, 1, 3)

    def test_the_category_of_a_locked_segment_stays_unless_it_is_unlocked_too(self):
        panoptic = cells([1], but=Segment(1, CELL.id, is_locked=True))
        assert set_segment(panoptic, 1, category=DISH).is_empty
        panoptic.apply(set_segment(panoptic, 1, is_locked=False, category=DISH))
        assert panoptic.segments == {1: Segment(1, DISH.id)}

    @pytest.mark.parametrize("is_locked", [None, True, False])
    def test_a_locked_segment_joins_stuff_only_if_the_same_edit_unlocks_it(self, is_locked):
        panoptic = cells([1, 2], but=Segment(1, DISH.id))
        panoptic.apply(set_segment(panoptic, 2, is_locked=True))
        panoptic.apply(set_segment(panoptic, 2, is_locked=is_locked, category=DISH))
        joined = is_locked is False
        assert np.array_equal(panoptic.segment_ids, ids([1, 1] if joined else [1, 2]))
        assert panoptic.segments.keys() == ({1} if joined else {1, 2})

    def test_when_all_ids_are_used_the_user_reads_what_to_do(self):
        full = PanopticMap(ids([0]), {}, MAX_SEGMENT_ID + 1)
        with pytest.raises(ProjectError, match=r"used all 65535 segment ids.*new project"):
            new_segment(full, CELL)
